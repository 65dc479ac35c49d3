import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { TicketKind } from '../queue/ticket.ts'
import type { Opening, Slot } from './slots.ts'

export const APPOINTMENT_STATES = ['booked', 'cancelled', 'arrived', 'missed'] as const
export type AppointmentState = (typeof APPOINTMENT_STATES)[number]

/** An hour booked by one citizen. From `booked` it goes to one of the other states, once. */
export interface Appointment {
  readonly id: string
  readonly unitId: string
  readonly accountId: AccountId
  readonly kind: TicketKind
  readonly startsAt: Date
  readonly state: AppointmentState
}

interface AppointmentRow {
  readonly id: string
  readonly unit_id: string
  readonly account_id: AccountId
  readonly kind: TicketKind
  readonly starts_at: Date
  readonly state: AppointmentState
}

const COLUMNS = 'a.id, a.unit_id, a.account_id, a.kind, a.starts_at, a.state'

const toAppointment = (row: AppointmentRow): Appointment => ({
  id: row.id,
  unitId: row.unit_id,
  accountId: row.account_id,
  kind: row.kind,
  startsAt: row.starts_at,
  state: row.state,
})

/** The hours of a unit; a unit that was closed has none. */
export async function listOpenings(sql: Sql, unitId: string): Promise<Opening[]> {
  const rows = await sql.query<{ weekday: number; opens: number; closes: number; slot_minutes: number; capacity: number }>(
    `SELECT o.weekday, o.opens, o.closes, o.slot_minutes, o.capacity FROM helpdesk_opening o
     JOIN helpdesk_unit u ON u.id = o.unit_id AND u.closed_at IS NULL WHERE o.unit_id = $1 ORDER BY o.weekday`,
    [unitId],
  )
  return rows.map(({ slot_minutes: slotMinutes, ...row }) => ({ ...row, slotMinutes }))
}

/** Bookings of the unit wait until its hours are changed, or the change waits for them: nobody books what is being closed. */
export async function lockHours(tx: Sql, unitId: string, mode: 'to-book' | 'to-change'): Promise<void> {
  await tx.query(`SELECT 1 FROM helpdesk_unit WHERE id = $1 FOR ${mode === 'to-book' ? 'SHARE' : 'NO KEY UPDATE'}`, [unitId])
}

/** The weekday's hours from now on; `undefined` = closed. */
export async function setOpening(tx: Sql, unitId: string, weekday: number, opening: Opening | undefined): Promise<void> {
  if (opening === undefined) {
    await tx.execute('DELETE FROM helpdesk_opening WHERE unit_id = $1 AND weekday = $2', [unitId, weekday])
    return
  }
  await tx.execute(
    `INSERT INTO helpdesk_opening (unit_id, weekday, opens, closes, slot_minutes, capacity) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (unit_id, weekday) DO UPDATE SET opens = excluded.opens, closes = excluded.closes, slot_minutes = excluded.slot_minutes,
       capacity = excluded.capacity`,
    [unitId, weekday, opening.opens, opening.closes, opening.slotMinutes, opening.capacity],
  )
}

export async function listClosedDays(sql: Sql, unitId: string, from: string): Promise<string[]> {
  const rows = await sql.query<{ day: string }>('SELECT day FROM helpdesk_closed_day WHERE unit_id = $1 AND day >= $2 ORDER BY day', [unitId, from])
  return rows.map(({ day }) => day)
}

export async function setClosedDay(tx: Sql, unitId: string, day: string, isClosed: boolean): Promise<void> {
  await tx.execute(
    isClosed
      ? 'INSERT INTO helpdesk_closed_day (unit_id, day) VALUES ($1, $2) ON CONFLICT DO NOTHING'
      : 'DELETE FROM helpdesk_closed_day WHERE unit_id = $1 AND day = $2',
    [unitId, day],
  )
}

/** Takes one place; false when none is left. One statement, so that of many at once no more get one than there are. */
export async function takePlace(tx: Sql, unitId: string, { startsAt, endsAt, capacity }: Slot): Promise<boolean> {
  // Whoever booked within the slot when the hours were shorter has a place in it too; of those there are no new ones.
  const changed = await tx.execute(
    `WITH others AS (SELECT coalesce(sum(taken), 0)::int AS taken FROM helpdesk_slot WHERE unit_id = $1::uuid AND starts_at > $2::timestamptz AND starts_at < $3::timestamptz)
     INSERT INTO helpdesk_slot AS s (unit_id, starts_at, taken) SELECT $1::uuid, $2::timestamptz, 1 FROM others o WHERE o.taken < $4::int
     ON CONFLICT (unit_id, starts_at) DO UPDATE SET taken = s.taken + 1 WHERE s.taken + (SELECT o.taken FROM others o) < $4::int`,
    [unitId, startsAt, endsAt, capacity],
  )
  return changed === 1
}

export async function givePlaceBack(tx: Sql, unitId: string, startsAt: Date): Promise<void> {
  await tx.execute('UPDATE helpdesk_slot SET taken = taken - 1 WHERE unit_id = $1 AND starts_at = $2 AND taken > 0', [unitId, startsAt])
}

/** Places taken in a span, by moment in milliseconds. */
export async function countTaken(sql: Sql, unitId: string, from: Date, until: Date): Promise<ReadonlyMap<number, number>> {
  const rows = await sql.query<{ starts_at: Date; taken: number }>(
    'SELECT starts_at, taken FROM helpdesk_slot WHERE unit_id = $1 AND starts_at >= $2 AND starts_at < $3',
    [unitId, from, until],
  )
  return new Map(rows.map(({ starts_at, taken }) => [starts_at.getTime(), taken]))
}

