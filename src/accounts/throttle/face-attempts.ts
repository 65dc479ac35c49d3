import type { Sql } from '../../platform/db.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Limit, Limits } from './limits.ts'
import type { Throttle } from './throttle.ts'
import { countUsed } from './throttle.store.ts'

/** Tries at a face check: three an hour for each person, whatever the browser; a passed check gives them back. */
export interface FaceAttempts {
  /** @throws {Problem} accounts/too-many-attempts with Retry-After. */
  claim(accountId: string): Promise<void>
  left(accountId: string): Promise<number>
  /** After a passed check, in its transaction. */
  clear(accountId: string, tx: Sql): Promise<void>
}

export function createFaceAttempts({ db, clock }: { db: Sql; clock: Clock }, throttle: Throttle, limits: Limits): FaceAttempts {
  const limitOf = (accountId: string): Limit => limits.faceCheck(accountId)
  return {
    claim: (accountId) => throttle.checkAdmitted([limitOf(accountId)]),
    async left(accountId) {
      const limit = limitOf(accountId)
      return Math.max(0, limit.free - (await countUsed(db, limit.key, clock.now())))
    },
    clear: (accountId, tx) => throttle.clear([limitOf(accountId)], tx),
  }
}
