/** The algebra of mandates, against chains that no grant would make: a decision judges every link by itself. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Ask, type Candidate, findFault, type Link } from '../../src/proxies/decision/judge.ts'
import { addDays, type Day, dayOf, endOfDay } from '../../src/proxies/mandate/day.ts'
import { CHANGES, findTransition, MANDATE_STATES, type MandateState, TRANSITIONS } from '../../src/proxies/mandate/transition.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const TODAY = dayOf(NOW)
const ASK: Ask = { today: TODAY, now: NOW, instance: undefined, grantorLevel: 'prata' }
const RUNS = { numRuns: 400, seed: 20261128 }

/** A chain of `length` links that permits: each property breaks one thing of it. */
function chainOf(length: number): Link[] {
  return Array.from({ length }, (_, index) => ({
    id: `m${index}`, parentId: index === 0 ? undefined : `m${index - 1}`, state: 'active', representedId: 'p0', grantorId: `p${index}`, delegateId: `p${index + 1}`,
    subDepth: length - 1 - index, validFrom: addDays(TODAY, -1), validThrough: addDays(TODAY, 1), effectiveAt: NOW, instance: undefined, hasPower: true,
    standings: ['regular', 'regular'],
  }))
}
const candidate = (links: readonly Link[]): Candidate => ({ kind: 'procuracao', links, grantorLevel: 'prata' })
const broken = fc.integer({ min: 1, max: 4 }).chain((length) => fc.tuple(fc.constant(length), fc.nat(length - 1)))

/** Breaks one link of a sound chain and says what came of it. */
function breakOne(length: number, at: number, change: Partial<Link>, ask: Partial<Ask> = {}): string | undefined {
  const links = chainOf(length).map((link, index) => (index === at ? { ...link, ...change } : link))
  return findFault(candidate(links), { ...ASK, ...ask })
}

describe('a chain', () => {
  test('permits when every link does', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), (length) => findFault(candidate(chainOf(length)), ASK) === undefined), RUNS)
  })
  test('grants no more than any of its links: a power, a version or an instance that one lacks is lacking', () => {
    fc.assert(
      fc.property(broken, ([length, at]) => {
        assert.equal(breakOne(length, at, { hasPower: false }), 'power')
        assert.equal(breakOne(length, at, { instance: 'um veículo' }), 'instance')
        assert.equal(breakOne(length, at, { instance: 'um veículo' }, { instance: 'outro' }), 'instance')
      }),
      RUNS,
    )
  })
  test('permits in no state but active, wherever the other state stands', () => {
    const others = MANDATE_STATES.filter((state) => state !== 'active')
    fc.assert(fc.property(broken, fc.constantFrom(...others), ([length, at], state) => breakOne(length, at, { state }) !== undefined), RUNS)
  })
  test('permits never outside of the term of any link, to the day and to the moment', () => {
    fc.assert(
      fc.property(broken, fc.integer({ min: -400, max: 400 }), fc.nat(400), ([length, at], from, days) => {
        const term = { validFrom: addDays(TODAY, from), validThrough: addDays(TODAY, from + days) }
        const isWithin = from <= 0 && from + days >= 0
        assert.equal(breakOne(length, at, term) === undefined, isWithin)
      }),
      RUNS,
    )
    fc.assert(
      fc.property(broken, fc.integer({ min: -100_000, max: 100_000 }), ([length, at], milliseconds) => {
        const fault = breakOne(length, at, { effectiveAt: new Date(NOW.getTime() + milliseconds) })
        assert.equal(fault === undefined, milliseconds <= 0)
      }),
      RUNS,
    )
  })
  test('ends at the depth that each link allows', () => {
    fc.assert(
      fc.property(broken, fc.integer({ min: -1, max: 5 }), ([length, at], subDepth) => {
        const isEnough = subDepth >= length - 1 - at
        assert.equal(breakOne(length, at, { subDepth }), isEnough ? undefined : 'depth')
      }),
      RUNS,
    )
  })
  test('has nobody twice, no gap, and one represented', () => {
    fc.assert(
      fc.property(broken, fc.nat(5), ([length, at], person) => {
        const isOwn = person === at + 1
        assert.equal(breakOne(length, at, { delegateId: `p${person}` }) === undefined, isOwn || (at === length - 1 && person > length))
        assert.equal(breakOne(length, at, { representedId: 'somebody' }) === undefined, false)
        assert.equal(breakOne(length, at, { parentId: 'another' }), 'broken-chain')
        assert.equal(breakOne(length, at, { grantorId: 'another' }), 'broken-chain')
      }),
      RUNS,
    )
    assert.equal(findFault(candidate([]), ASK), 'broken-chain')
  })
  test('holds nobody who is dead, dissolved or stopped', () => {
    const standing = fc.constantFrom('suspended' as const, 'deceased' as const, 'dissolved' as const, 'cancelled' as const)
    fc.assert(fc.property(broken, standing, ([length, at], one) => breakOne(length, at, { standings: ['regular', one] }) === 'standing'), RUNS)
  })
  test('of a person below the level permits nothing, unless the law gave it', () => {
    assert.equal(findFault({ ...candidate(chainOf(1)), grantorLevel: 'bronze' }, ASK), 'grantor-level')
    assert.equal(findFault({ ...candidate(chainOf(1)), kind: 'curatela', grantorLevel: 'bronze' }, ASK), undefined)
  })
})

describe('the table of transitions', () => {
  const OVER: readonly MandateState[] = ['revoked', 'renounced', 'expired', 'terminated', 'refused', 'lapsed']
  const capacities = fc.subarray(['represented', 'grantor', 'delegate', 'authority', 'system'] as const)
  test('leads from no end anywhere: no sequence of changes makes an ended mandate count again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MANDATE_STATES), fc.array(fc.tuple(fc.constantFrom(...CHANGES), capacities), { maxLength: 12 }), (start, steps) => {
        let state: MandateState = start
        let hasEnded = OVER.includes(state)
        for (const [change, who] of steps) {
          state = findTransition(change, state, who)?.to ?? state
          if (hasEnded) assert.ok(OVER.includes(state))
          hasEnded ||= OVER.includes(state)
        }
      }),
      RUNS,
    )
  })
  test('lets nobody but the delegate take on or give up, and nobody without a capacity do anything', () => {
    for (const change of CHANGES) for (const state of MANDATE_STATES) assert.equal(findTransition(change, state, []), undefined)
    assert.deepEqual(TRANSITIONS.accepted.by, ['delegate'])
    assert.deepEqual(TRANSITIONS.renounced.by, ['delegate', 'authority'], 'an agency for whoever holds it and asks it to')
    for (const change of ['revoked', 'renounced', 'expired', 'terminated', 'suspended'] as const) assert.equal(TRANSITIONS[change].endsBelow, true)
  })
})

test('a day ends at midnight in Mato Grosso, whatever the day', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('2020-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }), (at) => {
      const day: Day = dayOf(at)
      const end = endOfDay(day)
      assert.ok(at < end && end.getTime() - at.getTime() <= 86_400_000)
      assert.equal(end.getUTCHours(), 4)
      assert.equal(dayOf(end), addDays(day, 1))
    }),
    RUNS,
  )
})
