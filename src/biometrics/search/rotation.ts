import { createCipheriv } from 'node:crypto'
import type { Keyring } from '../../platform/keyring.ts'

/** Turns every template of one model by the same secret rotation: distances stay, numbers do not. */
export interface Rotation {
  readonly dimension: number
  /** Tells rotations apart without giving one away. */
  readonly mark: string
  turn(vector: readonly number[]): Float32Array
}

const MARK_BYTES = 8
const COUNTER_BYTES = 16
const WORD = 2 ** 32

/**
 * The rotation of a model, always the same for one keyring: a uniformly random orthogonal matrix drawn from a key stream.
 *
 * What it is worth: the stored numbers are not templates of the public model, so a stolen table cannot be put into another system or a
 * face-from-template program as it is. What it is not: encryption. Who knows about as many people's templates as there are dimensions, and
 * their rows, can compute the matrix; and who has very many rows can guess at it from how the model's templates are spread.
 */
export function createRotation(keyring: Pick<Keyring, 'hash'>, modelId: string, dimension: number): Rotation {
  const purpose = `face-search-rotation:${modelId}:${dimension}`
  let made: Float64Array | undefined
  return {
    dimension,
    mark: keyring.hash('mark', purpose).subarray(0, MARK_BYTES).toString('hex'),
    turn(vector) {
      made ??= orthogonal(dimension, normals(keyring.hash('matrix', purpose), dimension * dimension))
      const matrix = made
      if (vector.length !== dimension) throw new RangeError(`a template of ${vector.length} numbers, not ${dimension}`)
      return Float32Array.from({ length: dimension }, (_, row) => {
        let sum = 0
        for (let column = 0; column < dimension; column++) sum += (matrix[row * dimension + column] ?? 0) * (vector[column] ?? 0)
        return sum
      })
    },
  }
}

/** Normally distributed numbers (Box–Muller) from AES-256-CTR under `key`. */
function normals(key: Buffer, count: number): Float64Array {
  const pairs = Math.ceil(count / 2)
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(COUNTER_BYTES)).update(Buffer.alloc(pairs * 8))
  const values = new Float64Array(pairs * 2)
  for (let pair = 0; pair < pairs; pair++) {
    const radius = Math.sqrt(-2 * Math.log((stream.readUInt32LE(pair * 8) + 1) / WORD))
    const angle = (2 * Math.PI * stream.readUInt32LE(pair * 8 + 4)) / WORD
    values[2 * pair] = radius * Math.cos(angle)
    values[2 * pair + 1] = radius * Math.sin(angle)
  }
  return values
}

/** Rows made orthonormal one after the other (Gram–Schmidt, twice each for precision): of normal numbers, uniform over all rotations. */
function orthogonal(dimension: number, values: Float64Array): Float64Array {
  const rows = Array.from({ length: dimension }, (_, row) => values.subarray(row * dimension, (row + 1) * dimension))
  for (const [at, row] of rows.entries()) {
    for (const _ of [1, 2]) for (const earlier of rows.slice(0, at)) subtract(row, earlier, dot(row, earlier))
    const length = Math.sqrt(dot(row, row))
    for (let column = 0; column < dimension; column++) row[column] = (row[column] ?? 0) / length
  }
  return values.subarray(0, dimension * dimension)
}

function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0)
  return sum
}

function subtract(target: Float64Array, direction: Float64Array, amount: number): void {
  for (let index = 0; index < target.length; index++) target[index] = (target[index] ?? 0) - amount * (direction[index] ?? 0)
}
