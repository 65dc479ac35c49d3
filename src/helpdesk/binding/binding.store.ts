import type { AccountId, PersonId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'

/** Notes the one link that is good for a case now; returns the former one's token. */
export async function setBindingToken(tx: Sql, attendanceId: string, tokenId: string): Promise<void> {
  await tx.execute('UPDATE attendance SET binding_token = $2 WHERE id = $1', [attendanceId, tokenId])
}

/** The token that a case's link was last made with. */
export async function findBindingToken(sql: Sql, attendanceId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ binding_token: string | null }>('SELECT binding_token FROM attendance WHERE id = $1', [attendanceId])
  return row?.binding_token ?? undefined
}

/** The person's newest case that waits for an account, with its token. */
export async function findWaiting(sql: Sql, personId: PersonId): Promise<{ id: string; tokenId: string } | undefined> {
  const [row] = await sql.query<{ id: string; binding_token: string }>(
    `SELECT id, binding_token FROM attendance WHERE person_id = $1 AND binding_token IS NOT NULL AND bound_account IS NULL
       AND state IN ('open', 'captured', 'awaiting-approval', 'approved') ORDER BY opened_at DESC LIMIT 1`,
    [personId],
  )
  return row && { id: row.id, tokenId: row.binding_token }
}

/** Binds a case to an account; false when it has one. */
export async function setBound(tx: Sql, attendanceId: string, accountId: AccountId, now: Date): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE attendance SET bound_account = $2, bound_at = $3
     WHERE id = $1 AND bound_account IS NULL AND state IN ('open', 'captured', 'awaiting-approval', 'approved')`,
    [attendanceId, accountId, now],
  )
  return changed === 1
}

/** Since when a case has its account, and since when that account exists. */
export interface BoundAccount {
  readonly boundAt: Date
  readonly createdAt: Date
}

export async function findBoundAccount(sql: Sql, attendanceId: string): Promise<BoundAccount | undefined> {
  const [row] = await sql.query<{ bound_at: Date; created_at: Date }>(
    'SELECT c.bound_at, a.created_at FROM attendance c JOIN account a ON a.id = c.bound_account WHERE c.id = $1',
    [attendanceId],
  )
  return row && { boundAt: row.bound_at, createdAt: row.created_at }
}

/** The account that a case was bound to while it is active, and the reference image of an approved one while it stands. */
export async function findBinding(sql: Sql, attendanceId: string): Promise<{ accountId: AccountId | undefined; imageId: string | undefined }> {
  const [row] = await sql.query<{ bound_account: AccountId | null; image_id: string | null }>(
    `SELECT a.id AS bound_account, i.id AS image_id FROM attendance c
     LEFT JOIN stored_image i ON i.id = c.image_id AND i.withdrawn_at IS NULL AND i.erased_at IS NULL
     LEFT JOIN account a ON a.id = c.bound_account AND a.person_id = c.person_id AND a.status = 'active' WHERE c.id = $1`,
    [attendanceId],
  )
  return { accountId: row?.bound_account ?? undefined, imageId: row?.image_id ?? undefined }
}

/** Notes the reference image that an approval stored. */
export async function setImage(tx: Sql, attendanceId: string, imageId: string): Promise<void> {
  await tx.execute('UPDATE attendance SET image_id = $2 WHERE id = $1', [attendanceId, imageId])
}
