import type { Sql } from '../../platform/db.ts'

/** For whom a citizen acts under one grant. */
export interface Choice {
  readonly grantId: string
  readonly accountId: string
  readonly clientId: string
  readonly sessionUid: string | undefined
  /** `undefined`: "eu mesmo". */
  readonly acting: Acting | undefined
  readonly endedAt: Date | undefined
}

/** A way of representing as it is remembered; what it bears is asked anew at each use. */
export interface Acting {
  readonly id: string
  readonly mandateId: string | undefined
  readonly partyId: string
}

interface Row {
  readonly grant_id: string
  readonly account_id: string
  readonly client_id: string
  readonly session_uid: string | null
  readonly acting_id: string | null
  readonly mandate_id: string | null
  readonly party_id: string | null
  readonly ended_at: Date | null
}

const COLUMNS = 'grant_id, account_id, client_id, session_uid, acting_id, mandate_id, party_id, ended_at'

export async function findChoice(sql: Sql, grantId: string): Promise<Choice | undefined> {
  const [row] = await sql.query<Row>(`SELECT ${COLUMNS} FROM oidc_representation WHERE grant_id = $1`, [grantId])
  return row && toChoice(row)
}

/** False when this grant is bound already: a choice is never overwritten by another authorization. */
export async function insertChoice(sql: Sql, choice: Omit<Choice, 'endedAt'>, now: Date): Promise<boolean> {
  const text = `INSERT INTO oidc_representation (grant_id, account_id, client_id, session_uid, acting_id, mandate_id, party_id, chosen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (grant_id) DO NOTHING`
  const { grantId, accountId, clientId, sessionUid, acting } = choice
  const values = [grantId, accountId, clientId, sessionUid ?? null, acting?.id ?? null, acting?.mandateId ?? null, acting?.partyId ?? null, now]
  return (await sql.execute(text, values)) === 1
}

/**
 * Claims one use of a choice; false when it has ended or is another one by now.
 *
 * The row is locked until the caller's transaction ends, and so is it by whoever ends the mandate: of a use and an end at the same moment
 * one is first, and a use that is second does not happen.
 */
export async function claimUse(sql: Sql, grantId: string, actingId: string, now: Date): Promise<boolean> {
  const text = 'UPDATE oidc_representation SET used_at = $3 WHERE grant_id = $1 AND acting_id = $2 AND ended_at IS NULL'
  return (await sql.execute(text, [grantId, actingId, now])) === 1
}

/** Turns a grant from one party to another, only from the one that was read; false when it has ended or turned meanwhile. */
export async function turnChoice(sql: Sql, choice: Choice, to: Acting | undefined, now: Date): Promise<boolean> {
  const text = `UPDATE oidc_representation SET acting_id = $3, mandate_id = $4, party_id = $5, used_at = $6
    WHERE grant_id = $1 AND acting_id IS NOT DISTINCT FROM $2 AND ended_at IS NULL`
  const values = [choice.grantId, choice.acting?.id ?? null, to?.id ?? null, to?.mandateId ?? null, to?.partyId ?? null, now]
  return (await sql.execute(text, values)) === 1
}

/** Ends everything under a mandate, in the transaction that ends it. */
export async function endByMandate(sql: Sql, mandateId: string, now: Date): Promise<void> {
  await sql.execute(`UPDATE oidc_representation SET ended_at = $2, ended_reason = 'mandate' WHERE mandate_id = $1 AND ended_at IS NULL`, [mandateId, now])
}

export async function endByGrant(sql: Sql, grantId: string, reason: string, now: Date): Promise<void> {
  await sql.execute('UPDATE oidc_representation SET ended_at = $3, ended_reason = $2 WHERE grant_id = $1 AND ended_at IS NULL', [grantId, reason, now])
}

const AT_ONCE = 100

/** One that has ended, with tokens that may still be there. */
export interface Ended extends Choice {
  readonly reason: string
  /** This one included. */
  readonly attempts: number
}

/** Takes what has ended for this process until `busyUntil`: others leave it alone, and after a crash it is taken again. */
export async function takeToKill(sql: Sql, now: Date, busyUntil: Date): Promise<Ended[]> {
  const text = `UPDATE oidc_representation SET kill_after = $2, kill_attempts = kill_attempts + 1 WHERE grant_id IN (
      SELECT grant_id FROM oidc_representation WHERE ended_at IS NOT NULL AND killed_at IS NULL AND (kill_after IS NULL OR kill_after <= $1)
      ORDER BY ended_at LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED)
    RETURNING ${COLUMNS}, ended_reason, kill_attempts`
  const rows = await sql.query<Row & { ended_reason: string | null; kill_attempts: number }>(text, [now, busyUntil])
  return rows.map((row) => ({ ...toChoice(row), reason: row.ended_reason ?? 'ended', attempts: row.kill_attempts }))
}

export async function retryKill(sql: Sql, grantId: string, at: Date): Promise<void> {
  await sql.execute('UPDATE oidc_representation SET kill_after = $2 WHERE grant_id = $1', [grantId, at])
}

export async function markKilled(sql: Sql, grantId: string, now: Date): Promise<void> {
  await sql.execute('UPDATE oidc_representation SET killed_at = $2 WHERE grant_id = $1', [grantId, now])
}

/** Choices whose grant is gone. */
export async function purgeChoices(sql: Sql, before: Date): Promise<number> {
  const text = `DELETE FROM oidc_representation r WHERE r.chosen_at < $1 AND (r.ended_at IS NULL OR r.killed_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM oidc_artifact a WHERE a.model = 'Grant' AND a.id = r.grant_id)`
  return sql.execute(text, [before])
}

/** The number by which the federal login's relying parties know a mandate or service; the same for ever. */
export async function numberOf(sql: Sql, subject: string): Promise<number> {
  const find = async () => (await sql.query<{ number: number }>('SELECT number FROM oidc_representation_number WHERE subject = $1', [subject]))[0]?.number
  const known = await find()
  if (known !== undefined) return known
  await sql.execute('INSERT INTO oidc_representation_number (subject) VALUES ($1) ON CONFLICT (subject) DO NOTHING', [subject])
  return (await find()) ?? 0
}

function toChoice(row: Row): Choice {
  const isActing = row.acting_id !== null && row.party_id !== null
  return {
    grantId: row.grant_id,
    accountId: row.account_id,
    clientId: row.client_id,
    sessionUid: row.session_uid ?? undefined,
    acting: isActing ? { id: row.acting_id, mandateId: row.mandate_id ?? undefined, partyId: row.party_id } : undefined,
    endedAt: row.ended_at ?? undefined,
  }
}
