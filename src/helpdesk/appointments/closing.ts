import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { type Appointment, endAppointment, givePlaceBack, listBookedIn, listOpenings, lockHours, setClosedDay, setOpening } from './appointment.store.ts'
import type { AppointmentsDependencies } from './appointments.ts'
import { beyondPlaces, BOOKING_DAYS, type FullHour, fullHours, type HoursChange, isHitBy, isInHour } from './slots.ts'

const DAY_MS = 86_400_000

/** Who booked an hour that a change of the unit's hours takes away. */
export async function listHit(sql: Sql, unitId: string, change: HoursChange, now: Date): Promise<Appointment[]> {
  const booked = await listBooked(sql, unitId, now)
  const hit = booked.filter(({ startsAt }) => isHitBy(change, startsAt))
  const beyond = await listBeyond(sql, unitId, change, booked.filter((one) => !hit.includes(one)))
  return [...hit, ...beyond].sort((one, other) => one.startsAt.getTime() - other.startsAt.getTime())
}

/** Hours to come with more people than places, after the places became fewer. */
export async function listFullHours(sql: Sql, unitId: string, now: Date): Promise<FullHour[]> {
  return fullHours(await listOpenings(sql, unitId), await listBooked(sql, unitId, now))
}

/** Whom a change of a weekday keeps within its hours and has no place for. */
export async function listCrowded(sql: Sql, unitId: string, change: HoursChange, now: Date): Promise<Appointment[]> {
  return 'weekday' in change ? listHit(sql, unitId, { ...change, callsOffBeyond: true }, now).then((all) => all.filter(({ startsAt }) => !isHitBy(change, startsAt))) : []
}

/** In the order of their booking, so that the last one is the first to go. */
function listBooked(sql: Sql, unitId: string, now: Date): Promise<Appointment[]> {
  return listBookedIn(sql, unitId, now, new Date(now.getTime() + (BOOKING_DAYS + 2) * DAY_MS), 'by-booking')
}

async function listBeyond(sql: Sql, unitId: string, change: HoursChange, booked: readonly Appointment[]): Promise<Appointment[]> {
  if ('fullHour' in change) {
    const openings = await listOpenings(sql, unitId)
    return beyondPlaces(openings, booked.filter(({ startsAt }) => isInHour(openings, change.fullHour, startsAt)))
  }
  if ('closedDay' in change || change.opening === undefined || change.callsOffBeyond !== true) return []
  return beyondPlaces([change.opening], booked)
}

/**
 * Changes the hours and calls off what they no longer hold, each told with its way to another hour, all in one transaction; returns how many.
 *
 * Notices are prepared before it. Who booked in between is not among them: then it is begun again, so that nobody comes to a closed door untold.
 */
export async function changeHours(deps: AppointmentsDependencies, unitId: string, change: HoursChange, by: AccountId): Promise<number> {
  const { db, clock, prepareNotice } = deps
  for (;;) {
    const notices = new Map<string, (tx: Sql) => Promise<void>>()
    for (const appointment of await listHit(db, unitId, change, clock.now())) notices.set(appointment.id, await prepareNotice(appointment, 'called-off'))
    const count = await db.transaction(async (tx) => {
      await lockHours(tx, unitId, 'to-change')
      const hit = await listHit(tx, unitId, change, clock.now())
      if (hit.some(({ id }) => !notices.has(id))) return undefined
      await writeChange(deps, tx, unitId, change, by)
      for (const appointment of hit) {
        await callOff(deps, tx, appointment, by)
        await notices.get(appointment.id)?.(tx)
      }
      return hit.length
    })
    if (count !== undefined) return count
  }
}

async function writeChange({ audit }: AppointmentsDependencies, tx: Sql, unitId: string, change: HoursChange, by: AccountId): Promise<void> {
  const actor = { kind: 'operator', id: by } as const
  if ('fullHour' in change) return
  if ('closedDay' in change) {
    await setClosedDay(tx, unitId, change.closedDay, true)
    await audit.record(tx, { type: 'helpdesk/closed-day-set', actor, data: { unitId, closed: true } })
    return
  }
  await setOpening(tx, unitId, change.weekday, change.opening)
  await audit.record(tx, { type: 'helpdesk/opening-set', actor, data: { unitId, weekday: change.weekday } })
}

async function callOff({ clock, audit }: AppointmentsDependencies, tx: Sql, { id, unitId, accountId, startsAt }: Appointment, by: AccountId): Promise<void> {
  const ended = await endAppointment(tx, id, 'cancelled', { unitId, isCalledOff: true, now: clock.now() })
  if (ended === undefined) return
  await givePlaceBack(tx, unitId, startsAt)
  await audit.record(tx, { type: 'helpdesk/appointment-called-off', actor: { kind: 'operator', id: by }, subject: accountId, data: { appointmentId: id, unitId } })
}
