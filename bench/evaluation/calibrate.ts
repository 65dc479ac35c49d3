import type { CalibrationEntry } from '../../src/biometrics/calibration.ts'
import type { MatchRule, OperatingPoint } from '../../src/biometrics/liveness/match-rule.ts'
import type { FalseMatchCurve } from '../../src/biometrics/search/operating-point.ts'
import { crossMatch, galleryOf } from './cross-match.ts'
import type { Enrolled } from './enrolment.ts'
import { type ErrorCurve, errorCurve, errorsAt, thresholdAtFalseMatchRate } from './error-curve.ts'
import { comparisonsNeeded, count, percent } from './proportion.ts'
import type { Table } from './report.ts'
import { templateMatch } from './templates.ts'

const POINTS: readonly { readonly point: OperatingPoint; readonly rate: number }[] = [
  { point: 'fmr1e-4', rate: 1e-4 },
  { point: 'fmr1e-5', rate: 1e-5 },
]
/** Frames that a template is the mean of; one is the single picture, from the full cross match. */
const FRAMES = [1, 3, 5] as const
/** Where two frames of one session must be nearer than this: an attacker cannot search there, and a person moves and blinks. */
const CONSECUTIVE_RATE = 3e-4
const CURVE_RATES = [1e-3, 3e-4, 1e-4, 3e-5, 1e-5]

/** Not enough people or pictures to state a rate. */
export class TooFewComparisons extends Error {
  constructor(rate: number, comparisons: number) {
    const { toMeasure, toBound } = comparisonsNeeded(rate)
    super(
      `a false match rate of ${rate} needs ${count(toMeasure)} comparisons of different people (30 false matches expected, rule of 30); ` +
        `${count(comparisons)} are here. Below ${count(toBound)} (rule of 3) not even an upper bound could be told.`,
    )
    this.name = 'TooFewComparisons'
  }
}

export interface Calibrated {
  readonly entry: CalibrationEntry
  readonly points: FalseMatchCurve['points']
  readonly shiftByFrames: FalseMatchCurve['shiftByFrames']
  readonly table: Table
}

interface Row {
  readonly k: number
  readonly point: OperatingPoint
  readonly threshold: number
  /** `carried`: in the proportion of the single picture's thresholds, because the people are too few. */
  readonly source: 'measured' | 'carried'
  readonly comparisons: number
  readonly falseMatchRate: number
  readonly falseNonMatchRate: number
}

/**
 * Thresholds of one model at both operating points, for k = 1, 3 and 5, and the points of its false match curve. The same input gives the same output.
 *
 * @throws {TooFewComparisons} When the single pictures do not bear the stricter rate, or templates the usual one.
 */
export function calibrate(
  model: { modelId: string; metric: MatchRule['metric'] },
  enrolled: readonly Enrolled[],
  source: string,
): Calibrated {
  const crossed = crossMatch(galleryOf(model.metric, enrolled))
  const single = errorCurve(crossed.mated.distances, crossed.nonMated.distances)
  const rows: Row[] = POINTS.map(({ point, rate }) => {
    checkEnough(rate, single.nonMated.length)
    return rowOf({ k: 1, point, source: 'measured', curve: single }, roundedDown(thresholdAtFalseMatchRate(single.nonMated, rate)))
  })
  for (const k of FRAMES.filter((each) => each > 1)) rows.push(...templateRows(model.metric, enrolled, k, rows))
  const thresholds = (point: OperatingPoint) =>
    Object.fromEntries(rows.filter((row) => row.point === point).map(({ k, threshold }) => [String(k), threshold]))
  const [usual, strict] = [thresholds('fmr1e-4'), thresholds('fmr1e-5')]
  return {
    entry: {
      ...model,
      points: { 'fmr1e-4': usual, 'fmr1e-5': strict },
      consecutive: roundedDown(thresholdAtFalseMatchRate(single.nonMated, CONSECUTIVE_RATE)),
      source,
    },
    points: curvePoints(model.metric, single),
    shiftByFrames: Object.fromEntries(FRAMES.map((k) => [String(k), shiftOf(model.metric, (usual[k] ?? 0) - (usual[1] ?? 0))])),
    table: tableOf(rows),
  }
}

