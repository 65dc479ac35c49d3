import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'
import { LIVENESS_CLASSES } from '../biometrics/index.ts'
import { METHODS } from './evidence.ts'
import { LEVELS } from './level.ts'

/** What the assurance room writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const assuranceEvents = defineEvents({
  'assurance/evidence-added': z.object({
    evidenceId: z.uuid(),
    method: z.enum(METHODS),
    grants: z.enum(LEVELS),
    policyRow: z.string(),
    livenessClass: z.enum(LIVENESS_CLASSES).optional(),
    imageId: z.uuid().optional(),
  }),
  'assurance/evidence-withdrawn': z.object({ evidenceId: z.uuid(), reason: z.string() }),
})
