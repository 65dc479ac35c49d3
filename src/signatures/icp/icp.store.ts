import type { Sql } from '../../platform/db.ts'
import type { IcpUse } from './presentation.ts'

/** For whom and for what a certificate is asked. */
export interface AskerRow {
  readonly use: IcpUse
  readonly accountId: string | undefined
  readonly binding: string
  readonly page: string
}

/** A certificate that was shown, for whoever asked. */
export interface PresentedRow extends Omit<AskerRow, 'page'> {
  readonly sealed: Buffer
}

export interface CertificateRow {
  readonly id: string
  readonly accountId: string
  readonly evidenceId: string
  readonly sealed: Buffer
  readonly notAfter: Date
  readonly addedAt: Date
  readonly checkedAt: Date
}

const COLUMNS = 'id, account_id AS "accountId", evidence_id AS "evidenceId", sealed, not_after AS "notAfter", added_at AS "addedAt", checked_at AS "checkedAt"'

/** Stores a request unless the account made too many of this use since then; false when it did. */
export async function insertRequest(sql: Sql, row: AskerRow & { requestHash: Buffer; now: Date; expiresAt: Date }, limit: { since: Date; most: number }): Promise<boolean> {
  const stored = await sql.execute(
    `INSERT INTO icp_request (request_hash, account_id, session_id, use, page, created_at, expires_at) SELECT $1, $2::uuid, $3, $4, $5, $6, $7
     WHERE $2::uuid IS NULL OR (SELECT count(*) FROM icp_request WHERE account_id = $2 AND use = $4 AND created_at > $8) < $9`,
    [row.requestHash, row.accountId ?? null, row.binding, row.use, row.page, row.now, row.expiresAt, limit.since, limit.most],
  )
  return stored === 1
}

/** Keeps what was shown, once; false when the request is over or was answered. */
export async function answerRequest(sql: Sql, row: { requestHash: Buffer; ticketHash: Buffer; sealed: Buffer; now: Date; expiresAt: Date }): Promise<boolean> {
  const changed = await sql.execute(
    'UPDATE icp_request SET ticket_hash = $2, sealed = $3, expires_at = $5 WHERE request_hash = $1 AND ticket_hash IS NULL AND expires_at > $4',
    [row.requestHash, row.ticketHash, row.sealed, row.now, row.expiresAt],
  )
  return changed === 1
}

/** Who asked, while nothing was shown and there is time. */
export async function findOpenRequest(sql: Sql, requestHash: Buffer, now: Date): Promise<AskerRow | undefined> {
  const [row] = await sql.query<StoredAsker & { page: string }>(
    'SELECT use, account_id, session_id, page FROM icp_request WHERE request_hash = $1 AND ticket_hash IS NULL AND expires_at > $2', [requestHash, now],
  )
  return row && { ...toAsker(row), page: row.page }
}

/** What lies behind a ticket, which is burnt by asking. */
export async function takePresented(sql: Sql, ticketHash: Buffer, now: Date): Promise<PresentedRow | undefined> {
  const [row] = await sql.query<StoredAsker & { sealed: Buffer }>(
    `WITH taken AS (SELECT request_hash, sealed FROM icp_request WHERE ticket_hash = $1 AND used_at IS NULL AND expires_at > $2 FOR UPDATE)
     UPDATE icp_request r SET used_at = $2, sealed = NULL FROM taken WHERE r.request_hash = taken.request_hash
     RETURNING r.use, r.account_id, r.session_id, taken.sealed AS sealed`,
    [ticketHash, now],
  )
  return row && { ...toAsker(row), sealed: row.sealed }
}

interface StoredAsker {
  use: IcpUse
  account_id: string | null
  session_id: string
}

const toAsker = ({ use, account_id, session_id }: StoredAsker) => ({ use, accountId: account_id ?? undefined, binding: session_id })

/** The account, locked; false when it is not active. */
export async function lockActive(sql: Sql, accountId: string): Promise<boolean> {
  return (await sql.query("SELECT 1 FROM account WHERE id = $1 AND status = 'active' FOR UPDATE", [accountId])).length === 1
}

export async function insertCertificate(sql: Sql, { id, accountId, evidenceId, sealed, notAfter, addedAt }: CertificateRow): Promise<void> {
  await sql.execute(
    'INSERT INTO icp_certificate (id, account_id, evidence_id, sealed, not_after, added_at, checked_at) VALUES ($1, $2, $3, $4, $5, $6, $6)',
    [id, accountId, evidenceId, sealed, notAfter, addedAt],
  )
}

export async function findLive(sql: Sql, accountId: string): Promise<CertificateRow | undefined> {
  const [row] = await sql.query<CertificateRow>(`SELECT ${COLUMNS} FROM icp_certificate WHERE account_id = $1 AND ended_at IS NULL`, [accountId])
  return row
}

/** Those that were looked at longest ago first. */
export async function listLive(sql: Sql): Promise<CertificateRow[]> {
  return sql.query<CertificateRow>(`SELECT ${COLUMNS} FROM icp_certificate WHERE ended_at IS NULL ORDER BY checked_at, id`)
}

export async function noteChecked(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.execute('UPDATE icp_certificate SET checked_at = $2 WHERE id = $1 AND ended_at IS NULL', [id, now])
}

/** Ends one and forgets the certificate itself; false when it had ended. */
export async function endCertificate(sql: Sql, id: string, { why, now }: { why: string; now: Date }): Promise<boolean> {
  return (await sql.execute('UPDATE icp_certificate SET ended_at = $2, ended_for = $3, sealed = NULL WHERE id = $1 AND ended_at IS NULL', [id, now, why])) === 1
}

export async function purgeRequests(sql: Sql, before: Date): Promise<number> {
  return sql.execute('DELETE FROM icp_request WHERE created_at < $1', [before])
}
