import type { Sql } from '../../platform/db.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Limit, Limits } from './limits.ts'
import type { Throttle } from './throttle.ts'
import { countUsed, isBlocked } from './throttle.store.ts'

/**
 * Tries at a face check: three an hour for each person, whatever the browser; a passed check gives them back.
 *
 * Whoever goes on without one waits longer each time: after the third try 20 minutes at least, then 40, then an hour before every further
 * one, until a check is passed or a day went by without a try.
 *
 * Each door counts by itself, so that nobody waits at one for what was tried at another: the account's own, and every agency's. At agencies
 * a person has eight tries a day at one and 24 at all together, which no passed check gives back but its own: whoever spreads guesses over
 * many agencies meets that bound, and no agency can reach it alone.
 */
export interface FaceAttempts {
  /** @throws {Problem} accounts/too-many-attempts with Retry-After. */
  claim(subject: string, door?: string): Promise<void>
  left(subject: string, door?: string): Promise<number>
  /** After a passed check, in its transaction. */
  clear(subject: string, tx: Sql, door?: string): Promise<void>
}

export function createFaceAttempts({ db, clock }: { db: Sql; clock: Clock }, throttle: Throttle, limits: Limits): FaceAttempts {
  /** `run` and `windows` count at this door only, `shared` at every agency's. */
  function limitsOf(subject: string, door: string | undefined): { run: Limit; windows: Limit[]; shared: Limit[] } {
    if (door === undefined) {
      const { hour, run } = limits.faceCheck(subject)
      return { run, windows: [hour], shared: [] }
    }
    const { hour, run, day, everywhere } = limits.faceCheckAt(door, subject)
    return { run, windows: [hour, day], shared: [everywhere] }
  }

  return {
    async claim(subject, door) {
      const { run, windows, shared } = limitsOf(subject, door)
      await throttle.checkAdmitted([run, ...windows, ...shared])
    },
    async left(subject, door) {
      const { run, windows, shared } = limitsOf(subject, door)
      const now = clock.now()
      if (await isBlocked(db, run, now)) return 0
      const inARow = await countUsed(db, run.key, now)
      let left = inARow < run.free ? run.free - inARow : 1
      for (const { key, free } of [...windows, ...shared]) left = Math.min(left, free - (await countUsed(db, key, now)))
      return Math.max(0, left)
    },
    async clear(subject, tx, door) {
      const { run, windows, shared } = limitsOf(subject, door)
      await throttle.clear([run, ...windows], tx)
      if (shared.length > 0) await throttle.giveBack(shared, tx)
    },
  }
}
