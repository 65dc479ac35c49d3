import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { Problem } from '../problem.ts'
import { PLATFORM_PROBLEMS } from '../problems.ts'
import { HTTP_PROBLEMS } from './problems.ts'
import type { HttpContext } from './request-facts.ts'

export type FormValues = Record<string, string | string[]>

const MAX_FIELDS = 200

/**
 * The raw body, never more than `limitBytes` of it in memory.
 *
 * Compressed bodies are refused: nothing of ours sends them, and they are how a small request becomes a large one.
 * @throws {Problem} platform/too-large, platform/unsupported-media
 */
export async function readBody(ctx: HttpContext, limitBytes: number): Promise<Buffer> {
  if ((ctx.get('Content-Encoding') || 'identity') !== 'identity') throw new Problem(HTTP_PROBLEMS.unsupportedMedia)
  if (Number(ctx.get('Content-Length') || 0) > limitBytes) throw new Problem(HTTP_PROBLEMS.tooLarge)
  return collect(ctx.req, limitBytes)
}

function collect(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limitBytes) return void chunks.push(chunk)
      request.removeAllListeners('data').resume()
      reject(new Problem(HTTP_PROBLEMS.tooLarge))
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', (cause) => reject(new Problem(HTTP_PROBLEMS.malformed, { cause })))
    request.once('close', () => {
      if (!request.readableEnded) reject(new Problem(HTTP_PROBLEMS.malformed, { cause: 'connection closed in the body' }))
    })
  })
}

/** What bodies on their way, and the work on them, may hold together and for one sender. */
export interface BodyBounds {
  readonly bytes: number
  readonly bytesEach: number
  readonly bodiesEach: number
  /** Of one: what is counted for a body that does not say how long it is, and refused as too large before it is read. */
  readonly longest: number
}

export type HoldBody = <T>(ctx: HttpContext, owner: string, work: () => Promise<T>) => Promise<T>

/**
 * Counts what senders hold in memory, before a byte of it is read: large bodies take minutes on slow lines.
 *
 * The first body of a sender is held to the common bound alone. @throws {Problem} platform/busy
 */
export function createBodyHold({ bytes: most, bytesEach, bodiesEach, longest }: BodyBounds): HoldBody {
  let held = 0
  const owners = new Map<string, { bodies: number; bytes: number }>()
  return async (ctx, owner, work) => {
    const said = Number(ctx.get('Content-Length') || Number.NaN)
    const bytes = Number.isFinite(said) ? Math.min(said, longest) : longest
    const own = owners.get(owner) ?? { bodies: 0, bytes: 0 }
    const isTooMuch = own.bodies >= bodiesEach || (own.bodies > 0 && own.bytes + bytes > bytesEach) || held + bytes > most
    if (isTooMuch) throw new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: 10 })
    held += bytes
    owners.set(owner, own)
    own.bodies += 1
    own.bytes += bytes
    try {
      return await work()
    } finally {
      held -= bytes
      own.bodies -= 1
      own.bytes -= bytes
      if (own.bodies === 0) owners.delete(owner)
    }
  }
}

/** Fields of a form; a name that occurs more than once holds a list. */
export function parseForm(body: Buffer): FormValues {
  const values: FormValues = Object.create(null)
  let fields = 0
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    fields += 1
    if (fields > MAX_FIELDS || !isCleanText(name) || !isCleanText(value)) throw new Problem(HTTP_PROBLEMS.malformed)
    addValue(values, name, value)
  }
  return values
}

/** Members of a query string, with the same rules as a form. */
export function parseQuery(querystring: string): FormValues {
  return parseForm(Buffer.from(querystring))
}

function addValue(values: FormValues, name: string, value: string): void {
  const before = values[name]
  if (before === undefined) values[name] = value
  else values[name] = [...[before].flat(), value]
}

/** JSON text in which every string is well-formed and free of NUL, as the database demands. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body), (key, value) => {
      if (key === '__proto__' || !isCleanText(key) || (typeof value === 'string' && !isCleanText(value))) throw new Error('unclean text')
      return value
    })
  } catch (cause) {
    throw new Problem(HTTP_PROBLEMS.malformed, { detail: 'The body is not valid JSON', cause })
  }
}

function isCleanText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** A file of a form; its type is the browser's word, so nobody asks for it. */
export class UploadedFile {
  readonly bytes: Buffer
  /** What the browser calls it: a name for people to read, never a path to write to. */
  readonly name: string

  constructor(bytes: Buffer, name = '') {
    this.bytes = bytes
    this.name = name
  }
}

const MAX_PARTS = 120
const HEAD_END = Buffer.from('\r\n\r\n')
const NAME = /^content-disposition:\s*form-data;(?:.*;)?\s*name="([^"\r\n]{1,100})"/im
const FILE_NAME = /^content-disposition:.*;\s*filename\*?=(?:"([^"\r\n]{0,400})")?/im

/**
 * Fields and files of a form as browsers send it without a script (RFC 7578); an empty file is left out.
 *
 * Several files may have one name (a field that takes several), and make a list; a text that occurs twice is refused.
 *
 * @throws {Problem} platform/malformed
 */
export function parseMultipart(body: Buffer, contentType: string): Record<string, string | UploadedFile | UploadedFile[]> {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType)
  const mark = Buffer.from(`--${boundary?.[1] ?? boundary?.[2] ?? ''}`)
  const values: Record<string, string | UploadedFile | UploadedFile[]> = Object.create(null)
  const parts = boundary === null ? [] : split(body, mark)
  if (parts.length === 0) throw new Problem(HTTP_PROBLEMS.malformed)
  for (const part of parts) {
    const end = part.indexOf(HEAD_END)
    const head = part.subarray(0, Math.max(0, end)).toString('utf8')
    const name = NAME.exec(head)?.[1]
    const before = name === undefined ? undefined : values[name]
    if (end < 0 || end > 2000 || name === undefined || typeof before === 'string') throw new Problem(HTTP_PROBLEMS.malformed)
    const content = part.subarray(end + HEAD_END.length)
    const named = FILE_NAME.exec(head)
    if (named) addFile(values, name, content, named[1])
    else if (before !== undefined) throw new Problem(HTTP_PROBLEMS.malformed)
    else values[name] = cleanText(content)
  }
  return values
}

function addFile(values: Record<string, string | UploadedFile | UploadedFile[]>, field: string, content: Buffer, name = ''): void {
  if (content.length === 0) return
  // Browsers write a quotation mark as %22 (WHATWG, multipart/form-data encoding).
  const file = new UploadedFile(Buffer.from(content), name.toWellFormed().replaceAll('%22', '"').replaceAll('\0', ''))
  const before = values[field]
  values[field] = before instanceof UploadedFile || Array.isArray(before) ? [...[before].flat(), file] : file
}

/** What stands between the marks, each part without the line ends round it. */
function split(body: Buffer, mark: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = body.indexOf(mark); at >= 0; ) {
    const start = at + mark.length
    if (body.subarray(start, start + 2).toString('latin1') === '--') return parts
    const next = body.indexOf(mark, start)
    if (next < 0 || parts.length >= MAX_PARTS) break
    parts.push(body.subarray(start + 2, Math.max(start + 2, next - 2)))
    at = next
  }
  throw new Problem(HTTP_PROBLEMS.malformed)
}

function cleanText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!isUtf8(bytes) || !isCleanText(text)) throw new Problem(HTTP_PROBLEMS.malformed)
  return text
}
