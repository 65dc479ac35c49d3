import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'
import type { SignInSession } from './session.ts'

export interface SessionRow {
  id: string
  account_id: AccountId
  device_id: string | null
  amr: string[]
  aal: number
  authenticated_at: Date
  face_at: Date | null
  face_class: string | null
  created_at: Date
  last_seen_at: Date
  ended_at: Date | null
}

export const SESSION_COLUMNS = 'id, account_id, device_id, amr, aal, authenticated_at, face_at, face_class, created_at, last_seen_at, ended_at'

/** One session, ended ones included. */
export async function findSession(sql: Sql, id: string): Promise<SignInSession | undefined> {
  const [row] = await sql.query<SessionRow>(`SELECT ${SESSION_COLUMNS} FROM sign_in_session WHERE id = $1`, [id])
  return row && toSession(row)
}

/** What a new session, or a fresh sign-in in a live one, is made of. */
export interface SessionOpening {
  readonly id: string
  readonly accountId: AccountId
  readonly deviceId: string | undefined
  readonly amr: readonly string[]
  readonly aal: number
  readonly authenticatedAt: Date
  readonly now: Date
  /** None where the ways into the account are not its owner's. */
  readonly aalSeal: Buffer | null
}

/**
 * Opens a session, or notes a fresh sign-in in the live session of that id.
 *
 * `undefined` when the account is not active, its password changed after this sign-in, or the id is an ended session's or
 * another account's. It waits for a change of the account in progress, so no session outlives a suspension.
 */
export async function openSession(sql: Sql, opening: SessionOpening): Promise<SignInSession | undefined> {
  const [row] = await sql.query<SessionRow>(
    `INSERT INTO sign_in_session AS s (id, account_id, device_id, amr, aal, authenticated_at, created_at, last_seen_at, aal_seal)
     SELECT $1, a.id, $3, $4, $5, $6, $7, $7, $8 FROM (
       SELECT id FROM account WHERE id = $2 AND status = 'active'
         AND (password_changed_at IS NULL OR date_trunc('second', password_changed_at) <= $6) FOR KEY SHARE
     ) a
     ON CONFLICT (id) DO UPDATE SET amr = excluded.amr, aal = excluded.aal, device_id = coalesce(excluded.device_id, s.device_id),
       authenticated_at = excluded.authenticated_at, last_seen_at = excluded.last_seen_at, aal_seal = excluded.aal_seal, will_seal = NULL
     WHERE s.account_id = excluded.account_id AND s.ended_at IS NULL
     RETURNING ${SESSION_COLUMNS}`,
    [opening.id, opening.accountId, opening.deviceId ?? null, [...opening.amr], opening.aal, opening.authenticatedAt, opening.now, opening.aalSeal],
  )
  return row && toSession(row)
}

export interface SealedProofs {
  readonly session: SignInSession
  readonly aalSeal: Buffer | null
  readonly willSeal: Buffer | null
  readonly faceSeal: Buffer | null
}

/** What a session says that it proved, with the seals over it. */
export async function findProofs(sql: Sql, id: string): Promise<SealedProofs | undefined> {
  const [row] = await sql.query<SessionRow & { aal_seal: Buffer | null; will_seal: Buffer | null; face_seal: Buffer | null }>(
    `SELECT ${SESSION_COLUMNS}, aal_seal, will_seal, face_seal FROM sign_in_session WHERE id = $1`, [id],
  )
  return row && { session: toSession(row), aalSeal: row.aal_seal, willSeal: row.will_seal, faceSeal: row.face_seal }
}

/** Sessions of an account that were not ended, the last used first. */
export async function listOpenSessions(sql: Sql, accountId: AccountId, seenSince: Date): Promise<SignInSession[]> {
  const rows = await sql.query<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM sign_in_session WHERE account_id = $1 AND ended_at IS NULL AND last_seen_at > $2
     ORDER BY last_seen_at DESC LIMIT 100`,
    [accountId, seenSince],
  )
  return rows.map(toSession)
}

/** Notes that a session is in use. */
export async function touchSession(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.execute('UPDATE sign_in_session SET last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL', [id, now])
}

/** A session, and whose it has to be. */
export interface SessionKey {
  readonly id: string
  readonly accountId: AccountId
}

/** Replaces the methods of a live session; false when it has ended. */
export async function setMethods(tx: Sql, { id, accountId }: SessionKey, methods: { amr: readonly string[]; aal: number; at: Date; seal: Buffer | null; will: Buffer | null }): Promise<boolean> {
  const changed = await tx.execute(
    'UPDATE sign_in_session SET amr = $2, aal = $3, authenticated_at = $4, last_seen_at = $4, aal_seal = $5, will_seal = $7 WHERE id = $1 AND account_id = $6 AND ended_at IS NULL',
    [id, [...methods.amr], methods.aal, methods.at, methods.seal, accountId, methods.will],
  )
  return changed === 1
}

/** Notes a face check in a live session; it re-authenticates nothing by itself. */
export async function setFace(tx: Sql, { id, accountId }: SessionKey, face: { amr: readonly string[]; at: Date; livenessClass: string; seal: Buffer | null }): Promise<boolean> {
  const changed = await tx.execute('UPDATE sign_in_session SET amr = $2, face_at = $3, face_class = $4, face_seal = $5 WHERE id = $1 AND account_id = $6 AND ended_at IS NULL', [
    id, [...face.amr], face.at, face.livenessClass, face.seal, accountId,
  ])
  return changed === 1
}

/** Ends one session of the account; false when it was over. */
export async function endSession(tx: Sql, accountId: AccountId, id: string, end: { reason: string; now: Date }): Promise<boolean> {
  const changed = await tx.execute(
    'UPDATE sign_in_session SET ended_at = $3, end_reason = $4 WHERE id = $1 AND account_id = $2 AND ended_at IS NULL',
    [id, accountId, end.now, end.reason],
  )
  return changed === 1
}

/** Ends every open session of the account but one, or those of one device; returns their ids. */
export async function endSessions(
  tx: Sql,
  accountId: AccountId,
  end: { reason: string; now: Date; except?: string | undefined; deviceId?: string | undefined },
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `UPDATE sign_in_session SET ended_at = $2, end_reason = $3
     WHERE account_id = $1 AND ended_at IS NULL AND ($4::text IS NULL OR id <> $4) AND ($5::uuid IS NULL OR device_id = $5) RETURNING id`,
    [accountId, end.now, end.reason, end.except ?? null, end.deviceId ?? null],
  )
  return rows.map((row) => row.id)
}

/** Removes sessions that ended or were last used before `before`; a job's work. */
export async function purgeSessions(sql: Sql, before: Date): Promise<number> {
  return sql.execute('DELETE FROM sign_in_session WHERE ended_at < $1 OR last_seen_at < $1', [before])
}

export function toSession(row: SessionRow): SignInSession {
  return {
    id: row.id,
    accountId: row.account_id,
    deviceId: row.device_id ?? undefined,
    amr: row.amr,
    aal: row.aal === 2 ? 2 : 1,
    authenticatedAt: row.authenticated_at,
    faceAt: row.face_at ?? undefined,
    faceClass: row.face_class ?? undefined,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    endedAt: row.ended_at ?? undefined,
  }
}
