import type { Calibration } from '../../src/biometrics/calibration.ts'
import { distance } from '../../src/biometrics/liveness/match-rule.ts'
import { candidateDistance, findCurve, toScore } from '../../src/biometrics/search/operating-point.ts'
import type { Enrolled, Enrolment } from './enrolment.ts'
import { errorCurve, errorsAt, thresholdAtFalseMatchRate } from './error-curve.ts'
import { identificationErrors, type Searches, searchAll, thresholdAtFalsePositives } from './identification.ts'
import type { Pair } from './photographs.ts'
import { comparisonsNeeded, percent, proportion, textOf } from './proportion.ts'
import type { Section, Table } from './report.ts'
import { resampledTrueMatchRate } from './resampling.ts'
import { templateMatch } from './templates.ts'

/** Templates of several pictures: what a face check really compares. */
export function templateSection(calibration: Calibration, enrolled: readonly Enrolled[]): Section {
  const found = [1, 3, 5].map((k) => {
    const { mated, nonMated, people, pairsOfPeople } = templateMatch(calibration.metric, enrolled, k)
    const curve = errorCurve(mated.distances, nonMated.distances)
    const threshold = calibration.thresholds[k] ?? Number.NaN
    const borne = pairsOfPeople >= comparisonsNeeded(1e-4).toBound
    const reached = resampledTrueMatchRate(mated, nonMated, people, 1e-4)
    return {
      k,
      reached,
      borne,
      pairsOfPeople,
      threshold,
      at: errorsAt(curve, threshold),
      exact: thresholdAtFalseMatchRate(curve.nonMated, 1e-4),
    }
  })
  const table: Table = {
    title: 'Means of k pictures against one reference picture, balanced by identity (10 drawings)',
    head: ['k', 'distance at FMR 1e-4', 'TMR there', 'calibrated distance', 'FMR', 'FNMR', 'pairs of people'],
    rows: found.map(({ k, reached, threshold, at, pairsOfPeople }) => [
      String(k),
      reached.threshold.toFixed(3),
      textOf(reached),
      String(threshold),
      at.falseMatchRate.toExponential(1),
      percent(at.falseNonMatchRate),
      pairsOfPeople.toLocaleString('en'),
    ]),
  }
  return { name: 'templates', title: 'Templates', tables: [table], charts: {}, figures: [], data: found }
}

/** What a tilted head costs: the right picture of every mated pair turned by 30°. */
export function rollSection(calibration: Calibration, pairs: readonly Pair[], upright: Enrolment, turned: Enrolment): Section {
  const [plain, rolled] = [upright, turned].map(({ enrolled }) => new Map(enrolled.map(({ file, descriptor }) => [file, descriptor])))
  const mated = pairs.filter(({ same }) => same)
  const limits = [...new Set([calibration.thresholds[1] ?? Number.NaN, ...(calibration.metric === 'cosine' ? [0.6] : [])])]
  const matches = (right: ReadonlyMap<string, readonly number[]> | undefined, limit: number) =>
    proportion(
      mated.filter((pair) => {
        const [a, b] = [plain?.get(pair.left), right?.get(pair.right)]
        return a && b && distance(calibration, a, b) <= limit
      }).length,
      mated.length,
    )
  const costs = limits.map((limit) => ({ limit, upright: matches(plain, limit), turned: matches(rolled, limit) }))
  const points = (cost: (typeof costs)[number]) => 100 * (cost.upright.share - cost.turned.share)
  const table: Table = {
    title: 'Head roll of 30°',
    head: ['distance', 'matched upright', 'matched turned', 'cost in points'],
    rows: costs.map((cost) => [String(cost.limit), textOf(cost.upright), textOf(cost.turned), points(cost).toFixed(2)]),
    notes: [
      `Failure to acquire of the turned pictures: ${textOf(proportion(turned.failed.length, turned.failed.length + turned.enrolled.length))}.`,
    ],
  }
  const worst = Math.max(...costs.map(points))
  const figures = [{ what: 'cost of 30° of head roll, points', value: worst, target: { most: 3 }, text: worst.toFixed(2) }]
  return { name: 'roll', title: 'Head roll', tables: [table], charts: {}, figures, data: costs }
}

const CANDIDATES = 10

/** Open-set search of a gallery made of the data itself. */
export function identificationSection(calibration: Calibration, enrolled: readonly Enrolled[]): Section {
  const searches = searchAll(calibration.metric, enrolled)
  const curve = findCurve(calibration.modelId)
  const reach = curve && candidateDistance(curve, searches.gallery)
  const own = curve && reach !== undefined ? (calibration.metric === 'cosine' ? 1 - toScore(curve, reach) : reach) : undefined
  const thresholds = [
    ...(own === undefined ? [] : [{ name: 'as the search sets it for this size', threshold: own }]),
    ...[0.001, 0.01, 0.1].flatMap((rate) => {
      const threshold = thresholdAtFalsePositives(searches, rate)
      return threshold === undefined ? [] : [{ name: `FPIR ${percent(rate)}`, threshold }]
    }),
  ]
  const found = thresholds.map(({ name, threshold }) => ({ name, threshold, ...sharesOf(searches, threshold) }))
  const first = proportion(searches.mated.filter(({ rank }) => rank === 0).length, searches.mated.length)
  const table: Table = {
    title: `Open-set search, gallery of ${searches.gallery} people with one picture each`,
    head: ['threshold', 'distance', 'FPIR', `FNIR, ${CANDIDATES} candidates`],
    rows: found.map(({ name, threshold, falsePositives, falseNegatives }) => [
      name,
      threshold.toFixed(3),
      textOf(falsePositives),
      textOf(falseNegatives),
    ]),
    notes: [
      `${searches.mated.length} searches of enrolled people, ${searches.nonMated.length} of others. First in rank without any threshold: ${textOf(first)}.`,
      'A gallery of this size says little of three million: FPIR grows with it nearly in proportion at one threshold.',
    ],
  }
  return {
    name: 'identification',
    title: '1:N identification',
    tables: [table],
    charts: {},
    figures: [],
    data: { gallery: searches.gallery, found, first },
  }
}

function sharesOf(searches: Searches, threshold: number) {
  const { falsePositives, falseNegatives } = identificationErrors(searches, threshold, CANDIDATES)
  return {
    falsePositives: proportion(falsePositives, searches.nonMated.length),
    falseNegatives: proportion(falseNegatives, searches.mated.length),
  }
}
