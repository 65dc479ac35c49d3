/**
 * Synthetic face templates whose distances are spread as those of real ones.
 *
 * Random unit vectors would not do: in 256 dimensions they are all equally far apart, which no face recogniser's are. Here an identity is a
 * point of an uneven cloud (few strong directions, many weak ones, and looser groups of people who look alike), and a picture is that point
 * moved by a distance drawn from the spread of genuine pairs. A shape is fitted to measured false match and false non-match rates (LFW, 86
 * million impostor pairs); docs/face-search.md says how well they agree.
 */

/** A small seeded generator, the same numbers on every machine. */
export interface Dice {
  /** 0 ≤ x < 1. */
  uniform(): number
  normal(): number
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0
  let spare: number | undefined
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
  return { uniform, normal }
}

/** What is fitted to a recogniser's measured rates. */
export interface CloudShape {
  readonly dimension: number
  /** Strength of direction i falls as (i + 1) to the power of minus this. */
  readonly decay: number
  /** Share of the cloud's strength that the people of one group have in common. */
  readonly groupShare: number
  readonly groups: number
  /** Cosine similarity of two pictures of one person: mean and standard deviation before it is cut off at `mostSimilar`. */
  readonly genuineMean: number
  readonly genuineDeviation: number
  readonly mostSimilar: number
}

export const STANDARD_SHAPE: CloudShape = {
  dimension: 256,
  decay: 0.33,
  groupShare: 0.15,
  groups: 24,
  genuineMean: 0.82,
  genuineDeviation: 0.16,
  mostSimilar: 0.97,
}

export interface FaceCloud {
  /** The template of a new person. */
  identity(): Float32Array
  /** Another picture's template of the person. */
  picture(identity: Float32Array): Float32Array
}

export function createFaceCloud(shape: CloudShape, seed: number): FaceCloud {
  const dice = createDice(seed)
  const strength = Float64Array.from({ length: shape.dimension }, (_, index) => (index + 1) ** -shape.decay)
  const draw = () => strength.map((scale) => scale * dice.normal())
  const groups = Array.from({ length: shape.groups }, draw)
  const shared = Math.sqrt(shape.groupShare)
  const own = Math.sqrt(1 - shape.groupShare)
  return {
    identity() {
      const group = groups[Math.floor(dice.uniform() * shape.groups)]
      return unit(draw().map((value, index) => own * value + shared * (group?.[index] ?? 0)))
    },
    picture(identity) {
      const similarity = Math.min(shape.mostSimilar, shape.genuineMean + shape.genuineDeviation * dice.normal())
      const noise = draw()
      const along = noise.reduce((sum, value, index) => sum + value * (identity[index] ?? 0), 0)
      const across = unit(noise.map((value, index) => value - along * (identity[index] ?? 0)))
      const side = Math.sqrt(1 - similarity ** 2)
      return unit(across.map((value, index) => side * value + similarity * (identity[index] ?? 0)))
    },
  }
}

function unit(values: ArrayLike<number>): Float32Array {
  const result = Float32Array.from(values)
  const length = Math.sqrt(result.reduce((sum, value) => sum + value * value, 0))
  return result.map((value) => value / length)
}
