import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastMomentOf } from '../../src/platform/clock.ts'

test('the last moment of a day is by Mato Grosso’s clocks, in a year with summer time too', () => {
  assert.equal(lastMomentOf('2027-06-30')?.toISOString(), '2027-07-01T03:59:59.000Z')
  assert.equal(lastMomentOf('2018-12-24')?.toISOString(), '2018-12-25T02:59:59.000Z')
})

test('what is no day of the calendar has no last moment', () => {
  for (const text of ['', '2027-02-30', '2027-13-01', '27-06-30', '2027-06-30 ', '2027-06-30T00:00:00Z']) assert.equal(lastMomentOf(text), undefined, text)
})
