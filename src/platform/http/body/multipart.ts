import { isUtf8 } from 'node:buffer'
import { Problem } from '../../problem.ts'
import { HTTP_PROBLEMS } from '../problems.ts'
import { isCleanText } from './body.ts'

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
