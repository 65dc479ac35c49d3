import { z } from 'zod'
import { defineEvents } from '../../audit/index.ts'
import { LIVENESS_CLASSES } from '../liveness/verdict.ts'
import { LEGAL_BASES } from './policy.ts'

const why = { purpose: z.string(), legalBasis: z.enum(LEGAL_BASES) }
const validation = { validationId: z.uuid(), ...why }

/** What agencies did with faces; stored as JSON, so names and shapes only ever grow. */
export const agencyEvents = defineEvents({
  'biometrics/agency-image-judged': z.object({ callId: z.uuid(), ...why, profile: z.string(), usable: z.boolean() }),
  'biometrics/agency-images-compared': z.object({
    callId: z.uuid(),
    ...why,
    result: z.enum(['same', 'other', 'unusable']),
    modelId: z.string(),
    /** For the record; answers carry them only where the client's policy says so. */
    distance: z.number().optional(),
    threshold: z.number().optional(),
  }),
  'biometrics/agency-validation-asked': z.object({ ...validation, flow: z.enum(['page', 'api']) }),
  /** Consent to the processing of the face, before the camera opens, by whoever holds the link. */
  'biometrics/agency-validation-agreed': z.object(validation),
  'biometrics/agency-validation-declined': z.object(validation),
  'biometrics/agency-validation-passed': z.object({ ...validation, livenessClass: z.enum(LIVENESS_CLASSES), modelId: z.string() }),
  'biometrics/agency-validation-refused': z.object({ ...validation, reasons: z.array(z.string()), modelId: z.string() }),
  'biometrics/agency-reference-read': z.object({ receiptId: z.uuid(), imageId: z.uuid(), ...why }),
  'biometrics/agency-fingerprints-read': z.object({ callId: z.uuid(), imageIds: z.array(z.uuid()), ...why }),
  'biometrics/receipt-key-rotated': z.object({ kid: z.string() }),
  'biometrics/agency-reference-missing': z.object({ callId: z.uuid(), ...why }),
})
