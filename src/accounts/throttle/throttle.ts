import type { Clock } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import type { Limit } from './limits.ts'
import { createRemembered } from './remembered.ts'
import { clearCounters, countAttempt, findWaitSeconds, returnAttempt } from './throttle.store.ts'

/** What became of an attempt: counted on every counter, or refused by some (then counted on none). */
export type Admission =
  | { readonly admitted: true; readonly points: ReadonlyMap<string, number> }
  | { readonly admitted: false; readonly refusedBy: readonly string[]; readonly waitSeconds: number }

/** Counters that persist, shared by every process. Attempts are counted before they are evaluated, so that parallel ones cannot slip by. */
export interface Throttle {
  admit(limits: readonly Limit[]): Promise<Admission>
  /** @throws {Problem} accounts/too-many-attempts with Retry-After. */
  checkAdmitted(limits: readonly Limit[]): Promise<void>
  giveBack(limits: readonly Limit[], sql?: Sql): Promise<void>
  clear(limits: readonly Limit[], sql?: Sql): Promise<void>
}

/** Counters in the table `throttle`. A database that does not answer admits nobody: its error is passed on. */
export function createThrottle({ db, clock }: { db: Sql; clock: Clock }): Throttle {
  const remembered = createRemembered()

  /** By what this process counted itself. */
  function refusedHere(limits: readonly Limit[], nowMs: number): Admission | undefined {
    const waits = limits.map((limit) => ({ key: limit.key, waitMs: remembered.waitMs(limit, nowMs) })).filter(({ waitMs }) => waitMs !== undefined)
    if (waits.length === 0) return undefined
    const longest = Math.max(...waits.map(({ waitMs = 0 }) => waitMs))
    return { admitted: false, refusedBy: waits.map(({ key }) => key), waitSeconds: Math.max(1, Math.ceil(longest / 1000)) }
  }

  async function admit(limits: readonly Limit[]): Promise<Admission> {
    const now = clock.now()
    const refused = refusedHere(limits, now.getTime())
    if (refused !== undefined) return refused
    for (const limit of limits) remembered.count(limit, now.getTime())
    const counted = await countAttempt(db, limits, now).catch((error: unknown) => {
      for (const { key } of limits) remembered.giveBack(key)
      throw error
    })
    const refusing = limits.filter((limit) => !counted.has(limit.key))
    if (refusing.length === 0) return { admitted: true, points: counted }
    for (const { key } of limits) remembered.giveBack(key)
    await returnAttempt(db, [...counted.keys()])
    return { admitted: false, refusedBy: refusing.map((limit) => limit.key), waitSeconds: await findWaitSeconds(db, refusing, now) }
  }

  return {
    admit,
    async checkAdmitted(limits) {
      const admission = await admit(limits)
      if (!admission.admitted) throw new Problem(ACCOUNTS_PROBLEMS.tooManyAttempts, { retryAfterSeconds: admission.waitSeconds })
    },
    giveBack(limits, sql = db) {
      for (const { key } of limits) remembered.giveBack(key)
      return returnAttempt(sql, limits.map((limit) => limit.key))
    },
    clear(limits, sql = db) {
      for (const { key } of limits) remembered.clear(key)
      return clearCounters(sql, limits.map((limit) => limit.key))
    },
  }
}
