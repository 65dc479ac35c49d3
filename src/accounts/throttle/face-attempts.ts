import type { Sql } from '../../platform/db.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Limits } from './limits.ts'
import type { Throttle } from './throttle.ts'
import { countUsed, isBlocked } from './throttle.store.ts'

/**
 * Tries at a face check: three an hour for each person, whatever the browser; a passed check gives them back.
 *
 * Whoever goes on without one waits longer each time: after the third try 20 minutes at least, then 40, then an hour before every further
 * one, until a check is passed or a day went by without a try.
 */
export interface FaceAttempts {
  /** @throws {Problem} accounts/too-many-attempts with Retry-After. */
  claim(accountId: string): Promise<void>
  left(accountId: string): Promise<number>
  /** After a passed check, in its transaction. */
  clear(accountId: string, tx: Sql): Promise<void>
}

export function createFaceAttempts({ db, clock }: { db: Sql; clock: Clock }, throttle: Throttle, limits: Limits): FaceAttempts {
  return {
    async claim(accountId) {
      const { hour, run } = limits.faceCheck(accountId)
      await throttle.checkAdmitted([hour, run])
    },
    async left(accountId) {
      const { hour, run } = limits.faceCheck(accountId)
      const now = clock.now()
      if (await isBlocked(db, run, now)) return 0
      const [thisHour, inARow] = [await countUsed(db, hour.key, now), await countUsed(db, run.key, now)]
      return Math.max(0, Math.min(hour.free - thisHour, inARow < run.free ? run.free - inARow : 1))
    },
    async clear(accountId, tx) {
      const { hour, run } = limits.faceCheck(accountId)
      await throttle.clear([hour, run], tx)
    },
  }
}
