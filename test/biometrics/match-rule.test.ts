import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calibrationOf, calibrationSchema } from '../../src/biometrics/calibration.ts'
import type { MatchRule } from '../../src/biometrics/liveness/match-rule.ts'
import { compareFaces, distance, nobodysTemplate, thresholdFor } from '../../src/biometrics/liveness/match-rule.ts'
import { isSamePerson } from '../support/same-person.ts'

const cosine: MatchRule = { modelId: 'x', metric: 'cosine', thresholds: { 1: 0.5, 3: 0.4 }, strict: { 1: 0.3, 3: 0.2 }, consecutive: 0.6 }

test('the cosine is a distance: 0 for one direction whatever the length, 1 for a right angle, 2 for the opposite', () => {
  assert.ok(Math.abs(distance(cosine, [1, 2], [2, 4])) < 1e-12)
  assert.equal(distance(cosine, [1, 0], [0, 3]), 1)
  assert.equal(distance(cosine, [1, 0], [-2, 0]), 2)
  assert.ok(Math.abs(distance(cosine, [1, 0], [1, 1]) - (1 - Math.SQRT1_2)) < 1e-12)
})

test('what cannot be compared is nobody', () => {
  for (const [a, b] of [
    [[], []],
    [[1], [1, 2]],
    [[], [1]],
  ] as const)
    assert.equal(distance(cosine, a, b), Number.POSITIVE_INFINITY)
  assert.equal(isSamePerson(cosine, [Number.NaN, 1], [1, 1]), false)
  assert.equal(isSamePerson(cosine, [0, 0], [0, 0]), false)
  assert.equal(isSamePerson({ ...cosine, thresholds: {} }, [1, 0], [1, 0]), false)
})

test('the threshold is that of the calibrated k nearest below, at the point that is asked for', () => {
  assert.deepEqual(thresholdFor(cosine, 2), { k: 1, threshold: 0.5 })
  assert.deepEqual(thresholdFor(cosine, 7), { k: 3, threshold: 0.4 })
  assert.deepEqual(thresholdFor(cosine, 4, 'fmr1e-5'), { k: 3, threshold: 0.2 })
  assert.equal(thresholdFor(cosine, 0), undefined)
  const { strict: _, ...loose } = cosine
  assert.equal(thresholdFor(loose, 5, 'fmr1e-5'), undefined)
})

test('a comparison says all that a decision stores', () => {
  const [a, b] = [
    [1, 0],
    [0.8, 0.6],
  ]
  const found = compareFaces(cosine, { template: a, k: 4 }, b)
  assert.ok(found && Math.abs(found.distance - 0.2) < 1e-12)
  assert.deepEqual({ ...found, distance: 0.2 }, { modelId: 'x', same: true, distance: 0.2, threshold: 0.4, k: 3, point: 'fmr1e-4' })
  assert.equal(isSamePerson(cosine, a, [0.7, 0.714], 1, 'fmr1e-5'), true)
  assert.equal(isSamePerson(cosine, a, [0.69, 0.724], 1, 'fmr1e-5'), false)
})

for (const modelId of ['standard-256-v1', 'builtin-128-v1']) {
  test(`${modelId}: nobody's template is nobody, for faces of every direction`, () => {
    const rule = calibrationOf(modelId)
    const dimension = modelId.startsWith('standard') ? 256 : 128
    const nobody = nobodysTemplate(rule, dimension)
    for (let face = 0; face < 50; face++) {
      const descriptor = Array.from({ length: dimension }, (_, at) => Math.sin(face * 7 + at * (face + 1)))
      assert.equal(isSamePerson(rule, descriptor, nobody, 5), false)
      assert.ok(Number.isFinite(distance(rule, descriptor, nobody)))
    }
  })

  test(`${modelId}: the strict point is stricter for every k, and more frames never get a looser limit`, () => {
    const { thresholds, strict } = calibrationOf(modelId)
    const [usual, harder] = [1, 3, 5].reduce<number[][]>(
      ([one = [], two = []], k) => [
        [...one, thresholds[k] ?? 9],
        [...two, strict[k] ?? 9],
      ],
      [[], []],
    )
    assert.ok(usual && harder && usual.every((limit, at) => (harder[at] ?? 9) < limit))
    for (const limits of [usual, harder])
      assert.deepEqual(
        limits,
        limits.toSorted((a, b) => b - a),
      )
  })
}

test('a calibration whose strict point is not stricter is refused', () => {
  const entry = { modelId: 'x', metric: 'cosine', consecutive: 0.5, source: 'test' }
  const points = { 'fmr1e-4': { 1: 0.5 }, 'fmr1e-5': { 1: 0.5 } }
  assert.equal(calibrationSchema.safeParse({ ...entry, points }).success, false)
  assert.equal(calibrationSchema.safeParse({ ...entry, points: { ...points, 'fmr1e-5': { 3: 0.4 } } }).success, false)
  assert.equal(calibrationSchema.safeParse({ ...entry, points: { ...points, 'fmr1e-5': { 1: 0.4 } } }).success, true)
})
