import type { Sql } from '../../../platform/db.ts'

export type Span = 'minute' | 'month'

/** The counter of everything that a client's quota is measured by. */
export const ALL = '*'

/**
 * Counts one call if fewer than `most` were counted in this span; the number with this one, or undefined when the span is spent.
 *
 * One statement: the row is locked by its own upsert, so that of parallel calls no more pass than the limit allows.
 */
export async function countCall(
  sql: Sql,
  { clientId, span, startsAt, most }: { clientId: string; span: Span; startsAt: Date; most: number },
): Promise<number | undefined> {
  const [row] = await sql.query<{ used: number }>(
    `INSERT INTO agency_quota AS q (client_id, span, starts_at, operation, used) VALUES ($1, $2, $3, '${ALL}', 1)
     ON CONFLICT (client_id, span, starts_at, operation) DO UPDATE SET used = q.used + 1 WHERE q.used < $4 RETURNING used`,
    [clientId, span, startsAt, most],
  )
  return row?.used
}

/** Counts one call of an operation for the month's report. */
export async function noteUse(sql: Sql, clientId: string, month: Date, operation: string): Promise<void> {
  await sql.execute(
    `INSERT INTO agency_quota AS q (client_id, span, starts_at, operation, used) VALUES ($1, 'month', $2, $3, 1)
     ON CONFLICT (client_id, span, starts_at, operation) DO UPDATE SET used = q.used + 1`,
    [clientId, month, operation],
  )
}

/** What each client used in a month, by operation; `*` is what counts against its quota. */
export interface AgencyUse {
  readonly clientId: string
  readonly operation: string
  readonly used: number
}

export async function listUse(sql: Sql, month: Date): Promise<AgencyUse[]> {
  const rows = await sql.query<{ client_id: string; operation: string; used: number }>(
    `SELECT client_id, operation, used FROM agency_quota WHERE span = 'month' AND starts_at = $1 ORDER BY client_id, operation`,
    [month],
  )
  return rows.map(({ client_id: clientId, operation, used }) => ({ clientId, operation, used }))
}

/** Minutes that limit nothing any more. */
export async function purgeMinutes(sql: Sql, before: Date): Promise<number> {
  return sql.execute(`DELETE FROM agency_quota WHERE span = 'minute' AND starts_at < $1`, [before])
}
