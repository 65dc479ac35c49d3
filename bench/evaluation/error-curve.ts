/** Error rates of comparisons by ISO/IEC 19795-1: smaller distance is nearer, and a distance equal to the threshold is a match. */

/** One operating point of a comparison. */
export interface ErrorPoint {
  readonly threshold: number
  readonly falseMatchRate: number
  readonly falseNonMatchRate: number
}

/** Sorted distances, of which rates are read at any threshold. */
export interface ErrorCurve {
  readonly mated: Float32Array
  readonly nonMated: Float32Array
}

export function errorCurve(mated: ArrayLike<number>, nonMated: ArrayLike<number>): ErrorCurve {
  return { mated: Float32Array.from(mated).sort(), nonMated: Float32Array.from(nonMated).sort() }
}

/** How many of the sorted values are at most `limit`. */
export function countWithin(sorted: ArrayLike<number>, limit: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= limit) low = middle + 1
    else high = middle
  }
  return low
}

export function errorsAt({ mated, nonMated }: ErrorCurve, threshold: number): ErrorPoint {
  return {
    threshold,
    falseMatchRate: countWithin(nonMated, threshold) / nonMated.length,
    falseNonMatchRate: 1 - countWithin(mated, threshold) / mated.length,
  }
}

/**
 * The greatest threshold whose false match rate does not exceed `rate`: a distance that was seen, so nothing is promised between two of them.
 * @throws {RangeError} When even the nearest comparison would be too many.
 */
export function thresholdAtFalseMatchRate(nonMated: ArrayLike<number>, rate: number): number {
  let allowed = Math.floor(rate * nonMated.length + 1e-9)
  // Ties: all of one distance match or none does.
  while (allowed > 0 && nonMated[allowed] !== undefined && nonMated[allowed] === nonMated[allowed - 1]) allowed -= 1
  const threshold = nonMated[allowed - 1]
  if (threshold === undefined) throw new RangeError(`${nonMated.length} comparisons say nothing of a false match rate of ${rate}`)
  return threshold
}

/** Equal error rate: where both rates cross, the mean of the two at the nearest threshold that was seen. */
export function equalErrorRate(curve: ErrorCurve): ErrorPoint & { readonly rate: number } {
  let best: ErrorPoint | undefined
  const gap = ({ falseMatchRate, falseNonMatchRate }: ErrorPoint) => Math.abs(falseMatchRate - falseNonMatchRate)
  for (const sorted of [curve.mated, curve.nonMated]) {
    // The gap falls and then grows with the threshold: look for its turn only.
    let [low, high] = [0, sorted.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      const { falseMatchRate, falseNonMatchRate } = errorsAt(curve, sorted[middle] as number)
      if (falseMatchRate < falseNonMatchRate) low = middle + 1
      else high = middle
    }
    for (const index of [low - 1, low]) {
      const threshold = sorted[index]
      if (threshold === undefined) continue
      const point = errorsAt(curve, threshold)
      if (!best || gap(point) < gap(best)) best = point
    }
  }
  if (!best) throw new RangeError('no comparisons')
  return { ...best, rate: (best.falseMatchRate + best.falseNonMatchRate) / 2 }
}

/** Points of the DET curve, at false match rates evenly spread over the decades that the comparisons bear. */
export function detPoints(curve: ErrorCurve, perDecade = 12): ErrorPoint[] {
  const points: ErrorPoint[] = []
  const lowest = Math.log10(1 / curve.nonMated.length)
  for (let step = 0; step / perDecade > lowest; step--) {
    const threshold = thresholdAtFalseMatchRate(curve.nonMated, Math.max(10 ** (step / perDecade), 1 / curve.nonMated.length))
    const point = errorsAt(curve, threshold)
    if (points.at(-1)?.threshold !== threshold) points.push(point)
  }
  return points
}

export interface JudgedPair {
  readonly distance: number
  readonly same: boolean
}

/**
 * Share of right answers over folds: each is judged at the threshold that was best on all the others.
 *
 * Folds follow the order of the list, mated and non-mated pairs apart, as the protocol of Labeled Faces in the Wild has it.
 */
export function foldAccuracy(pairs: readonly JudgedPair[], folds = 10): { mean: number; standardError: number; thresholds: number[] } {
  const foldOf = (same: boolean) => {
    const kind = pairs.filter((pair) => pair.same === same)
    return new Map(kind.map((pair, index) => [pair, Math.floor((index * folds) / kind.length)]))
  }
  const fold = new Map([...foldOf(true), ...foldOf(false)])
  const shares: number[] = []
  const thresholds: number[] = []
  for (let left = 0; left < folds; left++) {
    const threshold = bestThreshold(pairs.filter((pair) => fold.get(pair) !== left))
    const judged = pairs.filter((pair) => fold.get(pair) === left)
    shares.push(judged.filter(({ distance, same }) => distance <= threshold === same).length / judged.length)
    thresholds.push(threshold)
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / folds
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (folds - 1)
  return { mean, standardError: Math.sqrt(variance / folds), thresholds }
}

/** Middle of the gap in which most pairs are judged right; the strictest of several. */
export function bestThreshold(pairs: readonly JudgedPair[]): number {
  const sorted = pairs.toSorted((a, b) => a.distance - b.distance)
  let right = pairs.filter(({ same }) => !same).length
  let best = { right, from: Number.NEGATIVE_INFINITY, to: sorted[0]?.distance ?? 0 }
  for (const [index, { distance, same }] of sorted.entries()) {
    right += same ? 1 : -1
    const next = sorted[index + 1]?.distance ?? distance
    if (next > distance || index === sorted.length - 1) {
      if (right > best.right) best = { right, from: distance, to: next }
    }
  }
  if (best.from === Number.NEGATIVE_INFINITY) return best.to - 1e-6
  return Number.isFinite(best.to) ? (best.from + best.to) / 2 : best.from
}
