import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'
import type { WaysTx } from '../ways/ways.store.ts'

/** An authenticator app's shared secret, sealed. */
export interface TotpFactor {
  readonly id: string
  readonly accountId: AccountId
  readonly secret: Buffer
  readonly createdAt: Date
  readonly confirmedAt: Date | undefined
}

interface TotpRow {
  id: string
  account_id: AccountId
  secret: Buffer
  created_at: Date
  confirmed_at: Date | null
}

const COLUMNS = 'id, account_id, secret, created_at, confirmed_at'

/** Adds a provisional secret; those that were never confirmed before it are gone. */
export async function insertProvisionalTotp(
  tx: Sql,
  factor: { id: string; accountId: AccountId; secret: Buffer; now: Date },
): Promise<void> {
  await tx.execute('DELETE FROM totp_factor WHERE account_id = $1 AND confirmed_at IS NULL', [factor.accountId])
  await tx.execute('INSERT INTO totp_factor (id, account_id, secret, created_at) VALUES ($1, $2, $3, $4)', [
    factor.id, factor.accountId, factor.secret, factor.now,
  ])
}

/** The provisional secret with this id. */
export async function findProvisionalTotp(sql: Sql, accountId: AccountId, id: string, since: Date): Promise<TotpFactor | undefined> {
  const [row] = await sql.query<TotpRow>(
    `SELECT ${COLUMNS} FROM totp_factor WHERE account_id = $1 AND id = $2 AND confirmed_at IS NULL AND created_at > $3`,
    [accountId, id, since],
  )
  return row && toFactor(row)
}

/** The confirmed secret of an account. */
export async function findTotp(sql: Sql, accountId: AccountId): Promise<TotpFactor | undefined> {
  const [row] = await sql.query<TotpRow>(
    `SELECT ${COLUMNS} FROM totp_factor WHERE account_id = $1 AND confirmed_at IS NOT NULL AND removed_at IS NULL`,
    [accountId],
  )
  return row && toFactor(row)
}

/** Confirms a provisional secret in place of the former one; false when another request was first. */
export async function confirmTotp(tx: WaysTx, factor: { id: string; accountId: AccountId; step: number; now: Date }): Promise<boolean> {
  await removeTotp(tx, factor.accountId, factor.now)
  const changed = await tx.execute(
    'UPDATE totp_factor SET confirmed_at = $2, last_step = $3 WHERE id = $1 AND confirmed_at IS NULL AND removed_at IS NULL',
    [factor.id, factor.now, factor.step],
  )
  return changed === 1
}

/** Takes the code of one time step, once: false when that step or a later one was used (RFC 6238 §5.2). */
export async function useTotpStep(sql: Sql, id: string, step: number): Promise<boolean> {
  const text = 'UPDATE totp_factor SET last_step = $2 WHERE id = $1 AND last_step < $2 AND removed_at IS NULL'
  return (await sql.execute(text, [id, step])) === 1
}

/** Removes the confirmed secret; returns its id. */
export async function removeTotp(tx: WaysTx, accountId: AccountId, now: Date): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    'UPDATE totp_factor SET removed_at = $2 WHERE account_id = $1 AND confirmed_at IS NOT NULL AND removed_at IS NULL RETURNING id',
    [accountId, now],
  )
  return row?.id
}

function toFactor(row: TotpRow): TotpFactor {
  const { id, account_id: accountId, secret, created_at: createdAt, confirmed_at: confirmedAt } = row
  return { id, accountId, secret, createdAt, confirmedAt: confirmedAt ?? undefined }
}
