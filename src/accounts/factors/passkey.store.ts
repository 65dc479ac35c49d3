import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'
import type { WaysTx } from '../ways/ways.store.ts'

/** A WebAuthn credential of an account. */
export interface Passkey {
  readonly id: string
  readonly accountId: AccountId
  readonly credentialId: Buffer
  readonly publicKey: Buffer
  readonly counter: number
  readonly transports: readonly string[]
  readonly isBackedUp: boolean
  readonly label: string
  readonly createdAt: Date
  readonly lastUsedAt: Date | undefined
  /** That this key was registered by this account; of rows that somebody wrote there is none. */
  readonly seal: Buffer | undefined
}

interface PasskeyRow {
  id: string
  account_id: AccountId
  credential_id: Buffer
  public_key: Buffer
  counter: number
  transports: string[]
  backed_up: boolean
  label: string
  created_at: Date
  last_used_at: Date | null
  seal: Buffer | null
}

const COLUMNS = 'id, account_id, credential_id, public_key, counter, transports, backed_up, label, created_at, last_used_at, seal'

/** Live passkeys of an account, oldest first. */
export async function listPasskeys(sql: Sql, accountId: AccountId): Promise<Passkey[]> {
  const text = `SELECT ${COLUMNS} FROM passkey WHERE account_id = $1 AND removed_at IS NULL ORDER BY created_at, id`
  const rows = await sql.query<PasskeyRow>(text, [accountId])
  return rows.map(toPasskey)
}

/** The live passkey with this credential id, whoever's it is. */
export async function findPasskey(sql: Sql, credentialId: Buffer): Promise<Passkey | undefined> {
  const text = `SELECT ${COLUMNS} FROM passkey WHERE credential_id = $1 AND removed_at IS NULL`
  const [row] = await sql.query<PasskeyRow>(text, [credentialId])
  return row && toPasskey(row)
}

/** Adds a passkey; false when that credential is known already. */
export async function insertPasskey(tx: WaysTx, passkey: Omit<Passkey, 'lastUsedAt'>): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO passkey (id, account_id, credential_id, public_key, counter, transports, backed_up, label, created_at, seal)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (credential_id) DO NOTHING`,
    [
      passkey.id, passkey.accountId, passkey.credentialId, passkey.publicKey, passkey.counter, [...passkey.transports], passkey.isBackedUp,
      passkey.label, passkey.createdAt, passkey.seal ?? null,
    ],
  )
  return added === 1
}

/** Notes a use; false when the counter did not move forward, which a copied authenticator shows by (WebAuthn 3, §6.1.1). */
export async function usePasskey(sql: Sql, id: string, use: { counter: number; isBackedUp: boolean; now: Date }): Promise<boolean> {
  const changed = await sql.execute(
    `UPDATE passkey SET counter = $2, backed_up = $3, last_used_at = $4
     WHERE id = $1 AND removed_at IS NULL AND (counter < $2 OR (counter = 0 AND $2 = 0))`,
    [id, use.counter, use.isBackedUp, use.now],
  )
  return changed === 1
}

/** Removes one passkey of the account; false when it has none such. */
export async function removePasskey(tx: WaysTx, accountId: AccountId, id: string, now: Date): Promise<boolean> {
  const text = 'UPDATE passkey SET removed_at = $3 WHERE id = $1 AND account_id = $2 AND removed_at IS NULL'
  const changed = await tx.execute(text, [id, accountId, now])
  return changed === 1
}

function toPasskey(row: PasskeyRow): Passkey {
  return {
    id: row.id,
    accountId: row.account_id,
    credentialId: row.credential_id,
    publicKey: row.public_key,
    counter: row.counter,
    transports: row.transports,
    isBackedUp: row.backed_up,
    label: row.label,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
    seal: row.seal ?? undefined,
  }
}