/** @throws {SqlError} a unique violation when the account has another one. */
export async function insertAppointment(tx: Sql, appointment: Appointment, now: Date): Promise<void> {
  const { id, unitId, accountId, kind, startsAt, state } = appointment
  await tx.execute(
    'INSERT INTO helpdesk_appointment (id, unit_id, account_id, kind, starts_at, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [id, unitId, accountId, kind, startsAt, state, now],
  )
}

/** Hours that an account booked since a moment, whatever it did with them; those that a unit called off are left out. */
export async function countBookings(tx: Sql, accountId: AccountId, since: Date): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM helpdesk_appointment WHERE account_id = $1 AND created_at > $2 AND NOT called_off',
    [accountId, since],
  )
  return row?.count ?? 0
}

/** Ends a booked one, of this account or this unit only; `undefined` when it is not booked any more. */
export async function endAppointment(
  tx: Sql,
  id: string,
  to: Exclude<AppointmentState, 'booked'>,
  of: { readonly accountId?: AccountId; readonly unitId?: string; readonly isCalledOff?: boolean; readonly now: Date },
): Promise<Appointment | undefined> {
  const [row] = await tx.query<AppointmentRow>(
    `UPDATE helpdesk_appointment a SET state = $2, ended_at = $3, called_off = $6
     WHERE a.id = $1 AND a.state = 'booked' AND ($4::uuid IS NULL OR a.account_id = $4) AND ($5::uuid IS NULL OR a.unit_id = $5) RETURNING ${COLUMNS}`,
    [id, to, of.now, of.accountId ?? null, of.unitId ?? null, of.isCalledOff ?? false],
  )
  return row && toAppointment(row)
}

export async function findBooked(sql: Sql, accountId: AccountId): Promise<Appointment | undefined> {
  const [row] = await sql.query<AppointmentRow>(`SELECT ${COLUMNS} FROM helpdesk_appointment a WHERE a.account_id = $1 AND a.state = 'booked'`, [accountId])
  return row && toAppointment(row)
}

/** One that is booked in this unit. */
export async function findBookedAt(sql: Sql, id: string, unitId: string): Promise<Appointment | undefined> {
  const [row] = await sql.query<AppointmentRow>(`SELECT ${COLUMNS} FROM helpdesk_appointment a WHERE a.id = $1 AND a.unit_id = $2 AND a.state = 'booked'`, [id, unitId])
  return row && toAppointment(row)
}

/** The hour that a unit called off last and that is still to come, of somebody who has no other. */
export async function findCalledOff(sql: Sql, accountId: AccountId, now: Date): Promise<Appointment | undefined> {
  const [row] = await sql.query<AppointmentRow>(
    `SELECT ${COLUMNS} FROM helpdesk_appointment a WHERE a.account_id = $1 AND a.called_off AND a.starts_at > $2
       AND NOT EXISTS (SELECT 1 FROM helpdesk_appointment b WHERE b.account_id = $1 AND b.created_at > a.ended_at) ORDER BY a.ended_at DESC LIMIT 1`,
    [accountId, now],
  )
  return row && toAppointment(row)
}

/** Everybody booked in a unit in a span, in the order of the hours or in that of booking. */
export async function listBookedIn(sql: Sql, unitId: string, from: Date, until: Date, order: 'by-hour' | 'by-booking' = 'by-hour'): Promise<Appointment[]> {
  const rows = await sql.query<AppointmentRow>(
    `SELECT ${COLUMNS} FROM helpdesk_appointment a WHERE a.unit_id = $1 AND a.state = 'booked' AND a.starts_at >= $2 AND a.starts_at < $3
     ORDER BY ${order === 'by-hour' ? 'a.starts_at, ' : ''}a.created_at, a.id`,
    [unitId, from, until],
  )
  return rows.map(toAppointment)
}

/** Those that are to be reminded of. */
export async function listDueReminders(sql: Sql, now: Date, until: Date, limit: number): Promise<Appointment[]> {
  const rows = await sql.query<AppointmentRow>(
    `SELECT ${COLUMNS} FROM helpdesk_appointment a WHERE a.state = 'booked' AND a.reminded_at IS NULL AND a.starts_at > $1 AND a.starts_at <= $2
     ORDER BY a.starts_at, a.id LIMIT $3`,
    [now, until, limit],
  )
  return rows.map(toAppointment)
}

/** False when it was told already, or is not booked any more. */
export async function noteReminded(tx: Sql, id: string, now: Date): Promise<boolean> {
  return (await tx.execute(`UPDATE helpdesk_appointment SET reminded_at = $2 WHERE id = $1 AND state = 'booked' AND reminded_at IS NULL`, [id, now])) === 1
}

/** Those who did not come by this moment; returns how many. */
export async function missBefore(tx: Sql, before: Date, now: Date): Promise<number> {
  return tx.execute(`UPDATE helpdesk_appointment SET state = 'missed', ended_at = $2 WHERE state = 'booked' AND starts_at < $1`, [before, now])
}

/** An open unit that gives hours. */
export interface BookableUnit {
  readonly id: string
  readonly name: string
  readonly municipality: string
}

export async function listBookableUnits(sql: Sql): Promise<BookableUnit[]> {
  return sql.query<BookableUnit>(
    `SELECT u.id, u.name, u.municipality FROM helpdesk_unit u
     WHERE u.closed_at IS NULL AND EXISTS (SELECT 1 FROM helpdesk_opening o WHERE o.unit_id = u.id) ORDER BY u.municipality, u.name`,
  )
}
