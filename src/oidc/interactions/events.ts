import { z } from 'zod'
import { LEVELS } from '../../assurance/index.ts'
import { defineEvents } from '../../audit/index.ts'
import { LIVENESS_CLASSES } from '../../biometrics/index.ts'

/** What the interaction pages write into the audit record; stored as JSON, so names and shapes only ever grow. */
export const interactionEvents = defineEvents({
  /** Consent to the processing of the face, before the camera opens (LGPD art. 11, I). */
  'oidc/face-check-agreed': z.object({ reason: z.enum(['level', 'face', 'recovery']) }),
  'oidc/face-check-passed': z.object({
    livenessClass: z.enum(LIVENESS_CLASSES),
    modelId: z.string(),
    imageId: z.uuid(),
    grants: z.enum(LEVELS).optional(),
  }),
  'oidc/face-check-refused': z.object({ reasons: z.array(z.string()), modelId: z.string() }),
})
