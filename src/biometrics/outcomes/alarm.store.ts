import { randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import type { AlarmKey, AlarmRule, AlarmState, Watched } from './alarm.ts'
import type { Measure } from './tally.ts'

/** An alarm as it is kept. */
export interface OutcomeAlarm extends AlarmState {
  readonly id: string
  readonly closedAt: Date | undefined
  readonly closeReason: 'back-in-band' | 'new-baseline' | undefined
}

interface AlarmRow {
  readonly id: string
  readonly rule: AlarmRule
  readonly measure: Measure
  readonly dimension: Watched
  readonly group_name: string
  readonly direction: 'above' | 'below'
  readonly expected_count: number
  readonly expected_total: number
  readonly window_count: number
  readonly window_total: number
  readonly opened_at: Date
  readonly closed_at: Date | null
  readonly close_reason: 'back-in-band' | 'new-baseline' | null
}

const COLUMNS = `id, rule, measure, dimension, group_name, direction, expected_count, expected_total, window_count, window_total, opened_at, closed_at, close_reason`

function toAlarm(row: AlarmRow): OutcomeAlarm {
  const { id, rule, measure, dimension, direction } = row
  return {
    id,
    rule,
    measure,
    dimension,
    group: row.group_name,
    direction,
    expected: { count: row.expected_count, total: row.expected_total },
    seen: { count: row.window_count, total: row.window_total },
    openedAt: row.opened_at,
    closedAt: row.closed_at ?? undefined,
    closeReason: row.close_reason ?? undefined,
  }
}

/** Open ones, newest first; locked until the transaction ends. */
export async function lockOpenAlarms(tx: Sql): Promise<OutcomeAlarm[]> {
  return (
    await tx.query<AlarmRow>(`SELECT ${COLUMNS} FROM face_outcome_alarm WHERE closed_at IS NULL ORDER BY opened_at DESC FOR UPDATE`)
  ).map(toAlarm)
}

/** Open ones and those that were open since then, newest first. */
export async function listAlarms(sql: Sql, since: Date, limit: number): Promise<OutcomeAlarm[]> {
  const text = `SELECT ${COLUMNS} FROM face_outcome_alarm WHERE closed_at IS NULL OR closed_at >= $1 ORDER BY closed_at IS NOT NULL, opened_at DESC LIMIT $2`
  return (await sql.query<AlarmRow>(text, [since, limit])).map(toAlarm)
}

/** Undefined when another process was first. */
export async function addAlarm(
  tx: Sql,
  { rule, measure, dimension, group, direction, expected, seen, openedAt }: AlarmState,
): Promise<OutcomeAlarm | undefined> {
  const [row] = await tx.query<AlarmRow>(
    `INSERT INTO face_outcome_alarm (id, rule, measure, dimension, group_name, direction, expected_count, expected_total, window_count, window_total, opened_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (rule, measure, dimension, group_name) WHERE closed_at IS NULL DO NOTHING
     RETURNING ${COLUMNS}`,
    [randomUUID(), rule, measure, dimension, group, direction, expected.count, expected.total, seen.count, seen.total, openedAt],
  )
  return row && toAlarm(row)
}

/** Undefined when it was closed before. */
export async function closeAlarm(
  tx: Sql,
  { rule, measure, dimension, group }: AlarmKey,
  reason: string,
  now: Date,
): Promise<OutcomeAlarm | undefined> {
  const [row] = await tx.query<AlarmRow>(
    `UPDATE face_outcome_alarm SET closed_at = $5, close_reason = $6
     WHERE rule = $1 AND measure = $2 AND dimension = $3 AND group_name = $4 AND closed_at IS NULL RETURNING ${COLUMNS}`,
    [rule, measure, dimension, group, now, reason],
  )
  return row && toAlarm(row)
}
