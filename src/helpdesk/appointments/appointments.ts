import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../accounts/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import { type Database, isUniqueViolation, type Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { addDays, localDay, momentOf } from '../../platform/clock.ts'
import type { Queue } from '../queue/queue.ts'
import type { Ticket, TicketKind } from '../queue/ticket.ts'
import type { TicketClass } from '../queue/turn.ts'
import {
  type Appointment, type BookableUnit, countBookings, countTaken, endAppointment, findBooked, findBookedAt, findCalledOff, givePlaceBack, insertAppointment, listBookableUnits, listBookedIn, listClosedDays, listDueReminders, listOpenings, lockHours, missBefore,
  noteReminded, setClosedDay, takePlace,
} from './appointment.store.ts'
import { changeHours, listCrowded, listFullHours, listHit } from './closing.ts'
import type { PrepareNotice } from './notice.ts'
import { APPOINTMENT_PROBLEMS } from './problems.ts'
import { bookableDays, findSlot, type FullHour, type HoursChange, isSoonEnough, type Opening, type Slot, slotsOf } from './slots.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const REMIND_BEFORE_MS = 24 * HOUR_MS
/** An appointment is kept this long after its hour; then the person takes a ticket like anybody else. */
export const LATE_MINUTES = 15
const REMINDERS_AT_ONCE = 100
/** Bookings of one account in 30 days, those given back included: nobody holds a unit's hours. */
const MOST_BOOKINGS = 6

export interface OfferedSlot {
  readonly startsAt: Date
  readonly left: number
}

export interface Wish {
  readonly unitId: string
  readonly kind: TicketKind
  readonly startsAt: Date
}

/** Hours at the units, booked from home. */
export interface Appointments {
  openings(unitId: string): Promise<Opening[]>
  closedDays(unitId: string): Promise<string[]>
  /** Who booked what a change would take away; for asking before it is made. */
  hitBy(unitId: string, change: HoursChange): Promise<Appointment[]>
  /** Whom it would leave without a place in an hour that stays. */
  crowdedBy(unitId: string, change: HoursChange): Promise<Appointment[]>
  /** Hours to come with more people than places. */
  fullHours(unitId: string): Promise<FullHour[]>
  /** Changes the hours; who booked what they no longer hold is told at once. Returns how many. */
  changeHours(unitId: string, change: HoursChange, by: AccountId): Promise<number>
  /** Takes a closed day back. What was called off stays so. */
  reopenDay(unitId: string, day: string, by: AccountId): Promise<void>
  /** Open units that give hours. */
  units(): Promise<BookableUnit[]>
  /** Days with hours to book. */
  days(unitId: string): Promise<string[]>
  /** Hours of a day with places left. */
  hours(unitId: string, day: string): Promise<OfferedSlot[]>
  booked(accountId: AccountId): Promise<Appointment | undefined>
  /** The hour that a unit called off and that the person has not replaced yet. */
  calledOff(accountId: AccountId): Promise<Appointment | undefined>
  /** @throws {Problem} appointments/slot-taken, appointments/appointment-held, appointments/booked-too-often */
  book(accountId: AccountId, wish: Wish): Promise<Appointment>
  /** @throws {Problem} appointments/appointment-over */
  cancel(accountId: AccountId, id: string): Promise<void>
  /** Who is expected in a unit today. */
  expected(unitId: string): Promise<Appointment[]>
  /**
   * The person is there and gets a ticket: for the booked hour, or by law if that comes first; late ones stand in the line like anybody.
   * Only who is expected in this unit today.
   * @throws {Problem} appointments/appointment-over, appointments/appointment-other-day
   */
  arrive(at: { unitId: string; class: TicketClass }, id: string, by: AccountId): Promise<Ticket>
  /** Reminds of what is due within a day, once each; a job's work. */
  remind(): Promise<number>
  /** Marks those who did not come on earlier days. */
  closeDays(): Promise<number>
}

export interface AppointmentsDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  readonly queue: Pick<Queue, 'issueBooked'>
  readonly prepareNotice: PrepareNotice
}

export function createAppointments(deps: AppointmentsDependencies): Appointments {
  const { db, clock, audit } = deps
  const closedOf = async (sql: Sql, unitId: string) => new Set(await listClosedDays(sql, unitId, localDay(clock.now())))
  return {
    openings: (unitId) => listOpenings(db, unitId),
    closedDays: async (unitId) => [...(await closedOf(db, unitId))],
    hitBy: (unitId, change) => listHit(db, unitId, change, clock.now()),
    crowdedBy: (unitId, change) => listCrowded(db, unitId, change, clock.now()),
    fullHours: (unitId) => listFullHours(db, unitId, clock.now()),
    changeHours: (unitId, change, by) => changeHours(deps, unitId, change, by),
    reopenDay: (unitId, day, by) =>
      db.transaction(async (tx) => {
        await setClosedDay(tx, unitId, day, false)
        await audit.record(tx, { type: 'helpdesk/closed-day-set', actor: staff(by), data: { unitId, closed: false } })
      }),
    units: () => listBookableUnits(db),
    days: async (unitId) => bookableDays(await listOpenings(db, unitId), await closedOf(db, unitId), clock.now()),
    async hours(unitId, day) {
      const [openings, closed, now] = [await listOpenings(db, unitId), await closedOf(db, unitId), clock.now()]
      if (closed.has(day)) return []
      const taken = await countTaken(db, unitId, momentOf(day, 0), momentOf(addDays(day, 1), 0))
      return slotsOf(openings, day)
        .filter(({ startsAt }) => isSoonEnough(startsAt, now))
        .map((slot) => ({ startsAt: slot.startsAt, left: Math.max(0, slot.capacity - takenIn(slot, taken)) }))
    },
    booked: (accountId) => findBooked(db, accountId),
    calledOff: (accountId) => findCalledOff(db, accountId, clock.now()),
    book: (accountId, wish) => book(deps, accountId, wish),
    cancel: (accountId, id) => cancel(deps, accountId, id),
    expected: (unitId) => {
      const today = localDay(clock.now())
      return listBookedIn(db, unitId, momentOf(today, 0), momentOf(addDays(today, 1), 0))
    },
    arrive: (at, id, by) => arrive(deps, at, id, by),
    remind: () => remind(deps),
    closeDays: () => db.transaction((tx) => missBefore(tx, momentOf(localDay(clock.now()), 0), clock.now())),
  }
}

