import { createHash } from 'node:crypto'
import type { Clock } from '../../../platform/clock.ts'
import { isBase64File } from '../../../platform/http/body/base64-file.ts'
import type { Sql } from '../../../platform/db.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { Problem } from '../../../platform/problem.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { answerCall, beginCall, type CallKey, findCall, forgetCall, purgeCalls, takeOverCall } from './idempotency.store.ts'

/** How long an answer is kept for a request that comes again. */
const KEPT_MS = 24 * 3_600_000
/** After which a call without an answer is one whose process died. */
const LOST_MS = 60_000

export interface Repeatable {
  readonly call: CallKey
  /** Of everything that makes the request this one. */
  readonly requestHash: Buffer
}

/** POSTs that may be sent twice and are done once. */
export interface Idempotency {
  /**
   * The answer of `work`, or the one that was given before for the same key and request.
   * @throws {Problem} agencies/key-reused, agencies/still-running; what `work` throws, after which the key is free again
   */
  once(request: Repeatable | undefined, work: () => Promise<object>): Promise<{ answer: object; isReplay: boolean }>
  sweep(): Promise<void>
}

export interface IdempotencyDependencies {
  readonly db: Sql
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open' | 'hash'>
}

export function createIdempotency({ db, clock, keyring }: IdempotencyDependencies): Idempotency {
  const contextOf = ({ clientId, operation, key }: CallKey) => `agency-answer/${JSON.stringify([clientId, operation, key])}`

  /** The answer that was kept, or nothing when this process is to do the work. */
  async function earlier({ call, requestHash: plain }: Repeatable): Promise<object | undefined> {
    const now = clock.now()
    // Keyed: a request is little more than a CPF, which whoever reads the table could find by trying.
    const requestHash = keyring.hash(plain, 'agency-request')
    if (await beginCall(db, call, requestHash, now)) return undefined
    const known = await findCall(db, call)
    if (known && !known.requestHash.equals(requestHash)) throw new Problem(AGENCY_PROBLEMS.keyReused)
    if (known?.sealed) return JSON.parse(keyring.open(known.sealed, contextOf(call)).toString())
    const isLost = known !== undefined && now.getTime() - known.createdAt.getTime() > LOST_MS
    if (isLost && (await takeOverCall(db, call, known.createdAt, now))) return undefined
    throw new Problem(AGENCY_PROBLEMS.stillRunning, { retryAfterSeconds: 1 })
  }

  return {
    async once(request, work) {
      if (request === undefined) return { answer: await work(), isReplay: false }
      const before = await earlier(request)
      if (before !== undefined) return { answer: before, isReplay: true }
      try {
        const answer = await work()
        await answerCall(db, request.call, keyring.seal(JSON.stringify(answer), contextOf(request.call)))
        return { answer, isReplay: false }
      } catch (error) {
        await forgetCall(db, request.call)
        throw error
      }
    },
    sweep: async () => void (await purgeCalls(db, new Date(clock.now().getTime() - KEPT_MS))),
  }
}

/** Digest of a parsed request; members come in the schema's order, so that the sender's does not matter, and files by their own digest. */
export function requestHash(body: unknown): Buffer {
  const text = JSON.stringify(body, (_, value: unknown) => (isBase64File(value) ? { sha256: value.sha256 } : value))
  return createHash('sha256').update(text).digest()
}
