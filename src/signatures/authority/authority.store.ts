import type { Sql } from '../../platform/db.ts'
import type { RevocationReason, RevokedEntry } from './crl.ts'
import type { ProfileName } from './profiles.ts'

interface AuthorityRow {
  readonly id: string
  readonly key_id: string
  readonly state: 'requested' | 'active' | 'retired'
  readonly demo: boolean
  readonly organization: string
  readonly certificate: Buffer | null
  readonly root: Buffer | null
  readonly root_crl: Buffer | null
}

/** An authority whose certificate has come. */
export interface InstalledAuthority {
  readonly id: string
  readonly keyId: string
  readonly isActive: boolean
  readonly demo: boolean
  readonly organization: string
  readonly certificate: Buffer
  readonly root: Buffer
  readonly rootCrl: Buffer
}

export interface RequestedAuthority {
  readonly id: string
  readonly keyId: string
  readonly organization: string
}

const COLUMNS = 'id, key_id, state, demo, organization, certificate, root, root_crl'

/** Newest first: the active one, then those that were. */
export async function listInstalled(sql: Sql): Promise<InstalledAuthority[]> {
  const rows = await sql.query<AuthorityRow>(`SELECT ${COLUMNS} FROM pki_authority WHERE state <> 'requested' ORDER BY installed_at DESC`)
  return rows.flatMap(({ id, key_id: keyId, state, demo, organization, certificate, root, root_crl: rootCrl }) =>
    certificate && root && rootCrl ? [{ id, keyId, isActive: state === 'active', demo, organization, certificate, root, rootCrl }] : [],
  )
}

export async function findRequested(sql: Sql): Promise<RequestedAuthority | undefined> {
  const [row] = await sql.query<AuthorityRow>(`SELECT ${COLUMNS} FROM pki_authority WHERE state = 'requested' ORDER BY created_at DESC LIMIT 1`)
  return row && { id: row.id, keyId: row.key_id, organization: row.organization }
}

export async function insertRequested(sql: Sql, { id, keyId, organization }: RequestedAuthority, demo: boolean, now: Date): Promise<void> {
  await sql.execute(`INSERT INTO pki_authority (id, key_id, state, demo, organization, created_at) VALUES ($1, $2, 'requested', $3, $4, $5)`, [
    id, keyId, demo, organization, now,
  ])
}

/** The one that was requested becomes the active one, what was active is retired; false when another was quicker. */
export async function installAuthority(sql: Sql, id: string, chain: { certificate: Buffer; root: Buffer; rootCrl: Buffer }, now: Date): Promise<boolean> {
  await sql.execute(`UPDATE pki_authority SET state = 'retired' WHERE state = 'active'`)
  const changed = await sql.execute(
    `UPDATE pki_authority SET state = 'active', certificate = $2, root = $3, root_crl = $4, installed_at = $5 WHERE id = $1 AND state = 'requested'`,
    [id, chain.certificate, chain.root, chain.rootCrl, now],
  )
  return changed === 1
}

export async function updateRootCrl(sql: Sql, root: Buffer, rootCrl: Buffer): Promise<number> {
  return sql.execute('UPDATE pki_authority SET root_crl = $2 WHERE root = $1', [root, rootCrl])
}

/** Two processes at their first start make one authority; held to the end of the transaction. */
export async function lockAuthority(sql: Sql): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock($1)', [72_707_380])
}

export interface NewCertificate {
  readonly authorityId: string
  readonly serial: string
  readonly shard: number
  readonly profile: ProfileName
  readonly keyId: string
  readonly der: Buffer
  readonly notBefore: Date
  readonly notAfter: Date
}

