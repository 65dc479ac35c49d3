/** What the evaluation and the calibration write: well-formed pictures, honest thresholds, and a refusal where the data are too few. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { calibrate, isMoreCautious, stricterOf, TooFewComparisons } from '../../bench/evaluation/calibrate.ts'
import { crossMatch, galleryOf } from '../../bench/evaluation/cross-match.ts'
import type { Enrolled } from '../../bench/evaluation/enrolment.ts'
import { errorCurve, errorsAt } from '../../bench/evaluation/error-curve.ts'
import { tilted } from '../../bench/evaluation/pad/presentation.ts'
import { readSpecies } from '../../bench/evaluation/pad/species.ts'
import { identityOf, readPhotographs } from '../../bench/evaluation/photographs.ts'
import { repeatable } from '../../bench/evaluation/random.ts'
import { isMet, markdownOf, writeReport } from '../../bench/evaluation/report.ts'
import { type Chart, chartSvg, histogramOf } from '../../bench/evaluation/svg.ts'
import { calibrationSchema } from '../../src/biometrics/calibration.ts'
import { type FalseMatchCurve, thresholdAt } from '../../src/biometrics/search/operating-point.ts'

const CHART: Chart = {
  title: 'Rates of <two> & "more" people',
  x: { label: 'false match rate', scale: 'log', from: 1e-5, to: 1 },
  y: { label: 'share', scale: 'linear', from: 0, to: 0.4 },
  series: [
    {
      name: 'a & b',
      points: [
        [1e-6, 0.3],
        [1e-2, 0.1],
        [1, 0],
      ],
    },
    { name: 'filled', points: histogramOf([0.1, 0.2, 0.2, 0.9], 0, 1, 10), filled: true },
    { name: 'empty', points: [] },
  ],
  marks: [{ x: 1e-4, label: 'limit' }],
}

/** Every tag is closed in order, every attribute quoted, every number finite: enough for what we write. */
function checkWellFormed(svg: string): void {
  const open: string[] = []
  for (const [tag, closing, name = '', rest = ''] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>/g)) {
    assert.match(rest, /^(\s[a-zA-Z][a-zA-Z0-9-]*="[^"<>]*")*\/?$/, tag)
    if (closing) assert.equal(open.pop(), name)
    else if (!rest.endsWith('/')) open.push(name)
  }
  assert.deepEqual(open, [])
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
  assert.doesNotMatch(svg.replaceAll(/&#\d+;/g, ''), /&/)
}

test('a chart is well-formed SVG with its words escaped and nothing outside the frame', () => {
  const svg = chartSvg(CHART)
  checkWellFormed(svg)
  assert.ok(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'))
  assert.match(svg, /Rates of &#60;two&#62; &#38; &#34;more&#34; people/)
  assert.match(svg, /1e-5/)
})

test('a histogram holds every value once, those beyond its ends in the last bins', () => {
  const steps = histogramOf([-5, 0.05, 0.15, 99], 0, 1, 10)
  assert.equal(steps.length, 20)
  const share = steps.filter((_, at) => at % 2 === 0).reduce((sum, [, y]) => sum + y, 0)
  assert.ok(Math.abs(share - 1) < 1e-9)
  assert.equal(steps[0]?.[1], 0.5)
})

test('a report is written as Markdown, JSON and one SVG for each chart', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-evaluation-'))
  try {
    const figure = { what: 'equal error rate', value: 0.007, target: { most: 0.0065 }, text: '0.7 %' }
    const table = { title: 'Rates', head: ['a', 'b'], rows: [['1', '2']], notes: ['Read with care.'] }
    const section = { name: 'recognition', title: '1:1', tables: [table], charts: { det: CHART }, figures: [figure], data: { rate: 0.007 } }
    const report = { modelId: 'm-1', set: 'standard', madeAt: '2026-11-22T12:00:00Z', sections: [section] }
    const written = writeReport(report, folder)
    assert.deepEqual(
      written.map((file) => path.basename(file)),
      ['evaluation-standard.md', 'evaluation-standard.json', 'standard-det.svg'],
    )
    assert.match(markdownOf(report), /\| equal error rate \| 0\.7 % \| ≤ 0\.0065 \| \*\*no\*\* \|/)
    assert.match(markdownOf(report), /não certificado ISO\/IEC 30107-3/)
    const json = JSON.parse(readFileSync(path.join(folder, 'evaluation-standard.json'), 'utf8'))
    assert.equal(json.sections[0].figures[0].met, false)
    assert.ok(existsSync(path.join(folder, 'standard-det.svg')))
    assert.equal(isMet({ ...figure, target: { least: 0.007 } }), true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('photographs and species are read by their folders, and a list that lies is refused', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-evaluation-'))
  try {
    for (const kind of ['set', 'pad-x/bonafide', 'pad-x/print_photo', 'pad-x/inject_warp'])
      mkdirSync(path.join(folder, kind), { recursive: true })
    for (const file of [
      'set/Ana_Lima_0001.jpg',
      'set/Ana_Lima_0002.jpg',
      'pad-x/bonafide/1.jpg',
      'pad-x/print_photo/1.jpg',
      'pad-x/inject_warp/1.jpg',
    ]) {
      writeFileSync(path.join(folder, file), '')
    }
    writeFileSync(path.join(folder, 'set-pairs.tsv'), 'a\tb\tsame\nAna_Lima_0001.jpg\tAna_Lima_0002.jpg\t1\n')
    assert.deepEqual(readPhotographs(folder)?.pairs, [{ left: 'Ana_Lima_0001.jpg', right: 'Ana_Lima_0002.jpg', same: true }])
    assert.equal(identityOf('Ana_Lima_0002.jpg'), 'Ana_Lima')
    const kinds = Object.fromEntries((readSpecies(folder)?.species ?? []).map(({ name, kind, manners }) => [name, [kind, manners.length]]))
    assert.deepEqual(kinds, { bonafide: ['bona fide', 1], print_photo: ['presentation', 2], inject_warp: ['injection', 2] })
    writeFileSync(path.join(folder, 'set-pairs.tsv'), 'a\tb\tsame\nAna_Lima_0001.jpg\tNobody_0001.jpg\t0\n')
    assert.throws(() => readPhotographs(folder), /Nobody_0001/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a sheet that is turned narrows towards its middle and stays itself when it is not', () => {
  const scene = Buffer.alloc(640 * 480 * 3)
  for (let row = 0; row < 480; row++)
    for (let column = 220; column < 420; column++) scene.fill(255, (row * 640 + column) * 3, (row * 640 + column) * 3 + 3)
  assert.equal(tilted(scene, 0), scene)
  const widthOf = (picture: Buffer) =>
    Array.from({ length: 640 }, (_, column) => picture[(240 * 640 + column) * 3] ?? 0).filter((value) => value > 0).length
  const narrow = widthOf(tilted(scene, 40))
  assert.ok(narrow > 130 && narrow < 170, `${narrow}`)
})

/** People at random places of a line ten thousand long, some with six pictures and most with one. */
function crowd(withSix: number, withOne: number): Enrolled[] {
  const random = repeatable(7)
  return Array.from({ length: withSix + withOne }, (_, person) => {
    const place = random() * 10_000
    return Array.from({ length: person < withSix ? 6 : 1 }, (_each, at) => ({
      file: `p${person}_${at}.jpg`,
      identity: `p${person}`,
      descriptor: [place + (random() - 0.5) / 100],
    }))
  }).flat()
}

const LINE = { modelId: 'line-1', metric: 'euclidean' } as const
const CROWD = crowd(150, 1700)
const found = calibrate(LINE, CROWD, 'test')

test('calibration gives the quantile that is known, and never lets more through', () => {
  // |a - b| of two uniform numbers of a line ten thousand long is below t with probability near t / 5000: 1e-4 at .5.
  const usual = found.entry.points['fmr1e-4']['1'] ?? Number.NaN
  assert.ok(usual > 0.4 && usual < 0.6, `${usual}`)
  const { mated, nonMated } = crossMatch(galleryOf('euclidean', CROWD))
  assert.ok(errorsAt(errorCurve(mated.distances, nonMated.distances), usual).falseMatchRate <= 1e-4)
})

test('the same pictures give the same calibration, and one that the program reads', () => {
  assert.deepEqual(calibrate(LINE, CROWD, 'test'), found)
  const parsed = calibrationSchema.parse(found.entry)
  assert.deepEqual(Object.keys(parsed.points['fmr1e-5']), ['1', '3', '5'])
  assert.ok((parsed.points['fmr1e-5']['1'] ?? 9) < (parsed.points['fmr1e-4']['1'] ?? 0))
  assert.deepEqual(
    found.points.map(([, rate]) => rate),
    [1e-3, 3e-4, 1e-4, 3e-5, 1e-5],
  )
})

test('what the pairs of people do not bear is carried over from single pictures and says so', () => {
  const how = found.table.rows.map((row) => [row[0], row[1], row.at(-1)].join(' '))
  assert.deepEqual(how, [
    '1 fmr1e-4 measured',
    '1 fmr1e-5 measured',
    '3 fmr1e-4 measured',
    '3 fmr1e-5 carried',
    '5 fmr1e-4 measured',
    '5 fmr1e-5 carried',
  ])
})

test('too few comparisons are refused, with how many it takes', () => {
  assert.throws(
    () => calibrate({ modelId: 'm', metric: 'euclidean' }, crowd(20, 20), 'test'),
    (error) => error instanceof TooFewComparisons && /needs 300,000 comparisons/.test(error.message) && /rule of 30/.test(error.message),
  )
})

test('a looser calibration changes nothing, a stricter one only what it tightens', () => {
  const known = {
    modelId: 'm',
    metric: 'cosine' as const,
    points: { 'fmr1e-4': { '1': 0.5, '3': 0.48 }, 'fmr1e-5': { '1': 0.4, '3': 0.38 } },
    consecutive: 0.6,
    source: 'large set',
  }
  const looser = { ...known, points: { 'fmr1e-4': { '1': 0.52, '3': 0.5 }, 'fmr1e-5': { '1': 0.42, '3': 0.4 } }, source: 'small set' }
  assert.deepEqual(stricterOf(known, looser), { entry: known, changed: false })
  const mixed = { ...looser, points: { ...looser.points, 'fmr1e-5': { '1': 0.39, '3': 0.4 } } }
  const { entry, changed } = stricterOf(known, mixed)
  assert.equal(changed, true)
  assert.deepEqual(entry.points, { 'fmr1e-4': { '1': 0.5, '3': 0.48 }, 'fmr1e-5': { '1': 0.39, '3': 0.38 } })
})

test('a false match curve stays where it promises at least as many false matches', () => {
  const curve: FalseMatchCurve = {
    modelId: 'm',
    dimension: 2,
    metric: 'cosine',
    points: [
      [0.4, 1e-3],
      [0.5, 1e-4],
    ],
    shiftByFrames: {},
    source: 's',
  }
  assert.equal(
    isMoreCautious(
      curve,
      [
        [0.38, 1e-3],
        [0.49, 1e-4],
      ],
      thresholdAt,
    ),
    true,
  )
  assert.equal(
    isMoreCautious(
      curve,
      [
        [0.38, 1e-3],
        [0.52, 1e-4],
      ],
      thresholdAt,
    ),
    false,
  )
})
