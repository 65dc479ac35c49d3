import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { firstStep, nextStep, promptOf, STEPS, type StepEvent, TRANSITIONS } from '../../src/oidc/interactions/flow.ts'
import { createFlowStates } from '../../src/oidc/interactions/flow-state.ts'
import { waitOf } from '../../src/oidc/interactions/pages.ts'
import { fixedClock } from '../support/clock.ts'
import { openPgliteTestDatabase } from '../support/database.ts'

const EVENTS: readonly StepEvent[] = [
  'factor-owed',
  'registration-sent',
  'setup-started',
  'setup-confirmed',
  'camera-agreed',
  'face-passed',
  'camera-left',
  'start-over',
]

test('every step that is not in the table is out of order', () => {
  for (const step of STEPS) {
    for (const event of EVENTS) {
      if (TRANSITIONS[step][event] === undefined) assert.throws(() => nextStep(step, event), { code: 'oidc/step-out-of-order' })
      else assert.equal(nextStep(step, event), TRANSITIONS[step][event])
    }
  }
})

test('a passed face and kept codes lead nowhere but to the end', () => {
  assert.deepEqual(TRANSITIONS['face-passed'], {})
  assert.deepEqual(TRANSITIONS['factor-codes'], {})
})

test('no step of one prompt leads into another prompt', () => {
  for (const step of STEPS)
    for (const next of Object.values(TRANSITIONS[step])) assert.equal(promptOf(next), promptOf(step), `${step} → ${next}`)
})

test('each prompt of the provider starts at its own step', () => {
  assert.deepEqual(['login', 'step_up', 'consent'].map(firstStep), ['login', 'step-up', 'consent'])
})

test('a wait is told in the largest unit that fits, rounded up', () => {
  const told = (seconds: number) => Object.values(waitOf(seconds)).join(' ').replace('oidc.interaction.wait.', '')
  assert.deepEqual([0, 1, 59, 60, 61, 3599, 3600, 3601].map(told), [
    'seconds 1',
    'seconds 1',
    'seconds 59',
    'minutes 1',
    'minutes 2',
    'minutes 60',
    'hours 1',
    'hours 2',
  ])
})

const keyring = {
  hash: (value: string, purpose: string) => createHmac('sha256', purpose).update(value).digest(),
  seal: (plain: string, context: string) => Buffer.from(JSON.stringify({ plain: Buffer.from(plain).toString('base64'), context })),
  open: (sealed: Buffer, context: string) => {
    const box = JSON.parse(sealed.toString('utf8'))
    assert.equal(box.context, context)
    return Buffer.from(box.plain, 'base64')
  },
}

test('a step is remembered by its interaction, replaced, and forgotten after an hour', async (t) => {
  const db = await openPgliteTestDatabase()
  t.after(() => db.close())
  const clock = fixedClock()
  const states = createFlowStates({ db, keyring, clock })
  assert.equal(await states.find('one'), undefined)
  await states.save('one', { step: 'second-factor', ticket: 'a' })
  await states.save('one', { step: 'login' })
  assert.deepEqual(await states.find('one'), { step: 'login' })
  assert.equal(await states.find('two'), undefined)
  clock.advance(3_600_000)
  assert.equal(await states.find('one'), undefined)
})

test('a state of an older shape is dropped, not guessed at', async (t) => {
  const db = await openPgliteTestDatabase()
  t.after(() => db.close())
  const states = createFlowStates({ db, keyring, clock: fixedClock() })
  await states.save('one', { step: 'login' })
  await db.execute('UPDATE page_session SET data = $1', [keyring.seal('{"step":"no-such-step"}', contextOf())])
  assert.equal(await states.find('one'), undefined)
})

function contextOf(): string {
  return `oidc-interaction:${keyring.hash('one', 'oidc-interaction').toString('hex')}`
}
