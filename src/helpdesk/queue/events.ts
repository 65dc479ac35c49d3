import { z } from 'zod'
import { defineEvents } from '../../audit/index.ts'
import { TICKET_STEPS } from './ticket.ts'
import { TICKET_CLASSES } from './turn.ts'

const ticket = { ticketId: z.uuid(), unitId: z.uuid() }

/** What happened in a line; numbers and classes, nobody's name. */
export const queueEvents = defineEvents({
  'helpdesk/ticket-issued': z.object({ ...ticket, class: z.enum(TICKET_CLASSES), from: z.enum(['tablet', 'desk', 'appointment']) }),
  'queue/ticket-moved': z.object({ ...ticket, step: z.enum(TICKET_STEPS) }),
  'helpdesk/queue-rule-set': z.object({ unitId: z.uuid(), lawRun: z.int(), bookedRun: z.int() }),
  'helpdesk/tablet-address-changed': z.object({ unitId: z.uuid() }),
})
