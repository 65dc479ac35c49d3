import { inflateSync } from 'node:zlib'
import { type PdfArray, PdfCursor, type PdfDict, type PdfName, type PdfText, type PdfValue, Unreadable } from './pdf-tokens.ts'

/** Everything that a file can make us do is bounded here. */
const MOST = { objects: 200_000, revisions: 200, inflated: 64 * 1024 * 1024, streams: 2000 } as const
const HEADER_WITHIN = 1024
const TAIL = 2048

type Entry = { readonly kind: 'plain'; readonly offset: number; readonly generation: number } | { readonly kind: 'packed'; readonly stream: number; readonly index: number } | { readonly kind: 'free' }

interface PackedObject {
  readonly number: number
  readonly value: PdfValue
}

type Note = (number: number, entry: Entry) => void

/** What a section tells, in its order. */
function collected<Found>(read: (note: Note) => Found): readonly [readonly (readonly [number, Entry])[], Found] {
  const told: (readonly [number, Entry])[] = []
  const found = read((number, entry) => {
    if (told.push([number, entry]) > MOST.objects) throw new Unreadable('too-much')
  })
  return [told, found]
}

/** An object as it stands: its value, and its stream's bytes when it has one. */
export interface PdfObject {
  readonly value: PdfValue
  readonly stream: Buffer | undefined
}

/** One state of a file: what a reader shows of these bytes. */
export class PdfFile {
  readonly bytes: Buffer
  readonly trailer: PdfDict
  readonly #entries: Map<number, Entry>
  readonly #objects = new Map<number, PdfObject>()
  readonly #packed = new Map<number, readonly PackedObject[]>()
  #inflated = 0

  /** @throws {Unreadable} */
  constructor(bytes: Buffer) {
    this.bytes = bytes
    if (!bytes.subarray(0, HEADER_WITHIN).includes('%PDF-')) throw new Unreadable('not-pdf')
    this.#entries = new Map()
    this.trailer = this.#readChain()
    if (this.trailer.entries.has('Encrypt')) throw new Unreadable('encrypted')
  }

  /** The value behind a reference, or the value itself; null for what is not there. */
  resolve(value: PdfValue | undefined): PdfValue {
    let current = value ?? null
    for (let hops = 0; isKind(current, 'ref'); hops += 1) {
      if (hops > 8) throw new Unreadable('odd-structure')
      current = this.object(current.number)?.value ?? null
    }
    return current
  }

  dict(value: PdfValue | undefined): PdfDict | undefined {
    const found = this.resolve(value)
    return isKind(found, 'dict') ? found : undefined
  }

  array(value: PdfValue | undefined): PdfArray | undefined {
    const found = this.resolve(value)
    return isKind(found, 'array') ? found : undefined
  }

  name(value: PdfValue | undefined): string | undefined {
    const found = this.resolve(value)
    return isKind(found, 'name') ? found.text : undefined
  }

  text(value: PdfValue | undefined): PdfText | undefined {
    const found = this.resolve(value)
    return isKind(found, 'text') ? found : undefined
  }

  /** True for an object that stands in the file plainly, so that its offsets mean something. */
  isPlain(number: number): boolean {
    return this.#entries.get(number)?.kind === 'plain'
  }

  object(number: number): PdfObject | undefined {
    const known = this.#objects.get(number)
    if (known) return known
    const entry = this.#entries.get(number)
    if (!entry || entry.kind === 'free') return undefined
    const found = entry.kind === 'plain' ? this.#plainAt(entry.offset, number) : { value: this.#packedObject(entry.stream, entry.index, number), stream: undefined }
    this.#objects.set(number, found)
    return found
  }

  /** A stream's bytes as they were before they were packed; undefined for another filter than Flate. */
  content(number: number): Buffer | undefined {
    const found = this.object(number)
    const filter = found && isKind(found.value, 'dict') ? found.value.entries.get('Filter') : undefined
    if (!found?.stream || !isKind(found.value, 'dict') || (filter !== undefined && plainName(filter) !== 'FlateDecode')) return undefined
    return this.#inflate(found.value, found.stream)
  }

