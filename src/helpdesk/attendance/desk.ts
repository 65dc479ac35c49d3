import type { AccountId } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { StaffRole } from '../staff/role.ts'
import type { Staff } from '../staff/staff.ts'
import { type Attendance, type AttendanceState, type Step, stateAfter } from './attendance.ts'
import { findKnown, lockAttendance, moveAttendance, type Move } from './attendance.store.ts'

/** What every part of an attendance stands on. */
export interface Desk {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Keyring
  readonly audit: Pick<Audit, 'record'>
  readonly staff: Staff
}

/** Somebody of the staff, at work in one unit in one role. */
export interface Hand {
  readonly id: AccountId
  readonly role: StaffRole
  readonly unitId: string
}

/** The case of this unit, locked; another unit's is as good as none. @throws {Problem} helpdesk/attendance-unknown */
export async function lockOfUnit({ keyring }: Desk, tx: Sql, id: string, { unitId }: Pick<Hand, 'unitId'>): Promise<Attendance> {
  const attendance = await lockAttendance(tx, keyring, id)
  if (attendance?.unitId !== unitId) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
  return attendance
}

/**
 * The draft, locked for whoever holds it, their role still live.
 * @throws {Problem} helpdesk/held-by-another, helpdesk/step-out-of-order, helpdesk/role-needed
 */
export async function lockHeld(desk: Desk, tx: Sql, id: string, hand: Hand, state: AttendanceState): Promise<Attendance> {
  await desk.staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'attendant' })
  const attendance = await lockOfUnit(desk, tx, id, hand)
  if (attendance.holderId !== hand.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother, { detail: attendance.holderRole })
  if (attendance.state !== state) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
  return attendance
}

/** Does one step of the table. @throws {Problem} helpdesk/step-out-of-order */
export async function doStep({ clock }: Pick<Desk, 'clock'>, tx: Sql, { id, state }: Pick<Attendance, 'id' | 'state'>, step: Step, more: Partial<Move> = {}) {
  const to = stateAfter(state, step)
  const isMoved = to !== undefined && (await moveAttendance(tx, { ...more, id, from: state, to, now: clock.now() }))
  if (to === undefined || !isMoved) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
  return to
}

/** In whose ledger an event about the case stands: the account's, or the person's own until there is one. */
export async function ledgerOf(tx: Sql, { personId }: Pick<Attendance, 'personId'>): Promise<{ subject: string; accountId: AccountId | undefined }> {
  const accountId = (await findKnown(tx, personId))?.accountId
  return { subject: accountId ?? personId, accountId }
}

export const actorOf = ({ id }: Pick<Hand, 'id'>) => ({ kind: 'operator', id }) as const
