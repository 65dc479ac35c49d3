import type { Sql } from '../../platform/db.ts'

export const KEY_ALGORITHMS = ['RS256', 'ES256', 'cookie'] as const
/** `cookie` keys sign the provider's cookies; they have no public part. */
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]

export interface StoredKey {
  readonly kid: string
  readonly algorithm: KeyAlgorithm
  /** The private JWK, or the cookie key, sealed by the keyring. */
  readonly wrapped: Buffer
  readonly activeFrom: Date
  readonly retireAt: Date | undefined
}

interface Row {
  readonly kid: string
  readonly alg: KeyAlgorithm
  readonly wrapped: Buffer
  readonly active_from: Date
  readonly retire_at: Date | null
}

const LOCK = 72_707_404

/** One rotation at a time, whichever process begins it. */
export async function lockKeys(tx: Sql): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
}

/** Keys that are not removed, newest first. */
export async function listKeys(sql: Sql): Promise<StoredKey[]> {
  const rows = await sql.query<Row>(
    'SELECT kid, alg, wrapped, active_from, retire_at FROM oidc_key WHERE removed_at IS NULL ORDER BY active_from DESC, kid',
  )
  return rows.map((row) => ({
    kid: row.kid,
    algorithm: row.alg,
    wrapped: row.wrapped,
    activeFrom: row.active_from,
    retireAt: row.retire_at ?? undefined,
  }))
}

export async function insertKey(sql: Sql, key: StoredKey, publicJwk: object, now: Date): Promise<void> {
  const text =
    'INSERT INTO oidc_key (kid, alg, public_jwk, wrapped, created_at, active_from, retire_at) VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7)'
  await sql.execute(text, [key.kid, key.algorithm, JSON.stringify(publicJwk), key.wrapped, now, key.activeFrom, key.retireAt ?? null])
}

export async function setKeyRetirement(sql: Sql, kid: string, retireAt: Date): Promise<void> {
  await sql.execute('UPDATE oidc_key SET retire_at = $2 WHERE kid = $1', [kid, retireAt])
}

/** Forgets the private part; the row stays as a record of which keys there were. */
export async function removeKey(sql: Sql, kid: string, now: Date): Promise<void> {
  await sql.execute("UPDATE oidc_key SET removed_at = $2, wrapped = ''::bytea WHERE kid = $1", [kid, now])
}

export async function rewrapKey(sql: Sql, kid: string, wrapped: Buffer): Promise<void> {
  await sql.execute('UPDATE oidc_key SET wrapped = $2 WHERE kid = $1 AND removed_at IS NULL', [kid, wrapped])
}
