import type { AccountId } from '../../accounts/index.ts'
import { type Level, LEVELS } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import { type GivenRole, type RoleNow, roleState, type StaffRole } from './role.ts'

interface RoleRow {
  readonly id: string
  readonly unit_id: string
  readonly account_id: AccountId
  readonly role: StaffRole
  readonly level: Level
  readonly starts_at: Date
  readonly ends_at: Date
  readonly suspended_at: Date | null
  readonly ended_at: Date | null
}

const COLUMNS = 'r.id, r.unit_id, r.account_id, r.role, r.level, r.starts_at, r.ends_at, r.suspended_at, r.ended_at'
/** Live as assurance's `evidenceState` says. */
const LIVE_GRANTS = `ARRAY(SELECT e.grants FROM evidence e WHERE e.person_id = a.person_id
  AND (e.withdrawn_at IS NULL OR e.withdrawn_at > $2) AND (e.expires_at IS NULL OR e.expires_at > $2)) AS grants`
const OPEN_ROLES = `helpdesk_role r JOIN helpdesk_unit u ON u.id = r.unit_id AND u.closed_at IS NULL
  JOIN account a ON a.id = r.account_id AND a.status = 'active'`
/** What an account signs in with besides its password. */

const toRole = (row: RoleRow): GivenRole => ({
  id: row.id,
  unitId: row.unit_id,
  accountId: row.account_id,
  role: row.role,
  level: row.level,
  startsAt: row.starts_at,
  endsAt: row.ends_at,
  suspendedAt: row.suspended_at ?? undefined,
  endedAt: row.ended_at ?? undefined,
})

interface RoleNowRow extends RoleRow {
  readonly grants: string[]
}

const levelOf = (grants: readonly string[]): Level => LEVELS.findLast((level) => grants.includes(level)) ?? 'bronze'

function toRoleNow(row: RoleNowRow, now: Date): RoleNow {
  const role = toRole(row)
  const levelNow = levelOf(row.grants)
  return { ...role, levelNow, state: roleState(role, levelNow, now) }
}

/** Who gave a role, and by which way. */
export interface Grant {
  readonly by: AccountId | undefined
  readonly at: Date
}

/** Adds a role; the former one of the same kind must have been closed (`closeLapsed`). @throws {SqlError} a unique violation when it stands. */
export async function insertRole(tx: Sql, role: GivenRole, { by, at }: Grant): Promise<void> {
  await tx.execute(
    `INSERT INTO helpdesk_role (id, unit_id, account_id, role, level, starts_at, ends_at, granted_by, granted_from, granted_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      role.id,
      role.unitId,
      role.accountId,
      role.role,
      role.level,
      role.startsAt,
      role.endsAt,
      by ?? null,
      by === undefined ? 'command-line' : 'desk',
      at,
    ],
  )
}

/** Closes a role that ended by its date, so that it can be given anew. */
export async function closeLapsed(tx: Sql, { unitId, accountId, role }: Pick<GivenRole, 'unitId' | 'accountId' | 'role'>, now: Date): Promise<void> {
  await tx.execute(
    'UPDATE helpdesk_role SET ended_at = ends_at WHERE unit_id = $1 AND account_id = $2 AND role = $3 AND ended_at IS NULL AND ends_at <= $4',
    [unitId, accountId, role, now],
  )
}

/** One role, locked until the transaction ends. */
export async function lockRole(tx: Sql, id: string): Promise<GivenRole | undefined> {
  const [row] = await tx.query<RoleRow>(`SELECT ${COLUMNS} FROM helpdesk_role r WHERE r.id = $1 FOR UPDATE`, [id])
  return row && toRole(row)
}

/** Keeps what an account's roles rest on from changing until the transaction ends: status, evidence, the roles themselves. */
export async function lockStanding(tx: Sql, accountId: AccountId): Promise<void> {
  await tx.query('SELECT 1 FROM account WHERE id = $1 FOR SHARE', [accountId])
  await tx.query('SELECT 1 FROM evidence e JOIN account a ON a.person_id = e.person_id WHERE a.id = $1 ORDER BY e.id FOR SHARE OF e', [accountId])
  await tx.query('SELECT 1 FROM helpdesk_role WHERE account_id = $1 AND ended_at IS NULL ORDER BY id FOR SHARE', [accountId])
}

/** Roles of an active account in open units that nobody has ended, with what each is worth by its date and the level of this moment. */
export async function listRolesOf(sql: Sql, accountId: AccountId, now: Date): Promise<RoleNow[]> {
  const rows = await sql.query<RoleNowRow>(
    `SELECT ${COLUMNS}, ${LIVE_GRANTS} FROM ${OPEN_ROLES} WHERE r.account_id = $1 AND r.ended_at IS NULL ORDER BY r.granted_at, r.id`,
    [accountId, now],
  )
  return rows.map((row) => toRoleNow(row, now))
}

/** The same of everybody in a unit whose role has not passed. */
export async function listRolesIn(sql: Sql, unitId: string, now: Date): Promise<RoleNow[]> {
  const rows = await sql.query<RoleNowRow>(
    `SELECT ${COLUMNS}, ${LIVE_GRANTS} FROM ${OPEN_ROLES} WHERE r.unit_id = $1 AND r.ended_at IS NULL AND r.ends_at > $2 ORDER BY r.granted_at, r.id`,
    [unitId, now],
  )
  return rows.map((row) => toRoleNow(row, now))
}

/** Ends a role; false when it was over. */
export async function endRole(tx: Sql, id: string, by: AccountId, now: Date): Promise<boolean> {
  return (await tx.execute('UPDATE helpdesk_role SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL', [id, now, by])) === 1
}

/** Suspends a role, or lifts its suspension; false when there was nothing to do. */
export async function setSuspended(tx: Sql, id: string, suspension: { at: Date; by: AccountId } | undefined): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE helpdesk_role SET suspended_at = $2, suspended_by = $3
     WHERE id = $1 AND ended_at IS NULL AND (suspended_at IS NULL) = ($2::timestamptz IS NOT NULL)`,
    [id, suspension?.at ?? null, suspension?.by ?? null],
  )
  return changed === 1
}

/** Serialises the granting of roles in one unit. */
export async function lockUnit(tx: Sql, unitId: string): Promise<void> {
  await tx.query('SELECT 1 FROM helpdesk_unit WHERE id = $1 FOR UPDATE', [unitId])
}
