import type { AccountId, BaseRecord, BaseRegister, Cpf } from '../../accounts/index.ts'
import { isUniqueViolation, type Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type BoundAccount, findBoundAccount } from '../binding/binding.store.ts'
import { forgetItems, listItems } from '../capture/item.store.ts'
import { CASE_TYPES, owesWays } from '../cases/case-type.ts'
import { findAgreement } from '../consent/consent.store.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { checkLooks } from '../support/looks.ts'
import { type Attendance, type AttendanceState, APPROVAL_DAYS, DRAFT_HOURS, type Reason } from './attendance.ts'
import {
  countHeld,
  ensurePerson,
  findAttendance,
  findKnown,
  findPersonId,
  insertAttendance,
  insertHand,
  type KnownHere,
  listAttendances,
  listOverdue,
  lockAttendance,
  moveHolder,
  nextNumber,
} from './attendance.store.ts'
import { actorOf, type Desk, doStep, type Hand, ledgerOf, lockHeld, lockOfUnit } from './desk.ts'
import { protocolNumber } from './protocol-number.ts'

/** Drafts that one person may hold at once: nobody looks up a hundred people to serve one. */
export const MOST_HELD = 20
const HOUR_MS = 3_600_000
/** Refusals that tell the attendant something about the person. */
const FOUND = ['cpf-irregular', 'already-open', 'reason-unfit'] as const

/** Cases of the counter, from the opening to the desk of whoever approves. */
export interface Attendances {
  /**
   * Opens a case for a CPF, with its reason; the person's ledger has it at once.
   * @throws {Problem} helpdesk/cpf-unknown, helpdesk/cpf-irregular, helpdesk/reason-unfit, helpdesk/own-case, helpdesk/already-open, helpdesk/too-many-drafts,
   * helpdesk/role-needed, support/too-many-looks, accounts/register-unavailable
   */
  open(asked: { cpf: Cpf; reason: Reason }, hand: Hand): Promise<Attendance>
  /** A case of the unit. @throws {Problem} helpdesk/attendance-unknown */
  get(id: string, hand: Pick<Hand, 'unitId'>): Promise<Attendance>
  /** What is known of the person outside of the case. */
  known(attendance: Attendance): Promise<KnownHere | undefined>
  /** The account that the case lifts, if one was bound: for the supervisor to ask the person about. */
  bound(attendance: Attendance): Promise<BoundAccount | undefined>
  list(unitId: string, states: readonly AttendanceState[]): Promise<Attendance[]>
  /** Writes a look at somebody else's case into the person's ledger. */
  noteSeen(attendance: Attendance, hand: Hand): Promise<void>
  /** Goes on with a colleague's draft; of two who try, one gets it. @throws {Problem} helpdesk/held-by-another with the role of who was first */
  takeOver(id: string, from: AccountId, hand: Hand): Promise<void>
  /** Back from `captured` to the captures. */
  recapture(id: string, hand: Hand): Promise<void>
  /** Hands the case to whoever approves. @throws {Problem} helpdesk/halted, helpdesk/consent-refused, helpdesk/ways-needed */
  submit(id: string, hand: Hand): Promise<void>
  abandon(id: string, hand: Hand): Promise<void>
  /** Ends what nobody finished in time and forgets what it held; a job's work. */
  expire(): Promise<number>
}

export function createAttendances(desk: Desk, register: BaseRegister): Attendances {
  const { db, keyring, clock, audit } = desk
  return {
    async open({ cpf, reason }, hand) {
      await checkLooks(db, hand.id, clock.now())
      const record = await register.find(cpf)
      if (record === undefined) throw new Problem(HELPDESK_PROBLEMS.cpfUnknown)
      try {
        if (!CASE_TYPES[reason].situations.includes(record.situation)) throw new Problem(HELPDESK_PROBLEMS.cpfIrregular, { detail: record.situation })
        return await db.transaction((tx) => openCase(desk, tx, { record, reason, hand }))
      } catch (error) {
        const found = FOUND.find((name) => error instanceof Problem && error.code === `helpdesk/${name}`)
        if (found !== undefined) await noteInVain(desk, { cpf, reason, found }, hand)
        throw error
      }
    },
    async get(id, { unitId }) {
      const attendance = await findAttendance(db, keyring, id)
      if (attendance?.unitId !== unitId) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
      return attendance
    },
    known: ({ personId }) => findKnown(db, personId),
    bound: ({ id }) => findBoundAccount(db, id),
    list: (unitId, states) => listAttendances(db, keyring, unitId, states),
    noteSeen: (attendance, hand) =>
      db.transaction(async (tx) => {
        const { subject } = await ledgerOf(tx, attendance)
        const data = { attendanceId: attendance.id, unitId: attendance.unitId, role: hand.role }
        await audit.record(tx, { type: 'helpdesk/attendance-seen', actor: actorOf(hand), subject, data })
      }),
    takeOver: (id, from, hand) => db.transaction((tx) => takeOver(desk, tx, { id, from, hand })),
    recapture: (id, hand) =>
      db.transaction(async (tx) => {
        const attendance = await lockHeld(desk, tx, id, hand, 'captured')
        if (attendance.haltedAt !== undefined) throw new Problem(HELPDESK_PROBLEMS.halted)
        await doStep(desk, tx, attendance, 'recapture', { checks: {} })
      }),
    submit: (id, hand) =>
      db.transaction(async (tx) => {
        const attendance = await lockHeld(desk, tx, id, hand, 'captured')
        if (attendance.haltedAt !== undefined) throw new Problem(HELPDESK_PROBLEMS.halted)
        // The citizen may have changed their mind on their own screen since the captures were checked.
        const agreement = await findAgreement(tx, id, await listItems(tx, keyring, id))
        if (agreement?.given === false) throw new Problem(HELPDESK_PROBLEMS.consentRefused)
        if (owesWays(attendance)) throw new Problem(HELPDESK_PROBLEMS.waysNeeded)
        const expiresAt = new Date(clock.now().getTime() + APPROVAL_DAYS * 24 * HOUR_MS)
        await doStep(desk, tx, attendance, 'submit', { expiresAt })
        const { subject } = await ledgerOf(tx, attendance)
        await audit.record(tx, { type: 'helpdesk/attendance-submitted', actor: actorOf(hand), subject, data: { attendanceId: id } })
      }),
    abandon: (id, hand) =>
      db.transaction(async (tx) => {
        const { state } = await lockOfUnit(desk, tx, id, hand)
        const attendance = await lockHeld(desk, tx, id, hand, state === 'captured' ? 'captured' : 'open')
        if (attendance.haltedAt !== undefined) throw new Problem(HELPDESK_PROBLEMS.halted)
        await end(desk, tx, attendance, 'abandon', hand)
      }),
    expire: () => expireAll(desk),
  }
}

