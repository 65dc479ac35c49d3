import { randomUUID } from 'node:crypto'
import type { AccountId, Cpf } from '../../accounts/index.ts'
import { isLevelAtLeast, lockCandidate } from '../../assurance/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import { type Database, isUniqueViolation, type Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { type GivenRole, LEVEL_OF_ROLE, LONGEST_ROLE_DAYS, type RoleNow, type StaffRole } from './role.ts'
import { closeLapsed, endRole, insertRole, listRolesIn, listRolesOf, lockRole, lockStanding, lockUnit, setSuspended } from './role.store.ts'
import { findUnit, findUnitByCode, insertUnit, listUnits, listUnitsBelow, type OperatorRules, setRules, type Unit } from './unit.store.ts'

const DAY_MS = 86_400_000

/** The one at the command line: no account of the counter's. */
export interface CommandLine {
  readonly actorId: string
  /** Only a demonstration gives roles to an account without a second factor. */
  readonly isDemo?: boolean
}

export interface NewUnit {
  readonly code: string
  readonly name: string
  readonly municipality: string
  /** Code of the unit above. */
  readonly above?: string | undefined
}

export interface NewRole {
  readonly unitId: string
  readonly cpf: Cpf
  readonly role: StaffRole
  readonly endsAt: Date
}

/** Units of the counter and the people who work there; what somebody may do is worked out anew for each request. */
export interface Staff {
  /** Live roles of somebody, by the level that their evidence bears now. */
  liveRoles(accountId: AccountId): Promise<RoleNow[]>
  /** The same inside a transaction, and held until it ends: whoever takes a role back meanwhile waits, or was first. @throws {Problem} helpdesk/role-needed when it is not live. */
  checkHolds(tx: Sql, accountId: AccountId, needed: { unitId: string; role: StaffRole }): Promise<void>
  /** Everybody of a unit whose role is not over. */
  listIn(unitId: string): Promise<RoleNow[]>
  findUnit(unitId: string): Promise<Unit | undefined>
  listUnits(): Promise<Unit[]>
  listUnitsBelow(unitId: string): Promise<Unit[]>
  /** @throws {Problem} helpdesk/unit-code-taken, helpdesk/unit-unknown */
  openUnit(unit: NewUnit, by: CommandLine): Promise<Unit>
  /** Sets what a unit takes and how strictly it compares, by the operator's command line. @throws {Problem} helpdesk/unit-unknown */
  setRules(code: string, rules: OperatorRules, by: CommandLine): Promise<Unit>
  /**
   * The first manager of a unit, by the operator's command line.
   * @throws {Problem} helpdesk/manager-there, helpdesk/unit-unknown, helpdesk/staff-unfit
   */
  grantFirst(first: { unitCode: string; cpf: Cpf; endsAt: Date }, by: CommandLine): Promise<GivenRole>
  /**
   * Gives a role, by the manager above: of the unit for its staff, of the unit above for its managers.
   * @throws {Problem} helpdesk/not-above, helpdesk/not-for-oneself, helpdesk/staff-unfit, helpdesk/role-held, helpdesk/end-refused
   */
  grant(role: NewRole, by: AccountId, options?: Pick<CommandLine, 'isDemo'>): Promise<GivenRole>
  /** Ends, suspends or resumes a role; by whom might give it, and never one's own. False when there was nothing to change. */
  change(roleId: string, change: 'end' | 'suspend' | 'resume', by: AccountId): Promise<boolean>
}

export interface StaffDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
}

/** The counter's staff over the tables of `db`. */
export function createStaff(deps: StaffDependencies): Staff {
  const { db, clock } = deps
  return {
    liveRoles: async (accountId) => (await listRolesOf(db, accountId, clock.now())).filter(isLive),
    async checkHolds(tx, accountId, { unitId, role }) {
      await lockStanding(tx, accountId)
      const roles = (await listRolesOf(tx, accountId, clock.now())).filter(isLive)
      if (!roles.some((held) => held.unitId === unitId && held.role === role)) throw new Problem(HELPDESK_PROBLEMS.roleNeeded)
    },
    listIn: (unitId) => listRolesIn(db, unitId, clock.now()),
    findUnit: (unitId) => findUnit(db, unitId),
    listUnits: () => listUnits(db),
    listUnitsBelow: (unitId) => listUnitsBelow(db, unitId),
    openUnit: (unit, by) => db.transaction((tx) => openUnit(deps, tx, unit, by)),
    setRules: (code, rules, by) => db.transaction((tx) => setUnitRules(deps, tx, code, rules, by)),
    grantFirst: (first, by) => db.transaction((tx) => grantFirst(deps, tx, first, by)),
    grant: (role, by, { isDemo } = {}) => db.transaction((tx) => grantByManager(deps, tx, role, { by, isDemo })),
    change: (roleId, change, by) => db.transaction((tx) => changeRole(deps, tx, { roleId, change, by })),
  }
}

const isLive = ({ state }: RoleNow) => state === 'live'

async function openUnit({ audit, clock }: StaffDependencies, tx: Sql, { above, ...unit }: NewUnit, { actorId }: CommandLine): Promise<Unit> {
  const parent = above === undefined ? undefined : await getByCode(tx, above)
  if (await findUnitByCode(tx, unit.code)) throw new Problem(HELPDESK_PROBLEMS.unitCodeTaken)
  const opened = { ...unit, id: randomUUID(), parentId: parent?.id, openedAt: clock.now() }
  await insertUnit(tx, opened)
  await audit.record(tx, { type: 'helpdesk/unit-opened', actor: { kind: 'operator', id: actorId }, data: { unitId: opened.id } })
  return getByCode(tx, unit.code)
}

