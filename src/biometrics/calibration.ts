import { z } from 'zod'
import data from './calibration.json' with { type: 'json' }
import type { MatchRule } from './liveness/match-rule.ts'

/** Keys: of how many frames the compared template is the mean. Values: greatest distance of the same person. */
const thresholdsSchema = z.record(z.string().regex(/^[1-9]\d*$/), z.number().positive())

export const calibrationSchema = z
  .object({
    modelId: z.string().min(1),
    metric: z.enum(['euclidean', 'cosine']),
    /** By false match rate of one comparison. */
    points: z.object({ 'fmr1e-4': thresholdsSchema, 'fmr1e-5': thresholdsSchema }),
    consecutive: z.number().positive(),
    source: z.string().min(1),
  })
  .refine(isStricter, 'the stricter point must have the same k and smaller distances')

/** As the calibration file holds it; written by the calibrating command. */
export type CalibrationEntry = z.infer<typeof calibrationSchema>

/** Where the same person ends for one model: versioned with it, and stored with every decision made by it. */
export interface Calibration extends MatchRule {
  readonly strict: Readonly<Record<number, number>>
  readonly source: string
}

const CALIBRATIONS: readonly Calibration[] = z
  .array(calibrationSchema)
  .parse(data.calibrations)
  .map(({ points, ...entry }) => ({ ...entry, thresholds: points['fmr1e-4'], strict: points['fmr1e-5'] }))

/** The calibration of a model. @throws {Error} For a model without one: its distances mean nothing. */
export function calibrationOf(modelId: string): Calibration {
  const found = CALIBRATIONS.find((calibration) => calibration.modelId === modelId)
  if (!found) throw new Error(`no calibration for the face model ${modelId}`)
  return found
}

function isStricter({ points }: { points: Record<'fmr1e-4' | 'fmr1e-5', Record<string, number>> }): boolean {
  const [usual, strict] = [points['fmr1e-4'], points['fmr1e-5']]
  return Object.keys(usual).join() === Object.keys(strict).join() && Object.keys(usual).every((k) => (strict[k] ?? 9) < (usual[k] ?? 0))
}