function checkEnough(rate: number, comparisons: number): void {
  if (comparisons < comparisonsNeeded(rate).toMeasure) throw new TooFewComparisons(rate, comparisons)
}

/** Never up: a rounded threshold must not let more through. */
function roundedDown(distance: number): number {
  return Math.floor(distance * 1000) / 1000
}

interface RowInput extends Pick<Row, 'k' | 'point' | 'source'> {
  readonly curve: ErrorCurve
}

function rowOf({ curve, ...row }: RowInput, threshold: number): Row {
  return { ...row, comparisons: curve.nonMated.length, ...errorsAt(curve, threshold), threshold }
}

/**
 * Several drawings of the same people count as comparisons (rule of 30), but the different pairs of people must bear an upper bound by
 * themselves (rule of 3); where they do not, the stricter threshold is the same part of the usual one as for single pictures.
 */
function templateRows(metric: MatchRule['metric'], enrolled: readonly Enrolled[], k: number, singles: readonly Row[]): Row[] {
  const { mated, nonMated, pairsOfPeople } = templateMatch(metric, enrolled, k)
  const curve = errorCurve(mated.distances, nonMated.distances)
  const rows: Row[] = []
  for (const { point, rate } of POINTS) {
    const borne = pairsOfPeople >= comparisonsNeeded(rate).toBound && curve.nonMated.length >= comparisonsNeeded(rate).toMeasure
    const usual = rows[0]
    if (!borne && !usual) throw new TooFewComparisons(rate, pairsOfPeople)
    const carried = ((usual?.threshold ?? 0) * (singles[1]?.threshold ?? 0)) / (singles[0]?.threshold ?? 1)
    const threshold = roundedDown(borne ? thresholdAtFalseMatchRate(curve.nonMated, rate) : carried)
    rows.push(rowOf({ k, point, source: borne ? 'measured' : 'carried', curve }, threshold))
  }
  return rows
}

/** In the search's terms: of a cosine model the similarity. */
function curvePoints(metric: MatchRule['metric'], { nonMated }: ErrorCurve): [number, number][] {
  return CURVE_RATES.filter((rate) => nonMated.length >= comparisonsNeeded(rate).toMeasure).map((rate) => {
    const threshold = roundedDown(thresholdAtFalseMatchRate(nonMated, rate))
    return [metric === 'cosine' ? Number((1 - threshold).toFixed(3)) : threshold, rate]
  })
}

function shiftOf(metric: MatchRule['metric'], change: number): number {
  return Number((metric === 'cosine' ? 0 - change : change).toFixed(3))
}

function tableOf(rows: readonly Row[]): Table {
  return {
    title: 'Thresholds by frames and operating point',
    head: ['k', 'operating point', 'distance', 'FMR', 'FNMR', 'comparisons of different people', 'how'],
    rows: rows.map(({ k, point, threshold, falseMatchRate, falseNonMatchRate, comparisons, source }) => [
      String(k),
      point,
      threshold.toFixed(3),
      falseMatchRate.toExponential(2),
      percent(falseNonMatchRate),
      count(comparisons),
      source,
    ]),
  }
}

/** The stricter of two calibrations, threshold by threshold: a small or easy set of pictures must not loosen what a larger one gave. */
export function stricterOf(known: CalibrationEntry, found: CalibrationEntry): { entry: CalibrationEntry; changed: boolean } {
  const least = (point: OperatingPoint) =>
    Object.fromEntries(Object.entries(found.points[point]).map(([k, value]) => [k, Math.min(value, known.points[point][k] ?? value)]))
  const points = { 'fmr1e-4': least('fmr1e-4'), 'fmr1e-5': least('fmr1e-5') }
  const changed = JSON.stringify(points) !== JSON.stringify(known.points)
  return { entry: changed ? { ...found, points, consecutive: known.consecutive } : known, changed }
}

/** Whether the known curve promises at least as many false matches at every threshold of the new one: then it stays. */
export function isMoreCautious(
  known: FalseMatchCurve,
  found: readonly (readonly [number, number])[],
  thresholdAt: (curve: FalseMatchCurve, rate: number) => number,
): boolean {
  return found.every(([threshold, rate]) => {
    const kept = thresholdAt(known, rate)
    return known.metric === 'cosine' ? kept >= threshold : kept <= threshold
  })
}