async function getByCode(tx: Sql, code: string): Promise<Unit> {
  const unit = await findUnitByCode(tx, code)
  if (unit === undefined) throw new Problem(HELPDESK_PROBLEMS.unitUnknown, { detail: code })
  return unit
}

async function setUnitRules({ audit }: StaffDependencies, tx: Sql, code: string, rules: OperatorRules, { actorId }: CommandLine): Promise<Unit> {
  const { id: unitId } = await getByCode(tx, code)
  await setRules(tx, unitId, rules)
  await audit.record(tx, { type: 'helpdesk/unit-rules-set', actor: { kind: 'operator', id: actorId }, data: { unitId, layer: 'operator', ...rules } })
  return getByCode(tx, code)
}

async function grantFirst(
  deps: StaffDependencies,
  tx: Sql,
  { unitCode, cpf, endsAt }: { unitCode: string; cpf: Cpf; endsAt: Date },
  by: CommandLine,
): Promise<GivenRole> {
  const unit = await getByCode(tx, unitCode)
  await lockUnit(tx, unit.id)
  const there = (await listRolesIn(tx, unit.id, deps.clock.now())).some(({ role }) => role === 'unit-manager')
  if (there) throw new Problem(HELPDESK_PROBLEMS.managerThere)
  const role = { unitId: unit.id, cpf, role: 'unit-manager', endsAt } as const
  return insertChecked(deps, tx, role, { actor: { kind: 'operator', id: by.actorId }, isDemo: by.isDemo })
}

async function grantByManager(
  deps: StaffDependencies,
  tx: Sql,
  role: NewRole,
  { by, isDemo }: { by: AccountId; isDemo: boolean | undefined },
): Promise<GivenRole> {
  await checkAbove(deps, tx, role, by)
  return insertChecked(deps, tx, role, { actor: { kind: 'operator', id: by }, by, isDemo })
}

interface Granting {
  readonly actor: AuditActor
  readonly by?: AccountId
  readonly isDemo?: boolean | undefined
}

async function insertChecked({ audit, clock }: StaffDependencies, tx: Sql, wanted: NewRole, { actor, by, isDemo }: Granting): Promise<GivenRole> {
  const now = clock.now()
  const { cpf, ...rest } = wanted
  const candidate = await lockCandidate(tx, cpf, now)
  if (candidate === undefined || (!candidate.hasSecondFactor && isDemo !== true)) throw new Problem(HELPDESK_PROBLEMS.staffUnfit)
  const { accountId, level } = candidate
  if (accountId === by) throw new Problem(HELPDESK_PROBLEMS.notForOneself)
  if (!isLevelAtLeast(level, LEVEL_OF_ROLE[rest.role])) throw new Problem(HELPDESK_PROBLEMS.staffUnfit)
  checkDates(rest.endsAt, now)
  const role: GivenRole = { ...rest, id: randomUUID(), accountId, level, startsAt: now, suspendedAt: undefined, endedAt: undefined }
  await closeLapsed(tx, role, now)
  await insertRole(tx, role, { by, at: now }).catch((cause: unknown) => {
    if (isUniqueViolation(cause)) throw new Problem(HELPDESK_PROBLEMS.roleHeld, { cause })
    throw cause
  })
  const data = { roleId: role.id, unitId: role.unitId, role: role.role, level, endsAt: role.endsAt.toISOString() }
  await audit.record(tx, { type: 'helpdesk/role-granted', actor, subject: accountId, data })
  return role
}

function checkDates(endsAt: Date, now: Date): void {
  const days = (endsAt.getTime() - now.getTime()) / DAY_MS
  if (!(days > 0 && days <= LONGEST_ROLE_DAYS)) throw new Problem(HELPDESK_PROBLEMS.endRefused)
}

/** A unit's staff is its manager's business; a manager, that of the managers of the unit above. */
async function checkAbove({ clock }: StaffDependencies, tx: Sql, { unitId, role }: Pick<GivenRole, 'unitId' | 'role'>, by: AccountId): Promise<void> {
  const unit = await findUnit(tx, unitId)
  const above = role === 'unit-manager' ? unit?.parentId : unit?.id
  const roles = (await listRolesOf(tx, by, clock.now())).filter(isLive)
  const isAbove = above !== undefined && roles.some((held) => held.role === 'unit-manager' && held.unitId === above)
  if (!isAbove) throw new Problem(HELPDESK_PROBLEMS.notAbove)
}

const EVENT_OF = { end: 'helpdesk/role-ended', suspend: 'helpdesk/role-suspended', resume: 'helpdesk/role-resumed' } as const

async function changeRole(
  deps: StaffDependencies,
  tx: Sql,
  { roleId, change, by }: { roleId: string; change: keyof typeof EVENT_OF; by: AccountId },
): Promise<boolean> {
  const role = await lockRole(tx, roleId)
  if (role === undefined) throw new Problem(HELPDESK_PROBLEMS.roleUnknown)
  if (role.accountId === by) throw new Problem(HELPDESK_PROBLEMS.notForOneself)
  await checkAbove(deps, tx, role, by)
  const now = deps.clock.now()
  const isChanged = change === 'end' ? await endRole(tx, roleId, by, now) : await setSuspended(tx, roleId, change === 'suspend' ? { at: now, by } : undefined)
  if (!isChanged) return false
  const data = { roleId, unitId: role.unitId, role: role.role }
  await deps.audit.record(tx, { type: EVENT_OF[change], actor: { kind: 'operator', id: by }, subject: role.accountId, data })
  return true
}