export async function insertCertificate(sql: Sql, made: NewCertificate, now: Date): Promise<void> {
  await sql.execute(
    `INSERT INTO pki_certificate (authority_id, serial, shard, profile, key_id, der, not_before, not_after, issued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [made.authorityId, made.serial, made.shard, made.profile, made.keyId, made.der, made.notBefore, made.notAfter, now],
  )
}

export async function countCertificates(sql: Sql, authorityId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>('SELECT count(*) AS count FROM pki_certificate WHERE authority_id = $1', [authorityId])
  return row?.count ?? 0
}

/** A certificate of one of our own services, with its key. */
export interface ServiceCertificate {
  readonly serial: string
  readonly der: Buffer
  readonly keyId: string
  readonly notAfter: Date
}

/** The one that lasts longest of those that are good now. */
export async function findService(sql: Sql, authorityId: string, profile: ProfileName, now: Date): Promise<ServiceCertificate | undefined> {
  const [row] = await sql.query<{ serial: string; der: Buffer; key_id: string; not_after: Date }>(
    `SELECT serial, der, key_id, not_after FROM pki_certificate
     WHERE authority_id = $1 AND profile = $2 AND subject_id IS NULL AND revoked_at IS NULL AND not_before <= $3 AND not_after > $3 ORDER BY not_after DESC LIMIT 1`,
    [authorityId, profile, now],
  )
  return row && { serial: row.serial, der: row.der, keyId: row.key_id, notAfter: row.not_after }
}

export interface CertificateState {
  readonly shard: number
  readonly profile: ProfileName
  readonly notAfter: Date
  readonly revoked: { readonly at: Date; readonly reason: RevocationReason } | undefined
}

export async function findState(sql: Sql, authorityId: string, serial: string): Promise<CertificateState | undefined> {
  const [row] = await sql.query<{ shard: number; profile: ProfileName; not_after: Date; revoked_at: Date | null; revocation_reason: RevocationReason | null }>(
    'SELECT shard, profile, not_after, revoked_at, revocation_reason FROM pki_certificate WHERE authority_id = $1 AND serial = $2',
    [authorityId, serial],
  )
  if (!row) return undefined
  const revoked = row.revoked_at && row.revocation_reason ? { at: row.revoked_at, reason: row.revocation_reason } : undefined
  return { shard: row.shard, profile: row.profile, notAfter: row.not_after, revoked }
}

/**
 * The part that it belongs to, when it was good until now, or only suspended and this is for good.
 *
 * What was suspended counts as revoked from the suspension on: nobody vouches for the time in between.
 */
export async function markRevoked(sql: Sql, authorityId: string, serial: string, { at, reason }: { at: Date; reason: RevocationReason }): Promise<number | undefined> {
  const [row] = await sql.query<{ shard: number }>(
    `UPDATE pki_certificate SET revoked_at = COALESCE(revoked_at, $3), revocation_reason = $4
     WHERE authority_id = $1 AND serial = $2 AND (revoked_at IS NULL OR (revocation_reason = 'certificateHold' AND $4 <> 'certificateHold')) RETURNING shard`,
    [authorityId, serial, at, reason],
  )
  return row?.shard
}

/** The part that it belongs to, when it was suspended until now. */
export async function markReleased(sql: Sql, authorityId: string, serial: string): Promise<number | undefined> {
  const [row] = await sql.query<{ shard: number }>(
    `UPDATE pki_certificate SET revoked_at = NULL, revocation_reason = NULL
     WHERE authority_id = $1 AND serial = $2 AND revocation_reason = 'certificateHold' RETURNING shard`,
    [authorityId, serial],
  )
  return row?.shard
}

/** The part's list must be made anew before anybody gets it. */
export async function markStale(sql: Sql, authorityId: string, shard: number): Promise<void> {
  await sql.execute(
    `INSERT INTO pki_crl (authority_id, shard, number, stale) VALUES ($1, $2, 0, true) ON CONFLICT (authority_id, shard) DO UPDATE SET stale = true`,
    [authorityId, shard],
  )
}

export interface StoredCrl {
  readonly number: number
  readonly stale: boolean
  readonly der: Buffer | null
  readonly made_at: Date | null
}

export async function findCrl(sql: Sql, authorityId: string, shard: number): Promise<StoredCrl | undefined> {
  const [row] = await sql.query<StoredCrl>('SELECT number, stale, der, made_at FROM pki_crl WHERE authority_id = $1 AND shard = $2', [authorityId, shard])
  return row
}

/** As `findCrl`, and whoever revokes waits until this transaction ends. */
export async function lockCrl(sql: Sql, authorityId: string, shard: number): Promise<StoredCrl | undefined> {
  const [row] = await sql.query<StoredCrl>('SELECT number, stale, der, made_at FROM pki_crl WHERE authority_id = $1 AND shard = $2 FOR UPDATE', [authorityId, shard])
  return row
}

export async function listRevoked(sql: Sql, authorityId: string, shard: number): Promise<RevokedEntry[]> {
  const rows = await sql.query<{ serial: string; revoked_at: Date; revocation_reason: RevocationReason }>(
    'SELECT serial, revoked_at, revocation_reason FROM pki_certificate WHERE authority_id = $1 AND shard = $2 AND revoked_at IS NOT NULL ORDER BY number',
    [authorityId, shard],
  )
  return rows.map(({ serial, revoked_at: at, revocation_reason: reason }) => ({ serial, at, reason }))
}

export async function storeCrl(sql: Sql, authorityId: string, shard: number, { number, der }: { number: number; der: Buffer }, now: Date): Promise<void> {
  await sql.execute('UPDATE pki_crl SET number = $3, der = $4, made_at = $5, stale = false WHERE authority_id = $1 AND shard = $2', [
    authorityId, shard, number, der, now,
  ])
}

export async function hasShard(sql: Sql, authorityId: string, shard: number): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM pki_certificate WHERE authority_id = $1 AND shard = $2 LIMIT 1', [authorityId, shard])
  return rows.length > 0
}

export interface RevokedService {
  readonly serial: string
  readonly issuer: Buffer
  readonly at: Date
  readonly reason: RevocationReason
}

/** Certificates of one service, of every authority, that are good no more. */
export async function listRevokedServices(sql: Sql, profile: ProfileName): Promise<RevokedService[]> {
  const rows = await sql.query<{ serial: string; issuer: Buffer; revoked_at: Date; revocation_reason: RevocationReason }>(
    `SELECT c.serial, a.certificate AS issuer, c.revoked_at, c.revocation_reason FROM pki_certificate c JOIN pki_authority a ON a.id = c.authority_id
     WHERE c.profile = $1 AND c.subject_id IS NULL AND c.revoked_at IS NOT NULL AND a.certificate IS NOT NULL`,
    [profile],
  )
  return rows.map(({ serial, issuer, revoked_at: at, revocation_reason: reason }) => ({ serial, issuer, at, reason }))
}

export interface NewPersonCertificate extends Omit<NewCertificate, 'keyId'> {
  readonly personId: string
}

/** Of a person, whose key is not among the authority's. */
export async function insertPersonCertificate(sql: Sql, made: NewPersonCertificate, now: Date): Promise<void> {
  await sql.execute(
    `INSERT INTO pki_certificate (authority_id, serial, shard, profile, subject_id, der, not_before, not_after, issued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [made.authorityId, made.serial, made.shard, made.profile, made.personId, made.der, made.notBefore, made.notAfter, now],
  )
}

/** The newest part of an authority's certificates, and how many are in it. */
export async function findShard(sql: Sql, authorityId: string): Promise<{ shard: number; count: number }> {
  const [row] = await sql.query<{ shard: number; count: number }>(
    `SELECT shard, count(*) AS count FROM pki_certificate
     WHERE authority_id = $1 AND shard = (SELECT shard FROM pki_certificate WHERE authority_id = $1 ORDER BY shard DESC LIMIT 1) GROUP BY shard`,
    [authorityId],
  )
  return row ?? { shard: 0, count: 0 }
}
