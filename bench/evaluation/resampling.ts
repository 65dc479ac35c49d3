import type { Scores } from './cross-match.ts'
import type { Proportion } from './proportion.ts'
import { repeatable } from './random.ts'

/**
 * Intervals for comparisons that are not independent: everybody takes part in many, and a face that resembles others does so each time.
 *
 * People, not comparisons, are drawn with replacement (as many as there are), a comparison counts as often as both its people were drawn,
 * and the 2.5th and 97.5th percentile of the rates so found are the interval. Wilson's would be far too narrow here.
 */
export const REPLICATES = 1000
const SEED = 19795

/** Comparisons of one pair of people, or of one person with themself. */
interface Cell {
  readonly left: number
  readonly right: number
  /** Comparisons that the rate counts. */
  hits: number
}

/** Share of the comparisons whose distance satisfies `counts`, with its interval. */
export function resampledShare(scores: Scores, people: number, counts: (distance: number) => boolean): Proportion {
  const cells = cellsOf(scores, counts)
  const shares = new Float64Array(REPLICATES)
  const random = repeatable(SEED)
  for (let replicate = 0; replicate < REPLICATES; replicate++) {
    const weights = drawPeople(people, random)
    shares[replicate] = weightedHits(cells, weights) / scores.total(weights)
  }
  const hits = cells.reduce((sum, cell) => sum + cell.hits, 0)
  const of = scores.distances.length
  return { hits, of, share: hits / of, ...interval(shares), interval: 'bootstrap by identity' }
}

/**
 * True match rate at a false match rate, with the threshold found anew for each drawing of people: its uncertainty is part of the interval.
 */
export function resampledTrueMatchRate(mated: Scores, nonMated: Scores, people: number, rate: number): Proportion & { threshold: number } {
  const nearest = nearestOf(nonMated, Math.ceil(Math.max(rate * 6, rate + 200 / nonMated.distances.length) * nonMated.distances.length))
  const order = nearestOf(mated, mated.distances.length)
  const random = repeatable(SEED + 1)
  const once = (weights: Int32Array) => {
    const threshold = weightedThreshold(nearest, weights, rate * nonMated.total(weights))
    return { threshold, hits: weightedWithin(order, weights, threshold), of: mated.total(weights) }
  }
  const whole = once(new Int32Array(people).fill(1))
  const shares = Float64Array.from({ length: REPLICATES }, () => {
    const { hits, of } = once(drawPeople(people, random))
    return hits / of
  })
  const { hits, of, threshold } = whole
  return { hits, of, share: hits / of, threshold, ...interval(shares), interval: 'bootstrap by identity' }
}

function drawPeople(people: number, random: () => number): Int32Array {
  const weights = new Int32Array(people)
  for (let draw = 0; draw < people; draw++) {
    const person = Math.floor(random() * people)
    weights[person] = (weights[person] ?? 0) + 1
  }
  return weights
}

/** Weight of a comparison: of two people as often as the two meet, of one person as often as they were drawn. */
function weightOf(weights: Int32Array, left: number, right: number): number {
  const first = weights[left] ?? 0
  return left === right ? first : first * (weights[right] ?? 0)
}

function cellsOf({ distances, left, right }: Scores, counts: (distance: number) => boolean): Cell[] {
  const cells = new Map<number, Cell>()
  for (let at = 0; at < distances.length; at++) {
    if (!counts(distances[at] as number)) continue // `at` < length, here and below
    const [a, b] = [left[at] as number, right[at] as number]
    const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b)
    const cell = cells.get(key) ?? { left: a, right: b, hits: 0 }
    cell.hits += 1
    cells.set(key, cell)
  }
  return [...cells.values()]
}

function weightedHits(cells: readonly Cell[], weights: Int32Array): number {
  let sum = 0
  for (const { left, right, hits } of cells) sum += hits * weightOf(weights, left, right)
  return sum
}

type Nearest = Omit<Scores, 'total'>

/** The `count` nearest comparisons, nearest first. */
function nearestOf({ distances, left, right }: Scores, count: number): Nearest {
  const limit = Float32Array.from(distances).sort()[Math.min(count, distances.length) - 1] ?? 0
  const at: number[] = []
  for (let index = 0; index < distances.length; index++) if ((distances[index] as number) <= limit) at.push(index)
  at.sort((a, b) => (distances[a] as number) - (distances[b] as number))
  const pick = (from: Int32Array) => Int32Array.from(at, (index) => from[index] as number)
  return { distances: Float32Array.from(at, (index) => distances[index] as number), left: pick(left), right: pick(right) }
}

/** The greatest distance that lets no more than `allowed` weighted comparisons through. */
function weightedThreshold({ distances, left, right }: Nearest, weights: Int32Array, allowed: number): number {
  let sum = 0
  for (let at = 0; at < distances.length; at++) {
    sum += weightOf(weights, left[at] as number, right[at] as number)
    if (sum > allowed + 1e-9) return at === 0 ? Number.NEGATIVE_INFINITY : (distances[at - 1] as number)
  }
  return distances.at(-1) ?? Number.NEGATIVE_INFINITY
}

function weightedWithin({ distances, left, right }: Nearest, weights: Int32Array, threshold: number): number {
  let sum = 0
  for (let at = 0; at < distances.length && (distances[at] as number) <= threshold; at++) {
    sum += weightOf(weights, left[at] as number, right[at] as number)
  }
  return sum
}

function interval(shares: Float64Array): { low: number; high: number } {
  const sorted = shares.filter((share) => Number.isFinite(share)).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { low: at(0.025), high: at(0.975) }
}
