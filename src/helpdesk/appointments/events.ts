import { z } from 'zod'
import { defineEvents } from '../../audit/index.ts'

const appointment = { appointmentId: z.uuid(), unitId: z.uuid() }

/** What happened to appointments; each is in the citizen's ledger. */
export const appointmentEvents = defineEvents({
  'helpdesk/appointment-booked': z.object(appointment),
  'helpdesk/appointment-cancelled': z.object(appointment),
  /** By the unit, which closed the day or changed its hours. */
  'helpdesk/appointment-called-off': z.object(appointment),
  'helpdesk/appointment-arrived': z.object(appointment),
  'helpdesk/opening-set': z.object({ unitId: z.uuid(), weekday: z.int() }),
  'helpdesk/closed-day-set': z.object({ unitId: z.uuid(), closed: z.boolean() }),
})
