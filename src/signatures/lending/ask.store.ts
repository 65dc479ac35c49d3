import type { Sql } from '../../platform/db.ts'
import { type Ask, askContent } from './ask.ts'

interface Row {
  readonly id: string
  readonly client_id: string
  readonly redirect_uri: string
  readonly client_state: string | null
  readonly code_challenge: string | null
  readonly content: unknown
  readonly activation_id: string | null
  readonly account_id: string | null
  readonly granted_at: Date | null
  readonly token_hash: Buffer | null
  readonly expires_at: Date
  readonly challenge?: string | null
  readonly recipient?: Buffer | null
}

/** Access to a citizen's certificates, as it lies here. */
export interface ServiceGrant {
  readonly ask: Ask
  readonly accountId: string
  readonly grantedAt: Date
  readonly isExchanged: boolean
}

const COLUMNS = 'id, client_id, redirect_uri, client_state, code_challenge, content, activation_id, account_id, granted_at, token_hash, expires_at'

export async function insertAsk(sql: Sql, { id, clientId, accountId, redirectUri, state, codeChallenge, content, expiresAt }: Ask, now: Date): Promise<void> {
  await sql.execute(
    'INSERT INTO signature_ask (id, client_id, redirect_uri, client_state, code_challenge, content, created_at, expires_at, account_id) VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)',
    [id, clientId, redirectUri, state ?? null, codeChallenge ?? null, JSON.stringify(content), now, expiresAt, accountId ?? null],
  )
}

const OPEN = `SELECT a.*, h.challenge, h.recipient FROM signature_ask a LEFT JOIN signature_handle h ON h.ask_id = a.id AND h.recipient IS NOT NULL
  WHERE a.expires_at > $2 AND a.granted_at IS NULL`

/** One that nobody has answered yet. */
export async function findAsk(sql: Sql, id: string, now: Date): Promise<Ask | undefined> {
  const [row] = await sql.query<Row>(`${OPEN} AND a.id = $1`, [id, now])
  return row && toAsk(row)
}

/** Those that an account is asked in its area, the newest first. */
export async function listAsksOf(sql: Sql, accountId: string, now: Date): Promise<Ask[]> {
  return (await sql.query<Row>(`${OPEN} AND a.account_id = $1 ORDER BY a.created_at DESC, a.id`, [accountId, now])).map(toAsk)
}

export async function setAskActivation(sql: Sql, id: string, activationId: string): Promise<void> {
  await sql.execute('UPDATE signature_ask SET activation_id = $2 WHERE id = $1 AND granted_at IS NULL', [id, activationId])
}

/** False when somebody else answered it first. */
export async function deleteAsk(sql: Sql, id: string): Promise<boolean> {
  return (await sql.execute('DELETE FROM signature_ask WHERE id = $1 AND granted_at IS NULL', [id])) === 1
}

/** False when it was answered already. */
export async function grantAsk(sql: Sql, id: string, grant: { accountId: string; codeHash: Buffer; now: Date; expiresAt: Date }): Promise<boolean> {
  const { accountId, codeHash, now, expiresAt } = grant
  return (await sql.execute(
    'UPDATE signature_ask SET account_id = $2, code_hash = $3, granted_at = $4, expires_at = $5 WHERE id = $1 AND granted_at IS NULL AND expires_at > $4',
    [id, accountId, codeHash, now, expiresAt],
  )) === 1
}

/** By its code, used or not; nobody else moves it until the transaction ends. */
export async function lockGrantByCode(tx: Sql, codeHash: Buffer, now: Date): Promise<ServiceGrant | undefined> {
  return toGrant(await tx.query<Row>(`SELECT ${COLUMNS} FROM signature_ask WHERE code_hash = $1 AND expires_at > $2 FOR UPDATE`, [codeHash, now]))
}

export async function findGrantByToken(sql: Sql, tokenHash: Buffer, now: Date): Promise<ServiceGrant | undefined> {
  return toGrant(await sql.query<Row>(`SELECT ${COLUMNS} FROM signature_ask WHERE token_hash = $1 AND expires_at > $2`, [tokenHash, now]))
}

export async function setGrantToken(tx: Sql, id: string, tokenHash: Buffer): Promise<void> {
  await tx.execute('UPDATE signature_ask SET token_hash = $2 WHERE id = $1', [id, tokenHash])
}

export async function forgetGrant(sql: Sql, id: string): Promise<void> {
  await sql.execute('DELETE FROM signature_ask WHERE id = $1', [id])
}

/** Whatever an account gave access to. */
export async function forgetGrantsOf(sql: Sql, accountId: string): Promise<number> {
  return sql.execute('DELETE FROM signature_ask WHERE account_id = $1', [accountId])
}

export async function purgeAsks(sql: Sql, now: Date): Promise<number> {
  return sql.execute('DELETE FROM signature_ask WHERE expires_at < $1', [now])
}

function toAsk(row: Row): Ask {
  return {
    id: row.id, clientId: row.client_id, redirectUri: row.redirect_uri, state: row.client_state ?? undefined, codeChallenge: row.code_challenge ?? undefined,
    content: askContent.parse(row.content), activationId: row.activation_id ?? undefined, expiresAt: row.expires_at, accountId: row.account_id ?? undefined,
    waiting: row.challenge && row.recipient ? { challenge: row.challenge, publicKey: row.recipient } : undefined,
  }
}

function toGrant([row]: Row[]): ServiceGrant | undefined {
  if (!row?.account_id || !row.granted_at) return undefined
  return { ask: toAsk(row), accountId: row.account_id, grantedAt: row.granted_at, isExchanged: row.token_hash !== null }
}