  #plainAt(offset: number, number: number | undefined): PdfObject {
    const cursor = new PdfCursor(this.bytes, offset)
    const found = cursor.whole()
    cursor.whole()
    if (!cursor.takes('obj') || (number !== undefined && found !== number)) throw new Unreadable('damaged')
    const value = cursor.value()
    if (!isKind(value, 'dict') || !cursor.takes('stream')) return { value, stream: undefined }
    let from = cursor.at
    if (this.bytes[from] === 13) from += 1
    if (this.bytes[from] === 10) from += 1
    const length = this.resolve(value.entries.get('Length'))
    if (typeof length !== 'number' || length < 0 || from + length > this.bytes.length) throw new Unreadable('damaged')
    const after = new PdfCursor(this.bytes, from + length)
    if (!after.takes('endstream')) throw new Unreadable('damaged')
    return { value, stream: this.bytes.subarray(from, from + length) }
  }

  /** Newest first, as readers do: what a later update says hides what an earlier one said. */
  #readChain(): PdfDict {
    const tail = this.bytes.subarray(-TAIL).toString('latin1')
    const [, start] = [...tail.matchAll(/startxref\s+(\d{1,10})\s+%%EOF/g)].at(-1) ?? []
    if (start === undefined) throw new Unreadable('damaged')
    const seen = new Set<number>()
    let first: PdfDict | undefined
    for (let next: number | undefined = Number(start); next !== undefined; ) {
      if (seen.has(next) || seen.size > MOST.revisions || next >= this.bytes.length) throw new Unreadable('odd-structure')
      seen.add(next)
      const at: number = next
      const isTable = new PdfCursor(this.bytes, at).takes('xref')
      const [told, { section }] = collected((note) => ({ section: isTable ? this.#table(at, note) : this.#xrefStream(at, note) }))
      first ??= section
      const previous: PdfValue | undefined = section.entries.get('Prev')
      if (section.entries.has('Encrypt')) throw new Unreadable('encrypted')
      const beside: PdfValue | undefined = isTable ? section.entries.get('XRefStm') : undefined
      if (beside !== undefined) this.#hybrid(beside, told)
      else for (const [number, entry] of told) this.#note(number, entry)
      next = typeof previous === 'number' ? previous : undefined
    }
    if (!first) throw new Unreadable('damaged')
    return first
  }

  /**
   * The stream beside a table, for readers of PDF 1.5 and later, as word processors write it.
   *
   * It may tell of objects that the table leaves free; one that the two put at different places is a file that says two things.
   */
  #hybrid(offset: PdfValue, table: readonly (readonly [number, Entry])[]): void {
    if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0 || offset >= this.bytes.length) throw new Unreadable('damaged')
    const [beside, { section }] = collected((note) => ({ section: this.#xrefStream(offset, note) }))
    if (section.entries.has('Encrypt')) throw new Unreadable('encrypted')
    const told = new Map(beside)
    for (const [number, entry] of table) {
      const other = told.get(number)
      if (entry.kind === 'plain' && other && (other.kind !== 'plain' || other.offset !== entry.offset)) throw new Unreadable('odd-structure')
    }
    const [used, free] = [table.filter(([, { kind }]) => kind !== 'free'), table.filter(([, { kind }]) => kind === 'free')]
    for (const [number, entry] of [...used, ...beside, ...free]) this.#note(number, entry)
  }

  #note(number: number, entry: Entry): void {
    if (!this.#entries.has(number)) this.#entries.set(number, entry)
    if (this.#entries.size > MOST.objects) throw new Unreadable('too-much')
  }

  #table(offset: number, note: Note): PdfDict {
    const cursor = new PdfCursor(this.bytes, offset)
    cursor.takes('xref')
    while (!cursor.takes('trailer')) {
      const [from, count] = [cursor.whole(), cursor.whole()]
      if (count > MOST.objects) throw new Unreadable('too-much')
      for (let i = 0; i < count; i += 1) {
        const [at, generation, kind] = [cursor.whole(), cursor.whole(), cursor.word()]
        if (kind !== 'n' && kind !== 'f') throw new Unreadable('damaged')
        note(from + i, kind === 'n' ? { kind: 'plain', offset: at, generation } : { kind: 'free' })
      }
    }
    const trailer = cursor.value()
    if (!isKind(trailer, 'dict')) throw new Unreadable('damaged')
    return trailer
  }

  #xrefStream(offset: number, note: Note): PdfDict {
    const { value, stream } = this.#plainAt(offset, undefined)
    if (!isKind(value, 'dict') || !stream || plainName(value.entries.get('Type')) !== 'XRef') throw new Unreadable('damaged')
    const data = this.#inflate(value, stream)
    const widths = numbersOf(value.entries.get('W'))
    const [a = 0, b = 0, c = 0] = widths
    const size = value.entries.get('Size')
    const index = value.entries.has('Index') ? numbersOf(value.entries.get('Index')) : [0, typeof size === 'number' ? size : 0]
    if (widths.length !== 3 || widths.some((width) => width > 6) || a + b + c === 0) throw new Unreadable('damaged')
    let at = 0
    for (let pair = 0; pair + 1 < index.length; pair += 2) {
      const [from = 0, count = 0] = [index[pair], index[pair + 1]]
      if (count > MOST.objects || at + count * (a + b + c) > data.length) throw new Unreadable('damaged')
      for (let i = 0; i < count; i += 1, at += a + b + c) {
        const kind = a === 0 ? 1 : data.readUIntBE(at, a)
        const second = b === 0 ? 0 : data.readUIntBE(at + a, b)
        const third = c === 0 ? 0 : data.readUIntBE(at + a + b, c)
        note(from + i, kind === 1 ? { kind: 'plain', offset: second, generation: third } : kind === 2 ? { kind: 'packed', stream: second, index: third } : { kind: 'free' })
      }
    }
    return value
  }

  /** Some readers look for the number and some for the place: where the two differ, so does what they show. */
  #packedObject(stream: number, index: number, number: number): PdfValue {
    const found = this.#packedIn(stream)[index]
    if (!found) return null
    if (found.number !== number) throw new Unreadable('odd-structure')
    return found.value
  }

  #packedIn(number: number): readonly PackedObject[] {
    const known = this.#packed.get(number)
    if (known) return known
    if (this.#packed.size > MOST.streams) throw new Unreadable('too-much')
    const entry = this.#entries.get(number)
    if (entry?.kind !== 'plain') throw new Unreadable('odd-structure')
    const { value, stream } = this.#plainAt(entry.offset, number)
    if (!isKind(value, 'dict') || !stream) throw new Unreadable('damaged')
    const data = this.#inflate(value, stream)
    const [count, first] = [value.entries.get('N'), value.entries.get('First')]
    if (typeof count !== 'number' || typeof first !== 'number' || count > MOST.objects || count < 0) throw new Unreadable('damaged')
    const head = new PdfCursor(data, 0)
    const places = Array.from({ length: count }, () => [head.whole(), head.whole()] as const)
    const values = places.map(([inside, place]) => ({ number: inside, value: new PdfCursor(data, first + place).value() }))
    this.#packed.set(number, values)
    return values
  }

  #inflate(dict: PdfDict, stream: Buffer): Buffer {
    const filter = plainName(dict.entries.get('Filter'))
    if (filter === undefined) return stream
    if (filter !== 'FlateDecode') throw new Unreadable('odd-structure')
    const left = MOST.inflated - this.#inflated
    let data: Buffer
    try {
      data = inflateSync(stream, { maxOutputLength: Math.max(1, left) })
    } catch (error) {
      throw new Unreadable(error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? 'too-much' : 'damaged')
    }
    this.#inflated += data.length
    const parameters = dict.entries.get('DecodeParms')
    if (parameters === undefined) return data
    if (!isKind(parameters, 'dict')) throw new Unreadable('odd-structure')
    const [predictor = 1, columns = 1] = [parameters.entries.get('Predictor'), parameters.entries.get('Columns')]
    if (predictor === 1) return data
    if (typeof predictor !== 'number' || predictor < 10 || typeof columns !== 'number' || columns < 1 || columns > 100) throw new Unreadable('odd-structure')
    return unpredict(data, columns)
  }
}

