import { z } from 'zod'
import { defineEvents } from '../../audit/index.ts'
import { ALARM_RULES } from './alarm.ts'
import { MEASURES } from './tally.ts'

const share = z.object({ count: z.int(), total: z.int() }).strict()
const alarm = { alarmId: z.uuid(), rule: z.enum(ALARM_RULES), measure: z.enum(MEASURES), dimension: z.string(), group: z.string() }

/** What the counters of outcomes write into the audit record; stored as JSON, so names and shapes only ever grow. */
export const outcomeEvents = defineEvents({
  'biometrics/alarm-opened': z.object({ ...alarm, direction: z.enum(['above', 'below']), expected: share, seen: share }),
  'biometrics/alarm-closed': z.object({ ...alarm, reason: z.enum(['back-in-band', 'new-baseline']) }),
})
