import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'

/** A browser that has signed in to the account, known by a long-lived cookie. */
export interface Device {
  readonly id: string
  readonly label: string
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

/** Known devices of an account, the last used first. */
export async function listDevices(sql: Sql, accountId: AccountId): Promise<Device[]> {
  const rows = await sql.query<{ id: string; label: string; first_seen_at: Date; last_seen_at: Date }>(
    `SELECT id, label, first_seen_at, last_seen_at FROM device WHERE account_id = $1 AND removed_at IS NULL
     ORDER BY last_seen_at DESC, id LIMIT 50`,
    [accountId],
  )
  return rows.map((row) => ({ id: row.id, label: row.label, firstSeenAt: row.first_seen_at, lastSeenAt: row.last_seen_at }))
}

/** Forgets a device; its cookie no longer opens anything. */
export async function removeDevice(tx: Sql, accountId: AccountId, id: string, now: Date): Promise<boolean> {
  const changed = await tx.execute('UPDATE device SET removed_at = $3 WHERE id = $1 AND account_id = $2 AND removed_at IS NULL', [id, accountId, now])
  return changed === 1
}

/** Forgets every device: each is a new one at its next sign-in. */
export async function removeDevices(tx: Sql, accountId: AccountId, now: Date): Promise<void> {
  await tx.execute('UPDATE device SET removed_at = $2 WHERE account_id = $1 AND removed_at IS NULL', [accountId, now])
}
