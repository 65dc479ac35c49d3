import { matchLocale, DEFAULT_LOCALE } from '../platform/http/locale.ts'
import type { Sql } from '../platform/db.ts'
import { Sensitive } from '../platform/sensitive.ts'
import type { Account, AccountId, AccountStatus, PersonId } from './account.ts'
import type { BirthDate } from './identity/birth-date.ts'
import type { Cpf } from './identity/cpf.ts'
import type { EmailAddress } from './identity/email-address.ts'
import type { MobilePhone } from './identity/mobile-phone.ts'
import type { WaysTx } from './ways/ways.store.ts'

/** A joined row; only these stores write the tables, through parsed values, so the brands hold. */
export interface AccountRow {
  id: AccountId
  person_id: PersonId
  status: AccountStatus
  status_reason: string | null
  locale: string
  roles: string[]
  password_changed_at: Date | null
  recovered_at: Date | null
  created_at: Date
  cpf: Cpf
  name: string
  social_name: string | null
  birth_date: BirthDate
  email: EmailAddress | null
  phone: MobilePhone | null
}

/** Columns and joins of an account with its person and confirmed primary addresses. */
export const ACCOUNT_COLUMNS = `a.id, a.person_id, a.status, a.status_reason, a.locale, a.roles, a.password_changed_at, a.recovered_at,
  a.created_at, p.cpf, p.name, p.social_name, p.birth_date, e.value AS email, f.value AS phone`
export const ACCOUNT_TABLES = `account a JOIN person p ON p.id = a.person_id
  LEFT JOIN contact e ON e.account_id = a.id AND e.kind = 'email' AND e.is_primary AND e.removed_at IS NULL AND e.verified_at IS NOT NULL
  LEFT JOIN contact f ON f.account_id = a.id AND f.kind = 'phone' AND f.is_primary AND f.removed_at IS NULL AND f.verified_at IS NOT NULL`

/** One account by its id. */
export async function findAccount(sql: Sql, id: AccountId): Promise<Account | undefined> {
  const [row] = await sql.query<AccountRow>(`SELECT ${ACCOUNT_COLUMNS} FROM ${ACCOUNT_TABLES} WHERE a.id = $1`, [id])
  return row && toAccount(row)
}

/** The account of a CPF, closed ones included. */
export async function findAccountByCpf(sql: Sql, cpf: Cpf): Promise<Account | undefined> {
  const [row] = await sql.query<AccountRow>(`SELECT ${ACCOUNT_COLUMNS} FROM ${ACCOUNT_TABLES} WHERE p.cpf = $1`, [cpf])
  return row && toAccount(row)
}

/** Locks the account's row until the end of the transaction, so that changes of one account follow one another. */
export async function lockAccount(tx: Sql, id: AccountId): Promise<Account | undefined> {
  await tx.query('SELECT 1 FROM account WHERE id = $1 FOR UPDATE', [id])
  return findAccount(tx, id)
}

/** Whether an account is active, and stays so until the end of the transaction. */
export async function holdActive(tx: Sql, id: AccountId): Promise<boolean> {
  return (await tx.query(`SELECT 1 FROM account WHERE id = $1 AND status = 'active' FOR KEY SHARE`, [id])).length === 1
}

/** The stored password hash, for a change that asks for the current password. */
export async function findPasswordHash(sql: Sql, id: AccountId): Promise<string | null> {
  const [row] = await sql.query<{ password_hash: string | null }>('SELECT password_hash FROM account WHERE id = $1', [id])
  return row?.password_hash ?? null
}

/** Replaces the password. */
export async function setPassword(tx: WaysTx, id: AccountId, hash: string, now: Date): Promise<void> {
  const text = 'UPDATE account SET password_hash = $2, password_changed_at = $3, credentials_changed_at = $3 WHERE id = $1'
  await tx.execute(text, [id, hash, now])
}

/** Replaces a hash by one of the same password at another cost; nothing happens when the password has changed meanwhile. */
export async function replaceHash(sql: WaysTx, id: AccountId, from: string, to: string): Promise<void> {
  await sql.execute('UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2', [id, from, to])
}

/** Notes that a way to sign in or an address has changed. */
export async function noteCredentialChange(tx: Sql, id: AccountId, now: Date): Promise<void> {
  await tx.execute('UPDATE account SET credentials_changed_at = $2 WHERE id = $1', [id, now])
}

