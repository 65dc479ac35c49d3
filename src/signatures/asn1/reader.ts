/** Reads DER that strangers sent: definite, minimal lengths, bounded depth, nothing copied. */

/** What was sent is not the structure that it should be. */
export class NotDer extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'NotDer'
  }
}

/** Deeper than a signature with a time-stamp inside, which is a signature with certificates inside. */
const MOST_DEEP = 48
const MOST_CHILDREN = 10_000

/** One value: `raw` with its tag and length, `content` without. */
export interface DerNode {
  readonly tag: number
  readonly raw: Buffer
  readonly content: Buffer
  /** The values inside; @throws {NotDer} for a primitive one. */
  children(): readonly DerNode[]
}

/** The one value that these bytes are. @throws {NotDer} also when something follows it. */
export function readDer(bytes: Uint8Array): DerNode {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const node = nodeAt(buffer, 0, 0)
  if (node.raw.length !== buffer.length) throw new NotDer('bytes follow the value')
  return node
}

/** The first value of these bytes, whatever follows: a signature's place in a PDF is filled up with zeros. */
export function readFirstDer(bytes: Uint8Array): DerNode {
  return nodeAt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, 0)
}

function nodeAt(bytes: Buffer, start: number, depth: number): DerNode {
  if (depth > MOST_DEEP) throw new NotDer('nested too deeply')
  const tag = bytes[start]
  const first = bytes[start + 1]
  if (tag === undefined || first === undefined) throw new NotDer('cut off')
  if ((tag & 0x1f) === 0x1f) throw new NotDer('a tag of many bytes')
  const { length, from } = first < 0x80 ? { length: first, from: start + 2 } : longLength(bytes, start + 2, first & 0x7f)
  const end = from + length
  if (end > bytes.length) throw new NotDer('cut off')
  const content = bytes.subarray(from, end)
  let children: DerNode[] | undefined
  return {
    tag,
    raw: bytes.subarray(start, end),
    content,
    children() {
      if ((tag & 0x20) === 0) throw new NotDer('nothing is inside a primitive value')
      children ??= listOf(content, depth + 1)
      return children
    },
  }
}

function longLength(bytes: Buffer, from: number, count: number): { length: number; from: number } {
  if (count === 0 || count > 4) throw new NotDer('a length that DER has not')
  const length = from + count <= bytes.length ? bytes.readUIntBE(from, count) : Number.NaN
  if (!(length >= 0x80) || length < 256 ** (count - 1)) throw new NotDer('a length that is not minimal')
  return { length, from: from + count }
}

function listOf(content: Buffer, depth: number): DerNode[] {
  const items: DerNode[] = []
  for (let at = 0; at < content.length; ) {
    const node = nodeAt(content, at, depth)
    items.push(node)
    if (items.length > MOST_CHILDREN) throw new NotDer('too many values')
    at += node.raw.length
  }
  return items
}

/** The values inside one after the other, however many: a list of revoked certificates may be long. */
export function* valuesOf({ content }: DerNode): Generator<DerNode> {
  for (let at = 0; at < content.length; ) {
    const node = nodeAt(content, at, 0)
    yield node
    at += node.raw.length
  }
}

/** The n-th value inside, of this tag. @throws {NotDer} */
export function child(node: DerNode, index: number, tag?: number): DerNode {
  const found = node.children()[index]
  if (!found || (tag !== undefined && found.tag !== tag)) throw new NotDer(`another value is expected at ${index}`)
  return found
}

/** The first value inside that has this tag. */
export function tagged(node: DerNode, tag: number): DerNode | undefined {
  return node.children().find((each) => each.tag === tag)
}

export function oidText(node: DerNode): string {
  if (node.tag !== 0x06 || node.content.length === 0 || node.content.length > 64) throw new NotDer('an object identifier is expected')
  const arcs: bigint[] = []
  let arc = 0n
  for (const byte of node.content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if ((byte & 0x80) !== 0) continue
    arcs.push(arc)
    arc = 0n
  }
  const [joined = 0n, ...rest] = arcs
  const first = joined < 80n ? joined / 40n : 2n
  return [first, joined - first * 40n, ...rest].join('.')
}

/** A positive INTEGER in hexadecimal without leading zeros. */
export function integerHex(node: DerNode): string {
  if (node.tag !== 0x02 || node.content.length === 0 || node.content.length > 64) throw new NotDer('an integer is expected')
  return node.content.toString('hex').replace(/^(00)+(?=..)/, '')
}

/** UTCTime or GeneralizedTime in whole or parts of seconds, always in UTC. */
export function timeOf(node: DerNode): Date {
  const text = node.content.toString('latin1')
  const [, year, month, day, hour, minute, second] = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d{1,9})?Z$/.exec(text) ?? []
  if ((node.tag !== 0x17 && node.tag !== 0x18) || year === undefined || (node.tag === 0x17) !== (year.length === 2)) throw new NotDer('a time is expected')
  const full = year.length === 4 ? year : `${Number(year) < 50 ? '20' : '19'}${year}`
  const at = new Date(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(at.getTime())) throw new NotDer('a time is expected')
  return at
}
