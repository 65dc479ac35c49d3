/** Franchise, compensation, plans and availability: the worked examples of docs/image-service.md, and what must hold of any numbers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { availabilityOf, isKept, slotsOf, wasActive } from '../../src/biometrics/points/metering/availability.ts'
import { compensate, type PointUse, settleSemester, sum } from '../../src/biometrics/points/metering/franchise.ts'
import { daysOf, endsSemester, monthOf, parseMonth, semesterUntil, spanOfMonth } from '../../src/biometrics/points/metering/month.ts'
import { readPlan } from '../../src/biometrics/points/metering/plan.ts'
import { type MeteredPoint, statementOf } from '../../src/biometrics/points/metering/statement.ts'

const HOURS = { weekdays: [1, 2, 3, 4, 5], opens: '08:00', closes: '17:00' }
const FIXED = readPlan({ kind: 'fixed', pointCents: 250_000, excessCents: 950, hours: HOURS })
const EACH = readPlan({ kind: 'per-process', processCents: 1_275, hours: HOURS })
const RUNS = { seed: 20261128, numRuns: 300 }

const count = fc.integer({ min: 0, max: 1000 })
const uses: fc.Arbitrary<PointUse[]> = fc.uniqueArray(
  fc.record({ code: fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '2', '-'), minLength: 1, maxLength: 6 }), processes: count, franchise: fc.constantFrom(0, 200) }),
  { selector: ({ code }) => code, maxLength: 20 },
)
const point = (code: string, processes: number, more: Partial<MeteredPoint> = {}): MeteredPoint => ({
  pointId: '00000000-0000-4000-8000-000000000000', code, unitCode: 'u', title: code, processes, offline: 0, wasActive: true, expected: 0, available: 0, ...more,
})

test('the worked example: 260, 150 and 40 processes at three points; nothing is paid beyond the fixed price', () => {
  const shares = compensate([{ code: 'a', processes: 260, franchise: 200 }, { code: 'b', processes: 150, franchise: 200 }, { code: 'c', processes: 40, franchise: 200 }])
  assert.deepEqual(shares.map(({ code, excess, unused, received, given, payable }) => [code, excess, unused, received, given, payable]), [
    ['a', 60, 0, 60, 0, 0], ['b', 0, 50, 0, 50, 0], ['c', 0, 160, 0, 10, 0],
  ])
})

test('the worked example of a semester: July pays 100 too many, August leaves 70 unused, December gives 70 back', () => {
  const settled = settleSemester([
    { month: '2026-08', payable: 0, unused: 70, excessCents: 1000 }, { month: '2026-07', payable: 100, unused: 0, excessCents: 950 }, { month: '2026-12', payable: 30, unused: 0, excessCents: 1000 },
  ])
  assert.deepEqual(settled.map(({ month, credited, creditCents }) => [month, credited, creditCents]), [['2026-07', 70, 66_500], ['2026-08', 0, 0], ['2026-12', 0, 0]])
})

test('compensation: sums hold, nobody gives more than is unused or gets more than the excess, and as much as possible is covered', () => {
  fc.assert(
    fc.property(uses, (points) => {
      const shares = compensate(points)
      const total = (member: 'processes' | 'excess' | 'unused' | 'received' | 'given' | 'payable') => sum(shares.map((share) => share[member]))
      assert.equal(total('received'), total('given'))
      assert.equal(total('received'), Math.min(total('excess'), total('unused')))
      assert.equal(total('payable'), Math.max(0, sum(points.map((each) => each.processes)) - sum(points.map((each) => each.franchise))), 'the contract pays what exceeds its franchises together')
      for (const share of shares) {
        assert.ok(share.received <= share.excess && share.given <= share.unused && share.payable >= 0)
        assert.equal(share.processes, share.franchise - share.unused + share.excess)
      }
    }),
    RUNS,
  )
})

test('no order matters: of the points, of the months, or in which processes came', () => {
  const month = fc.record({ month: fc.constantFrom('2026-07', '2026-08', '2026-09', '2026-10', '2026-11', '2026-12'), payable: count, unused: count, excessCents: count })
  const months = fc.uniqueArray(month, { selector: (each) => each.month, maxLength: 6 })
  fc.assert(fc.property(uses, fc.infiniteStream(fc.nat()), (points, keys) => assert.deepEqual(compensate(shuffled(points, keys)), compensate(points))), RUNS)
  fc.assert(fc.property(months, fc.infiniteStream(fc.nat()), (all, keys) => assert.deepEqual(settleSemester(shuffled(all, keys)), settleSemester(all))), RUNS)
})

function shuffled<T>(things: readonly T[], keys: Iterator<number>): T[] {
  return things.map((thing) => ({ thing, key: Number(keys.next().value) })).sort((a, b) => a.key - b.key).map(({ thing }) => thing)
}

test('a semester never gives back more than was paid, nor more than was unused', () => {
  const months = fc.array(fc.record({ month: fc.string({ minLength: 7, maxLength: 7 }), payable: count, unused: count, excessCents: count }), { maxLength: 6 })
  fc.assert(
    fc.property(months, (all) => {
      const settled = settleSemester(all)
      assert.equal(sum(settled.map(({ credited }) => credited)), Math.min(sum(all.map(({ payable }) => payable)), sum(all.map(({ unused }) => unused))))
      for (const each of settled) assert.ok(each.credited <= each.payable && each.creditCents === each.credited * each.excessCents)
    }),
    RUNS,
  )
})

test('a statement adds up: its lines are its sums, its sums its total, in whole centavos, for either plan', () => {
  const points = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 5 }), count, fc.boolean()), { selector: ([code]) => code, maxLength: 15 })
  fc.assert(
    fc.property(points, fc.constantFrom(FIXED, EACH), (all, plan) => {
      const metered = all.map(([code, processes, wasActiveThen]) => point(code, processes, { wasActive: wasActiveThen }))
      const statement = statementOf({ contract: 'c', month: '2026-11', plan, points: metered, settle: () => [] })
      assert.equal(statement.processes, sum(all.map(([, processes]) => processes)))
      assert.equal(sum(statement.points.map(({ cents }) => cents)), statement.fixedCents + statement.processesCents)
      assert.equal(statement.totalCents, statement.fixedCents + statement.processesCents - statement.creditCents)
      assert.ok(Number.isSafeInteger(statement.totalCents))
      if (plan.kind === 'per-process') assert.equal(statement.totalCents, statement.processes * plan.processCents)
    }),
    RUNS,
  )
})

test('months are Mato Grosso’s, semesters end in June and December', () => {
  assert.equal(monthOf(new Date('2026-12-01T03:59:59Z')), '2026-11')
  assert.equal(monthOf(new Date('2026-12-01T04:00:00Z')), '2026-12')
  assert.deepEqual(spanOfMonth('2026-12'), { startsAt: new Date('2026-12-01T04:00:00Z'), endsAt: new Date('2027-01-01T04:00:00Z') })
  assert.deepEqual([semesterUntil('2026-03'), semesterUntil('2026-12').length, endsSemester('2026-06'), endsSemester('2026-07')], [['2026-01', '2026-02', '2026-03'], 6, true, false])
  assert.deepEqual([daysOf('2028-02').length, daysOf('2026-11')[0]?.weekday, daysOf('2026-11')[1]?.weekday], [29, 7, 1])
  for (const text of ['2026-13', '2026-1', 'x', '2026-00', '2026-11-01']) assert.equal(parseMonth(text), undefined)
})

test('what is expected: service hours of open days, only while the point was active, only what is past', () => {
  const plan = { hours: { ...HOURS, closedDays: ['2026-11-02'] } }
  const whole = slotsOf('2026-11', plan, new Date('2027-01-01T00:00:00Z'))
  assert.equal(whole.length, 20 * 9 * 12, '21 weekdays but one holiday, nine hours, twelve slots')
  assert.equal(slotsOf('2026-11', plan, new Date('2026-11-03T12:09:59Z')).length, 1)
  const spells = [{ pointId: 'p', state: 'active' as const, at: new Date('2026-11-10T04:00:00Z') }, { pointId: 'p', state: 'suspended' as const, at: new Date('2026-11-11T04:00:00Z') }]
  const all = new Set(whole)
  assert.deepEqual(availabilityOf(whole, spells, { ready: all, working: all }), { expected: 108, available: 108 })
  assert.deepEqual(availabilityOf(whole, [], { ready: all, working: all }), { expected: 0, available: 0 })
  assert.deepEqual(availabilityOf(whole, spells, { ready: all, working: new Set() }), { expected: 108, available: 0 }, 'no probe, no availability')
  assert.deepEqual(availabilityOf(whole, spells, { ready: new Set(), working: all }), { expected: 108, available: 0 }, 'silence is no availability')
  const span = spanOfMonth('2026-11')
  assert.deepEqual([wasActive(spells, span), wasActive(spells, spanOfMonth('2026-12')), wasActive(spells.slice(0, 1), spanOfMonth('2026-12')), wasActive(spells, spanOfMonth('2026-10'))], [true, false, true, false])
})

test('98 % is 98 %: exactly kept, one slot less broken, nothing expected kept', () => {
  assert.deepEqual([isKept({ expected: 100, available: 98 }, 980), isKept({ expected: 10_000, available: 9_799 }, 980), isKept({ expected: 0, available: 0 }, 980)], [true, false, true])
})

test('plans are whole centavos and hours that can be; anything else is refused', () => {
  assert.equal(FIXED.kind === 'fixed' && FIXED.franchise, 200)
  assert.equal(FIXED.promisedPermille, 980)
  const wrong = [
    null, {}, { ...FIXED, excessCents: 9.5 }, { ...FIXED, pointCents: -1 }, { ...FIXED, kind: 'free' }, { ...FIXED, hours: { ...HOURS, opens: '18:00' } },
    { ...FIXED, hours: { ...HOURS, opens: '08:03' } }, { ...FIXED, hours: { ...HOURS, closes: '24:30' } }, { ...FIXED, hours: { ...HOURS, weekdays: [] } }, { ...FIXED, extra: 1 }, { ...EACH, franchise: 200 },
  ]
  for (const plan of wrong) assert.throws(() => readPlan(plan), /points\/plan-invalid/, JSON.stringify(plan))
})
