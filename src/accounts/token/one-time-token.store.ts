import type { Sql } from '../../platform/db.ts'

/** A stored token without its secrets. */
export interface StoredToken {
  readonly id: string
  readonly kind: string
  readonly accountId: string | undefined
  readonly binding: string | undefined
  readonly sealed: Buffer | undefined
  readonly state: string | undefined
  readonly attempts: number
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly secretHash: Buffer
  readonly linkHash: Buffer | null
  readonly seal: Buffer | undefined
}

interface TokenRow {
  id: string
  kind: string
  account_id: string | null
  binding: string | null
  sealed: Buffer | null
  state: string | null
  attempts: number
  created_at: Date
  expires_at: Date
  secret_hash: Buffer
  link_hash: Buffer | null
  seal: Buffer | null
}

export interface NewTokenRow {
  readonly id: string
  readonly kind: string
  readonly secretHash: Buffer
  readonly linkHash: Buffer | null
  readonly accountId: string | null
  readonly binding: string | null
  readonly sealed: Buffer | null
  readonly state: string | null
  readonly createdAt: Date
  readonly codeExpiresAt: Date
  readonly expiresAt: Date
  readonly seal: Buffer
}

const COLUMNS = 'id, kind, account_id, binding, sealed, state, attempts, created_at, expires_at, secret_hash, link_hash, seal'
const LIVE = 'consumed_at IS NULL AND expires_at > $2'

export async function insertToken(sql: Sql, row: NewTokenRow): Promise<void> {
  await sql.execute(
    `INSERT INTO one_time_token (id, kind, secret_hash, link_hash, account_id, binding, sealed, state, created_at, code_expires_at, expires_at, seal)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      row.id, row.kind, row.secretHash, row.linkHash, row.accountId, row.binding, row.sealed, row.state, row.createdAt, row.codeExpiresAt,
      row.expiresAt, row.seal,
    ],
  )
}

/** A live token by its id. */
export async function findToken(sql: Sql, id: string, now: Date): Promise<StoredToken | undefined> {
  const [row] = await sql.query<TokenRow>(`SELECT ${COLUMNS} FROM one_time_token WHERE id = $1 AND ${LIVE}`, [id, now])
  return row && toToken(row)
}

/** A live token by the hash of its link. */
export async function findTokenByLink(sql: Sql, linkHash: Buffer, now: Date): Promise<StoredToken | undefined> {
  const [row] = await sql.query<TokenRow>(`SELECT ${COLUMNS} FROM one_time_token WHERE link_hash = $1 AND ${LIVE}`, [linkHash, now])
  return row && toToken(row)
}

/** Counts one attempt at the code and returns the token; `undefined` when it is used, over, bound elsewhere or has no attempt left. */
export async function countTokenAttempt(
  sql: Sql,
  attempt: { id: string; kind: string; binding: string | null; maxAttempts: number; now: Date },
): Promise<StoredToken | undefined> {
  const [row] = await sql.query<TokenRow>(
    `UPDATE one_time_token SET attempts = attempts + 1
     WHERE id = $1 AND ${LIVE} AND code_expires_at > $2 AND kind = $3 AND binding IS NOT DISTINCT FROM $4 AND attempts < $5 RETURNING ${COLUMNS}`,
    [attempt.id, attempt.now, attempt.kind, attempt.binding, attempt.maxAttempts],
  )
  return row && toToken(row)
}

/** Uses the token up; false for everybody but the first. */
export async function consumeToken(tx: Sql, id: string, now: Date): Promise<boolean> {
  return (await tx.execute(`UPDATE one_time_token SET consumed_at = $2 WHERE id = $1 AND ${LIVE}`, [id, now])) === 1
}

/** Moves a flow's token from one state to the next; false when it is not in the first any more. */
export async function moveToken(sql: Sql, move: { id: string; from: string; to: string; binding: string | undefined; now: Date; sealed: { from: Buffer; to: Buffer } }): Promise<boolean> {
  const changed = await sql.execute(
    `UPDATE one_time_token SET state = $4, binding = $5, seal = $7 WHERE id = $1 AND ${LIVE} AND state = $3 AND seal = $6`,
    [move.id, move.now, move.from, move.to, move.binding ?? null, move.sealed.from, move.sealed.to],
  )
  return changed === 1
}

/** A new code for the same flow, with attempts anew; the old one is dead. */
export async function renewToken(
  sql: Sql,
  renewal: { id: string; secretHash: Buffer; linkHash: Buffer | null; codeExpiresAt: Date; now: Date; sealed: { from: Buffer; to: Buffer } },
): Promise<boolean> {
  const changed = await sql.execute(
    `UPDATE one_time_token SET secret_hash = $3, link_hash = $4, code_expires_at = $5, attempts = 0, seal = $7 WHERE id = $1 AND ${LIVE} AND seal = $6`,
    [renewal.id, renewal.now, renewal.secretHash, renewal.linkHash, renewal.codeExpiresAt, renewal.sealed.from, renewal.sealed.to],
  )
  return changed === 1
}

/** Uses up all live tokens of an account, of one kind or of every kind. */
export async function consumeTokensOf(tx: Sql, accountId: string, now: Date, kind?: string): Promise<void> {
  await tx.execute('UPDATE one_time_token SET consumed_at = $2 WHERE account_id = $1 AND consumed_at IS NULL AND ($3::text IS NULL OR kind = $3)', [
    accountId, now, kind ?? null,
  ])
}

/** Removes tokens that ended before `before`, with what was sealed in them; a job's work. */
export async function purgeTokens(sql: Sql, before: Date): Promise<number> {
  return sql.execute('DELETE FROM one_time_token WHERE expires_at < $1 OR consumed_at < $1', [before])
}

function toToken(row: TokenRow): StoredToken {
  return {
    id: row.id,
    kind: row.kind,
    accountId: row.account_id ?? undefined,
    binding: row.binding ?? undefined,
    sealed: row.sealed ?? undefined,
    state: row.state ?? undefined,
    attempts: row.attempts,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    secretHash: row.secret_hash,
    linkHash: row.link_hash,
    seal: row.seal ?? undefined,
  }
}
