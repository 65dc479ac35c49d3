import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../accounts/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import { type Database, isUniqueViolation, type Sql } from '../../platform/db.ts'
import { equalSecrets, type Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { localDay } from '../../platform/clock.ts'
import { findUnitByCode, type Unit } from '../staff/unit.store.ts'
import { QUEUE_PROBLEMS } from './problems.ts'
import type { CallersStep, Ticket, TicketKind, TicketStep } from './ticket.ts'
import {
  closeBefore, countIssuedSince, findOpenOf, findRule, insertTicket, type Line, listCalls, listTickets, lockLine, type Move, moveTicket, setRule, setRun,
  takeNumber, turnTablet,
} from './ticket.store.ts'
import { LETTER_OF, nextTurn, type QueueRule, type TicketClass } from './turn.ts'

/** Numbers have three digits. */
const MOST_NUMBERS = 999
/** What a tablet that somebody plays with, or an address that got out, can put into a line. */
const MOST_A_MINUTE = 12
const MINUTE_MS = 60_000
const SHOWN_CALLS = 6

export interface NewTicket {
  readonly unitId: string
  readonly kind: TicketKind
  readonly class: TicketClass
}

/** Somebody at work at a desk. */
export interface AtDesk {
  readonly unitId: string
  readonly attendantId: AccountId
}

export interface PublicCalls {
  /** The newest first. */
  readonly calls: readonly Ticket[]
  readonly waiting: number
}

/** The waiting line of each unit. */
export interface Queue {
  /** @throws {Problem} queue/line-full */
  issue(asked: NewTicket, from: 'tablet' | 'desk', actor: AuditActor): Promise<Ticket>
  /** For somebody whose hour was booked, in the transaction of the arrival. @throws {Problem} queue/line-full */
  issueBooked(tx: Sql, asked: NewTicket & { readonly dueAt: Date; readonly appointmentId: string }, actor: AuditActor): Promise<Ticket>
  /**
   * Calls whoever's turn it is to a desk; `undefined` when nobody waits. Of two desks that call at once each gets another ticket.
   * @throws {Problem} queue/ticket-open when the attendant or the desk has somebody.
   */
  callNext(by: AtDesk & { readonly desk: number }): Promise<Ticket | undefined>
  /** Goes on with the ticket that this attendant called. @throws {Problem} queue/ticket-moved */
  goOn(by: AtDesk, ticketId: string, step: CallersStep): Promise<Ticket>
  /** Somebody who was called in vain is back, or left the line. @throws {Problem} queue/ticket-moved */
  change(by: AtDesk, ticketId: string, step: 'return' | 'leave'): Promise<Ticket>
  today(unitId: string): Promise<readonly Ticket[]>
  openOf(attendantId: AccountId): Promise<Ticket | undefined>
  shown(unitId: string): Promise<PublicCalls>
  /** An open unit, for the screens in its hall. */
  findUnit(code: string): Promise<Unit | undefined>
  rule(unitId: string): Promise<QueueRule>
  setRule(unitId: string, rule: QueueRule, by: AccountId): Promise<void>
  /** The secret part of the address of the unit's tablet. */
  tabletKey(unitId: string): Promise<string>
  isTabletKey(unitId: string, key: string): Promise<boolean>
  /** Former addresses are worth nothing from now on. */
  changeTabletKey(unitId: string, by: AccountId): Promise<void>
  /** Closes what earlier days left open; a job's work. */
  closeDays(): Promise<number>
}

export interface QueueDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'hash'>
  readonly audit: Pick<Audit, 'record'>
}

