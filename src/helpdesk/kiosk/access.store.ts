import type { AccountId, PersonId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'

/** Notes the token of the way in that a case offers now; answers the former one's. */
export async function setAccessToken(tx: Sql, attendanceId: string, tokenId: string): Promise<string | undefined> {
  const [row] = await tx.query<{ access_token: string | null }>('SELECT access_token FROM attendance WHERE id = $1', [attendanceId])
  await tx.execute('UPDATE attendance SET access_token = $2 WHERE id = $1', [attendanceId, tokenId])
  return row?.access_token ?? undefined
}

/** The token of the person's newest approved case that offered a way in. */
export async function findAccessToken(sql: Sql, personId: PersonId): Promise<string | undefined> {
  const [row] = await sql.query<{ access_token: string }>(
    `SELECT access_token FROM attendance WHERE person_id = $1 AND state = 'approved' AND access_token IS NOT NULL ORDER BY decided_at DESC LIMIT 1`,
    [personId],
  )
  return row?.access_token
}

/** The account of a person who bound it to an approved case whose image stands: only such a one is entered by the face alone. */
export async function findFaceAccount(sql: Sql, personId: PersonId): Promise<AccountId | undefined> {
  const [row] = await sql.query<{ id: AccountId }>(
    `SELECT a.id FROM account a WHERE a.person_id = $1 AND a.status = 'active' AND EXISTS (
       SELECT 1 FROM attendance c JOIN stored_image i ON i.id = c.image_id AND i.withdrawn_at IS NULL AND i.erased_at IS NULL
       WHERE c.bound_account = a.id AND c.state = 'approved')`,
    [personId],
  )
  return row?.id
}
