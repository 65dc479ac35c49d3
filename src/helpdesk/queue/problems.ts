import type { ProblemKind } from '../../platform/problem.ts'

export const QUEUE_PROBLEMS = {
  lineFull: { code: 'queue/line-full', status: 409, title: 'No more tickets are given now' },
  ticketMoved: { code: 'queue/ticket-moved', status: 409, title: 'The ticket is not where this step starts from' },
  ticketOpen: { code: 'queue/ticket-open', status: 409, title: 'The attendant or the desk has a ticket already' },
} as const satisfies Record<string, ProblemKind>
