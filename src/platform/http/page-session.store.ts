import type { Sql } from '../db.ts'

export interface PageSessionRow {
  readonly account_id: string | null
  readonly sid: string | null
  readonly data: Buffer
  readonly created_at: Date
  readonly last_seen_at: Date
  readonly expires_at: Date
}

export interface NewPageSession {
  readonly idHash: Buffer
  readonly area: string
  readonly accountId: string | undefined
  readonly sid: string | undefined
  readonly data: Buffer
  readonly now: Date
  readonly expiresAt: Date
}

export async function insertPageSession(sql: Sql, row: NewPageSession): Promise<void> {
  await sql.execute(
    `INSERT INTO page_session (id_hash, area, account_id, sid, data, created_at, last_seen_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`,
    [row.idHash, row.area, row.accountId ?? null, row.sid ?? null, row.data, row.now, row.expiresAt],
  )
}

export async function findPageSession(sql: Sql, idHash: Buffer, area: string): Promise<PageSessionRow | undefined> {
  const rows = await sql.query<PageSessionRow>(
    'SELECT account_id, sid, data, created_at, last_seen_at, expires_at FROM page_session WHERE id_hash = $1 AND area = $2',
    [idHash, area],
  )
  return rows[0]
}

export async function touchPageSession(sql: Sql, idHash: Buffer, now: Date): Promise<void> {
  await sql.execute('UPDATE page_session SET last_seen_at = $2 WHERE id_hash = $1', [idHash, now])
}

/** False when the session ended meanwhile. */
export async function updatePageSession(sql: Sql, idHash: Buffer, data: Buffer): Promise<boolean> {
  return (await sql.execute('UPDATE page_session SET data = $2 WHERE id_hash = $1', [idHash, data])) === 1
}

export async function deletePageSession(sql: Sql, idHash: Buffer): Promise<void> {
  await sql.execute('DELETE FROM page_session WHERE id_hash = $1', [idHash])
}

export async function deletePageSessionsBySid(sql: Sql, sid: string): Promise<number> {
  return sql.execute('DELETE FROM page_session WHERE sid = $1', [sid])
}

export async function deletePageSessionsByAccount(sql: Sql, accountId: string): Promise<number> {
  return sql.execute('DELETE FROM page_session WHERE account_id = $1', [accountId])
}

/** Removes what can never be read again: past its end, or idle longer than any area allows. */
export async function purgePageSessions(sql: Sql, now: Date, idleSince: Date): Promise<number> {
  return sql.execute('DELETE FROM page_session WHERE expires_at <= $1 OR last_seen_at <= $2', [now, idleSince])
}