export function createQueue(deps: QueueDependencies): Queue {
  const { db, clock, keyring, audit } = deps
  const lineOf = (unitId: string): Line => ({ unitId, day: localDay(clock.now()) })
  const keyOf = (unitId: string, turn: number) => keyring.hash(`${unitId} ${turn}`, 'queue-tablet').toString('base64url').slice(0, 22)
  const tabletKey = async (unitId: string) => keyOf(unitId, (await findRule(db, unitId)).tabletTurn)
  const changed = (unitId: string, by: AccountId, change: (tx: Sql) => Promise<void>, event: { type: string; data: Record<string, unknown> }) =>
    db.transaction(async (tx) => {
      await change(tx)
      await audit.record(tx, { type: event.type, actor: staff(by), data: { unitId, ...event.data } })
    })

  return {
    issue: (asked, from, actor) => db.transaction((tx) => issue(deps, tx, { ...asked, from }, actor)),
    issueBooked: (tx, asked, actor) => issue(deps, tx, { ...asked, from: 'appointment' }, actor),
    callNext: (by) => callNext(deps, lineOf(by.unitId), by),
    goOn: ({ unitId, attendantId }, id, step) => move(deps, id, step, { unitId, now: clock.now(), attendantId }, attendantId),
    change: ({ unitId, attendantId }, id, step) => move(deps, id, step, { unitId, now: clock.now() }, attendantId),
    today: (unitId) => listTickets(db, lineOf(unitId), ['waiting', 'called', 'serving', 'missed']),
    openOf: (attendantId) => findOpenOf(db, attendantId),
    async shown(unitId) {
      const line = lineOf(unitId)
      const [calls, waiting] = [await listCalls(db, line, SHOWN_CALLS), await listTickets(db, line, ['waiting'])]
      return { calls, waiting: waiting.length }
    },
    async findUnit(code) {
      const unit = await findUnitByCode(db, code)
      return unit?.closedAt === undefined ? unit : undefined
    },
    rule: (unitId) => findRule(db, unitId),
    setRule: (unitId, rule, by) => changed(unitId, by, (tx) => setRule(tx, unitId, rule), { type: 'helpdesk/queue-rule-set', data: { ...rule } }),
    tabletKey,
    isTabletKey: async (unitId, key) => equalSecrets(key, await tabletKey(unitId)),
    changeTabletKey: (unitId, by) => changed(unitId, by, (tx) => turnTablet(tx, unitId), { type: 'helpdesk/tablet-address-changed', data: {} }),
    closeDays: () => db.transaction((tx) => closeBefore(tx, localDay(clock.now()), clock.now())),
  }
}

const staff = (id: AccountId): AuditActor => ({ kind: 'operator', id })

type Issue = NewTicket & { readonly from: 'tablet' | 'desk' | 'appointment'; readonly dueAt?: Date; readonly appointmentId?: string }

async function issue({ clock, audit }: QueueDependencies, tx: Sql, asked: Issue, actor: AuditActor): Promise<Ticket> {
  const now = clock.now()
  const line = { unitId: asked.unitId, day: localDay(now) }
  const letter = LETTER_OF[asked.class]
  const number = await takeNumber(tx, line, letter, MOST_NUMBERS)
  // Counted behind the lock on the line's row, so that parallel ones cannot slip by.
  const isFlood = asked.from === 'tablet' && (await countIssuedSince(tx, line, new Date(now.getTime() - MINUTE_MS))) >= MOST_A_MINUTE
  if (number === undefined || isFlood) throw new Problem(QUEUE_PROBLEMS.lineFull, { retryAfterSeconds: 60 })
  const ticket: Ticket = {
    id: randomUUID(), unitId: asked.unitId, letter, number, kind: asked.kind, class: asked.class, state: 'waiting', issuedAt: now,
    dueAt: asked.dueAt ?? now, calledAt: undefined, calls: 0, desk: undefined, attendantId: undefined, appointmentId: asked.appointmentId,
  }
  await insertTicket(tx, line, ticket)
  await audit.record(tx, { type: 'helpdesk/ticket-issued', actor, data: { ticketId: ticket.id, unitId: ticket.unitId, class: ticket.class, from: asked.from } })
  return ticket
}

async function callNext(deps: QueueDependencies, line: Line, { attendantId, desk }: AtDesk & { desk: number }): Promise<Ticket | undefined> {
  const { db, clock } = deps
  const now = clock.now()
  return db.transaction(async (tx) => {
    const run = await lockLine(tx, line)
    const turn = run && nextTurn(await listTickets(tx, line, ['waiting']), run, await findRule(tx, line.unitId), now)
    if (turn === undefined) return undefined
    const ticket = await moved(deps, tx, turn.ticket.id, 'call', { unitId: line.unitId, now, calledTo: { desk, attendantId } }, attendantId)
    await setRun(tx, line, turn.run)
    return ticket
  })
}

const move = (deps: QueueDependencies, id: string, step: TicketStep, how: Move, by: AccountId): Promise<Ticket> =>
  deps.db.transaction((tx) => moved(deps, tx, id, step, how, by))

async function moved({ audit }: QueueDependencies, tx: Sql, id: string, step: TicketStep, how: Move, by: AccountId): Promise<Ticket> {
  try {
    const ticket = await moveTicket(tx, id, step, how)
    if (ticket === undefined) throw new Problem(QUEUE_PROBLEMS.ticketMoved)
    await audit.record(tx, { type: 'queue/ticket-moved', actor: staff(by), data: { ticketId: id, unitId: how.unitId, step } })
    return ticket
  } catch (error) {
    if (isUniqueViolation(error)) throw new Problem(QUEUE_PROBLEMS.ticketOpen, { cause: error })
    throw error
  }
}