/** Places that are taken in a slot, whatever the hours were when they were booked. */
function takenIn({ startsAt, endsAt }: Slot, taken: ReadonlyMap<number, number>): number {
  return [...taken].reduce((sum, [at, count]) => (at >= startsAt.getTime() && at < endsAt.getTime() ? sum + count : sum), 0)
}

const staff = (id: AccountId): AuditActor => ({ kind: 'operator', id })
const eventOf = ({ id, unitId }: Appointment) => ({ appointmentId: id, unitId })

async function book({ db, clock, audit, prepareNotice }: AppointmentsDependencies, accountId: AccountId, { unitId, kind, startsAt }: Wish): Promise<Appointment> {
  const now = clock.now()
  const tell = await prepareNotice({ accountId, unitId, startsAt }, 'booked')
  try {
    return await db.transaction(async (tx) => {
      await lockHours(tx, unitId, 'to-book')
      const closed = new Set(await listClosedDays(tx, unitId, localDay(now)))
      const slot = findSlot(await listOpenings(tx, unitId), closed, startsAt, now)
      const appointment: Appointment = { id: randomUUID(), unitId, accountId, kind, startsAt, state: 'booked' }
      // Before it is counted: of two by one account the second waits here, and then sees the first.
      await insertAppointment(tx, appointment, now)
      if ((await countBookings(tx, accountId, new Date(now.getTime() - 30 * 24 * HOUR_MS))) > MOST_BOOKINGS) {
        throw new Problem(APPOINTMENT_PROBLEMS.bookedTooOften)
      }
      if (slot === undefined || !(await takePlace(tx, unitId, slot))) throw new Problem(APPOINTMENT_PROBLEMS.slotTaken)
      await audit.record(tx, { type: 'helpdesk/appointment-booked', actor: citizen(accountId), subject: accountId, data: eventOf(appointment) })
      await tell(tx)
      return appointment
    })
  } catch (error) {
    if (isUniqueViolation(error, 'helpdesk_appointment_one')) throw new Problem(APPOINTMENT_PROBLEMS.appointmentHeld, { cause: error })
    throw error
  }
}

async function cancel({ db, clock, audit, prepareNotice }: AppointmentsDependencies, accountId: AccountId, id: string): Promise<void> {
  const booked = await findBooked(db, accountId)
  if (booked?.id !== id) throw new Problem(APPOINTMENT_PROBLEMS.appointmentOver)
  const tell = await prepareNotice(booked, 'cancelled')
  await db.transaction(async (tx) => {
    const ended = await endAppointment(tx, id, 'cancelled', { accountId, now: clock.now() })
    if (ended === undefined) throw new Problem(APPOINTMENT_PROBLEMS.appointmentOver)
    await givePlaceBack(tx, ended.unitId, ended.startsAt)
    await audit.record(tx, { type: 'helpdesk/appointment-cancelled', actor: citizen(accountId), subject: accountId, data: eventOf(ended) })
    await tell(tx)
  })
}

/** One transaction each: what one notice meets does not keep the others back, and of two processes one tells. */
async function remind({ db, clock, prepareNotice }: AppointmentsDependencies): Promise<number> {
  const now = clock.now()
  const due = await listDueReminders(db, now, new Date(now.getTime() + REMIND_BEFORE_MS), REMINDERS_AT_ONCE)
  let told = 0
  for (const appointment of due) {
    const tell = await prepareNotice(appointment, 'reminder')
    await db.transaction(async (tx) => {
      if (!(await noteReminded(tx, appointment.id, now))) return
      await tell(tx)
      told += 1
    })
  }
  return told
}

async function arrive(
  { db, clock, audit, queue }: AppointmentsDependencies,
  { unitId, class: byLaw }: { unitId: string; class: TicketClass },
  id: string,
  by: AccountId,
): Promise<Ticket> {
  return db.transaction(async (tx) => {
    const now = clock.now()
    const expected = await findBookedAt(tx, id, unitId)
    if (expected !== undefined && localDay(expected.startsAt) !== localDay(now)) throw new Problem(APPOINTMENT_PROBLEMS.appointmentOtherDay)
    const ended = await endAppointment(tx, id, 'arrived', { unitId, now })
    if (ended === undefined) throw new Problem(APPOINTMENT_PROBLEMS.appointmentOver)
    const isLate = now.getTime() - ended.startsAt.getTime() > LATE_MINUTES * MINUTE_MS
    const own = byLaw === 'ordinary' && !isLate ? 'booked' : byLaw
    const dueAt = own === 'booked' ? ended.startsAt : now
    await audit.record(tx, { type: 'helpdesk/appointment-arrived', actor: staff(by), subject: ended.accountId, data: eventOf(ended) })
    return queue.issueBooked(tx, { unitId, kind: ended.kind, class: own, dueAt, appointmentId: id }, staff(by))
  })
}

const citizen = (id: AccountId): AuditActor => ({ kind: 'citizen', id })
