import type { AccountId, PersonId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { AttendanceState } from '../attendance/attendance.ts'
import { BINDABLE } from '../attendance/states.store.ts'

/** Of a case `c`: its person asked that a colleague looks. */
export const IS_TO_CONFIRM = `c.confirm_token IS NOT NULL AND c.bound_account IS NULL AND c.state IN ${BINDABLE}`

/** Notes the one link that is good for a case now; strangers who try it are counted anew. */
export async function setBindingToken(tx: Sql, attendanceId: string, tokenId: string): Promise<void> {
  await tx.execute('UPDATE attendance SET binding_token = $2, binding_strangers = 0 WHERE id = $1', [attendanceId, tokenId])
}

/** The token that a case's link was last made with. */
export async function findBindingToken(sql: Sql, attendanceId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ binding_token: string | null }>('SELECT binding_token FROM attendance WHERE id = $1', [attendanceId])
  return row?.binding_token ?? undefined
}

/** Counts somebody else who held the person's link; returns how many by now. */
export async function countStranger(tx: Sql, attendanceId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'UPDATE attendance SET binding_strangers = binding_strangers + 1 WHERE id = $1 RETURNING binding_strangers AS count',
    [attendanceId],
  )
  return row?.count ?? 0
}

/** The person's newest case that waits for an account, with its token. */
export async function findWaiting(sql: Sql, personId: PersonId): Promise<{ id: string; tokenId: string } | undefined> {
  const [row] = await sql.query<{ id: string; binding_token: string }>(
    `SELECT id, binding_token FROM attendance WHERE person_id = $1 AND binding_token IS NOT NULL AND bound_account IS NULL
       AND state IN ${BINDABLE} ORDER BY opened_at DESC LIMIT 1`,
    [personId],
  )
  return row && { id: row.id, tokenId: row.binding_token }
}

/** Notes which account opened the link; it is bound once it has proved that the person holds the device. False when another one is bound. */
export async function setClaimed(tx: Sql, attendanceId: string, accountId: AccountId, now: Date): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE attendance SET claimed_account = $2, claimed_at = $3, confirm_token = NULL
     WHERE id = $1 AND bound_account IS NULL AND state IN ${BINDABLE}`,
    [attendanceId, accountId, now],
  )
  return changed === 1
}

/** What an account has claimed, and how far that came. */
export interface Claim {
  readonly attendanceId: string
  readonly unitId: string
  readonly personId: PersonId
  readonly accountId: AccountId
  readonly state: AttendanceState
  readonly isBound: boolean
  /** Of an approved case, while the image stands. */
  readonly imageId: string | undefined
  readonly confirmToken: string | undefined
}

interface ClaimRow {
  readonly id: string
  readonly unit_id: string
  readonly person_id: PersonId
  readonly claimed_account: AccountId
  readonly state: AttendanceState
  readonly is_bound: boolean
  readonly image_id: string | null
  readonly confirm_token: string | null
}

const CLAIMS = `SELECT c.id, c.unit_id, c.person_id, c.claimed_account, c.state, c.bound_account IS NOT NULL AS is_bound, i.id AS image_id, c.confirm_token
  FROM attendance c LEFT JOIN stored_image i ON i.id = c.image_id AND i.withdrawn_at IS NULL AND i.erased_at IS NULL
  WHERE c.claimed_account IS NOT NULL AND c.state IN ${BINDABLE}`

const toClaim = (row: ClaimRow): Claim => ({
  attendanceId: row.id,
  unitId: row.unit_id,
  personId: row.person_id,
  accountId: row.claimed_account,
  state: row.state,
  isBound: row.is_bound,
  imageId: row.image_id ?? undefined,
  confirmToken: row.confirm_token ?? undefined,
})

/** The newest claim of an account. */
export async function findClaimOf(sql: Sql, accountId: string): Promise<Claim | undefined> {
  const [row] = await sql.query<ClaimRow>(`${CLAIMS} AND c.claimed_account = $1 ORDER BY c.claimed_at DESC LIMIT 1`, [accountId])
  return row && toClaim(row)
}

/** The claim on a case. */
export async function findClaim(sql: Sql, attendanceId: string): Promise<Claim | undefined> {
  const [row] = await sql.query<ClaimRow>(`${CLAIMS} AND c.id = $1`, [attendanceId])
  return row && toClaim(row)
}

/** Notes the number that a colleague is to read on the person's device. */
export async function setConfirmToken(tx: Sql, attendanceId: string, tokenId: string): Promise<void> {
  await tx.execute('UPDATE attendance SET confirm_token = $2 WHERE id = $1', [attendanceId, tokenId])
}

/** Cases of a unit whose person asked, since a moment, that a colleague looks. */
export async function listToConfirm(sql: Sql, unitId: string, since: Date): Promise<{ id: string; protocol: string; claimedAt: Date }[]> {
  const rows = await sql.query<{ id: string; protocol: string; claimed_at: Date }>(
    `SELECT c.id, c.protocol, c.claimed_at FROM attendance c WHERE c.unit_id = $1 AND c.claimed_at > $2 AND ${IS_TO_CONFIRM} ORDER BY c.claimed_at LIMIT 100`,
    [unitId, since],
  )
  return rows.map(({ claimed_at: claimedAt, ...row }) => ({ ...row, claimedAt }))
}

/** By what an account proved that it is the person's: the face on its device, or a second person of the staff who read its number. */
export type BindingProof = { readonly by: 'face' } | { readonly by: 'staff'; readonly confirmer: AccountId }

/** Binds a case to the account that claimed it; false when it has one, or another one claimed it. */
export async function setBound(tx: Sql, attendanceId: string, accountId: AccountId, proof: BindingProof, now: Date): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE attendance SET bound_account = $2, bound_at = $3, bound_by = $4, bound_confirmer = $5, confirm_token = NULL
     WHERE id = $1 AND bound_account IS NULL AND claimed_account = $2 AND state IN ${BINDABLE}`,
    [attendanceId, accountId, now, proof.by, proof.by === 'staff' ? proof.confirmer : null],
  )
  return changed === 1
}

