/** Groups, bands and alarms as pure rules, with synthetic weeks. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { repeatable } from '../../bench/evaluation/random.ts'
import type { LivenessFrame } from '../../src/biometrics/liveness/protocol.ts'
import { ALARM_LIMITS, type AlarmState, changesOf, type Period } from '../../src/biometrics/outcomes/alarm.ts'
import { bandOf, placeIn } from '../../src/biometrics/outcomes/band.ts'
import { ageBandOf, type Dimension, deviceClassOf, lightBandOf, parseDeviceClass } from '../../src/biometrics/outcomes/group.ts'
import { addDays, localDay } from '../../src/platform/clock.ts'
import { hiddenGroups, protectSmall } from '../../src/biometrics/outcomes/small-groups.ts'
import { addTallies, EMPTY_TALLY, rateOf, restOf, shareOf, type Tally } from '../../src/biometrics/outcomes/tally.ts'

const NOW = new Date('2026-11-22T15:00:00Z')

describe('groups', () => {
  test('a browser is a form and a family of systems, nothing finer', () => {
    const agents: readonly (readonly [string, string])[] = [
      ['Mozilla/5.0 (Linux; Android 13; SM-A037M) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36', 'phone-android'],
      ['Mozilla/5.0 (Linux; Android 12; SM-X200) AppleWebKit/537.36 Chrome/120 Safari/537.36', 'tablet-android'],
      ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Mobile/15E148', 'phone-ios'],
      ['Mozilla/5.0 (iPad; CPU OS 12_0 like Mac OS X) AppleWebKit/605', 'tablet-ios'],
      ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120', 'desktop-windows'],
      ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605', 'desktop-macos'],
      ['Mozilla/5.0 (X11; CrOS x86_64 14541) Chrome/120', 'desktop-chromeos'],
      ['Mozilla/5.0 (X11; Linux x86_64) Firefox/120', 'desktop-linux'],
      ['curl/8.0', 'other'],
      ['', 'other'],
    ]
    for (const [agent, device] of agents) assert.equal(deviceClassOf(agent), device, agent)
    assert.equal(parseDeviceClass('phone-ios'), 'phone-ios')
    for (const stored of [undefined, null, 'SM-A037M']) assert.equal(parseDeviceClass(stored), 'other')
  })

  test('an age band changes on the birthday', () => {
    assert.deepEqual(
      ['2026-11-22', '2008-11-23', '2008-11-22', '1996-11-22', '1981-11-22', '1966-11-22', '1951-11-22', '1920-02-29'].map((born) =>
        ageBandOf(born, '2026-11-22'),
      ),
      ['0-17', '0-17', '18-29', '30-44', '45-59', '60-74', '75+', '75+'],
    )
    assert.equal(ageBandOf(undefined, '2026-11-22'), 'unknown')
    assert.equal(ageBandOf('2030-01-01', '2026-11-22'), 'unknown')
  })

  test('a day is the state’s own', () => {
    assert.equal(localDay(new Date('2026-11-22T03:59:00Z')), '2026-11-21')
    assert.equal(localDay(new Date('2026-11-22T04:00:00Z')), '2026-11-22')
    assert.equal(addDays('2026-02-28', 1), '2026-03-01')
    assert.equal(addDays('2026-03-01', -1), '2026-02-28')
  })

  test('light is that of the middle frame; no face is no light', () => {
    const light = (...faces: (readonly [brightness: number, unevenness: number])[]) =>
      lightBandOf(faces.map(([brightness, unevenness]) => frame({ brightness, unevenness })))
    assert.equal(light([40, 0], [50, 0], [200, 0]), 'dark')
    assert.equal(light([120, 0.1], [10, 0.9], [125, 0.1]), 'even')
    assert.equal(light([120, 0.7], [120, 0.6]), 'uneven')
    assert.equal(light([230, 0], [240, 0]), 'bright')
    assert.equal(lightBandOf([]), 'unknown')
    assert.equal(lightBandOf([frame()]), 'unknown')
  })
})

describe('small groups', () => {
  test('fewer than ten are never alone, and never to be told by what is missing from the total', () => {
    assert.deepEqual(
      hiddenGroups([
        ['a', 100],
        ['b', 50],
      ]),
      new Set(),
    )
    assert.deepEqual(
      hiddenGroups([
        ['a', 100],
        ['b', 50],
        ['c', 3],
      ]),
      new Set(['c', 'b']),
    )
    assert.deepEqual(
      hiddenGroups([
        ['a', 100],
        ['b', 6],
        ['c', 5],
      ]),
      new Set(['c', 'b']),
    )
    assert.deepEqual(hiddenGroups([['a', 9]]), new Set(['a']))
    assert.deepEqual(
      hiddenGroups([
        ['a', 100],
        ['b', 0],
      ]),
      new Set(),
    )
  })

  test('whatever the sizes, what is hidden is nothing or ten and more, unless all is', () => {
    const random = repeatable(5)
    for (let round = 0; round < 500; round += 1) {
      const sizes = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, index) => ({ index, size: Math.floor(random() ** 3 * 60) }))
      const { shown, merged } = protectSmall(sizes, ({ size }) => size)
      const together = merged.reduce((sum, { size }) => sum + size, 0)
      assert.ok(shown.every(({ size }) => size >= 10))
      assert.ok(merged.length === 0 || together >= 10 || shown.length === 0, JSON.stringify(sizes))
    }
  })
})

describe('rates', () => {
  const tally: Tally = { passed: 80, passedAfterRefusal: 10, refused: 15, notAcquired: 5, givenUp: 40 }
  test('refusals are of all verdicts; who gave up had none', () => assert.deepEqual(shareOf('refusal', tally), { count: 20, total: 110 }))
  test('false refusals are of those let in and those who were refused first', () =>
    assert.deepEqual(shareOf('false-refusal', tally), { count: 10, total: 100 }))
  test('of nothing there is no rate', () => assert.equal(rateOf(shareOf('refusal', EMPTY_TALLY)), undefined))
  test('the rest and the part are the whole', () =>
    assert.deepEqual(addTallies([restOf(tally, { ...EMPTY_TALLY, passed: 7 }), { ...EMPTY_TALLY, passed: 7 }]), tally))

  test('a band is wider with fewer checks, never narrower than its gap, and there for a group never refused', () => {
    const rule = { sigmas: 3.5, gap: 0.02 }
    const width = (total: number) => bandOf({ count: 100, total: 1000 }, total, rule).high - 0.1
    assert.ok(width(50) > width(500))
    assert.ok(Math.abs(bandOf({ count: 1e5, total: 1e6 }, 1e6, rule).high - 0.12) < 1e-9)
    assert.equal(placeIn(bandOf({ count: 0, total: 300 }, 60, rule), { count: 1, total: 60 }), 'inside')
    assert.equal(placeIn(bandOf({ count: 0, total: 300 }, 60, rule), { count: 12, total: 60 }), 'above')
  })
})

describe('alarms', () => {
  test('a group that is refused three times as often opens one alarm, and it closes when the rate is back', () => {
    const baseline = period({ device: { 'phone-android': judged(2000, 0.08), 'phone-ios': judged(2000, 0.08) } })
    const bad = period({ device: { 'phone-android': judged(300, 0.24), 'phone-ios': judged(2500, 0.08) } })
    const { opened, closed } = changesOf({ recent: bad, baseline, whole: baseline, open: [], now: NOW })
    assert.deepEqual(
      opened.map(({ rule, measure, dimension, group, direction }) => [rule, measure, dimension, group, direction]),
      [['drift', 'refusal', 'device', 'phone-android', 'above']],
    )
    assert.deepEqual(closed, [])
    const open = opened.map((alarm) => ({ ...alarm, openedAt: NOW }))
    const still = changesOf({ recent: bad, baseline, whole: baseline, open, now: NOW })
    assert.deepEqual(still, { opened: [], closed: [] }, 'no second alarm for the same')
    const good = period({ device: { 'phone-android': judged(300, 0.08), 'phone-ios': judged(2500, 0.08) } })
    const later = changesOf({ recent: good, baseline, whole: baseline, open, now: NOW })
    assert.deepEqual(
      later.closed.map(({ key, reason }) => [key.group, reason]),
      [['phone-android', 'back-in-band']],
    )
  })

  test('a rate at the edge opens nothing anew and closes nothing too soon', () => {
    const baseline = period({ age: { '30-44': judged(2000, 0.1), '18-29': judged(20_000, 0.1) } })
    const open: AlarmState[] = [
      {
        rule: 'drift',
        measure: 'refusal',
        dimension: 'age',
        group: '30-44',
        direction: 'above',
        expected: { count: 200, total: 2000 },
        seen: { count: 60, total: 300 },
        openedAt: NOW,
      },
    ]
    const edge = period({ age: { '30-44': judged(300, 0.15), '18-29': judged(3000, 0.1) } })
    assert.deepEqual(changesOf({ recent: edge, baseline, whole: baseline, open, now: NOW }), { opened: [], closed: [] })
    assert.deepEqual(changesOf({ recent: edge, baseline, whole: baseline, open: [], now: NOW }).opened, [])
  })

  test('fewer refusals than ever is an alarm too: a protection may be off', () => {
    const baseline = period({ model: { 'standard-256-v1+pad': judged(5000, 0.2) } })
    const recent = period({ model: { 'standard-256-v1+pad': judged(800, 0.02) } })
    const { opened } = changesOf({ recent, baseline, whole: baseline, open: [], now: NOW })
    assert.deepEqual(
      opened.map(({ dimension, direction }) => [dimension, direction]),
      [['all', 'below']],
      'everybody’s drift stands for its parts',
    )
  })

  test('too few checks neither open nor close', () => {
    const baseline = period({ device: { 'phone-ios': judged(150, 0.05), other: judged(49, 0) } })
    const recent = period({ device: { 'phone-ios': judged(40, 0.9), other: judged(4, 1) } })
    const open: AlarmState[] = [
      {
        rule: 'drift',
        measure: 'refusal',
        dimension: 'device',
        group: 'phone-ios',
        direction: 'above',
        expected: { count: 20, total: 400 },
        seen: { count: 40, total: 100 },
        openedAt: NOW,
      },
    ]
    assert.deepEqual(changesOf({ recent, baseline, whole: baseline, open, now: NOW }), { opened: [], closed: [] })
    assert.deepEqual(changesOf({ recent, baseline, whole: baseline, open: [], now: NOW }), { opened: [], closed: [] })
  })

  test('when everybody is refused more, it is one alarm and not one for each group', () => {
    const names = ['phone-android', 'phone-ios', 'desktop-windows', 'desktop-macos', 'other']
    const of = (total: number, rate: number) => Object.fromEntries(names.map((name) => [name, judged(total, rate)]))
    const baseline = period({ device: of(2000, 0.1), light: { even: judged(10_000, 0.1) }, age: { '30-44': judged(10_000, 0.1) } })
    const recent = period({ device: of(300, 0.4), light: { even: judged(1500, 0.4) }, age: { '30-44': judged(1500, 0.4) } })
    const { opened } = changesOf({ recent, baseline, whole: baseline, open: [], now: NOW })
    assert.deepEqual(
      opened.map(({ dimension }) => dimension),
      ['all'],
    )
  })

  test('a group that is always refused more is found by the others, stays open for ever, and light is not a group of people', () => {
    const weeks = {
      age: { '75+': judged(400, 0.25), '30-44': judged(6000, 0.08) },
      light: { dark: judged(1000, 0.5), even: judged(5400, 0.05) },
    }
    const whole = period(weeks)
    const { opened } = changesOf({ recent: whole, baseline: whole, whole, open: [], now: NOW })
    const differential = opened.filter(({ rule, group }) => rule === 'differential' && group === '75+')
    assert.deepEqual(
      differential.map(({ measure, direction }) => [measure, direction]),
      [['refusal', 'above']],
    )
    assert.ok(opened.every(({ dimension }) => dimension !== 'light'))
    const openedAt = new Date(NOW.getTime() - 400 * 86_400_000)
    const open = opened.map((alarm) => ({ ...alarm, openedAt }))
    assert.deepEqual(changesOf({ recent: whole, baseline: whole, whole, open, now: NOW }).closed, [])
  })

  test('a drift that lasts as long as the baseline becomes what is expected', () => {
    const period_ = period({ device: { other: judged(1000, 0.3) } })
    const alarm: AlarmState = {
      rule: 'drift',
      measure: 'refusal',
      dimension: 'device',
      group: 'other',
      direction: 'above',
      expected: { count: 100, total: 1000 },
      seen: { count: 300, total: 1000 },
      openedAt: new Date(NOW.getTime() - ALARM_LIMITS.baselineDays * 86_400_000),
    }
    assert.deepEqual(
      changesOf({ recent: period_, baseline: period_, whole: period_, open: [alarm], now: NOW }).closed.map(({ reason }) => reason),
      ['new-baseline'],
    )
    const young = { ...alarm, openedAt: NOW }
    assert.deepEqual(changesOf({ recent: period_, baseline: period_, whole: period_, open: [young], now: NOW }).closed, [], 'not before')
  })

  test('a year in which nothing changes rings at most twice', () => {
    const random = repeatable(11)
    const names = ['phone-android', 'phone-ios', 'desktop-windows', '18-29', '30-44', '45-59', '60-74', '75+']
    const draw = (total: number, rate: number): Tally => {
      let refused = 0
      for (let check = 0; check < total; check += 1) if (random() < rate) refused += 1
      return { ...EMPTY_TALLY, passed: total - refused, refused }
    }
    const days = Array.from({ length: 365 }, () => Object.fromEntries(names.map((name) => [name, draw(40, 0.09)])))
    const span = (from: number, to: number) =>
      period({
        device: Object.fromEntries(names.map((name) => [name, addTallies(days.slice(from, to).map((day) => day[name] ?? EMPTY_TALLY))])),
      })
    let rung = 0
    for (let day = 31; day <= 365; day += 3) {
      rung += changesOf({ recent: span(day - 3, day), baseline: span(day - 31, day - 3), whole: span(day - 28, day), open: [], now: NOW })
        .opened.length
    }
    assert.ok(rung <= 2, `${rung} false alarms`)
  })
})

function judged(total: number, rate: number): Tally {
  const refused = Math.round(total * rate)
  return { ...EMPTY_TALLY, passed: total - refused, refused }
}

/** Everybody is the sum of the first dimension that is given. */
function period(groups: Partial<Record<Dimension, Record<string, Tally>>>): Period {
  const entries = Object.entries(groups)
  const maps = new Map(
    (['device', 'light', 'age', 'model', 'class'] as const).map(
      (dimension) => [dimension, new Map(Object.entries(groups[dimension] ?? {}))] as const,
    ),
  )
  return { all: addTallies(Object.values(entries[0]?.[1] ?? {})), groups: maps }
}

function frame(face?: { brightness: number; unevenness: number }): LivenessFrame {
  const seen = face && {
    box: { x: 0, y: 0, width: 200, height: 200 },
    score: 1,
    landmarks: [],
    skin: { red: 1, green: 1, blue: 1 },
    sharpness: 50,
    pose: { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 },
    ...face,
  }
  const observation = {
    modelId: 'x',
    width: 640,
    height: 480,
    faces: seen ? [seen] : [],
    background: { red: 1, green: 1, blue: 1 },
    perceptualHash: '',
    pixelDigest: '',
  }
  return { sequence: 1, step: 0, capturedMs: 0, arrivedAt: NOW, observation }
}
