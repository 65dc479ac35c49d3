import { rateOf, type Share } from './tally.ts'

/** How far a rate may be from what is expected of it. */
export interface BandRule {
  /** Standard errors of the difference of two proportions. */
  readonly sigmas: number
  /** Less than this is of no consequence, however sure it is. */
  readonly gap: number
}

export interface Band {
  readonly low: number
  readonly high: number
}

/**
 * Where a rate of `total` checks lies by chance alone when nothing has changed since `expected`.
 *
 * Control limits of a proportion, with the expectation's own uncertainty in them and two refusals and two passes added to it (Agresti and
 * Coull), so that a group in which nobody was ever refused has a band too.
 */
export function bandOf(expected: Share, total: number, { sigmas, gap }: BandRule): Band {
  const centre = rateOf(expected) ?? 0
  const spread = (expected.count + 2) / (expected.total + 4)
  const error = Math.sqrt(spread * (1 - spread) * (1 / Math.max(1, total) + 1 / Math.max(1, expected.total)))
  const half = Math.max(sigmas * error, gap)
  return { low: centre - half, high: centre + half }
}

export type Place = 'above' | 'inside' | 'below'

export function placeIn({ low, high }: Band, seen: Share): Place {
  const rate = rateOf(seen) ?? 0
  return rate > high ? 'above' : rate < low ? 'below' : 'inside'
}
