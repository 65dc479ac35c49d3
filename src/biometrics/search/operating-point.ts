import { z } from 'zod'
import data from './false-match-curve.json' with { type: 'json' }

/**
 * Of a hundred people enrolled, about one is shown to a person for nothing. Whoever searches N faces makes N comparisons, so a single one
 * must be N times as strict as that.
 */
export const FALSE_ALARMS_PER_SEARCH = 0.01
/** Smaller bases are treated as this large: below it, look-alikes would be asked for that the figures do not bear out. */
const LEAST_BASE = 1000

const curveSchema = z
  .object({
    modelId: z.string().regex(/^[a-z0-9-]+$/),
    dimension: z.int().min(2).max(2000),
    metric: z.enum(['euclidean', 'cosine']),
    points: z.array(z.tuple([z.number(), z.number().positive()])).min(2),
    shiftByFrames: z.record(z.string().regex(/^[1-9]\d*$/), z.number()),
    source: z.string().min(1),
  })
  .readonly()

/** What is known of a model's false matches: enough to search with it. */
export type FalseMatchCurve = z.infer<typeof curveSchema>

const CURVES: readonly FalseMatchCurve[] = z.array(curveSchema).parse(data.curves)

/** Models whose false matches were measured. */
export const SEARCHED_MODELS: readonly string[] = CURVES.map(({ modelId }) => modelId)

/** The curve of a model; undefined when it was never measured, and then it is not searched with. */
export function findCurve(modelId: string): FalseMatchCurve | undefined {
  return CURVES.find((curve) => curve.modelId === modelId)
}

/**
 * The threshold, in the model's own metric, at which one comparison falsely matches at `rate`.
 *
 * Between measured points, and beyond the strictest, a straight line of log10(rate). The true curve bends downwards there, so this one
 * promises more false matches than come.
 */
export function thresholdAt({ points }: FalseMatchCurve, rate: number): number {
  const sorted = [...points].sort((a, b) => b[1] - a[1])
  const wanted = Math.log10(rate)
  const next = sorted.findIndex(([, measured]) => measured <= rate)
  const at = next === -1 ? sorted.length - 1 : Math.max(1, next)
  const [[t1, r1] = [Number.NaN, 1], [t2, r2] = [Number.NaN, 1]] = [sorted[at - 1], sorted[at]]
  const [from, to] = [Math.log10(r1), Math.log10(r2)]
  return t1 + ((wanted - from) / (to - from)) * (t2 - t1)
}

/** The base's size that a threshold is made for: the next power of ten, so that it moves seldom. */
export function baseSizeFor(entries: number): number {
  return 10 ** Math.ceil(Math.log10(Math.max(LEAST_BASE, entries)))
}

/**
 * Greatest euclidean distance at which two templates become a candidate in a base of `entries` faces.
 *
 * Of unit vectors the euclidean distance is √(2 − 2·cosine), so that both metrics are searched alike.
 */
export function candidateDistance(curve: FalseMatchCurve, entries: number, k = 1): number {
  const bare = thresholdAt(curve, FALSE_ALARMS_PER_SEARCH / baseSizeFor(entries))
  return toDistance(curve, bare + shiftFor(curve, k))
}

/** The distance that stands for a threshold or score of the model's metric. */
export function toDistance({ metric }: FalseMatchCurve, score: number): number {
  return metric === 'euclidean' ? Math.max(0, score) : Math.sqrt(Math.max(0, 2 - 2 * score))
}

/** The other way: what people of the trade expect to read. */
export function toScore({ metric }: FalseMatchCurve, distance: number): number {
  return metric === 'euclidean' ? distance : 1 - distance ** 2 / 2
}

function shiftFor({ shiftByFrames }: FalseMatchCurve, k: number): number {
  const known = Object.keys(shiftByFrames).map(Number).filter((frames) => frames <= k)
  return shiftByFrames[String(Math.max(1, ...known))] ?? 0
}
