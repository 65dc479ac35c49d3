import { z } from 'zod'
import { defineEvents } from '../../audit/index.ts'
import { LEGAL_BASES } from '../agencies/policy.ts'
import { POINT_STATES } from './registry/point.ts'

const point = { pointId: z.uuid() }
const capture = { processId: z.uuid(), ...point }

/** What the image service did; stored as JSON, so names and shapes only ever grow. */
export const pointEvents = defineEvents({
  'biometrics/point-added': z.object({ ...point, pointCode: z.string(), unitCode: z.string(), contract: z.string(), vouched: z.boolean() }),
  'biometrics/point-changed': z.object({ ...point, members: z.array(z.string()), vouched: z.boolean() }),
  'biometrics/point-key-set': z.object({ ...point, keyId: z.string() }),
  /** The twin of a row of capture_point_state: `seq` counts the states of a point from 1. */
  'biometrics/point-state-changed': z.object({ ...point, seq: z.int(), state: z.enum(POINT_STATES), atMs: z.int() }),
  'biometrics/capture-opened': z.object({ ...capture, purpose: z.string(), legalBasis: z.enum(LEGAL_BASES), offline: z.boolean() }),
  'biometrics/capture-item-stored': z.object({ ...capture, itemId: z.uuid(), imageId: z.uuid(), kind: z.string(), isReference: z.boolean() }),
  'biometrics/capture-item-refused': z.object({ ...capture, itemId: z.uuid(), kind: z.string(), reasons: z.array(z.string()) }),
  'biometrics/capture-given-up': z.object({ ...capture, by: z.enum(['software', 'time']) }),
  /** The twin of a row of metering_journal: what is paid for. */
  'biometrics/process-captured': z.object({ ...capture, contract: z.string(), month: z.string(), offline: z.boolean() }),
  'biometrics/batch-received': z.object({ ...point, batchId: z.uuid(), sequence: z.int(), processes: z.int(), clock: z.string() }),
  'biometrics/plan-set': z.object({ contract: z.string(), fromMonth: z.string(), sha256: z.string() }),
  'biometrics/statement-closed': z.object({ contract: z.string(), month: z.string(), sha256: z.string() }),
})
