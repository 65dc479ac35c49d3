/**
 * Whose turn it is.
 *
 * By law (Lei 10.048/2000 with Lei 14.626/2023; Lei 10.741/2003, art. 3º, § 2º, put in by Lei 13.466/2017) some people go first, and of the old ones
 * those of 80 and more before all; blood donors after the other preferential ones. So that nobody waits without end, after `lawRun`
 * preferential calls in a row one of the others is called if one waits, and after `bookedRun` booked ones in a row one without an hour.
 */

/** In the order of the line; stored, never renamed. */
export const TICKET_CLASSES = ['eighty', 'priority', 'donor', 'booked', 'ordinary'] as const
export type TicketClass = (typeof TICKET_CLASSES)[number]

/** What is said aloud and shown: which of the law's reasons somebody has is not. */
export const LETTER_OF: Readonly<Record<TicketClass, TicketLetter>> = { eighty: 'P', priority: 'P', donor: 'P', booked: 'H', ordinary: 'N' }
export type TicketLetter = 'P' | 'H' | 'N'

/** Why somebody goes first, as the entrance asks; only the class is kept. */
export const PRIORITY_REASONS = {
  'age-80': 'eighty',
  'age-60': 'priority',
  disability: 'priority',
  autism: 'priority',
  pregnant: 'priority',
  infant: 'priority',
  mobility: 'priority',
  obesity: 'priority',
  donor: 'donor',
  none: 'ordinary',
} as const satisfies Record<string, TicketClass>
export type PriorityReason = keyof typeof PRIORITY_REASONS

export interface WaitingTicket {
  readonly id: string
  readonly class: TicketClass
  /** When it came into the line; of a booked one its hour. */
  readonly dueAt: Date
  /** Order of issue, for tickets of one moment. */
  readonly issuedAt: Date
}

export interface QueueRule {
  readonly lawRun: number
  readonly bookedRun: number
}

export const DEFAULT_RULE: QueueRule = { lawRun: 3, bookedRun: 2 }

/** Calls in a row of a group that went first while somebody of a later group waited. */
export interface Run {
  readonly law: number
  readonly booked: number
}

export interface Turn<Ticket> {
  readonly ticket: Ticket
  /** The run after this call. */
  readonly run: Run
}

/** The ticket to call now; `undefined` when nobody waits. Somebody booked who came early is called before the hour only if nobody else waits. */
export function nextTurn<Ticket extends WaitingTicket>(waiting: readonly Ticket[], run: Run, rule: QueueRule, now: Date): Turn<Ticket> | undefined {
  const line = [...waiting].sort(byPlace)
  const law = line.find((ticket) => LETTER_OF[ticket.class] === 'P')
  const booked = line.find((ticket) => ticket.class === 'booked' && ticket.dueAt <= now)
  const ordinary = line.find((ticket) => ticket.class === 'ordinary')
  const othersWait = booked !== undefined || ordinary !== undefined
  if (law !== undefined && (!othersWait || run.law < rule.lawRun)) {
    return { ticket: law, run: { law: othersWait ? run.law + 1 : 0, booked: run.booked } }
  }
  if (booked !== undefined && (ordinary === undefined || run.booked < rule.bookedRun)) {
    return { ticket: booked, run: { law: 0, booked: ordinary === undefined ? 0 : run.booked + 1 } }
  }
  if (ordinary !== undefined) return { ticket: ordinary, run: { law: 0, booked: 0 } }
  const [early] = line
  return early && { ticket: early, run }
}

function byPlace(a: WaitingTicket, b: WaitingTicket): number {
  const byClass = TICKET_CLASSES.indexOf(a.class) - TICKET_CLASSES.indexOf(b.class)
  if (byClass !== 0) return byClass
  return a.dueAt.getTime() - b.dueAt.getTime() || a.issuedAt.getTime() - b.issuedAt.getTime() || (a.id < b.id ? -1 : 1)
}
