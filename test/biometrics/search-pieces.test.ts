/** The pure parts of the 1:N search: the rotation and the operating point. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { faceSearchEvents } from '../../src/biometrics/search/events.ts'
import { baseSizeFor, candidateDistance, findCurve, SEARCHED_MODELS, thresholdAt, toDistance, toScore } from '../../src/biometrics/search/operating-point.ts'
import { createRotation } from '../../src/biometrics/search/rotation.ts'

const keyringOf = (key: string) => ({ hash: (value: string | Uint8Array, purpose: string) => createHmac('sha256', key).update(purpose).update(value).digest() })
const vectorOf = (seed: number, dimension: number) => Array.from({ length: dimension }, (_, index) => Math.sin(seed * 97 + index * index))
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => Math.sqrt(Array.from(a, (value, index) => (value - (b[index] ?? 0)) ** 2).reduce((sum, part) => sum + part, 0))

describe('the secret rotation', () => {
  const rotation = createRotation(keyringOf('one'), 'model-a', 64)

  test('keeps every distance, so that ranks stay', () => {
    const vectors = Array.from({ length: 20 }, (_, seed) => vectorOf(seed, 64))
    const turned = vectors.map((vector) => rotation.turn(vector))
    for (const [i, left] of vectors.entries()) {
      for (const [j, right] of vectors.entries()) {
        assert.ok(Math.abs(distance(left, right) - distance(turned[i] ?? [], turned[j] ?? [])) < 1e-5)
      }
    }
  })

  test('is the same for the same keyring and model, and another for another', () => {
    const vector = vectorOf(1, 64)
    assert.deepEqual(createRotation(keyringOf('one'), 'model-a', 64).turn(vector), rotation.turn(vector))
    for (const other of [createRotation(keyringOf('two'), 'model-a', 64), createRotation(keyringOf('one'), 'model-b', 64)]) {
      assert.notEqual(other.mark, rotation.mark)
      assert.ok(distance(other.turn(vector), rotation.turn(vector)) > 1)
    }
  })

  test('leaves none of the numbers as they were', () => {
    const vector = vectorOf(2, 64)
    const turned = rotation.turn(vector)
    const correlation = vector.reduce((sum, value, index) => sum + value * (turned[index] ?? 0), 0) / vector.reduce((sum, value) => sum + value * value, 0)
    assert.ok(Math.abs(correlation) < 0.5)
  })

  test('refuses a template of another length', () => {
    assert.throws(() => rotation.turn([1, 2, 3]), RangeError)
  })

  test('makes a matrix of 256 dimensions within the time of a few frames', () => {
    const started = performance.now()
    createRotation(keyringOf('one'), 'model-c', 256).turn(vectorOf(3, 256))
    assert.ok(performance.now() - started < 2000)
  })
})

describe('the operating point', () => {
  const standard = findCurve('standard-256-v1')
  const builtin = findCurve('builtin-128-v1')
  assert.ok(standard && builtin)

  test('goes through the measured points', () => {
    for (const curve of [standard, builtin]) {
      for (const [threshold, rate] of curve.points) assert.ok(Math.abs(thresholdAt(curve, rate) - threshold) < 1e-9, `${curve.modelId} ${rate}`)
    }
  })

  test('gets stricter with every false match that is not allowed', () => {
    const rates = [1e-3, 1e-4, 1e-5, 1e-6, 1e-8]
    const similarity = rates.map((rate) => thresholdAt(standard, rate))
    assert.deepEqual(similarity, [...similarity].sort((a, b) => a - b))
    const distances = rates.map((rate) => thresholdAt(builtin, rate))
    assert.deepEqual(distances, [...distances].sort((a, b) => b - a))
  })

  test('gets stricter with the size of the base, by powers of ten', () => {
    assert.deepEqual([1, 1000, 1001, 99_999, 100_000, 3_200_000].map(baseSizeFor), [1000, 1000, 10_000, 100_000, 100_000, 10_000_000])
    for (const curve of [standard, builtin]) {
      const reach = [1000, 10_000, 100_000, 1_000_000].map((size) => candidateDistance(curve, size))
      assert.deepEqual(reach, [...reach].sort((a, b) => b - a))
      assert.equal(candidateDistance(curve, 2000), candidateDistance(curve, 9000))
    }
  })

  test('is stricter than the one for 1:1 at every size', () => {
    assert.ok(candidateDistance(standard, 1) < toDistance(standard, 0.45))
    assert.ok(candidateDistance(builtin, 1) < 0.467)
  })

  test('is stricter for templates of more frames, whose chance likenesses are greater', () => {
    for (const curve of [standard, builtin]) {
      assert.ok(candidateDistance(curve, 1000, 3) < candidateDistance(curve, 1000, 1))
      assert.equal(candidateDistance(curve, 1000, 4), candidateDistance(curve, 1000, 3))
      assert.equal(candidateDistance(curve, 1000, 30), candidateDistance(curve, 1000, 5))
    }
  })

  test('tells a cosine and its distance apart and back', () => {
    for (const score of [0, 0.45, 0.9, 1]) assert.ok(Math.abs(toScore(standard, toDistance(standard, score)) - score) < 1e-12)
    assert.equal(toScore(builtin, toDistance(builtin, 0.4)), 0.4)
  })

  test('is not made up for a model that nobody measured', () => {
    assert.equal(findCurve('unknown-512'), undefined)
    assert.ok(SEARCHED_MODELS.includes('standard-256-v1'))
  })
})

test('the events of the search are of its room and refuse unknown members', () => {
  for (const [type, schema] of Object.entries(faceSearchEvents)) {
    assert.match(type, /^biometrics\//)
    assert.ok(schema.safeParse({ surprise: 1 }).error?.issues.some((issue) => issue.code === 'unrecognized_keys'))
  }
})
