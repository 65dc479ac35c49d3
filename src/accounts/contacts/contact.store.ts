import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'
import type { WaysTx } from '../ways/ways.store.ts'
import type { Address, Contact, ContactKind } from './contact.ts'

interface ContactRow {
  id: string
  kind: ContactKind
  value: string
  is_primary: boolean
  verified_at: Date | null
  created_at: Date
  removed_at: Date | null
}

const COLUMNS = 'id, kind, value, is_primary, verified_at, created_at, removed_at'

/** Addresses of an account, newest first; with its former ones when asked. */
export async function listContacts(sql: Sql, accountId: AccountId, options: { former: boolean }): Promise<Contact[]> {
  const rows = await sql.query<ContactRow>(
    `SELECT ${COLUMNS} FROM contact WHERE account_id = $1 AND ($2 OR removed_at IS NULL) ORDER BY created_at DESC, id`,
    [accountId, options.former],
  )
  return rows.map(toContact)
}

/** Every confirmed address, as the outbox wants it. */
export async function listReachable(sql: Sql, accountId: AccountId): Promise<{ channel: 'mail' | 'sms'; to: string }[]> {
  const rows = await sql.query<ContactRow>(
    `SELECT ${COLUMNS} FROM contact WHERE account_id = $1 AND removed_at IS NULL AND verified_at IS NOT NULL ORDER BY kind, created_at`,
    [accountId],
  )
  return rows.map((row) => ({ channel: row.kind === 'email' ? 'mail' : 'sms', to: row.value }))
}

/** Confirmed addresses that were replaced or removed since a moment, as the outbox wants them. */
export async function listReachableFormer(sql: Sql, accountId: AccountId, since: Date): Promise<{ channel: 'mail' | 'sms'; to: string }[]> {
  const rows = await sql.query<ContactRow>(
    `SELECT ${COLUMNS} FROM contact WHERE account_id = $1 AND removed_at >= $2 AND verified_at IS NOT NULL ORDER BY removed_at DESC, id LIMIT 20`,
    [accountId, since],
  )
  return rows.map((row) => ({ channel: row.kind === 'email' ? 'mail' : 'sms', to: row.value }))
}

/** Retires one address into history; false when the account has none such. */
export async function removeContact(tx: WaysTx, accountId: AccountId, id: string, now: Date): Promise<boolean> {
  const changed = await tx.execute('UPDATE contact SET removed_at = $3 WHERE id = $1 AND account_id = $2 AND removed_at IS NULL', [id, accountId, now])
  return changed === 1
}

/** Adds a confirmed primary address; the primary one of that kind must be gone (`removePrimary`). */
export async function insertContact(tx: WaysTx, contact: { id: string; accountId: AccountId; address: Address; now: Date }): Promise<void> {
  await tx.execute(
    'INSERT INTO contact (id, account_id, kind, value, is_primary, verified_at, created_at) VALUES ($1, $2, $3, $4, true, $5, $5)',
    [contact.id, contact.accountId, contact.address.kind, contact.address.value, contact.now],
  )
}

/** Retires the primary address of a kind into history; returns its id. */
export async function removePrimary(tx: WaysTx, accountId: AccountId, kind: ContactKind, now: Date): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    'UPDATE contact SET removed_at = $3 WHERE account_id = $1 AND kind = $2 AND is_primary AND removed_at IS NULL RETURNING id',
    [accountId, kind, now],
  )
  return row?.id
}

function toContact(row: ContactRow): Contact {
  return {
    id: row.id,
    kind: row.kind,
    value: row.value,
    isPrimary: row.is_primary,
    verifiedAt: row.verified_at ?? undefined,
    createdAt: row.created_at,
    removedAt: row.removed_at ?? undefined,
  }
}
