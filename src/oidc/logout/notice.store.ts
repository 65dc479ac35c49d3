import { randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'

/** A relying party is to be told that a session is over. */
export interface LogoutNotice {
  readonly id: string
  readonly clientId: string
  readonly accountId: string
  readonly sid: string | undefined
  readonly attempts: number
}

interface Row {
  readonly id: string
  readonly client_id: string
  readonly account_id: string
  readonly sid: string | null
  readonly attempts: number
}

export async function insertNotice(
  sql: Sql,
  notice: Omit<LogoutNotice, 'id' | 'attempts'> & { reason: string; now: Date; firstRetryAt: Date },
): Promise<LogoutNotice> {
  const id = randomUUID()
  const { clientId, accountId, sid, reason, now, firstRetryAt } = notice
  const text =
    'INSERT INTO oidc_logout_notice (id, client_id, account_id, sid, reason, created_at, next_attempt_at) VALUES ($1, $2, $3, $4, $5, $6, $7)'
  await sql.execute(text, [id, clientId, accountId, sid ?? null, reason, now, firstRetryAt])
  return { id, clientId, accountId, sid, attempts: 0 }
}

/** Takes due notices for this process: their next attempt moves on, so that another process leaves them alone. */
export async function takeDueNotices(sql: Sql, now: Date, busyUntil: Date): Promise<LogoutNotice[]> {
  const text = `UPDATE oidc_logout_notice SET next_attempt_at = $2 WHERE id IN (SELECT id FROM oidc_logout_notice
    WHERE delivered_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT 50 FOR UPDATE SKIP LOCKED)
    RETURNING id, client_id, account_id, sid, attempts`
  const rows = await sql.query<Row>(text, [now, busyUntil])
  return rows.map((row) => ({
    id: row.id,
    clientId: row.client_id,
    accountId: row.account_id,
    sid: row.sid ?? undefined,
    attempts: row.attempts,
  }))
}

export async function markDelivered(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.execute('UPDATE oidc_logout_notice SET delivered_at = $2, attempts = attempts + 1, last_error = NULL WHERE id = $1', [id, now])
}

/** `retryAt` undefined gives up. */
export async function markFailed(sql: Sql, id: string, fault: { error: string; now: Date; retryAt: Date | undefined }): Promise<void> {
  const text = `UPDATE oidc_logout_notice SET attempts = attempts + 1, last_error = $2, next_attempt_at = coalesce($3, next_attempt_at),
    given_up_at = CASE WHEN $3::timestamptz IS NULL THEN $4::timestamptz END WHERE id = $1`
  await sql.execute(text, [id, fault.error.slice(0, 200), fault.retryAt ?? null, fault.now])
}

export async function purgeNotices(sql: Sql, before: Date): Promise<number> {
  return sql.execute('DELETE FROM oidc_logout_notice WHERE created_at < $1 AND (delivered_at IS NOT NULL OR given_up_at IS NOT NULL)', [
    before,
  ])
}
