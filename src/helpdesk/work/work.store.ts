import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { PENDING_REVIEWS } from '../approval/review.store.ts'
import { DRAFTS } from '../attendance/states.store.ts'
import { IS_TO_CONFIRM } from '../binding/binding.store.ts'
import { WAITING_SAMPLES } from '../sampling/sample.store.ts'

/** Parts of the counter in which something can wait for somebody. */
export const WORK_SECTIONS = ['queue', 'attendances', 'accounts', 'approvals', 'fraud', 'samples'] as const

export type WorkSection = (typeof WORK_SECTIONS)[number]

/** How many things wait in each part. */
export type Work = Readonly<Record<WorkSection, number>>

export interface Worker {
  readonly id: AccountId
  readonly unitId: string
}

/** `day` = the line's; `claimedSince` = since when an account that asked to be confirmed is listed. */
export interface WorkSpan {
  readonly day: string
  readonly claimedSince: Date
}

/**
 * What waits in a unit for one of its staff: people in the line, drafts in their own hands, and whatever needs another pair of eyes and may have theirs.
 * Who had a part in a case is not told that it waits; the pages themselves decide who may open what.
 */
export async function countWork(sql: Sql, { id, unitId }: Worker, { day, claimedSince }: WorkSpan): Promise<Work> {
  const [row] = await sql.query<Work>(
    `SELECT
      (SELECT count(*) FROM helpdesk_ticket t WHERE t.unit_id = $1 AND t.day = $3 AND t.state = 'waiting') AS queue,
      (SELECT count(*) FROM attendance c WHERE c.holder_id = $2 AND c.unit_id = $1 AND c.state IN ${DRAFTS}) AS attendances,
      (SELECT count(*) FROM attendance c WHERE c.unit_id = $1 AND c.claimed_at > $4 AND ${IS_TO_CONFIRM}
         AND c.claimed_account <> $2 AND NOT attendance_is_involved(c.id, $2)) AS accounts,
      (SELECT count(*) FROM attendance c WHERE c.unit_id = $1 AND c.state = 'awaiting-approval' AND c.halted_at IS NULL
         AND NOT attendance_is_involved(c.id, $2) AND NOT attendance_is_judge(c.id, $2)) AS approvals,
      (SELECT count(*) FROM ${PENDING_REVIEWS} AND CASE WHEN f.kind = 'second-look'
           THEN NOT attendance_is_involved(c.id, $2) AND NOT EXISTS (SELECT 1 FROM approval_sample s WHERE s.attendance_id = c.id AND s.decided_by = $2)
           ELSE c.decided_by IS DISTINCT FROM $2 AND NOT attendance_is_supporter(c.id, $2)
             AND NOT EXISTS (SELECT 1 FROM attendance_hand h WHERE h.attendance_id = c.id AND h.account_id = $2) END) AS fraud,
      (SELECT count(*) FROM ${WAITING_SAMPLES}) AS samples`,
    [unitId, id, day, claimedSince],
  )
  return row ?? { queue: 0, attendances: 0, accounts: 0, approvals: 0, fraud: 0, samples: 0 }
}
