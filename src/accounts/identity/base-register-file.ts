import { createReadStream } from 'node:fs'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import type { BaseRecord, BaseRegister, Situation } from './base-register.ts'
import { parseBirthDate } from './birth-date.ts'
import { type Cpf, parseCpf } from './cpf.ts'
import { createLineIndex, type LineIndex } from './line-index.ts'

const COLUMNS = ['cpf', 'name', 'social_name', 'birth_date', 'situation'] as const
type Column = (typeof COLUMNS)[number]

/** The federal register's words, and ours. */
const SITUATION_WORDS: Readonly<Record<string, Situation>> = {
  regular: 'regular', pendente: 'pending', 'pendente de regularização': 'pending', pending: 'pending', suspenso: 'suspended',
  suspensa: 'suspended', suspended: 'suspended', cancelado: 'cancelled', cancelada: 'cancelled', cancelled: 'cancelled', nula: 'void',
  nulo: 'void', void: 'void', falecido: 'deceased', falecida: 'deceased', 'titular falecido': 'deceased', deceased: 'deceased',
}

/** A register read from a file; `close()` lets go of the file. */
export interface FileBaseRegister extends BaseRegister {
  readonly size: number
  close(): Promise<void>
}

/**
 * A base register in a CSV file (header `cpf,name,social_name,birth_date,situation`) or a JSON array of such objects.
 *
 * A CSV file is read once, as a stream; only 16 bytes a person stay in memory, and a look-up reads that person's line, so
 * that a register of millions fits. The file must not change while it is open. JSON is for small files: it is kept whole.
 * Faulty lines are counted out at load, never guessed at.
 * @throws {Error} naming the first faulty line (its number, never its text).
 */
export function openBaseRegisterFile(path: string): Promise<FileBaseRegister> {
  return path.endsWith('.json') ? openJson(path) : openCsv(path)
}

async function openJson(path: string): Promise<FileBaseRegister> {
  const parsed: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!Array.isArray(parsed)) throw new Error('the base register must be a JSON array')
  const records = new Map<Cpf, BaseRecord>()
  for (const [index, entry] of parsed.entries()) {
    const record = typeof entry === 'object' && entry !== null ? toRecord((column) => textOf(entry, column)) : undefined
    if (record === undefined) throw new Error(`the base register has a faulty entry at position ${index}`)
    records.set(record.cpf, record)
  }
  return { size: records.size, find: async (cpf) => records.get(cpf), close: async () => {} }
}

function textOf(entry: object, column: Column): string {
  const value: unknown = Reflect.get(entry, column)
  return typeof value === 'string' ? value : ''
}

async function openCsv(path: string): Promise<FileBaseRegister> {
  const index = createLineIndex()
  const header = await indexLines(path, index)
  index.finish()
  const file = await open(path, 'r')
  return {
    size: index.size,
    async find(cpf) {
      const place = index.find(Number(cpf))
      return place === undefined ? undefined : toRecord(fieldReader(header, await readLine(file, place)))
    },
    close: () => file.close(),
  }
}

/** Walks the file once, notes where each CPF's line starts, and returns the header's columns. */
async function indexLines(path: string, index: LineIndex): Promise<string[]> {
  let header: string[] | undefined
  let number = 0
  for await (const lines of linesOf(path)) {
    for (const { text, offset } of lines) {
      number += 1
      if (header === undefined) header = readHeader(text)
      else if (text.trim() !== '') {
        const record = toRecord(fieldReader(header, text))
        if (record === undefined) throw new Error(`the base register has a faulty line ${number}`)
        index.add(Number(record.cpf), offset)
      }
    }
  }
  return header ?? []
}

interface Line {
  readonly text: string
  /** First byte in the file. */
  readonly offset: number
}

/** Lines by chunks of the file; the event loop turns between two of them. */
async function* linesOf(path: string): AsyncGenerator<Line[]> {
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  const lineOf = (bytes: Buffer, start: number, end: number): Line => {
    const last = bytes[end - 1] === 13 ? end - 1 : end
    return { text: bytes.toString('utf8', start, Math.max(start, last)), offset: offset + start }
  }
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 16 })) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    const lines: Line[] = []
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      lines.push(lineOf(bytes, start, end))
      start = end + 1
    }
    yield lines
    offset += start
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield [lineOf(rest, 0, rest.length)]
}

async function readLine(file: FileHandle, offset: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, offset)
  const end = buffer.indexOf(10)
  return buffer.toString('utf8', 0, end < 0 ? bytesRead : end).replace(/\r$/, '')
}

function readHeader(line: string): string[] {
  const columns = splitCsv(line.replace(/^\uFEFF/, '')).map((column) => column.trim().toLowerCase())
  const missing = COLUMNS.filter((column) => !columns.includes(column))
  if (missing.length > 0) throw new Error(`the base register lacks the columns ${missing.join(', ')}`)
  return columns
}

function fieldReader(header: readonly string[], line: string): (column: Column) => string {
  const fields = splitCsv(line)
  return (column) => fields[header.indexOf(column)] ?? ''
}

/** RFC 4180 without line breaks inside quotes. */
function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

function toRecord(field: (column: Column) => string): BaseRecord | undefined {
  const cpf = parseCpf(field('cpf'))
  const birthDate = parseBirthDate(field('birth_date'), new Date())
  const situation = SITUATION_WORDS[field('situation').trim().toLowerCase()]
  const name = field('name').trim()
  if (cpf === undefined || birthDate === undefined || situation === undefined || name === '') return undefined
  const socialName = field('social_name').trim()
  return { cpf, name, birthDate, situation, ...(socialName !== '' && { socialName }) }
}
