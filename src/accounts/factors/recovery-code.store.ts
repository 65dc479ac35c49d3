import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'
import type { WaysTx } from '../ways/ways.store.ts'

/** Replaces the codes of an account. */
export async function replaceRecoveryCodes(
  tx: WaysTx,
  accountId: AccountId,
  codes: readonly { id: string; hash: Buffer }[],
  now: Date,
): Promise<void> {
  await tx.execute('UPDATE recovery_code SET removed_at = $2 WHERE account_id = $1 AND removed_at IS NULL', [accountId, now])
  for (const code of codes) {
    const text = 'INSERT INTO recovery_code (id, account_id, code_hash, created_at) VALUES ($1, $2, $3, $4)'
    await tx.execute(text, [code.id, accountId, code.hash, now])
  }
}

/** Whether the code is there, neither used nor replaced. */
export async function hasRecoveryCode(sql: Sql, accountId: AccountId, hash: Buffer): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM recovery_code WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL AND removed_at IS NULL', [accountId, hash])
  return rows.length > 0
}

/** Uses a code up; false when it is unknown, used or replaced. */
export async function useRecoveryCode(sql: WaysTx, accountId: AccountId, hash: Buffer, now: Date): Promise<boolean> {
  const changed = await sql.execute(
    'UPDATE recovery_code SET used_at = $3 WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL AND removed_at IS NULL',
    [accountId, hash, now],
  )
  return changed === 1
}

/** When the codes that still work were made; `undefined` when none does. */
export async function findCodesMade(sql: Sql, accountId: AccountId): Promise<Date | undefined> {
  const [row] = await sql.query<{ made: Date | null }>(
    'SELECT max(created_at) AS made FROM recovery_code WHERE account_id = $1 AND used_at IS NULL AND removed_at IS NULL',
    [accountId],
  )
  return row?.made ?? undefined
}

/** Codes that still work. */
export async function countRecoveryCodes(sql: Sql, accountId: AccountId): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM recovery_code WHERE account_id = $1 AND used_at IS NULL AND removed_at IS NULL',
    [accountId],
  )
  return row?.count ?? 0
}
