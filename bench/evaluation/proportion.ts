/** A share that was counted, with the interval that its true value lies in with 95 % confidence. */
export interface Proportion {
  readonly hits: number
  readonly of: number
  readonly share: number
  readonly low: number
  readonly high: number
  /** How the interval was made. */
  readonly interval: 'Wilson' | 'bootstrap by identity'
}

/** The normal distribution's two-sided 95 %. */
const Z = 1.959964

/**
 * A share of independent trials, with Wilson's score interval: right for small counts and for none at all.
 *
 * Comparisons of a cross match are not independent (each person takes part in thousands): for those see `resampling.ts`.
 */
export function proportion(hits: number, of: number): Proportion {
  if (!Number.isInteger(hits) || !Number.isInteger(of) || hits < 0 || hits > of) throw new RangeError(`${hits} of ${of}`)
  if (of === 0) return { hits, of, share: Number.NaN, low: 0, high: 1, interval: 'Wilson' }
  const share = hits / of
  const centre = (share + Z ** 2 / (2 * of)) / (1 + Z ** 2 / of)
  const reach = (Z / (1 + Z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + Z ** 2 / (4 * of ** 2))
  const [low, high] = [hits === 0 ? 0 : Math.max(0, centre - reach), hits === of ? 1 : Math.min(1, centre + reach)]
  return { hits, of, share, low, high, interval: 'Wilson' }
}

/** Errors that must be seen for the rate to be known within ±30 % with 90 % confidence (Doddington's rule of 30). */
export const ERRORS_NEEDED = 30
/** When none of n trials failed, the rate is below 3/n with 95 % confidence (rule of 3). */
const RULE_OF_THREE = 3

/** Comparisons needed to state `rate` with some precision, and at least to state an upper bound for it. */
export function comparisonsNeeded(rate: number): { toMeasure: number; toBound: number } {
  return { toMeasure: Math.ceil(ERRORS_NEEDED / rate - 1e-6), toBound: Math.ceil(RULE_OF_THREE / rate - 1e-6) }
}

/** The share as people read it: `0.42 % (0.21–0.83 %, 8 of 1,900)`. */
export function textOf({ share, low, high, hits, of }: Proportion): string {
  if (of === 0) return 'not measured'
  return `${percent(share)} (${percent(low).replace(' %', '')}–${percent(high)}, ${count(hits)} of ${count(of)})`
}

/** Three significant digits of a percentage; very small ones as a power of ten. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  if (share !== 0 && share < 1e-4) return `${(share * 100).toExponential(1)} %`
  const value = 100 * share
  return `${value === 0 || value === 100 ? value : Number(value.toPrecision(value > 99 ? 4 : 3))} %`
}

export function count(value: number): string {
  return value.toLocaleString('en')
}
