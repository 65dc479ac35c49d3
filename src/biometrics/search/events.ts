import { z } from 'zod'
import { defineEvents } from '../../audit/index.ts'
import { CANDIDATE_REASONS } from './candidate.ts'

/** What the 1:N search writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const faceSearchEvents = defineEvents({
  'biometrics/candidate-found': z.object({ candidateId: z.uuid(), modelId: z.string(), origin: z.enum(['enrolment', 'sweep']) }),
  'biometrics/candidate-judged': z.object({
    candidateId: z.uuid(),
    leftPersonId: z.uuid(),
    rightPersonId: z.uuid(),
    state: z.enum(['confirmed', 'dismissed']),
    reason: z.enum(CANDIDATE_REASONS),
  }),
  'biometrics/sweep-started': z.object({ sweepId: z.uuid(), modelId: z.string() }),
  'biometrics/index-rebuilt': z.object({ modelId: z.string(), faces: z.int() }),
})
