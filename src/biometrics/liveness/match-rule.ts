import { descriptorDistance } from '../descriptor.ts'

/**
 * How descriptors of one model are compared, and where the same person ends: calibration, versioned with the model.
 *
 * Everything is a distance (smaller is nearer), so that a Euclidean model and a cosine one are judged by the same code.
 */
export interface MatchRule {
  readonly modelId: string
  readonly metric: 'euclidean' | 'cosine'
  /** Greatest distance of the same person, by how many frames the probe template is the mean of; FMR ≤ 1e-4. */
  readonly thresholds: Readonly<Record<number, number>>
  /** Greatest distance between consecutive frames of one person. */
  readonly consecutive: number
}

/** Distance of two descriptors by the rule's metric; infinite when they cannot be compared. */
export function distance(rule: Pick<MatchRule, 'metric'>, a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || a.length !== b.length) return Number.POSITIVE_INFINITY
  if (rule.metric === 'euclidean') return descriptorDistance(a, b)
  return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

/** The calibrated k nearest below the frames at hand, with its threshold; undefined when the rule knows none. */
export function thresholdFor(rule: MatchRule, available: number): { k: number; threshold: number } | undefined {
  const k = Object.keys(rule.thresholds)
    .map(Number)
    .filter((each) => each <= available)
    .sort((a, b) => b - a)[0]
  const threshold = k === undefined ? undefined : rule.thresholds[k]
  return k === undefined || threshold === undefined ? undefined : { k, threshold }
}
