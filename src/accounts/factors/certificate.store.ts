import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'
import type { WaysTx } from '../ways/ways.store.ts'

/** An ICP-Brasil certificate that is a way in to an account; of the certificate itself only a fingerprint is kept. */
export interface CertificateFactor {
  readonly id: string
  readonly accountId: AccountId
  /** SHA-256 of the certificate. */
  readonly fingerprint: Buffer
  /** Common name of the authority that issued it. */
  readonly issuer: string
  /** Its policy wants the key in a card or token, opened by a PIN (A3, A4). */
  readonly inHardware: boolean
  readonly notAfter: Date
  readonly addedAt: Date
  readonly lastUsedAt: Date | undefined
  /** When its authority first said so here. */
  readonly revokedAt: Date | undefined
  /** That this account added this certificate; of rows that somebody wrote there is none. */
  readonly seal: Buffer
}

interface Row {
  id: string
  account_id: AccountId
  fingerprint: Buffer
  issuer: string
  in_hardware: boolean
  not_after: Date
  added_at: Date
  last_used_at: Date | null
  revoked_at: Date | null
  seal: Buffer
}

const COLUMNS = 'id, account_id, fingerprint, issuer, in_hardware, not_after, added_at, last_used_at, revoked_at, seal'

/** Live ones of an account, oldest first. */
export async function listCertificates(sql: Sql, accountId: AccountId): Promise<CertificateFactor[]> {
  const rows = await sql.query<Row>(`SELECT ${COLUMNS} FROM certificate_factor WHERE account_id = $1 AND removed_at IS NULL ORDER BY added_at, id`, [accountId])
  return rows.map(toCertificate)
}

/** The live one with this fingerprint, whoever's it is. */
export async function findCertificate(sql: Sql, fingerprint: Buffer): Promise<CertificateFactor | undefined> {
  const [row] = await sql.query<Row>(`SELECT ${COLUMNS} FROM certificate_factor WHERE fingerprint = $1 AND removed_at IS NULL`, [fingerprint])
  return row && toCertificate(row)
}

/** Adds one; false when it is a way in already. */
export async function insertCertificate(tx: WaysTx, { id, accountId, fingerprint, issuer, inHardware, notAfter, addedAt, seal }: Omit<CertificateFactor, 'lastUsedAt' | 'revokedAt'>): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO certificate_factor (id, account_id, fingerprint, issuer, in_hardware, not_after, added_at, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (fingerprint) WHERE removed_at IS NULL DO NOTHING`,
    [id, accountId, fingerprint, issuer, inHardware, notAfter, addedAt, seal],
  )
  return added === 1
}

/** Notes a use; false when it was removed meanwhile. */
export async function useCertificate(sql: Sql, id: string, now: Date): Promise<boolean> {
  return (await sql.execute('UPDATE certificate_factor SET last_used_at = $2 WHERE id = $1 AND removed_at IS NULL', [id, now])) === 1
}

/** Notes that its authority revoked it; false when that was known. */
export async function noteRevoked(tx: Sql, id: string, now: Date): Promise<boolean> {
  return (await tx.execute('UPDATE certificate_factor SET revoked_at = $2 WHERE id = $1 AND removed_at IS NULL AND revoked_at IS NULL', [id, now])) === 1
}

/** Removes one of the account; false when it has none such. */
export async function removeCertificate(tx: WaysTx, accountId: AccountId, id: string, now: Date): Promise<boolean> {
  return (await tx.execute('UPDATE certificate_factor SET removed_at = $3 WHERE id = $1 AND account_id = $2 AND removed_at IS NULL', [id, accountId, now])) === 1
}

/** Those that end before `before` and whose owners were not told so; each is given out once. */
export async function takeEnding(tx: Sql, { now, before }: { now: Date; before: Date }): Promise<CertificateFactor[]> {
  const rows = await tx.query<Row>(
    `UPDATE certificate_factor SET warned_at = $1 WHERE removed_at IS NULL AND revoked_at IS NULL AND warned_at IS NULL AND not_after < $2 AND not_after > $1 RETURNING ${COLUMNS}`,
    [now, before],
  )
  return rows.map(toCertificate)
}

function toCertificate(row: Row): CertificateFactor {
  return {
    id: row.id,
    accountId: row.account_id,
    fingerprint: row.fingerprint,
    issuer: row.issuer,
    inHardware: row.in_hardware,
    notAfter: row.not_after,
    addedAt: row.added_at,
    lastUsedAt: row.last_used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    seal: row.seal,
  }
}
