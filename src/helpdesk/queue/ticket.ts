import type { AccountId } from '../../accounts/index.ts'
import type { TicketClass, TicketLetter } from './turn.ts'

export const TICKET_STATES = ['waiting', 'called', 'serving', 'finished', 'missed', 'left', 'closed'] as const
export type TicketState = (typeof TICKET_STATES)[number]

export const TICKET_STEPS = ['call', 'call-again', 'start', 'no-show', 'return', 'finish', 'leave', 'close'] as const
export type TicketStep = (typeof TICKET_STEPS)[number]

/** Every way from one state to another; what is not here is refused. */
export const TRANSITIONS: Readonly<Record<TicketStep, { readonly from: readonly TicketState[]; readonly to: TicketState }>> = {
  call: { from: ['waiting'], to: 'called' },
  'call-again': { from: ['called'], to: 'called' },
  start: { from: ['called'], to: 'serving' },
  'no-show': { from: ['called'], to: 'missed' },
  /** Came after all: to the end of its own line. */
  return: { from: ['missed'], to: 'waiting' },
  finish: { from: ['serving'], to: 'finished' },
  leave: { from: ['waiting'], to: 'left' },
  /** The night's work. */
  close: { from: ['waiting', 'called', 'serving', 'missed'], to: 'closed' },
}

/** Steps of whoever called the ticket, and of nobody else. */
export const CALLERS_STEPS = ['call-again', 'start', 'no-show', 'finish'] as const satisfies readonly TicketStep[]
export type CallersStep = (typeof CALLERS_STEPS)[number]

/** What people come for; stored, never renamed. */
export const TICKET_KINDS = ['enrolment', 'account', 'document', 'question'] as const
export type TicketKind = (typeof TICKET_KINDS)[number]

/** One place in the line; no name, no CPF. */
export interface Ticket {
  readonly id: string
  readonly unitId: string
  readonly letter: TicketLetter
  readonly number: number
  readonly kind: TicketKind
  readonly class: TicketClass
  readonly state: TicketState
  readonly issuedAt: Date
  readonly dueAt: Date
  readonly calledAt: Date | undefined
  readonly calls: number
  readonly desk: number | undefined
  readonly attendantId: AccountId | undefined
  readonly appointmentId: string | undefined
}

/** What a ticket is called by: `P007`. */
export function labelOf({ letter, number }: Pick<Ticket, 'letter' | 'number'>): string {
  return `${letter}${String(number).padStart(3, '0')}`
}
