/** The order of the waiting line: the law first, and nobody waits without end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TICKET_STATES, TICKET_STEPS, TRANSITIONS } from '../../src/helpdesk/queue/ticket.ts'
import { DEFAULT_RULE, nextTurn, type QueueRule, type Run, TICKET_CLASSES, type TicketClass, type WaitingTicket } from '../../src/helpdesk/queue/turn.ts'

const MINUTE_MS = 60_000
const OPENED = Date.parse('2026-11-23T11:00:00Z')
const START: Run = { law: 0, booked: 0 }
const at = (minutes: number) => new Date(OPENED + minutes * MINUTE_MS)
const ticket = (id: string, kind: TicketClass, minutes: number, due = minutes): WaitingTicket => ({ id, class: kind, issuedAt: at(minutes), dueAt: at(due) })

/** Calls until nobody is left. */
function callAll(waiting: readonly WaitingTicket[], rule: QueueRule = DEFAULT_RULE, now = at(600)): string[] {
  const called: string[] = []
  let left = [...waiting]
  for (let run = START, turn = nextTurn(left, run, rule, now); turn; turn = nextTurn(left, run, rule, now)) {
    const { id } = turn.ticket
    called.push(id)
    left = left.filter((other) => other.id !== id)
    run = turn.run
  }
  return called
}

describe('whose turn it is', () => {
  test('80 and more before the other preferential ones, donors after them, whoever came first', () => {
    assert.deepEqual(
      callAll([ticket('donor', 'donor', 1), ticket('sixty', 'priority', 2), ticket('eighty', 'eighty', 3), ticket('pregnant', 'priority', 4)]),
      ['eighty', 'sixty', 'pregnant', 'donor'],
    )
  })

  test('after three preferential calls in a row somebody without priority is called', () => {
    const line = [ticket('n', 'ordinary', 0), ...['a', 'b', 'c', 'd'].map((id, index) => ticket(id, 'priority', index + 1))]
    assert.deepEqual(callAll(line), ['a', 'b', 'c', 'n', 'd'])
  })

  test('booked ones go at their hour before those without, two in a row', () => {
    const line = [ticket('n', 'ordinary', 0), ...['a', 'b', 'c'].map((id, index) => ticket(id, 'booked', index + 1, 10 + index))]
    assert.deepEqual(callAll(line), ['a', 'b', 'n', 'c'])
  })

  test('who came before the booked hour waits for it, unless nobody else waits', () => {
    const early = ticket('h', 'booked', 1, 60)
    assert.equal(nextTurn([early, ticket('n', 'ordinary', 2)], START, DEFAULT_RULE, at(5))?.ticket.id, 'n')
    assert.equal(nextTurn([early], START, DEFAULT_RULE, at(5))?.ticket.id, 'h')
    assert.equal(nextTurn([early, ticket('n', 'ordinary', 2)], START, DEFAULT_RULE, at(60))?.ticket.id, 'h')
  })

  test('nobody waits: nobody is called', () => assert.equal(nextTurn([], START, DEFAULT_RULE, at(0)), undefined))
})

const rules = fc.record({ lawRun: fc.integer({ min: 1, max: 10 }), bookedRun: fc.integer({ min: 1, max: 10 }) })
const lines = fc
  .array(fc.record({ class: fc.constantFrom(...TICKET_CLASSES), minutes: fc.integer({ min: 0, max: 500 }) }), { maxLength: 40 })
  .map((found) => found.map(({ class: kind, minutes }, index) => ticket(`t${index}`, kind, minutes)))
const arrivals = fc.array(fc.constantFrom<TicketClass>(...TICKET_CLASSES), { minLength: 200, maxLength: 200 })

/** Most calls after which a ticket without an hour is called, when `ahead` of its class stand before it. */
function mostCallsBefore(ahead: number, { lawRun, bookedRun }: QueueRule): number {
  return (ahead + 1) * (bookedRun + 1) * (lawRun + 1) - 1
}

describe('for every line and rule', () => {
  test('everybody is called once', () => {
    fc.assert(
      fc.property(lines, rules, (line, rule) => {
        assert.deepEqual([...callAll(line, rule)].sort(), line.map(({ id }) => id).sort())
      }),
      { seed: 48, numRuns: 200 },
    )
  })

  test('somebody without priority or hour is called within the bound, however many others keep coming', () => {
    fc.assert(
      fc.property(rules, fc.integer({ min: 0, max: 2 }), arrivals, fc.record({ law: fc.nat(10), booked: fc.nat(10) }), (rule, ahead, coming, run) => {
        const mine = ticket('mine', 'ordinary', 1)
        let waiting = [...Array.from({ length: ahead }, (_, index) => ticket(`before${index}`, 'ordinary', 0)), mine]
        let state: Run = { law: Math.min(run.law, rule.lawRun), booked: Math.min(run.booked, rule.bookedRun) }
        for (let calls = 0; calls <= mostCallsBefore(ahead, rule); calls += 1) {
          // One more comes for every call, and never somebody who stands before `mine` in its own class.
          waiting = [...waiting, ticket(`late${calls}`, coming[calls % coming.length] ?? 'eighty', 2 + calls), ticket(`law${calls}`, 'eighty', 2 + calls)]
          const turn = nextTurn(waiting, state, rule, at(10_000))
          assert.ok(turn)
          if (turn.ticket.id === 'mine') return
          waiting = waiting.filter(({ id }) => id !== turn.ticket.id)
          state = turn.run
        }
        assert.fail(`not called within ${mostCallsBefore(ahead, rule)} calls`)
      }),
      { seed: 48, numRuns: 100 },
    )
  })

  test('within a class nobody overtakes', () => {
    fc.assert(
      fc.property(lines, rules, (line, rule) => {
        const order = callAll(line, rule)
        for (const kind of TICKET_CLASSES) {
          const called = order.flatMap((id) => line.filter((other) => other.id === id && other.class === kind))
          const times = called.map(({ dueAt }) => dueAt.getTime())
          assert.deepEqual(times, [...times].sort((a, b) => a - b))
        }
      }),
      { seed: 48, numRuns: 100 },
    )
  })

  test('an old person of 80 is never called after a younger preferential one who waits at the same time', () => {
    fc.assert(
      fc.property(lines, rules, fc.record({ law: fc.nat(10), booked: fc.nat(10) }), (line, rule, run) => {
        const turn = nextTurn(line, run, rule, at(600))
        if (turn?.ticket.class === 'priority' || turn?.ticket.class === 'donor') assert.ok(!line.some((other) => other.class === 'eighty'))
      }),
      { seed: 48, numRuns: 200 },
    )
  })
})

test('every state of a ticket is reached, and no step leads out of an ended one but the return of somebody missed', () => {
  const reached = new Set(TICKET_STEPS.map((step) => TRANSITIONS[step].to))
  assert.deepEqual([...reached].sort(), [...TICKET_STATES].sort())
  const leaving = TICKET_STEPS.flatMap((step) => TRANSITIONS[step].from)
  for (const over of ['finished', 'left', 'closed'] as const) assert.ok(!leaving.includes(over))
})
