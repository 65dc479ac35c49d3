import { z } from 'zod'
import data from './calibration.json' with { type: 'json' }

const calibrationSchema = z
  .object({
    modelId: z.string().min(1),
    metric: z.enum(['euclidean', 'cosine']),
    falseMatchRate: z.number().positive().max(1e-4),
    /** Keys: of how many frames the compared template is the mean. */
    thresholds: z.record(z.string().regex(/^[1-9]\d*$/), z.number().positive()),
    consecutive: z.number().positive(),
    source: z.string().min(1),
  })
  .readonly()

/** Where the same person ends for one model: versioned with it, and stored with every decision made by it. */
export type Calibration = z.infer<typeof calibrationSchema>

const CALIBRATIONS: readonly Calibration[] = z.array(calibrationSchema).parse(data.calibrations)

/** The calibration of a model. @throws {Error} For a model without one: its distances mean nothing. */
export function calibrationOf(modelId: string): Calibration {
  const found = CALIBRATIONS.find((calibration) => calibration.modelId === modelId)
  if (!found) throw new Error(`no calibration for the face model ${modelId}`)
  return found
}
