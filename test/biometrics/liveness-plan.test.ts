import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlan, FLASH_COLOURS, isTurn, redrawPlan } from '../../src/biometrics/liveness/plan.ts'
import { seededInt } from '../support/reactive-camera/simulated-person.ts'

const WITH_FLASHES = { flashes: true, slowLink: false }
const plans = Array.from({ length: 300 }, (_, seed) => createPlan(WITH_FLASHES, seededInt(seed)))

test('a plan begins and ends looking ahead, and every turn is followed by looking ahead', () => {
  for (const { steps } of plans) {
    assert.equal(steps[0]?.kind, 'frontal')
    assert.ok(!isTurn(steps.at(-1)?.kind ?? 'turn-left'))
    for (const [index, { kind }] of steps.entries()) if (isTurn(kind)) assert.ok(!isTurn(steps[index + 1]?.kind ?? 'turn-left'))
  }
})

test('a plan asks for two or three turns and six to eight colours', () => {
  const turns = plans.map(({ steps }) => steps.filter(({ kind }) => isTurn(kind)).length)
  const colours = plans.map(({ steps }) => steps.filter(({ kind }) => kind === 'flash').length)
  assert.deepEqual([...new Set(turns)].sort(), [2, 3])
  assert.deepEqual([...new Set(colours)].sort(), [6, 7, 8])
})

test('all four orders of two turns come about equally often', () => {
  const orders = new Map<string, number>()
  for (const { steps } of plans) {
    const order = steps
      .filter(({ kind }) => isTurn(kind))
      .slice(0, 2)
      .map(({ kind }) => kind)
      .join()
    orders.set(order, (orders.get(order) ?? 0) + 1)
  }
  assert.equal(orders.size, 4)
  for (const count of orders.values()) assert.ok(count > 45 && count < 110, `${count} of 300`)
})

test('the turns do not come after the same number of colours each time', () => {
  const places = new Set(plans.map(({ steps }) => steps.findIndex(({ kind }) => isTurn(kind))))
  assert.ok(places.size >= 4)
})

test('no colour is a saturated red, no two neighbours are equal, no change comes sooner than 350 ms', () => {
  for (const { red, green, blue } of FLASH_COLOURS) assert.ok(red / (red + green + blue) < 0.8)
  for (const { steps } of plans) {
    const flashes = steps.filter(({ kind }) => kind === 'flash')
    for (const [i, { colour, holdMs }] of flashes.entries()) {
      assert.ok(holdMs >= 350)
      if (i > 0) assert.notDeepEqual(colour, flashes[i - 1]?.colour)
    }
  }
})

test('without flashes no step has a colour and three turns are asked', () => {
  const { steps } = createPlan({ flashes: false, slowLink: false })
  assert.ok(steps.every(({ colour, kind }) => colour === undefined && kind !== 'flash'))
  assert.equal(steps.filter(({ kind }) => isTurn(kind)).length, 3)
})

test('on a slow link ten frames suffice', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const { steps, frontalFrames } = createPlan({ flashes: true, slowLink: true }, seededInt(seed))
    assert.equal(
      steps.reduce((sum, { frames }) => sum + frames, 0),
      10,
    )
    assert.equal(frontalFrames, 6)
    const looked = createPlan({ flashes: true, slowLink: true, padNets: true }, seededInt(seed))
    assert.deepEqual([looked.frontalFrames, looked.steps.length], [10, steps.length], 'the nets want ten frontal frames, and no step more')
  }
})

test('pitch is asked for only when it was switched on', () => {
  const kinds = (pitch: boolean) =>
    new Set(
      Array.from({ length: 60 }, (_, seed) => createPlan({ ...WITH_FLASHES, pitch }, seededInt(seed)).steps.map(({ kind }) => kind)).flat(),
    )
  assert.ok(!kinds(false).has('look-up') && !kinds(false).has('look-down'))
  assert.ok(kinds(true).has('look-up') && kinds(true).has('look-down'))
})

test('a redrawn plan keeps what is done, asks as many turns again and at least as patiently', () => {
  const plan = plans[0] ?? createPlan(WITH_FLASHES)
  const at = plan.steps.findIndex(({ kind }) => isTurn(kind))
  const redrawn = redrawPlan(plan, at, { extraTurns: 1, patience: 2 }, seededInt(9))
  assert.deepEqual(redrawn.steps.slice(0, at), plan.steps.slice(0, at))
  const turns = (steps: typeof plan.steps) => steps.slice(at).filter(({ kind }) => isTurn(kind))
  assert.equal(turns(redrawn.steps).length, turns(plan.steps).length + 1)
  assert.ok(turns(redrawn.steps).every(({ limitMs }) => limitMs === 12_000))
  assert.ok(redrawn.steps[at]?.kind === 'frontal' && redrawn.steps[at].limitMs < 40_000)
})

test('redraws after the same step differ', () => {
  const plan = plans[0] ?? createPlan(WITH_FLASHES)
  const drawn = new Set(Array.from({ length: 20 }, () => JSON.stringify(redrawPlan(plan, 2, {}).steps)))
  assert.ok(drawn.size > 15)
})
