import { eventInsertion } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Account, AccountId } from '../account.ts'
import { ACCOUNT_COLUMNS, ACCOUNT_TABLES, type AccountRow, toAccount } from '../account.store.ts'
import type { Cpf } from '../identity/cpf.ts'
import type { SignInSession } from '../sessions/session.ts'
import { SESSION_COLUMNS, type SessionRow, toSession } from '../sessions/session.store.ts'
import { findWaysKey, type KeyOf, type StoredWays, toWays, type WaysRow, waysColumns } from '../ways/ways.store.ts'

/** What is known of the account that somebody wants to sign in to, read in one statement. */
export interface Candidate {
  readonly account: Account
  readonly passwordHash: string | null
  /** All that opens the account, of the same moment. */
  readonly ways: StoredWays
  readonly hasTotp: boolean
  readonly hasPasskey: boolean
  readonly hasCertificate: boolean
  readonly hasRecoveryCode: boolean
  /** The device whose cookie the browser showed. */
  readonly deviceId: string | undefined
  readonly devices: DeviceHistory
}

export interface DeviceHistory {
  readonly hasAny: boolean
  /** New ones in the last hour, at most 6. */
  readonly recent: number
}

interface CandidateRow extends AccountRow, WaysRow {
  password_hash: string | null
  has_totp: boolean
  has_passkey: boolean
  has_certificate: boolean
  has_code: boolean
  device_id: string | null
  has_device: boolean
  recent_devices: number
}

const FACTORS = `a.password_hash, ${waysColumns('$4')},
  EXISTS (SELECT 1 FROM totp_factor t WHERE t.account_id = a.id AND t.confirmed_at IS NOT NULL AND t.removed_at IS NULL) AS has_totp,
  EXISTS (SELECT 1 FROM passkey k WHERE k.account_id = a.id AND k.removed_at IS NULL) AS has_passkey,
  EXISTS (SELECT 1 FROM certificate_factor c WHERE c.account_id = a.id AND c.removed_at IS NULL) AS has_certificate,
  EXISTS (SELECT 1 FROM recovery_code r WHERE r.account_id = a.id AND r.used_at IS NULL AND r.removed_at IS NULL) AS has_code,
  (SELECT d.id FROM device d WHERE d.account_id = a.id AND d.cookie_hash = $2 AND d.removed_at IS NULL) AS device_id,
  EXISTS (SELECT 1 FROM device d WHERE d.account_id = a.id) AS has_device,
  (SELECT count(*)::int FROM (SELECT 1 FROM device d WHERE d.account_id = a.id AND d.first_seen_at > $3 LIMIT 6) r) AS recent_devices`

/** The candidate behind a CPF. */
export async function findCandidateByCpf(sql: Sql, cpf: Cpf, { cookieHash, recentSince, keyOf }: CandidateLookup): Promise<Candidate | undefined> {
  const key = keyOf(cpf)
  const [row] = await sql.query<CandidateRow>(`SELECT ${ACCOUNT_COLUMNS}, ${FACTORS} FROM ${ACCOUNT_TABLES} WHERE p.cpf = $1`, [cpf, cookieHash, recentSince, key])
  return row && toCandidate(row, key)
}

/** The candidate behind an account id, for steps after the first. */
export async function findCandidate(sql: Sql, id: AccountId, { cookieHash, recentSince, keyOf }: CandidateLookup): Promise<Candidate | undefined> {
  const key = await findWaysKey(sql, id, keyOf)
  if (key === undefined) return undefined
  const [row] = await sql.query<CandidateRow>(`SELECT ${ACCOUNT_COLUMNS}, ${FACTORS} FROM ${ACCOUNT_TABLES} WHERE a.id = $1`, [id, cookieHash, recentSince, key])
  return row && toCandidate(row, key)
}

export interface CandidateLookup {
  /** Of the browser's device cookie. */
  readonly cookieHash: Buffer | null
  readonly recentSince: Date
  readonly keyOf: KeyOf
}

