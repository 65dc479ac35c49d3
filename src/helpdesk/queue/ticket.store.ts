import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { type Ticket, type TicketKind, type TicketState, type TicketStep, TRANSITIONS } from './ticket.ts'
import { DEFAULT_RULE, type QueueRule, type Run, type TicketClass, type TicketLetter } from './turn.ts'

interface TicketRow {
  readonly id: string
  readonly unit_id: string
  readonly letter: TicketLetter
  readonly number: number
  readonly kind: TicketKind
  readonly class: TicketClass
  readonly state: TicketState
  readonly issued_at: Date
  readonly due_at: Date
  readonly called_at: Date | null
  readonly calls: number
  readonly desk: number | null
  readonly attendant_id: AccountId | null
  readonly appointment_id: string | null
}

const COLUMNS = 't.id, t.unit_id, t.letter, t.number, t.kind, t.class, t.state, t.issued_at, t.due_at, t.called_at, t.calls, t.desk, t.attendant_id, t.appointment_id'

const toTicket = (row: TicketRow): Ticket => ({
  id: row.id,
  unitId: row.unit_id,
  letter: row.letter,
  number: row.number,
  kind: row.kind,
  class: row.class,
  state: row.state,
  issuedAt: row.issued_at,
  dueAt: row.due_at,
  calledAt: row.called_at ?? undefined,
  calls: row.calls,
  desk: row.desk ?? undefined,
  attendantId: row.attendant_id ?? undefined,
  appointmentId: row.appointment_id ?? undefined,
})

export interface Line {
  readonly unitId: string
  /** Mato Grosso's day. */
  readonly day: string
}

/** What the unit set, and the version of its tablet's address. */
export async function findRule(sql: Sql, unitId: string): Promise<QueueRule & { readonly tabletTurn: number }> {
  const [row] = await sql.query<{ law_run: number; booked_run: number; tablet_turn: number }>(
    'SELECT law_run, booked_run, tablet_turn FROM helpdesk_queue_rule WHERE unit_id = $1',
    [unitId],
  )
  if (row === undefined) return { ...DEFAULT_RULE, tabletTurn: 0 }
  return { lawRun: row.law_run, bookedRun: row.booked_run, tabletTurn: row.tablet_turn }
}

export async function setRule(tx: Sql, unitId: string, { lawRun, bookedRun }: QueueRule): Promise<void> {
  await tx.execute(
    `INSERT INTO helpdesk_queue_rule (unit_id, law_run, booked_run) VALUES ($1, $2, $3)
     ON CONFLICT (unit_id) DO UPDATE SET law_run = excluded.law_run, booked_run = excluded.booked_run`,
    [unitId, lawRun, bookedRun],
  )
}

/** The tablet's former addresses are worth nothing from now on. */
export async function turnTablet(tx: Sql, unitId: string): Promise<void> {
  await tx.execute(
    `INSERT INTO helpdesk_queue_rule (unit_id, law_run, booked_run, tablet_turn) VALUES ($1, $2, $3, 1)
     ON CONFLICT (unit_id) DO UPDATE SET tablet_turn = helpdesk_queue_rule.tablet_turn + 1`,
    [unitId, DEFAULT_RULE.lawRun, DEFAULT_RULE.bookedRun],
  )
}

/** The next number of a letter; `undefined` after `most`. Whoever asks holds the line's row until the transaction ends. */
export async function takeNumber(tx: Sql, { unitId, day }: Line, letter: TicketLetter, most: number): Promise<number | undefined> {
  const column = { P: 'last_p', H: 'last_h', N: 'last_n' }[letter]
  const [row] = await tx.query<{ number: number }>(
    `INSERT INTO helpdesk_queue_day AS q (unit_id, day, ${column}) VALUES ($1, $2, 1)
     ON CONFLICT (unit_id, day) DO UPDATE SET ${column} = q.${column} + 1 WHERE q.${column} < $3 RETURNING ${column} AS number`,
    [unitId, day, most],
  )
  return row?.number
}

/** Tickets given in the line since a moment, for the bound on a tablet. */
export async function countIssuedSince(tx: Sql, { unitId, day }: Line, since: Date): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM helpdesk_ticket WHERE unit_id = $1 AND day = $2 AND issued_at > $3',
    [unitId, day, since],
  )
  return row?.count ?? 0
}

