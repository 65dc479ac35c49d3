import type { IncomingMessage } from 'node:http'
import { Problem } from '../../problem.ts'
import { HTTP_PROBLEMS } from '../problems.ts'
import type { HttpContext } from '../request-facts.ts'
import { busy, countOf } from './hold.ts'

export type FormValues = Record<string, string | string[]>

const MAX_FIELDS = 200

/**
 * The raw body, never more than `limitBytes` of it in memory.
 *
 * Compressed bodies are refused: nothing of ours sends them, and they are how a small request becomes a large one.
 * @throws {Problem} platform/too-large, platform/unsupported-media; platform/busy where `createBodyHold` gives it up
 */
export async function readBody(ctx: HttpContext, limitBytes: number): Promise<Buffer<ArrayBuffer>> {
  if ((ctx.get('Content-Encoding') || 'identity') !== 'identity') throw new Problem(HTTP_PROBLEMS.unsupportedMedia)
  if (Number(ctx.get('Content-Length') || 0) > limitBytes) throw new Problem(HTTP_PROBLEMS.tooLarge)
  return collect(ctx.req, limitBytes)
}

function collect(request: IncomingMessage, limitBytes: number): Promise<Buffer<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const body = new Collected()
    const count = countOf(request)
    const stop = (problem: Problem) => {
      request.removeAllListeners('data').resume()
      body.forget()
      reject(problem)
    }
    count?.onCut(() => stop(busy()))
    request.on('data', (chunk: Buffer) => {
      if (body.size + chunk.length > limitBytes) return stop(new Problem(HTTP_PROBLEMS.tooLarge))
      body.add(chunk)
      count?.add(chunk.length)
    })
    request.once('end', () => {
      count?.whole()
      resolve(body.whole())
    })
    request.once('error', (cause) => reject(new Problem(HTTP_PROBLEMS.malformed, { cause })))
    request.once('close', () => {
      if (!request.readableEnded) reject(new Problem(HTTP_PROBLEMS.malformed, { cause: 'connection closed in the body' }))
    })
  })
}

const FIRST_BLOCK = 4 * 1024
const LONGEST_BLOCK = 1024 * 1024

/**
 * Bytes in memory of their own: of what has come and at most as much again or a megabyte, and twice of it for a moment at the end.
 *
 * Chunks themselves are not kept: each costs a hundred bytes beside its own, and a sender may have them of one byte.
 */
class Collected {
  size = 0
  readonly #full: Buffer[] = []
  #block = Buffer.allocUnsafeSlow(FIRST_BLOCK)
  #used = 0

  add(chunk: Buffer): void {
    this.size += chunk.length
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#used === this.#block.length) this.#next()
      const taken = rest.copy(this.#block, this.#used)
      this.#used += taken
      rest = rest.subarray(taken)
    }
  }

  /** Whoever waits for the end of the request keeps nothing of it. */
  forget(): void {
    this.#full.length = 0
    this.size = 0
    this.#used = 0
  }

  #next(): void {
    this.#full.push(this.#block)
    this.#block = Buffer.allocUnsafeSlow(Math.min(2 * this.#block.length, LONGEST_BLOCK))
    this.#used = 0
  }

  /** Not of the pool: it may be given to a thread. */
  whole(): Buffer<ArrayBuffer> {
    const whole = Buffer.allocUnsafeSlow(this.size)
    let at = 0
    for (const block of this.#full) at += block.copy(whole, at)
    this.#block.copy(whole, at, 0, this.#used)
    return whole
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

/** JSON text in which every string is well-formed and free of NUL, as the database demands; `take` says what becomes of each value. */
export function parseJson(body: Uint8Array, take: (value: unknown) => unknown = (value) => value): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body), (key, value) => {
      if (key === '__proto__' || !isCleanText(key) || (typeof value === 'string' && !isCleanText(value))) throw new Error('unclean text')
      return take(value)
    })
  } catch (cause) {
    throw new Problem(HTTP_PROBLEMS.malformed, { detail: 'The body is not valid JSON', cause })
  }
}

/** Well-formed and free of NUL, as the database demands. */
export function isCleanText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}
