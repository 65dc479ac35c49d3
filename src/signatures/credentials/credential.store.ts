import type { Sql } from '../../platform/db.ts'
import type { RevocationReason } from '../authority/crl.ts'
import { type Represented, signatory } from '../activation/activation.ts'
import type { PersonProfile } from '../authority/profiles.ts'
import type { PersonKeyKind } from '../authority/signer.ts'
import { type Credential, type CredentialState, type EndCause, type HoldCause, MOST_TRIES } from './credential.ts'

export interface NewCredential {
  readonly id: string
  readonly accountId: string
  readonly personId: string
  readonly authorityId: string
  readonly serial: string
  readonly profile: PersonProfile
  readonly keyKind: PersonKeyKind
  readonly spki: Buffer
  readonly sealed: Buffer
  readonly notAfter: Date
  readonly represents?: Represented | undefined
}

export async function insertCredential(sql: Sql, made: NewCredential, now: Date): Promise<void> {
  await sql.execute(
    `INSERT INTO signature_credential (id, account_id, person_id, authority_id, serial, profile, key_kind, spki, sealed, not_after, created_at, changed_at, represents)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12::jsonb)`,
    [made.id, made.accountId, made.personId, made.authorityId, made.serial, made.profile, made.keyKind, made.spki, made.sealed, made.notAfter, now,
      made.represents ? JSON.stringify(made.represents) : null],
  )
}

interface Row {
  readonly id: string
  readonly account_id: string
  readonly authority_id: string
  readonly serial: string
  readonly profile: PersonProfile
  readonly key_kind: PersonKeyKind
  readonly held_for: HoldCause | null
  readonly ended_for: EndCause | null
  readonly replaced_by: string | null
  readonly created_at: Date
  readonly represents: unknown
  readonly der: Buffer
  readonly issuer: Buffer
  readonly not_before: Date
  readonly not_after: Date
  readonly revoked_at: Date | null
  readonly revocation_reason: RevocationReason | null
}

const SELECT = `SELECT c.id, c.account_id, c.authority_id, c.serial, c.profile, c.key_kind, c.held_for, c.ended_for, c.replaced_by, c.created_at, c.represents,
    p.der, a.certificate AS issuer, p.not_before, p.not_after, p.revoked_at, p.revocation_reason
  FROM signature_credential c JOIN pki_certificate p ON p.authority_id = c.authority_id AND p.serial = c.serial JOIN pki_authority a ON a.id = c.authority_id`

/** Newest first. */
export async function listCredentials(sql: Sql, accountId: string, now: Date): Promise<Credential[]> {
  const rows = await sql.query<Row>(`${SELECT} WHERE c.account_id = $1 ORDER BY c.created_at DESC, c.id`, [accountId])
  return rows.map((row) => credentialOf(row, now))
}

export async function findCredential(sql: Sql, id: string, now: Date): Promise<Credential | undefined> {
  const [row] = await sql.query<Row>(`${SELECT} WHERE c.id = $1`, [id])
  return row && credentialOf(row, now)
}

function credentialOf(row: Row, now: Date): Credential {
  return {
    id: row.id, accountId: row.account_id, authorityId: row.authority_id, serial: row.serial, profile: row.profile, keyKind: row.key_kind,
    state: stateOf(row, now), heldFor: row.held_for ?? undefined, endedFor: row.ended_for ?? undefined, endedAt: row.revoked_at ?? undefined,
    replacedBy: row.replaced_by ?? undefined, notBefore: row.not_before, notAfter: row.not_after, createdAt: row.created_at,
    certificates: [row.der, row.issuer], represents: representedOf(row.represents),
  }
}

/** In whose name a certificate signs, as its row keeps it. */
export function representedOf(stored: unknown): Represented | undefined {
  const parsed = stored === null ? undefined : signatory.parse(stored)
  return parsed?.kind === 'representative' ? parsed : undefined
}

/** The certificate's own row decides, so that whoever revokes it by whatever way stops its key too. */
function stateOf({ revocation_reason: reason, replaced_by: next, not_after: end }: Row, now: Date): CredentialState {
  if (reason !== null && reason !== 'certificateHold') return 'revoked'
  if (end <= now) return 'expired'
  if (next !== null) return 'replaced'
  return reason === 'certificateHold' ? 'suspended' : 'active'
}

/** One new credential of an account at a time, until the transaction ends. */
export async function lockCredentialsOf(tx: Sql, accountId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`signature_credential ${accountId}`])
}

/** The credential's row, held until the transaction ends; false for another's. */
export async function lockCredential(sql: Sql, id: string, accountId: string): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM signature_credential WHERE id = $1 AND account_id = $2 FOR UPDATE', [id, accountId])).length === 1
}

export async function findKept(sql: Sql, id: string): Promise<{ spki: Buffer; sealed: Buffer | null } | undefined> {
  const [row] = await sql.query<{ spki: Buffer; sealed: Buffer | null }>('SELECT spki, sealed FROM signature_credential WHERE id = $1', [id])
  return row
}