/** PNG's rows, each with the number of its filter first; cross-reference streams use none and up. */
function unpredict(data: Buffer, columns: number): Buffer {
  const rows = Math.floor(data.length / (columns + 1))
  const out = Buffer.alloc(rows * columns)
  for (let row = 0; row < rows; row += 1) {
    const filter = data[row * (columns + 1)]
    if (filter !== 0 && filter !== 2) throw new Unreadable('odd-structure')
    for (let column = 0; column < columns; column += 1) {
      const above = filter === 2 && row > 0 ? (out[(row - 1) * columns + column] ?? 0) : 0
      out[row * columns + column] = (data[row * (columns + 1) + 1 + column] ?? 0) + above
    }
  }
  return out
}

function numbersOf(value: PdfValue | undefined): number[] {
  if (!isKind(value ?? null, 'array')) throw new Unreadable('damaged')
  return (value as PdfArray).items.map((item) => {
    if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0) throw new Unreadable('damaged')
    return item
  })
}

function plainName(value: PdfValue | undefined): string | undefined {
  return value !== undefined && isKind(value, 'name') ? (value as PdfName).text : undefined
}

/** Narrows a value by its kind. */
export function isKind<Kind extends 'ref' | 'text' | 'name' | 'dict' | 'array'>(value: PdfValue, kind: Kind): value is Extract<PdfValue, { kind: Kind }> {
  return typeof value === 'object' && value !== null && value.kind === kind
}
