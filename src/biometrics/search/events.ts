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
  /** Of the person whose face was compared with all the others. */
  'biometrics/face-searched': z.object({ modelId: z.string(), origin: z.enum(['enrolment', 'sweep']), found: z.int() }),
  /** Of each of the two whose faces are too near, when it is found and when somebody has judged it; the other one is not named. */
  'biometrics/face-matched': z.object({ candidateId: z.uuid() }),
  'biometrics/face-match-judged': z.object({ candidateId: z.uuid(), state: z.enum(['confirmed', 'dismissed']) }),
  /** Of each person whose face came up when somebody searched with a picture. */
  'biometrics/face-found': z.object({ modelId: z.string() }),
  'biometrics/sweep-started': z.object({ sweepId: z.uuid(), modelId: z.string() }),
  'biometrics/index-rebuilt': z.object({ modelId: z.string(), faces: z.int() }),
})
