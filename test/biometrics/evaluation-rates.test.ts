/** The formulas of the evaluation, against numbers worked out by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crossMatch, galleryOf } from '../../bench/evaluation/cross-match.ts'
import {
  detPoints,
  equalErrorRate,
  errorCurve,
  errorsAt,
  foldAccuracy,
  thresholdAtFalseMatchRate,
} from '../../bench/evaluation/error-curve.ts'
import { identificationErrors, searchAll, thresholdAtFalsePositives } from '../../bench/evaluation/identification.ts'
import { answerOf, attackError, bonaFideError, detectionEqualError, nonResponse } from '../../bench/evaluation/pad/rates.ts'
import { comparisonsNeeded, percent, proportion, textOf } from '../../bench/evaluation/proportion.ts'
import { resampledShare, resampledTrueMatchRate } from '../../bench/evaluation/resampling.ts'
import { templateMatch } from '../../bench/evaluation/templates.ts'
import { distance } from '../../src/biometrics/liveness/match-rule.ts'

const near = (value: number, wanted: number, within = 5e-4) => assert.ok(Math.abs(value - wanted) <= within, `${value} is not ${wanted}`)

test('Wilson’s interval is the textbook’s, and stays inside 0 and 1 for none and for all', () => {
  // 8 of 20: centre (.4 + .0960) / 1.1921 = .4161, reach .1974 (Newcombe 1998, method 3).
  const some = proportion(8, 20)
  near(some.low, 0.2188)
  near(some.high, 0.6134)
  const none = proportion(0, 20)
  assert.equal(none.low, 0)
  near(none.high, 0.1611)
  const all = proportion(20, 20)
  assert.equal(all.high, 1)
  near(all.low, 0.8389)
  assert.throws(() => proportion(3, 2), RangeError)
})

test('a share is told with its interval and its counts', () => {
  assert.equal(textOf(proportion(0, 20)), '0 % (0–16.1 %, 0 of 20)')
  assert.equal(percent(0.00042), '0.042 %')
  assert.equal(percent(1e-6), '1.0e-4 %')
  assert.equal(textOf(proportion(0, 0)), 'not measured')
})

test('a false match rate of 1e-4 needs 300,000 comparisons to be measured and 30,000 to be bounded', () => {
  assert.deepEqual(comparisonsNeeded(1e-4), { toMeasure: 300_000, toBound: 30_000 })
  assert.deepEqual(comparisonsNeeded(1e-5), { toMeasure: 3_000_000, toBound: 300_000 })
})

/** Mated .1 .2 .3 .6, non-mated .4 .5 .7 .8: one mated is farther than two non-mated. */
const CURVE = errorCurve([0.25, 0.125, 0.5625, 0.3125], [0.5, 0.4375, 0.75, 0.8125])

test('rates count a distance equal to the threshold as a match', () => {
  assert.deepEqual(errorsAt(CURVE, 0.4375), { threshold: 0.4375, falseMatchRate: 0.25, falseNonMatchRate: 0.25 })
  assert.deepEqual(errorsAt(CURVE, 0.43), { threshold: 0.43, falseMatchRate: 0, falseNonMatchRate: 0.25 })
  assert.deepEqual(errorsAt(CURVE, 0.6), { threshold: 0.6, falseMatchRate: 0.5, falseNonMatchRate: 0 })
})

test('the equal error rate is where both rates meet', () => {
  const { rate, threshold } = equalErrorRate(CURVE)
  assert.equal(rate, 0.25)
  assert.equal(threshold, 0.4375)
  assert.equal(equalErrorRate(errorCurve([0.125, 0.25], [0.5, 0.75])).rate, 0)
  assert.equal(equalErrorRate(errorCurve([0.5, 0.75], [0.125, 0.25])).rate, 1)
})

test('the threshold of a false match rate lets no more through, ties included', () => {
  const others = Float32Array.from([0.25, 0.5, 0.5, 0.75, 1, 1, 1, 1, 1, 1])
  assert.equal(thresholdAtFalseMatchRate(others, 0.1), 0.25)
  assert.equal(thresholdAtFalseMatchRate(others, 0.2), 0.25)
  assert.equal(thresholdAtFalseMatchRate(others, 0.3), 0.5)
  assert.throws(() => thresholdAtFalseMatchRate(others, 0.05), RangeError)
})

test('the DET curve falls from the left to the right', () => {
  const points = detPoints(CURVE)
  for (const [index, point] of points.entries()) {
    const before = points[index - 1]
    if (before) assert.ok(point.falseMatchRate < before.falseMatchRate && point.falseNonMatchRate >= before.falseNonMatchRate)
  }
  assert.deepEqual(points[0], { threshold: 0.8125, falseMatchRate: 1, falseNonMatchRate: 0 })
})

test('accuracy over folds judges each fold by the others’ threshold', () => {
  const pairs = Array.from({ length: 40 }, (_, at) => ({ same: at < 20, distance: at < 20 ? 0.2 : 0.8 }))
  assert.equal(foldAccuracy(pairs).mean, 1)
  const spoiled = pairs.map((pair, at) => (at === 0 ? { ...pair, distance: 0.9 } : pair))
  near(foldAccuracy(spoiled).mean, 39 / 40, 1e-9)
  assert.ok(foldAccuracy(spoiled).thresholds.every((threshold) => threshold > 0.2 && threshold < 0.8))
})