/** What a finished sign-in writes: the device, the session and the counters that it gives back. */
export interface SignInRecord {
  readonly sessionId: string
  readonly accountId: AccountId
  readonly amr: readonly string[]
  readonly aal: number
  /** Over the session, its account, its strength and this moment; none where the ways in are not the owner's. */
  readonly aalSeal: Buffer | null
  /** The same for what the request names. */
  readonly willSeal: Buffer | null
  readonly now: Date
  /** As read with the candidate: a password that changed, or a hold that began (`holdChanges`), meanwhile stops the sign-in. */
  readonly passwordChangedAt: Date | undefined
  readonly recoveredAt: Date | undefined
  /** `id` is taken when the account does not know the device yet. */
  readonly device: { readonly id: string; readonly cookieHash: Buffer; readonly label: string }
  /** The near counter is emptied, the whole one gives back what the near one held, the others one attempt. */
  readonly counters: { readonly near: string | null; readonly whole: string | null; readonly others: readonly string[] }
  /** The event of the sign-in (`audit.prepare`); it gets the device's real id. */
  readonly event: readonly unknown[]
}

/**
 * Writes a sign-in and its audit event in one statement. The same session id again refreshes that session if it is live and the same account's.
 *
 * `undefined` when the session id belongs to another account or to an ended session, or the account is not as it was read: it
 * waits for a change of the account in progress (`lockAccount`), so no session outlives a suspension. Counters are upserted for
 * the reasons that `returnAttempt` tells: by key, and in the order of `countAttempt`, so that the two cannot deadlock.
 */
export async function recordSignIn(tx: Sql, record: SignInRecord): Promise<SignInSession | undefined> {
  const { near, whole, others } = record.counters
  const [row] = await tx.query<SessionRow>(
    `WITH owner AS (
       SELECT id FROM account WHERE id = $2 AND status = 'active'
         AND date_trunc('milliseconds', password_changed_at) IS NOT DISTINCT FROM $12::timestamptz
         AND date_trunc('milliseconds', recovered_at) IS NOT DISTINCT FROM $15::timestamptz FOR KEY SHARE
     ), seen AS (
       INSERT INTO device (id, account_id, cookie_hash, label, first_seen_at, last_seen_at) SELECT $6, id, $7, $8, $5, $5 FROM owner
       ON CONFLICT (account_id, cookie_hash) DO UPDATE SET last_seen_at = excluded.last_seen_at, removed_at = NULL RETURNING id, account_id
     ), counters AS (
       INSERT INTO throttle AS t (key, points, expire) SELECT k, 0, 0 FROM unnest($11::text[]) k ORDER BY k
       ON CONFLICT (key) DO UPDATE SET points = CASE
         WHEN t.key = $9 THEN 0
         WHEN t.key = $10 THEN greatest(t.points - coalesce((SELECT n.points FROM throttle n WHERE n.key = $9), 1), 0)
         ELSE greatest(t.points - 1, 0) END
     ), opened AS (
     INSERT INTO sign_in_session AS s (id, account_id, device_id, amr, aal, authenticated_at, created_at, last_seen_at, aal_seal, will_seal)
     SELECT $1, seen.account_id, seen.id, $3, $4, $5, $5, $5, $13, $14 FROM seen
     ON CONFLICT (id) DO UPDATE SET amr = excluded.amr, aal = excluded.aal, device_id = excluded.device_id,
       authenticated_at = excluded.authenticated_at, last_seen_at = excluded.last_seen_at, aal_seal = excluded.aal_seal, will_seal = excluded.will_seal
     WHERE s.account_id = excluded.account_id AND s.ended_at IS NULL
     RETURNING ${SESSION_COLUMNS}
     ), audited AS (${eventInsertion(16, 'opened', "jsonb_build_object('deviceId', opened.device_id)")})
     SELECT * FROM opened`,
    [
      record.sessionId, record.accountId, [...record.amr], record.aal, record.now, record.device.id, record.device.cookieHash, record.device.label,
      near, whole, [near, whole, ...others].filter((key) => key !== null).sort(), record.passwordChangedAt ?? null, record.aalSeal, record.willSeal,
      record.recoveredAt ?? null, ...record.event,
    ],
  )
  return row && toSession(row)
}

function toCandidate(row: CandidateRow, waysKey: string): Candidate {
  return {
    account: toAccount(row),
    passwordHash: row.password_hash,
    ways: toWays(row, waysKey),
    hasTotp: row.has_totp,
    hasPasskey: row.has_passkey,
    hasCertificate: row.has_certificate,
    hasRecoveryCode: row.has_code,
    deviceId: row.device_id ?? undefined,
    devices: { hasAny: row.has_device, recent: row.recent_devices },
  }
}
