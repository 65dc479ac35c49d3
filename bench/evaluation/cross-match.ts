import type { MatchRule } from '../../src/biometrics/liveness/match-rule.ts'
import type { Enrolled } from './enrolment.ts'

/** Templates side by side in one block of numbers, so that millions of comparisons take seconds. */
export interface Gallery {
  readonly metric: MatchRule['metric']
  readonly rows: number
  readonly dimension: number
  readonly numbers: Float32Array
  /** Of each row: index into `identities`. */
  readonly owner: Int32Array
  readonly identities: readonly string[]
}

/** One row for each template; for the cosine brought to length 1. */
export function galleryOf(metric: MatchRule['metric'], templates: readonly Pick<Enrolled, 'identity' | 'descriptor'>[]): Gallery {
  const dimension = templates[0]?.descriptor.length ?? 0
  const identities = [...new Set(templates.map(({ identity }) => identity))]
  const indexOf = new Map(identities.map((identity, index) => [identity, index]))
  const numbers = new Float32Array(templates.length * dimension)
  for (const [row, { descriptor }] of templates.entries()) {
    if (descriptor.length !== dimension) throw new RangeError('templates of different models')
    const scale = metric === 'cosine' ? 1 / (Math.hypot(...descriptor) || 1) : 1
    numbers.set(
      descriptor.map((value) => value * scale),
      row * dimension,
    )
  }
  const owner = Int32Array.from(templates, ({ identity }) => indexOf.get(identity) ?? -1)
  return { metric, rows: templates.length, dimension, numbers, owner, identities }
}

/** Distance of two rows, as `distance` of the match rule gives it. */
export function distanceOf(left: Gallery, row: number, right: Gallery, other: number): number {
  const { dimension, metric } = left
  const [a, b] = [left.numbers, right.numbers]
  const [from, to] = [row * dimension, other * dimension]
  let sum = 0
  if (metric === 'cosine') {
    for (let at = 0; at < dimension; at++) sum += (a[from + at] as number) * (b[to + at] as number) // both inside: rows of this dimension
    return 1 - sum
  }
  for (let at = 0; at < dimension; at++) {
    const difference = (a[from + at] as number) - (b[to + at] as number)
    sum += difference * difference
  }
  return Math.sqrt(sum)
}

/** Distances with the people they are of: everything that a rate or its interval is made from. */
export interface Scores {
  readonly distances: Float32Array
  /** The two people of each distance; equal ones in mated comparisons. */
  readonly left: Int32Array
  readonly right: Int32Array
  /** How many comparisons there would be if each person were there so many times: for intervals by drawing people. */
  readonly total: (weights: Int32Array) => number
}

export interface CrossMatch {
  /** Mated comparisons: the same person. */
  readonly mated: Scores
  /** Non-mated comparisons: different people. */
  readonly nonMated: Scores
}

/** Every template against every other one, each pair once. */
export function crossMatch(gallery: Gallery): CrossMatch {
  const { rows, owner } = gallery
  const all = (rows * (rows - 1)) / 2
  let matedCount = 0
  for (let i = 0; i < rows; i++) for (let j = i + 1; j < rows; j++) if (owner[i] === owner[j]) matedCount += 1
  const images = new Int32Array(gallery.identities.length)
  for (const person of owner) images[person] = (images[person] ?? 0) + 1
  const mated = room(matedCount, (weights) => images.reduce((sum, n, person) => sum + ((n * (n - 1)) / 2) * (weights[person] ?? 0), 0))
  const nonMated = room(all - matedCount, (weights) => pairsOfPeople(images, weights))
  let [atMated, atOther] = [0, 0]
  for (let i = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++) {
      const same = owner[i] === owner[j]
      const scores = same ? mated : nonMated
      const at = same ? atMated++ : atOther++
      scores.distances[at] = distanceOf(gallery, i, gallery, j)
      scores.left[at] = owner[i] as number // i, j < rows
      scores.right[at] = owner[j] as number
    }
  }
  return { mated, nonMated }
}

/** Pairs of pictures of different people: half of the square of all, less each person's own. */
function pairsOfPeople(images: Int32Array, weights: Int32Array): number {
  let [sum, squares] = [0, 0]
  for (const [person, n] of images.entries()) {
    const weighted = n * (weights[person] ?? 0)
    sum += weighted
    squares += weighted ** 2
  }
  return (sum ** 2 - squares) / 2
}

export function room(size: number, total: Scores['total']): Scores {
  return { distances: new Float32Array(size), left: new Int32Array(size), right: new Int32Array(size), total }
}