export async function insertTicket(tx: Sql, { day }: Line, ticket: Ticket): Promise<void> {
  await tx.execute(
    `INSERT INTO helpdesk_ticket (id, unit_id, day, letter, number, kind, class, state, issued_at, due_at, appointment_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      ticket.id, ticket.unitId, day, ticket.letter, ticket.number, ticket.kind, ticket.class, ticket.state, ticket.issuedAt, ticket.dueAt,
      ticket.appointmentId ?? null,
    ],
  )
}

/** Locks the line and tells its run; one call at a time is made in a line. */
export async function lockLine(tx: Sql, { unitId, day }: Line): Promise<Run | undefined> {
  const [row] = await tx.query<{ law_called: number; booked_called: number }>(
    'SELECT law_called, booked_called FROM helpdesk_queue_day WHERE unit_id = $1 AND day = $2 FOR UPDATE',
    [unitId, day],
  )
  return row && { law: row.law_called, booked: row.booked_called }
}

export async function setRun(tx: Sql, { unitId, day }: Line, { law, booked }: Run): Promise<void> {
  await tx.execute('UPDATE helpdesk_queue_day SET law_called = $3, booked_called = $4 WHERE unit_id = $1 AND day = $2', [unitId, day, law, booked])
}

export async function listTickets(sql: Sql, { unitId, day }: Line, states: readonly TicketState[]): Promise<Ticket[]> {
  const rows = await sql.query<TicketRow>(
    `SELECT ${COLUMNS} FROM helpdesk_ticket t WHERE t.unit_id = $1 AND t.day = $2 AND t.state = ANY($3::text[]) ORDER BY t.issued_at, t.id`,
    [unitId, day, [...states]],
  )
  return rows.map(toTicket)
}

/** The newest calls of the day, for the public screen. */
export async function listCalls(sql: Sql, { unitId, day }: Line, limit: number): Promise<Ticket[]> {
  const rows = await sql.query<TicketRow>(
    `SELECT ${COLUMNS} FROM helpdesk_ticket t WHERE t.unit_id = $1 AND t.day = $2 AND t.called_at IS NOT NULL ORDER BY t.called_at DESC, t.id LIMIT $3`,
    [unitId, day, limit],
  )
  return rows.map(toTicket)
}

export interface Move {
  readonly unitId: string
  readonly now: Date
  /** Only whoever called it may go on. */
  readonly attendantId?: AccountId | undefined
  /** Who calls, and to which desk. */
  readonly calledTo?: { readonly desk: number; readonly attendantId: AccountId } | undefined
}

/**
 * Moves a ticket if it still stands where the step starts from; `undefined` when somebody was first.
 *
 * @throws {SqlError} a unique violation when the attendant or the desk has another one.
 */
export async function moveTicket(tx: Sql, id: string, step: TicketStep, { unitId, now, attendantId, calledTo }: Move): Promise<Ticket | undefined> {
  const { from, to } = TRANSITIONS[step]
  const isCall = to === 'called'
  const [row] = await tx.query<TicketRow>(
    `UPDATE helpdesk_ticket t SET state = $4,
       called_at = CASE WHEN $5 THEN $6 ELSE t.called_at END,
       first_call_at = CASE WHEN $5 THEN coalesce(t.first_call_at, $6) ELSE t.first_call_at END,
       calls = t.calls + CASE WHEN $5 THEN 1 ELSE 0 END,
       desk = coalesce($7::int, t.desk), attendant_id = coalesce($8::uuid, t.attendant_id),
       started_at = CASE WHEN $4 = 'serving' THEN $6 ELSE t.started_at END,
       due_at = CASE WHEN $4 = 'waiting' THEN $6 ELSE t.due_at END,
       ended_at = CASE WHEN $4 IN ('finished', 'missed', 'left', 'closed') THEN $6::timestamptz WHEN $4 = 'waiting' THEN NULL ELSE t.ended_at END
     WHERE t.id = $1 AND t.unit_id = $2 AND t.state = ANY($3::text[]) AND ($9::uuid IS NULL OR t.attendant_id = $9) RETURNING ${COLUMNS}`,
    [id, unitId, [...from], to, isCall, now, calledTo?.desk ?? null, calledTo?.attendantId ?? null, attendantId ?? null],
  )
  return row && toTicket(row)
}

/** Closes what earlier days left open; returns how many. */
export async function closeBefore(tx: Sql, day: string, now: Date): Promise<number> {
  const { from, to } = TRANSITIONS.close
  return tx.execute('UPDATE helpdesk_ticket SET state = $1, ended_at = $2 WHERE day < $3 AND state = ANY($4::text[])', [to, now, day, [...from]])
}

/** Today's ticket of somebody who is in attendance with this attendant. */
export async function findOpenOf(sql: Sql, attendantId: AccountId): Promise<Ticket | undefined> {
  const [row] = await sql.query<TicketRow>(
    `SELECT ${COLUMNS} FROM helpdesk_ticket t WHERE t.attendant_id = $1 AND t.state IN ('called', 'serving')`,
    [attendantId],
  )
  return row && toTicket(row)
}