const face = (identity: string, number: number, descriptor: number[]) => ({ file: `${identity}_${number}.jpg`, identity, descriptor })
/** Four people on a line; the last two are look-alikes. */
const PEOPLE = [
  face('a', 1, [0, 0]),
  face('a', 2, [0.125, 0]),
  face('b', 1, [4, 0]),
  face('b', 2, [4.25, 0]),
  face('c', 1, [8, 0]),
  face('d', 1, [8.25, 0]),
]

test('the cross match compares every pair once, as the match rule does', () => {
  const { mated, nonMated } = crossMatch(galleryOf('euclidean', PEOPLE))
  assert.deepEqual([...mated.distances], [0.125, 0.25])
  assert.equal(nonMated.distances.length, 13)
  assert.equal(Math.min(...nonMated.distances), 0.25)
  const [left, right] = [
    [1, 2, 3],
    [2, 0, 1],
  ]
  const cosine = crossMatch(galleryOf('cosine', [face('x', 1, left), face('y', 1, right)]))
  near(cosine.nonMated.distances[0] ?? 9, distance({ metric: 'cosine' }, left, right), 1e-6)
})

test('an interval by drawing people knows that one pair of look-alikes is no law', () => {
  const crossed = crossMatch(galleryOf('euclidean', PEOPLE))
  const share = resampledShare(crossed.nonMated, 4, (value) => value <= 0.25)
  assert.equal(share.hits, 1)
  assert.equal(share.of, 13)
  assert.ok(share.low === 0 && share.high > 2 / 13, `${share.low} ${share.high}`)
  assert.deepEqual(
    resampledShare(crossed.nonMated, 4, (value) => value <= 0.25),
    share,
  )
  const all = new Int32Array(4).fill(1)
  assert.equal(crossed.nonMated.total(all), 13)
  assert.equal(crossed.mated.total(all), 2)
  assert.equal(crossed.nonMated.total(Int32Array.of(2, 0, 1, 1)), 9)
})

test('the true match rate is read at the threshold that the false match rate allows', () => {
  const { mated, nonMated } = crossMatch(galleryOf('euclidean', PEOPLE))
  const found = resampledTrueMatchRate(mated, nonMated, 4, 1 / 13)
  assert.equal(found.threshold, 0.25)
  assert.equal(found.share, 1)
})

test('templates are balanced by identity: everybody counts once a drawing', () => {
  const people = ['a', 'b', 'c', 'd'].flatMap((identity, person) =>
    Array.from({ length: identity === 'd' ? 1 : 4 + person }, (_, at) => face(identity, at, [person * 4, at / 64])),
  )
  const { mated, nonMated, pairsOfPeople } = templateMatch('euclidean', people, 3)
  assert.equal(mated.distances.length, 3 * 10)
  assert.equal(nonMated.distances.length, 3 * 3 * 10)
  assert.equal(pairsOfPeople, 9)
  assert.ok(Math.max(...mated.distances) < 0.2 && Math.min(...nonMated.distances) > 3.9)
  assert.equal(nonMated.total(new Int32Array(4).fill(1)), 90)
})

test('open-set search tells strangers that are found from people that are not', () => {
  const searches = searchAll('euclidean', [...PEOPLE, face('e', 1, [4.125, 0])])
  assert.equal(searches.gallery, 2)
  assert.equal(searches.mated.length, 2)
  assert.equal(searches.nonMated.length, 3)
  assert.deepEqual(identificationErrors(searches, 0.125, 10), { falsePositives: 1, falseNegatives: 1 })
  assert.deepEqual(identificationErrors(searches, 0.25, 10), { falsePositives: 1, falseNegatives: 0 })
  assert.deepEqual(identificationErrors(searches, 0.0625, 10), { falsePositives: 0, falseNegatives: 2 })
  assert.equal(thresholdAtFalsePositives(searches, 1 / 3), 0.125)
  assert.equal(thresholdAtFalsePositives(searches, 0.1), undefined)
})

test('APCER counts attacks taken for people, BPCER people not taken for people', () => {
  const attacks = ['bona fide', 'attack', 'attack', 'none'] as const
  assert.equal(attackError(attacks).share, 0.25)
  assert.equal(nonResponse(attacks).share, 0.25)
  assert.equal(bonaFideError(['bona fide', 'bona fide', 'attack', 'none']).share, 0.5)
})

test('an unfinished challenge is no answer, and no face is none either', () => {
  const outcome = {
    complete: false,
    passed: false,
    live: false,
    passedWithoutNets: false,
    liveWithoutNets: false,
    padScores: new Array<number>(10).fill(0.9),
    failed: [],
  }
  assert.equal(answerOf(outcome, 'live'), 'none')
  assert.equal(answerOf(outcome, 'nets alone'), 'bona fide')
  assert.equal(answerOf({ ...outcome, padScores: [0.9] }, 'nets alone'), 'none')
  assert.equal(answerOf({ ...outcome, padScores: [0.1] }, 'nets alone'), 'attack')
  assert.equal(answerOf({ ...outcome, complete: true, live: true }, 'live'), 'bona fide')
  assert.equal(answerOf({ ...outcome, complete: true }, 'live'), 'attack')
  assert.equal(answerOf(undefined, 'live'), 'none')
})

test('D-EER: where both kinds of error are equal', () => {
  assert.deepEqual(detectionEqualError([0.6, 0.7, 0.8, 0.9], [0.1, 0.2, 0.3, 0.4]).rate, 0)
  assert.equal(detectionEqualError([0.3, 0.7, 0.8, 0.9], [0.1, 0.2, 0.5, 0.25]).rate, 0.25)
})
