import type { Sql } from '../../../platform/db.ts'
import type { Month } from './month.ts'

export interface JournalEntry {
  readonly processId: string
  readonly pointId: string
  readonly contract: string
  readonly month: Month
  readonly offline: boolean
  readonly countedAt: Date
}

export async function insertEntry(tx: Sql, entry: JournalEntry): Promise<void> {
  await tx.execute('INSERT INTO metering_journal (process_id, point_id, contract, month, offline, counted_at) VALUES ($1, $2, $3, $4, $5, $6)', [
    entry.processId, entry.pointId, entry.contract, entry.month, entry.offline, entry.countedAt,
  ])
}

export interface PointCount {
  readonly pointId: string
  readonly month: Month
  readonly processes: number
  readonly offline: number
}

/** How many processes each point of a contract has in these months. */
export async function countEntries(sql: Sql, contract: string, months: readonly Month[]): Promise<PointCount[]> {
  const rows = await sql.query<{ point_id: string; month: Month; processes: number; offline: number }>(
    `SELECT point_id, month, count(*)::int AS processes, count(*) FILTER (WHERE offline)::int AS offline
      FROM metering_journal WHERE contract = $1 AND month = ANY($2::text[]) GROUP BY point_id, month`,
    [contract, [...months]],
  )
  return rows.map(({ point_id: pointId, month, processes, offline }) => ({ pointId, month, processes, offline }))
}

/** What in our tables and in the audit record does not go together. */
export interface RecordFault {
  readonly what: 'journal-forged' | 'journal-missing' | 'journal-changed' | 'state-forged' | 'state-missing' | 'plan-changed' | 'statement-changed' | 'statement-missing' | 'statement-wrong'
  /** Id of the process or point, or contract and month. */
  readonly which: string
}

const MOST_FAULTS = 100

/** Rows of the journal without their event, events without their row, and pairs that say different things. */
export async function selectJournalFaults(sql: Sql): Promise<RecordFault[]> {
  const rows = await sql.query<{ which: string; what: 'journal-forged' | 'journal-missing' | 'journal-changed' }>(
    `SELECT coalesce(j.process_id::text, e.data->>'processId') AS which,
       CASE WHEN e.id IS NULL THEN 'journal-forged' WHEN j.process_id IS NULL THEN 'journal-missing' ELSE 'journal-changed' END AS what
     FROM metering_journal j
     FULL JOIN (SELECT * FROM audit_event WHERE type = 'biometrics/process-captured') e ON e.data->>'processId' = j.process_id::text
     WHERE e.id IS NULL OR j.process_id IS NULL OR e.data->>'pointId' <> j.point_id::text OR e.data->>'contract' <> j.contract
       OR e.data->>'month' <> j.month OR (e.data->>'offline')::boolean <> j.offline
     ORDER BY 1 LIMIT ${MOST_FAULTS}`,
  )
  return rows
}

/** The same of the states of points, on which a month's franchise rests. */
export async function selectStateFaults(sql: Sql): Promise<RecordFault[]> {
  const rows = await sql.query<{ which: string; what: 'state-forged' | 'state-missing' }>(
    `SELECT coalesce(s.point_id::text, e.data->>'pointId') AS which, CASE WHEN e.id IS NULL THEN 'state-forged' ELSE 'state-missing' END AS what
     FROM capture_point_state s
     FULL JOIN (SELECT * FROM audit_event WHERE type = 'biometrics/point-state-changed') e
       ON e.data->>'pointId' = s.point_id::text AND (e.data->>'seq')::int = s.seq AND e.data->>'state' = s.state
       AND (e.data->>'atMs')::bigint = round(extract(epoch FROM s.at) * 1000)::bigint
     WHERE e.id IS NULL OR s.point_id IS NULL ORDER BY 1 LIMIT ${MOST_FAULTS}`,
  )
  return rows
}

/** How many processes every point has in a month, whatever its contract. */
export async function countByPoint(sql: Sql, month: Month): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query<{ point_id: string; processes: number }>(
    'SELECT point_id, count(*)::int AS processes FROM metering_journal WHERE month = $1 GROUP BY point_id', [month],
  )
  return new Map(rows.map(({ point_id: pointId, processes }) => [pointId, processes]))
}
