import type { Sql } from '../../platform/db.ts'

/** Who asks whose certificate. */
export interface HandleParties {
  readonly clientId: string
  readonly accountId: string
  readonly credentialId: string
}

/** A request that its client waits for. */
export interface HandleRow {
  readonly askId: string
  readonly answer: Buffer | undefined
  readonly isRefused: boolean
}

/** Requests of one client to one citizen go one after the other, so that many at once are no more than few. */
export async function lockHandles(tx: Sql, { clientId, accountId }: HandleParties): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`signature_handle ${clientId} ${accountId}`])
}

/** Numbers that were given out, and requests that wait or were refused. */
export async function countHandles(tx: Sql, { clientId, accountId }: HandleParties, now: Date): Promise<{ numbers: number; requests: number }> {
  const [row] = await tx.query<{ numbers: string; requests: string }>(
    `SELECT count(*) FILTER (WHERE handle_hash IS NULL) AS numbers, count(*) FILTER (WHERE handle_hash IS NOT NULL AND answer IS NULL) AS requests
     FROM signature_handle WHERE client_id = $1 AND account_id = $2 AND expires_at > $3`,
    [clientId, accountId, now],
  )
  return { numbers: Number(row?.numbers ?? 0), requests: Number(row?.requests ?? 0) }
}

export async function insertNumber(tx: Sql, { clientId, accountId, credentialId }: HandleParties, row: { askId: string; challenge: string; now: Date; expiresAt: Date }): Promise<void> {
  await tx.execute(
    'INSERT INTO signature_handle (ask_id, client_id, account_id, credential_id, challenge, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [row.askId, clientId, accountId, credentialId, row.challenge, row.now, row.expiresAt],
  )
}

/** The newest number that no request has yet, or the one that is named. */
export async function findNumber(tx: Sql, { clientId, accountId, credentialId }: HandleParties, challenge: string | undefined, now: Date): Promise<{ askId: string; challenge: string } | undefined> {
  const [row] = await tx.query<{ ask_id: string; challenge: string }>(
    `SELECT ask_id, challenge FROM signature_handle
     WHERE client_id = $1 AND account_id = $2 AND credential_id = $3 AND handle_hash IS NULL AND expires_at > $4 AND ($5::text IS NULL OR challenge = $5)
     ORDER BY created_at DESC, ask_id LIMIT 1`,
    [clientId, accountId, credentialId, now, challenge ?? null],
  )
  return row && { askId: row.ask_id, challenge: row.challenge }
}

export async function setHandle(tx: Sql, askId: string, { handleHash, publicKey, expiresAt }: { handleHash: Buffer; publicKey: Buffer; expiresAt: Date }): Promise<void> {
  await tx.execute('UPDATE signature_handle SET handle_hash = $2, recipient = $3, expires_at = $4 WHERE ask_id = $1', [askId, handleHash, publicKey, expiresAt])
}

export async function setHandleAnswer(tx: Sql, askId: string, answer: Buffer, expiresAt: Date): Promise<void> {
  await tx.execute('UPDATE signature_handle SET answer = $2, expires_at = $3 WHERE ask_id = $1 AND refused_at IS NULL', [askId, answer, expiresAt])
}

export async function setHandleRefused(tx: Sql, askId: string, now: Date): Promise<void> {
  await tx.execute('UPDATE signature_handle SET refused_at = $2 WHERE ask_id = $1 AND answer IS NULL', [askId, now])
}

/** By its handle, for its own client and citizen; nobody else moves it until the transaction ends. */
export async function lockHandle(tx: Sql, handleHash: Buffer, { clientId, accountId }: Omit<HandleParties, 'credentialId'>, now: Date): Promise<HandleRow | undefined> {
  const [row] = await tx.query<{ ask_id: string; answer: Buffer | null; refused_at: Date | null }>(
    'SELECT ask_id, answer, refused_at FROM signature_handle WHERE handle_hash = $1 AND client_id = $2 AND account_id = $3 AND expires_at > $4 FOR UPDATE',
    [handleHash, clientId, accountId, now],
  )
  return row && { askId: row.ask_id, answer: row.answer ?? undefined, isRefused: row.refused_at !== null }
}

export async function forgetHandle(tx: Sql, askId: string): Promise<void> {
  await tx.execute('DELETE FROM signature_handle WHERE ask_id = $1', [askId])
}

/** Whatever is asked of an account. */
export async function forgetHandlesOf(sql: Sql, accountId: string): Promise<void> {
  await sql.execute('DELETE FROM signature_handle WHERE account_id = $1', [accountId])
}

export async function purgeHandles(sql: Sql, now: Date): Promise<void> {
  await sql.execute('DELETE FROM signature_handle WHERE expires_at < $1', [now])
}
