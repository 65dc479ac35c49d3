import { descriptorDistance } from '../descriptor.ts'

/** False match rates that thresholds are calibrated for: the usual one, and the strict one for what lifts to ouro. */
export const OPERATING_POINTS = ['fmr1e-4', 'fmr1e-5'] as const
export type OperatingPoint = (typeof OPERATING_POINTS)[number]

/**
 * How descriptors of one model are compared, and where the same person ends: calibration, versioned with the model.
 *
 * Everything is a distance (smaller is nearer), so that a Euclidean model and a cosine one are judged by the same code:
 * the cosine's is `1 - cos`.
 */
export interface MatchRule {
  readonly modelId: string
  readonly metric: 'euclidean' | 'cosine'
  /** Greatest distance of the same person, by how many frames the probe template is the mean of; FMR ≤ 1e-4. */
  readonly thresholds: Readonly<Record<number, number>>
  /** The same for FMR ≤ 1e-5; a model without them lifts nobody to ouro. */
  readonly strict?: Readonly<Record<number, number>>
  /** Greatest distance between consecutive frames of one person. */
  readonly consecutive: number
}

/** Farther than any two faces are by the cosine. */
const FARTHEST_COSINE = 2

/** Distance of two descriptors by the rule's metric; infinite when they cannot be compared. */
export function distance(rule: Pick<MatchRule, 'metric'>, a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || a.length !== b.length) return Number.POSITIVE_INFINITY
  if (rule.metric === 'euclidean') return descriptorDistance(a, b)
  const lengths = Math.sqrt(dot(a, a) * dot(b, b))
  return lengths > 0 ? 1 - dot(a, b) / lengths : FARTHEST_COSINE
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? Number.NaN) * (b[at] ?? Number.NaN)
  return sum
}

/** The calibrated k nearest below the frames at hand, with its threshold at that point; undefined when the rule knows none. */
export function thresholdFor(
  rule: MatchRule,
  available: number,
  point: OperatingPoint = 'fmr1e-4',
): { k: number; threshold: number } | undefined {
  const thresholds = point === 'fmr1e-4' ? rule.thresholds : (rule.strict ?? {})
  const k = Object.keys(thresholds)
    .map(Number)
    .filter((each) => each <= available)
    .sort((a, b) => b - a)[0]
  const threshold = k === undefined ? undefined : thresholds[k]
  return k === undefined || threshold === undefined ? undefined : { k, threshold }
}

/** What one comparison came to: all that a decision stores of it. */
export interface Comparison {
  readonly modelId: string
  readonly same: boolean
  readonly distance: number
  readonly threshold: number
  readonly k: number
  readonly point: OperatingPoint
}

/**
 * Whether a template of `k` frames is the person of `reference`, at the threshold calibrated for so many frames.
 *
 * Undefined when the rule knows no threshold for it: then nobody is anybody.
 */
export function compareFaces(
  rule: MatchRule,
  probe: { readonly template: readonly number[]; readonly k: number },
  reference: readonly number[],
  point: OperatingPoint = 'fmr1e-4',
): Comparison | undefined {
  const chosen = thresholdFor(rule, probe.k, point)
  if (!chosen) return undefined
  const found = distance(rule, probe.template, reference)
  return { modelId: rule.modelId, same: found <= chosen.threshold, distance: found, ...chosen, point }
}

/** A template that nobody's face is near, for comparisons that must cost the same where there is no reference. */
export function nobodysTemplate({ metric }: Pick<MatchRule, 'metric'>, dimension: number): number[] {
  return new Array<number>(dimension).fill(metric === 'cosine' ? 0 : 1e3)
}
