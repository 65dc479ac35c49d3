import type { IncomingMessage } from 'node:http'
import { Problem } from '../../problem.ts'
import { HTTP_PROBLEMS } from '../problems.ts'
import type { HttpContext } from '../request-facts.ts'

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

/** Well-formed and free of NUL, as the database demands. */
export function isCleanText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}
