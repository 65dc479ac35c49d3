import type { AccountId } from '../../accounts/index.ts'
import type { Database } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { LOOKS, type LookSpan } from './case.ts'
import { SUPPORT_PROBLEMS } from './problems.ts'
import { countLook } from './support.store.ts'

const HOUR_MS = 3_600_000
const SPAN_MS: Readonly<Record<LookSpan, number>> = { hour: HOUR_MS, day: 24 * HOUR_MS }

/**
 * Counts one look of a member of staff at a CPF, at the counter or for somebody at home, whatever comes of it; committed by itself.
 *
 * @throws {Problem} support/too-many-looks
 */
export async function checkLooks(db: Database, attendantId: AccountId, now: Date): Promise<void> {
  await db.transaction(async (tx) => {
    for (const span of ['hour', 'day'] as const) {
      const startsAt = new Date(Math.floor(now.getTime() / SPAN_MS[span]) * SPAN_MS[span])
      if (await countLook(tx, attendantId, span, { startsAt, most: LOOKS[span] })) continue
      const retryAfterSeconds = Math.ceil((startsAt.getTime() + SPAN_MS[span] - now.getTime()) / 1000)
      throw new Problem(SUPPORT_PROBLEMS.tooManyLooks, { retryAfterSeconds })
    }
  })
}
