import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'

export interface SentReceipt {
  readonly tokenId: string
  readonly sentAt: Date
}

/** Every sending of a case's receipt, the newest first. */
export async function listSent(sql: Sql, attendanceId: string): Promise<SentReceipt[]> {
  const rows = await sql.query<{ token_id: string; sent_at: Date }>(
    'SELECT token_id, sent_at FROM attendance_receipt_mail WHERE attendance_id = $1 ORDER BY sent_at DESC, id',
    [attendanceId],
  )
  return rows.map(({ token_id: tokenId, sent_at: sentAt }) => ({ tokenId, sentAt }))
}

export interface NewSending extends SentReceipt {
  readonly attendanceId: string
  readonly accountId: AccountId
  readonly sentBy: AccountId
}

export async function insertSent(tx: Sql, { attendanceId, accountId, tokenId, sentBy, sentAt }: NewSending): Promise<void> {
  await tx.execute('INSERT INTO attendance_receipt_mail (id, attendance_id, account_id, token_id, sent_by, sent_at) VALUES ($1, $2, $3, $4, $5, $6)', [
    randomUUID(), attendanceId, accountId, tokenId, sentBy, sentAt,
  ])
}

/** Notes that the file was fetched; returns whose account it had been sent to. */
export async function noteTaken(tx: Sql, tokenId: string, now: Date): Promise<AccountId | undefined> {
  const [row] = await tx.query<{ account_id: AccountId }>('UPDATE attendance_receipt_mail SET taken_at = $2 WHERE token_id = $1 RETURNING account_id', [tokenId, now])
  return row?.account_id
}