/** How many tries this is, the wrong ones before it included; undefined when there are none left. */
export async function claimTry(sql: Sql, id: string): Promise<number | undefined> {
  const [row] = await sql.query<{ wrong_tries: number }>(
    'UPDATE signature_credential SET wrong_tries = wrong_tries + 1 WHERE id = $1 AND wrong_tries < $2 AND sealed IS NOT NULL AND held_for IS NULL RETURNING wrong_tries',
    [id, MOST_TRIES],
  )
  return row?.wrong_tries
}

export async function resetTries(sql: Sql, id: string): Promise<void> {
  await sql.execute('UPDATE signature_credential SET wrong_tries = 0 WHERE id = $1', [id])
}

export async function returnTry(sql: Sql, id: string): Promise<void> {
  await sql.execute('UPDATE signature_credential SET wrong_tries = wrong_tries - 1 WHERE id = $1 AND wrong_tries > 0', [id])
}

/** Tries count anew once it rests no more: a try that was under way when it came to rest is not another one. */
export async function setHeld(sql: Sql, id: string, heldFor: HoldCause | undefined, now: Date): Promise<void> {
  await sql.execute('UPDATE signature_credential SET held_for = $2, changed_at = $3, wrong_tries = CASE WHEN $2::text IS NULL THEN 0 ELSE wrong_tries END WHERE id = $1', [id, heldFor ?? null, now])
}

/** The key is destroyed with it: what is revoked signs nothing, whoever has which key. */
export async function setEnded(sql: Sql, id: string, endedFor: EndCause, now: Date): Promise<void> {
  await sql.execute('UPDATE signature_credential SET ended_for = $2, held_for = NULL, sealed = NULL, changed_at = $3 WHERE id = $1', [id, endedFor, now])
}

/** Another took its place: its signatures stay good, its key is destroyed. False when that had happened already. */
export async function setReplaced(sql: Sql, id: string, by: string, now: Date): Promise<boolean> {
  return (await sql.execute('UPDATE signature_credential SET replaced_by = $2, sealed = NULL, changed_at = $3 WHERE id = $1 AND replaced_by IS NULL', [id, by, now])) === 1
}

/** Keys that are still there, of an account. */
export async function countKept(sql: Sql, accountId: string, now: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    'SELECT count(*) AS count FROM signature_credential WHERE account_id = $1 AND sealed IS NOT NULL AND not_after > $2', [accountId, now],
  )
  return row?.count ?? 0
}

/** Certificates of a person that could still be relied on: kept ones and one-shot ones. */
export interface LiveCertificate {
  readonly authorityId: string
  readonly serial: string
  readonly credentialId: string | undefined
}

export async function listLiveCertificates(sql: Sql, personId: string, now: Date): Promise<LiveCertificate[]> {
  const rows = await sql.query<{ authority_id: string; serial: string; credential_id: string | null }>(
    `SELECT p.authority_id, p.serial, c.id AS credential_id FROM pki_certificate p
     LEFT JOIN signature_credential c ON c.authority_id = p.authority_id AND c.serial = p.serial
     WHERE p.subject_id = $1 AND p.not_after > $2 AND (p.revoked_at IS NULL OR p.revocation_reason = 'certificateHold') ORDER BY p.number`,
    [personId, now],
  )
  return rows.map(({ authority_id: authorityId, serial, credential_id: id }) => ({ authorityId, serial, credentialId: id ?? undefined }))
}

/** Those of representatives that could sign: all, of an account, or under a mandate. */
export async function listRepresenting(sql: Sql, now: Date, of: { accountId?: string; mandateId?: string } = {}): Promise<{ id: string; accountId: string; represents: Represented }[]> {
  const rows = await sql.query<{ id: string; account_id: string; represents: unknown }>(
    `SELECT id, account_id, represents FROM signature_credential WHERE represents IS NOT NULL AND sealed IS NOT NULL AND not_after > $1
       AND ($2::uuid IS NULL OR account_id = $2::uuid) AND ($3::text IS NULL OR represents->>'mandateId' = $3) ORDER BY id`,
    [now, of.accountId ?? null, of.mandateId ?? null],
  )
  return rows.flatMap(({ id, account_id: accountId, represents }) => {
    const found = representedOf(represents)
    return found ? [{ id, accountId, represents: found }] : []
  })
}

/** Keys that nobody can use any more, because their certificate has ended. */
export async function destroyExpiredKeys(sql: Sql, now: Date): Promise<number> {
  return sql.execute('UPDATE signature_credential SET sealed = NULL, changed_at = $1 WHERE sealed IS NOT NULL AND not_after <= $1', [now])
}

/** Accounts that keep a certificate which could sign, in the order of their ids, after this one. */
export async function listHolders(sql: Sql, now: Date, limit: number, after?: string): Promise<string[]> {
  const rows = await sql.query<{ account_id: string }>(
    `SELECT DISTINCT account_id FROM signature_credential WHERE sealed IS NOT NULL AND not_after > $1 AND ($2::uuid IS NULL OR account_id > $2::uuid) ORDER BY account_id LIMIT $3`,
    [now, after ?? null, limit],
  )
  return rows.map(({ account_id: id }) => id)
}
