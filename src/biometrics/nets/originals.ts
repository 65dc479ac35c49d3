import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ModelChecksumError } from '../onnx/model-files.ts'
import type { Original } from './manifest.ts'

/** Opens a publisher's address; tests give one that leads to a server of their own. */
export type OpenAddress = (address: string, signal: AbortSignal) => Promise<Response>

export interface FetchOptions {
  readonly openAddress?: OpenAddress | undefined
  /** Bytes so far, again from nothing with each attempt. */
  readonly onBytes?: ((received: number, attempt: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Wait before the second attempt; doubled before each further one. */
  readonly firstPauseMs?: number | undefined
}

/** The publisher could not be reached, or did not give the whole file, in any attempt. */
export class FetchError extends Error {
  constructor(original: Original, detail: string, cause?: unknown) {
    super(`${original.file} from ${new URL(original.url).host}: ${detail}`, { cause })
    this.name = 'FetchError'
  }
}

const ATTEMPTS = 4
const FIRST_PAUSE_MS = 500
const ATTEMPT_MS = 60_000

/**
 * The publisher's file, with exactly the size and checksums that the manifest pins.
 *
 * A broken transfer or a busy publisher is tried again after a pause that doubles; a whole file with other bytes is refused at once,
 * because asking again would not make it right.
 * @throws {ModelChecksumError | FetchError}
 */
export async function fetchOriginal(original: Original, options: FetchOptions = {}): Promise<Uint8Array> {
  const pause = options.firstPauseMs ?? FIRST_PAUSE_MS
  for (let attempt = 1; ; attempt++) {
    try {
      return checked(original, await download(original, options, attempt))
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof ModelChecksumError || isFinal(error)) throw error
      if (attempt === ATTEMPTS) throw error instanceof FetchError ? error : new FetchError(original, reasonOf(error), error)
    }
    await wait(pause * 2 ** (attempt - 1), undefined, { signal: options.signal })
  }
}

/** The same file from a folder that holds originals, either flat or in the publisher's sub-folder; undefined when it is in neither. */
export async function readOriginal(original: Original, directory: string): Promise<Uint8Array | undefined> {
  for (const file of [path.join(directory, original.folder, original.file), path.join(directory, original.file)]) {
    const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (!handle) continue
    try {
      const { size } = await handle.stat()
      if (size > original.bytes) throw new Error(`${file}: ${size} bytes, the manifest says ${original.bytes}`)
      return checked(original, await handle.readFile())
    } finally {
      await handle.close()
    }
  }
  return undefined
}

/** Asks the publisher; only https, also where it leads on to. */
export async function openHttps(address: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(address, { signal })
  if (!response.url.startsWith('https://')) throw new Error(`led to ${response.url}, which is not https`)
  return response
}

async function download(
  original: Original,
  { openAddress = openHttps, onBytes, signal }: FetchOptions,
  attempt: number,
): Promise<Uint8Array> {
  const limit = AbortSignal.timeout(ATTEMPT_MS)
  const response = await openAddress(original.url, signal ? AbortSignal.any([signal, limit]) : limit)
  if (!response.ok || !response.body) {
    await response.body?.cancel()
    throw new FetchError(original, `the publisher answers ${response.status}`, { status: response.status })
  }
  const bytes = new Uint8Array(original.bytes)
  let received = 0
  for await (const chunk of response.body) {
    if (received + chunk.length > bytes.length)
      throw new FetchError(original, `more than the ${bytes.length} bytes of the manifest`, { status: 413 })
    bytes.set(chunk, received)
    received += chunk.length
    onBytes?.(received, attempt)
  }
  if (received < bytes.length) throw new FetchError(original, `ended after ${received} of ${bytes.length} bytes`)
  return bytes
}

/** Answers that another attempt would not change: the file is gone, forbidden or another one. */
function isFinal(error: unknown): boolean {
  const cause = error instanceof FetchError ? error.cause : undefined
  if (typeof cause !== 'object' || cause === null || !('status' in cause)) return false
  return cause.status !== 408 && cause.status !== 429 && Number(cause.status) < 500
}

function checked(original: Original, bytes: Uint8Array): Uint8Array {
  for (const kind of ['sha256', 'sha384'] as const) {
    const expected = original[kind]
    const found = createHash(kind).update(bytes).digest('hex')
    if (expected !== undefined && found !== expected) throw new ModelChecksumError(original.file, expected, found, kind)
  }
  return bytes
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
