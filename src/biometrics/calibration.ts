import { readFile } from 'node:fs/promises'
import path from 'node:path'
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

const calibrationsSchema = z
  .object({ calibrations: z.array(calibrationSchema) })
  .transform(({ calibrations }): Calibration[] =>
    calibrations.map(({ points, ...entry }) => ({ ...entry, thresholds: points['fmr1e-4'], strict: points['fmr1e-5'] })),
  )

const CALIBRATIONS: readonly Calibration[] = calibrationsSchema.parse(data)

/** Name of the operator's own calibrations, in the folder of installed nets. */
export const OWN_CALIBRATION = 'calibration.json'

/** No calibration for a model, or one that cannot be used. */
export class CalibrationError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'CalibrationError'
  }
}

/** The shipped calibration of a model. @throws {CalibrationError} For a model without one: its distances mean nothing. */
export function calibrationOf(modelId: string): Calibration {
  return calibrationIn(CALIBRATIONS, modelId)
}

/**
 * The calibration of a model: the operator's own in `modelsDir`, where there is one, before the shipped one.
 *
 * @throws {CalibrationError} When there is none, or the operator's file is faulty.
 */
export async function findCalibration(modelId: string, modelsDir: string): Promise<Calibration> {
  return calibrationIn([...(await readOwnCalibrations(path.join(modelsDir, OWN_CALIBRATION))), ...CALIBRATIONS], modelId)
}

function calibrationIn(calibrations: readonly Calibration[], modelId: string): Calibration {
  const found = calibrations.find((calibration) => calibration.modelId === modelId)
  if (!found) throw new CalibrationError(`no calibration for the face model ${modelId}`)
  return found
}

async function readOwnCalibrations(file: string): Promise<Calibration[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (text === undefined) return []
  try {
    return calibrationsSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new CalibrationError(`${file}: ${error instanceof z.ZodError ? z.prettifyError(error) : 'not JSON'}`, error)
  }
}

function isStricter({ points }: { points: Record<'fmr1e-4' | 'fmr1e-5', Record<string, number>> }): boolean {
  const [usual, strict] = [points['fmr1e-4'], points['fmr1e-5']]
  return Object.keys(usual).join() === Object.keys(strict).join() && Object.keys(usual).every((k) => (strict[k] ?? 9) < (usual[k] ?? 0))
}
