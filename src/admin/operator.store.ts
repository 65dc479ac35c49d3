import type { Sql } from '../platform/db.ts'
import { DEFAULT_LOCALE, type Locale, matchLocale } from '../platform/http/locale.ts'

/** Someone of the state's staff; the roles are this room's, no other room writes them. */
export interface Operator {
  readonly accountId: string
  readonly roles: readonly string[]
  readonly hasSecondFactor: boolean
}

interface OperatorRow {
  readonly id: string
  readonly roles: string[]
  readonly has_second_factor: boolean
}

const SELECT = `SELECT a.id, a.roles,
    EXISTS (SELECT 1 FROM totp_factor t WHERE t.account_id = a.id AND t.confirmed_at IS NOT NULL AND t.removed_at IS NULL)
    OR EXISTS (SELECT 1 FROM passkey k WHERE k.account_id = a.id AND k.removed_at IS NULL)
    OR EXISTS (SELECT 1 FROM certificate_factor c WHERE c.account_id = a.id AND c.removed_at IS NULL) AS has_second_factor
  FROM account a JOIN person p ON p.id = a.person_id`

const toOperator = (row: OperatorRow): Operator => ({ accountId: row.id, roles: row.roles, hasSecondFactor: row.has_second_factor })

/** The active account of a CPF, operator or not; locked until the transaction ends. */
export async function lockByCpf(tx: Sql, cpf: string): Promise<Operator | undefined> {
  const [row] = await tx.query<OperatorRow>(`${SELECT} WHERE p.cpf = $1 AND a.status = 'active' FOR UPDATE OF a`, [cpf])
  return row && toOperator(row)
}

/** Everyone who has a role, whatever the account's status. */
export async function listOperators(sql: Sql): Promise<Operator[]> {
  const rows = await sql.query<OperatorRow>(`${SELECT} WHERE cardinality(a.roles) > 0 ORDER BY a.created_at`)
  return rows.map(toOperator)
}

/** Replaces the roles of one account. */
export async function setRoles(tx: Sql, accountId: string, roles: readonly string[]): Promise<void> {
  await tx.execute('UPDATE account SET roles = $2 WHERE id = $1', [accountId, [...roles]])
}

/** A confirmed address of somebody who runs the system, and the language they read. */
export interface OperatorAddress {
  readonly email: string
  readonly locale: Locale
}

/** Where notices about the system go: everybody active with one of these roles. */
export async function listOperatorAddresses(sql: Sql, roles: readonly string[]): Promise<OperatorAddress[]> {
  const rows = await sql.query<{ email: string; locale: string }>(
    `SELECT c.value AS email, a.locale FROM account a
     JOIN contact c ON c.account_id = a.id AND c.kind = 'email' AND c.is_primary AND c.removed_at IS NULL AND c.verified_at IS NOT NULL
     WHERE a.status = 'active' AND a.roles && $1::text[] ORDER BY a.created_at`,
    [[...roles]],
  )
  return rows.map(({ email, locale }) => ({ email, locale: matchLocale(locale) ?? DEFAULT_LOCALE }))
}
