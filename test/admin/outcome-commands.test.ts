/** `biometria resultados`: the same numbers as the page, in a terminal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trendChart } from '../../src/admin/biometrics/trend-chart.ts'
import { createOutcomeCommands, runCommandLine } from '../../src/admin/index.ts'
import type { OutcomeReport, Tally } from '../../src/biometrics/index.ts'

const TALLY: Tally = { passed: 80, passedAfterRefusal: 4, refused: 12, notAcquired: 4, givenUp: 5 }
const NONE = { device: [], light: [], age: [], model: [], class: [] }
const EMPTY: OutcomeReport = {
  days: 28,
  from: '2026-10-26',
  to: '2026-11-22',
  total: undefined,
  trend: [],
  groups: NONE,
  reasons: [],
  alarms: [],
}
const FULL: OutcomeReport = {
  ...EMPTY,
  total: TALLY,
  groups: { ...NONE, device: [{ name: 'phone-android', tally: TALLY }] },
  reasons: [{ name: 'face/too-dark', checks: 12 }],
  alarms: [
    {
      id: 'a',
      rule: 'drift',
      measure: 'refusal',
      dimension: 'device',
      group: 'phone-android',
      direction: 'above',
      expected: { count: 8, total: 100 },
      seen: { count: 30, total: 100 },
      openedAt: new Date('2026-11-20T10:11:00Z'),
      closedAt: undefined,
      closeReason: undefined,
    },
  ],
}

async function run(report: OutcomeReport, ...words: string[]) {
  const asked: number[] = []
  const outcomes = {
    async report(days: number) {
      asked.push(days)
      return report
    },
  }
  const [outs, errors]: [string[], string[]] = [[], []]
  const terminal = { out: (text: string) => void outs.push(text), error: (text: string) => void errors.push(text) }
  const code = await runCommandLine(
    createOutcomeCommands(async () => outcomes),
    ['biometria', 'resultados', ...words],
    terminal,
  )
  return { code, out: outs.join(''), error: errors.join(''), asked }
}

test('a table of groups, reasons and open alarms', async () => {
  const { code, out, asked } = await run(FULL)
  assert.equal(code, 0)
  assert.deepEqual(asked, [28])
  assert.match(out, /^De 2026-10-26 a 2026-11-22\n/)
  assert.match(out, /\ntodos +todos +105 +80 +4 +12 +4 +5 +0\.1600 +0\.0455/)
  assert.match(out, /\naparelho +phone-android +105/)
  assert.match(out, /face\/too-dark +12/)
  assert.match(out, /ALARME desde 2026-11-20T10:11Z: device phone-android: recusas acima do que era/)
})

test('too few checks say so; a period that is none is not understood; programs read JSON', async () => {
  assert.match((await run(EMPTY, '--dias', '7')).out, /Menos de 10 conferências.*\n\nNenhum alarme aberto/)
  assert.deepEqual((await run(EMPTY, '--dias', '90')).asked, [90])
  const wrong = await run(EMPTY, '--dias', '30')
  assert.equal(wrong.code, 2)
  assert.match(wrong.error, /há 7, 28, 90/)
  assert.equal(JSON.parse((await run(FULL, '--json')).out).total.passed, 80)
})

test('a chart breaks where days have too few checks, and its scale holds the highest', () => {
  const trend = Array.from({ length: 28 }, (_, index) => ({
    day: `2026-11-${String(index + 1).padStart(2, '0')}`,
    tally: index === 10 ? undefined : { ...TALLY, refused: index },
  }))
  const chart = trendChart({ ...FULL, trend }, 'refusal')
  assert.equal(chart?.lines.length, 2)
  assert.equal(chart?.points.length, 27)
  assert.ok(chart?.points.every(({ x, y }) => x >= 0 && x <= chart.width && y >= 0 && y <= chart.height))
  assert.deepEqual([chart?.labels[0]?.day, chart?.labels.at(-1)?.day], ['2026-11-01', '2026-11-28'])
  assert.equal(trendChart({ ...FULL, trend: trend.map(({ day }) => ({ day, tally: undefined })) }, 'refusal'), undefined)
})
