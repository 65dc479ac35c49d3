import { Problem } from '../../problem.ts'
import { createWorkerPool, WorkError, type WorkerPool } from '../../worker-pool.ts'
import { HTTP_PROBLEMS } from '../problems.ts'
import type { HttpContext } from '../request-facts.ts'
import { parseJson, readBody } from './body.ts'

/** From here on a text comes decoded, as a `Base64File`; a body that cannot hold one is parsed sooner than it is sent to a thread. */
export const LONG_TEXT = 32 * 1024
/** What a large body may hold: files, and few things beside them. Each value costs the thread that takes the answer. */
export const MOST_VALUES = 10_000
export const MALFORMED = 'malformed'
const LIMITS = { size: 1, maxQueue: 64, deadlineMs: 20_000 } as const

/** One for the process, begun with its first large body; it holds nobody up who wants to end. */
let thread: WorkerPool<Uint8Array, unknown> | undefined

/**
 * The JSON of a body of any length (an empty one has no members), parsed where nobody waits for it; members that hold files are declared as `base64File`.
 *
 * @throws {Problem} platform/malformed, platform/busy, platform/deadline; what `readBody` throws
 */
export async function readLargeJson(ctx: HttpContext, limitBytes: number): Promise<unknown> {
  const body = await readBody(ctx, limitBytes)
  if (body.length < LONG_TEXT) return body.length === 0 ? {} : parseJson(body)
  thread ??= createWorkerPool({ file: new URL('./json.worker.ts', import.meta.url), ...LIMITS })
  try {
    return await thread.run(body, { transfer: [body.buffer] })
  } catch (error) {
    if (error instanceof WorkError && error.code === MALFORMED) throw new Problem(HTTP_PROBLEMS.malformed, { detail: 'The body is not valid JSON', cause: error })
    throw error
  }
}