async function openCase(desk: Desk, tx: Sql, { record, reason, hand }: { record: BaseRecord; reason: Reason; hand: Hand }): Promise<Attendance> {
  const { staff, keyring, clock, audit } = desk
  await staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'attendant' })
  if ((await countHeld(tx, hand.id)) >= MOST_HELD) throw new Problem(HELPDESK_PROBLEMS.tooManyDrafts)
  const now = clock.now()
  const personId = await ensurePerson(tx, record, now)
  const { subject, accountId } = await ledgerOf(tx, { personId })
  if (accountId === hand.id) throw new Problem(HELPDESK_PROBLEMS.ownCase)
  const known = await findKnown(tx, personId)
  if (known === undefined || !CASE_TYPES[reason].fits(known)) throw new Problem(HELPDESK_PROBLEMS.reasonUnfit)
  const protocol = protocolNumber(now.getUTCFullYear(), await nextNumber(tx))
  const { cpf, name, socialName, birthDate, situation } = record
  const created = {
    protocol,
    unitId: hand.unitId,
    personId,
    reason,
    holder: hand,
    facts: { cpf, name, socialName, birthDate, situation },
    now,
    expiresAt: new Date(now.getTime() + DRAFT_HOURS * HOUR_MS),
  }
  const id = await insertAttendance(tx, keyring, created).catch((cause: unknown) => {
    if (isUniqueViolation(cause)) throw new Problem(HELPDESK_PROBLEMS.alreadyOpen, { cause })
    throw cause
  })
  await insertHand(tx, id, hand, now)
  const data = { attendanceId: id, unitId: hand.unitId, reason }
  await audit.record(tx, { type: 'helpdesk/attendance-opened', actor: actorOf(hand), subject, data })
  return lockOfUnit(desk, tx, id, hand)
}

/** The attendant learnt something about the person: that stands in their ledger too. */
async function noteInVain(
  { db, audit }: Desk,
  { cpf, reason, found }: { cpf: Cpf; reason: Reason; found: (typeof FOUND)[number] },
  hand: Hand,
): Promise<void> {
  await db.transaction(async (tx) => {
    const personId = await findPersonId(tx, cpf)
    const subject = personId && (await ledgerOf(tx, { personId })).subject
    await audit.record(tx, { type: 'helpdesk/attendance-in-vain', actor: actorOf(hand), subject, data: { unitId: hand.unitId, reason, found } })
  })
}

async function takeOver(desk: Desk, tx: Sql, { id, from, hand }: { id: string; from: AccountId; hand: Hand }): Promise<void> {
  const { staff, clock, audit } = desk
  await staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'attendant' })
  const attendance = await lockOfUnit(desk, tx, id, hand)
  const { subject, accountId } = await ledgerOf(tx, attendance)
  if (accountId === hand.id) throw new Problem(HELPDESK_PROBLEMS.ownCase)
  if (attendance.holderId === hand.id) return
  if (attendance.holderId !== from || !(await moveHolder(tx, id, from, hand, clock.now()))) {
    throw new Problem(HELPDESK_PROBLEMS.heldByAnother, { detail: attendance.holderRole })
  }
  await insertHand(tx, id, hand, clock.now())
  const data = { attendanceId: id, unitId: hand.unitId, role: hand.role }
  await audit.record(tx, { type: 'helpdesk/attendance-taken-over', actor: actorOf(hand), subject, data })
}

async function end(desk: Desk, tx: Sql, attendance: Attendance, step: 'abandon' | 'expire', hand?: Hand): Promise<void> {
  const state = await doStep(desk, tx, attendance, step)
  await forgetItems(tx, attendance.id)
  const { subject } = await ledgerOf(tx, attendance)
  const actor = hand === undefined ? ({ kind: 'system' } as const) : actorOf(hand)
  await desk.audit.record(tx, { type: 'helpdesk/attendance-ended', actor, subject, data: { attendanceId: attendance.id, state } })
}

/** A stopped case waits for its reviewer, however long that takes. */
async function expireAll(desk: Desk): Promise<number> {
  const overdue = await listOverdue(desk.db, desk.clock.now())
  let ended = 0
  for (const { id } of overdue) {
    const isEnded = await desk.db.transaction(async (tx) => {
      const attendance = await lockAttendance(tx, desk.keyring, id)
      if (attendance === undefined || attendance.haltedAt !== undefined || attendance.expiresAt > desk.clock.now()) return false
      await end(desk, tx, attendance, 'expire')
      return true
    })
    if (isEnded) ended += 1
  }
  return ended
}
