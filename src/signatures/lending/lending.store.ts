import type { Sql } from '../../platform/db.ts'
import type { Represented } from '../activation/activation.ts'
import { type LentTerms, lentTerms } from '../activation/lent-key.ts'
import { representedOf } from '../credentials/credential.store.ts'

export interface NewLending {
  readonly terms: LentTerms
  readonly serial: string
  readonly wrapped: Buffer
  readonly codeHash: Buffer
  readonly redirectUri: string
  readonly codeChallenge: string | undefined
  readonly uses: number
}

/** A lent key as it lies here. */
export interface Lending {
  readonly terms: LentTerms
  readonly serial: string
  readonly wrapped: Buffer
  readonly redirectUri: string
  readonly codeChallenge: string | undefined
  readonly isExchanged: boolean
  readonly usesLeft: number
  readonly createdAt: Date
  /** The signer's own, then the issuing authority's. */
  readonly certificates: readonly [Buffer, Buffer]
  /** In whose name the certificate signs, where it is a representative's or a servant's. */
  readonly represents: Represented | undefined
}

interface Row {
  readonly terms: Record<string, unknown>
  readonly serial: string
  readonly wrapped: Buffer
  readonly redirect_uri: string
  readonly code_challenge: string | null
  readonly is_exchanged: boolean
  readonly uses_left: number
  readonly created_at: Date
  readonly expires_at: Date
  readonly der: Buffer
  readonly issuing: Buffer
  readonly represents: unknown
}

export async function insertLending(sql: Sql, { terms, serial, wrapped, codeHash, redirectUri, codeChallenge, uses }: NewLending, now: Date): Promise<void> {
  const { activationId, accountId, clientId, expiresAt, allows } = terms
  await sql.execute(
    `INSERT INTO signature_lending (activation_id, account_id, client_id, authority_id, serial, terms, wrapped, code_hash, redirect_uri, code_challenge, uses_left, created_at, expires_at)
     SELECT $1, $2, $3, authority_id, serial, $5::jsonb, $6, $7, $8, $9, $10, $11, $12 FROM pki_certificate WHERE serial = $4`,
    [activationId, accountId, clientId, serial, JSON.stringify({ activationId, accountId, clientId, allows }), wrapped, codeHash, redirectUri, codeChallenge ?? null, uses, now, expiresAt],
  )
}

// A certificate that was revoked or suspended meanwhile lends nothing any more.
const LIVE = `SELECT l.terms, l.serial, l.wrapped, l.redirect_uri, l.code_challenge, l.token_hash IS NOT NULL AS is_exchanged, l.uses_left, l.created_at, l.expires_at, c.der, a.certificate AS issuing, k.represents
  FROM signature_lending l JOIN pki_certificate c USING (authority_id, serial) JOIN pki_authority a ON a.id = l.authority_id
  LEFT JOIN signature_credential k ON k.authority_id = l.authority_id AND k.serial = l.serial
  WHERE l.expires_at > $2 AND l.wrapped IS NOT NULL AND c.revoked_at IS NULL AND c.not_after > $2`

/** By its code, whether that was used or not; nobody else moves it until the transaction ends. */
export async function lockByCode(tx: Sql, codeHash: Buffer, now: Date): Promise<Lending | undefined> {
  return toLending(await tx.query<Row>(`${LIVE} AND l.code_hash = $1 FOR UPDATE OF l`, [codeHash, now]))
}

export async function lockByToken(tx: Sql, tokenHash: Buffer, now: Date): Promise<Lending | undefined> {
  return toLending(await tx.query<Row>(`${LIVE} AND l.token_hash = $1 FOR UPDATE OF l`, [tokenHash, now]))
}

export async function findByToken(sql: Sql, tokenHash: Buffer, now: Date): Promise<Lending | undefined> {
  return toLending(await sql.query<Row>(`${LIVE} AND l.token_hash = $1`, [tokenHash, now]))
}

function toLending([row]: Row[]): Lending | undefined {
  if (!row) return undefined
  return {
    terms: lentTerms.parse({ ...row.terms, expiresAt: row.expires_at }), serial: row.serial, wrapped: row.wrapped, redirectUri: row.redirect_uri,
    codeChallenge: row.code_challenge ?? undefined, isExchanged: row.is_exchanged, usesLeft: row.uses_left, createdAt: row.created_at, certificates: [row.der, row.issuing],
    represents: representedOf(row.represents),
  }
}

export async function setToken(tx: Sql, activationId: string, { tokenHash, wrapped }: { tokenHash: Buffer; wrapped: Buffer }): Promise<void> {
  await tx.execute('UPDATE signature_lending SET token_hash = $2, wrapped = $3 WHERE activation_id = $1', [activationId, tokenHash, wrapped])
}

/** The key is gone with the last use. */
export async function takeUses(tx: Sql, activationId: string, count: number): Promise<void> {
  await tx.execute('UPDATE signature_lending SET uses_left = uses_left - $2, wrapped = CASE WHEN uses_left = $2 THEN NULL ELSE wrapped END WHERE activation_id = $1', [activationId, count])
}

export async function forgetLending(sql: Sql, activationId: string): Promise<void> {
  await sql.execute('DELETE FROM signature_lending WHERE activation_id = $1', [activationId])
}

/** Whatever an account lent. */
export async function forgetLendingsOf(sql: Sql, accountId: string): Promise<number> {
  return sql.execute('DELETE FROM signature_lending WHERE account_id = $1', [accountId])
}

export async function purgeLendings(sql: Sql, now: Date): Promise<number> {
  return sql.execute('DELETE FROM signature_lending WHERE expires_at < $1', [now])
}