/** What the supervisor is told of the account that a case is bound to. */
export interface BoundAccount {
  readonly boundAt: Date
  readonly boundBy: 'link' | 'face' | 'staff'
  readonly createdAt: Date
  /** Registered, opened again, recovered or given new ways to sign in since the case was opened. */
  readonly isNew: boolean
  readonly isSuspended: boolean
}

export async function findBoundAccount(sql: Sql, attendanceId: string): Promise<BoundAccount | undefined> {
  const [row] = await sql.query<{ bound_at: Date; bound_by: BoundAccount['boundBy']; created_at: Date; is_new: boolean; status: string }>(
    `SELECT c.bound_at, c.bound_by, a.created_at, a.status, greatest(a.created_at, a.credentials_changed_at, a.recovered_at) >= c.opened_at AS is_new
     FROM attendance c JOIN account a ON a.id = c.bound_account WHERE c.id = $1`,
    [attendanceId],
  )
  return row && { boundAt: row.bound_at, boundBy: row.bound_by, createdAt: row.created_at, isNew: row.is_new, isSuspended: row.status === 'suspended' }
}

/**
 * The account that a case was bound to, and the reference image of an approved one while it stands.
 *
 * A suspended account keeps its binding: nobody signs in to it, and the level is there when its owner is back. A closed one has none.
 */
export async function findBinding(sql: Sql, attendanceId: string): Promise<{ accountId: AccountId | undefined; imageId: string | undefined }> {
  const [row] = await sql.query<{ bound_account: AccountId | null; image_id: string | null }>(
    `SELECT a.id AS bound_account, i.id AS image_id FROM attendance c
     LEFT JOIN stored_image i ON i.id = c.image_id AND i.withdrawn_at IS NULL AND i.erased_at IS NULL
     LEFT JOIN account a ON a.id = c.bound_account AND a.person_id = c.person_id AND a.status IN ('active', 'suspended') WHERE c.id = $1`,
    [attendanceId],
  )
  return { accountId: row?.bound_account ?? undefined, imageId: row?.image_id ?? undefined }
}

/** Notes the reference image that an approval stored. */
export async function setImage(tx: Sql, attendanceId: string, imageId: string): Promise<void> {
  await tx.execute('UPDATE attendance SET image_id = $2 WHERE id = $1', [attendanceId, imageId])
}