/** A recovery: new password, hold on changes, active again. False when the account was closed meanwhile. */
export async function completeRecovery(tx: WaysTx, id: AccountId, recovered: { hash: string; by: string; at: Date }): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE account SET password_hash = $2, password_changed_at = $4, credentials_changed_at = $4, recovered_at = $4, recovered_by = $3,
       status = 'active', status_reason = NULL WHERE id = $1 AND status <> 'closed'`,
    [id, recovered.hash, recovered.by, recovered.at],
  )
  return changed === 1
}

/** Moves an account from one status to another; false when it was not in the first. */
export async function changeStatus(tx: WaysTx, id: AccountId, change: { from: AccountStatus; to: AccountStatus; reason: string }): Promise<boolean> {
  const changed = await tx.execute('UPDATE account SET status = $3, status_reason = $4 WHERE id = $1 AND status = $2', [
    id, change.from, change.to, change.reason,
  ])
  return changed === 1
}

/** The account of a person, closed ones included. */
export async function findAccountOfPerson(sql: Sql, personId: PersonId): Promise<AccountId | undefined> {
  const [row] = await sql.query<{ id: AccountId }>('SELECT id FROM account WHERE person_id = $1', [personId])
  return row?.id
}

/** Who a person is on record here. */
export interface PersonRecord {
  readonly name: string
  readonly socialName?: string | undefined
  readonly birthDate: string
}

/** Replaces what is on record of a person. */
export async function setRecord(sql: Sql, personId: PersonId, { name, socialName, birthDate }: PersonRecord): Promise<void> {
  await sql.execute('UPDATE person SET name = $2, social_name = $3, birth_date = $4 WHERE id = $1', [personId, name, socialName ?? null, birthDate])
}

/** An account without any way in yet, for a person who is known. */
export async function insertBareAccount(tx: WaysTx, { personId, locale, now }: { personId: PersonId; locale: string; now: Date }): Promise<AccountId> {
  const [row] = await tx.query<{ id: AccountId }>(
    `INSERT INTO account (id, person_id, status, locale, created_at, credentials_changed_at) VALUES (gen_random_uuid(), $1, 'active', $2, $3, $3) RETURNING id`,
    [personId, locale, now],
  )
  if (row === undefined) throw new Error('an account was not added')
  return row.id
}

/** Active, whatever it was. */
export async function reopenAccount(tx: WaysTx, id: AccountId): Promise<void> {
  await tx.execute(`UPDATE account SET status = 'active', status_reason = NULL WHERE id = $1`, [id])
}

/** Further changes of credentials and addresses wait, as after a recovery. */
export async function holdChanges(tx: WaysTx, id: AccountId, by: string, at: Date): Promise<void> {
  await tx.execute('UPDATE account SET recovered_at = $3, recovered_by = $2, credentials_changed_at = $3 WHERE id = $1', [id, by, at])
}

/** The password opens nothing any more; a recovery sets another. */
export async function forgetPassword(tx: WaysTx, id: AccountId, now: Date): Promise<void> {
  await tx.execute('UPDATE account SET password_hash = NULL, password_changed_at = $2, credentials_changed_at = $2 WHERE id = $1', [id, now])
}

/** Reason of a closed account whose person's images have been erased. */
export const CLOSED_AND_ERASED = 'erased'

/** Accounts closed before a moment (nothing of a closed account changes but this) whose images have not been erased; by id, in pages. */
export async function listClosed(sql: Sql, before: Date, after?: AccountId): Promise<AccountId[]> {
  const rows = await sql.query<{ id: AccountId }>(
    `SELECT id FROM account WHERE status = 'closed' AND status_reason IS DISTINCT FROM $1 AND credentials_changed_at <= $2
       AND ($3::uuid IS NULL OR id > $3::uuid) ORDER BY id LIMIT 200`,
    [CLOSED_AND_ERASED, before, after ?? null],
  )
  return rows.map(({ id }) => id)
}

/** Takes every way to sign in from an account that closes; rows stay, marked as removed. */
export async function removeAllCredentials(tx: WaysTx, id: AccountId, now: Date): Promise<void> {
  await tx.execute('UPDATE account SET password_hash = NULL, credentials_changed_at = $2 WHERE id = $1', [id, now])
  await removeFactors(tx, id, now)
}

/** The same for all but the password. */
export async function removeFactors(tx: WaysTx, id: AccountId, now: Date): Promise<void> {
  for (const table of ['totp_factor', 'passkey', 'certificate_factor', 'recovery_code', 'device', 'contact']) {
    await tx.execute(`UPDATE ${table} SET removed_at = $2 WHERE account_id = $1 AND removed_at IS NULL`, [id, now])
  }
}

/** Sets the language of pages and mails. */
export async function setLocale(sql: Sql, id: AccountId, locale: string): Promise<void> {
  await sql.execute('UPDATE account SET locale = $2 WHERE id = $1', [id, locale])
}

/** A row as the domain sees it. */
export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    personId: row.person_id,
    status: row.status,
    statusReason: row.status_reason ?? undefined,
    citizen: new Sensitive({
      cpf: row.cpf,
      name: row.name,
      socialName: row.social_name ?? undefined,
      birthDate: row.birth_date,
      email: row.email ?? undefined,
      phone: row.phone ?? undefined,
    }),
    locale: matchLocale(row.locale) ?? DEFAULT_LOCALE,
    roles: row.roles,
    passwordChangedAt: row.password_changed_at ?? undefined,
    recoveredAt: row.recovered_at ?? undefined,
    createdAt: row.created_at,
  }
}
