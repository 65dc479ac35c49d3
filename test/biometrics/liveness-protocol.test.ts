import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isFrameSigned, signFrame } from '../../src/biometrics/liveness/frame-proof.ts'
import { createPlan, isTurn } from '../../src/biometrics/liveness/plan.ts'
import { LIVENESS_PROBLEMS } from '../../src/biometrics/liveness/problems.ts'
import type {
  FrameUpload,
  LivenessEvent,
  LivenessSession,
  LivenessSessionId,
  LivenessState,
} from '../../src/biometrics/liveness/protocol.ts'
import {
  acknowledge,
  admitFrame,
  extend,
  fallBack,
  isFinal,
  LIMITS,
  LIVENESS_TRANSITIONS,
  nextState,
  pardonWrongTurn,
  reveal,
} from '../../src/biometrics/liveness/protocol.ts'
import { Problem } from '../../src/platform/problem.ts'
import { seededInt } from '../support/reactive-camera/simulated-person.ts'

const START = new Date('2026-11-22T12:00:00Z')
const after = (milliseconds: number) => new Date(START.getTime() + milliseconds)

/** The least that a header reader takes for a JPEG of this size. */
function jpeg(width: number, height: number, padding = 0): Buffer {
  const frame = [0xff, 0xc0, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
  const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]
  return Buffer.concat([Buffer.from([0xff, 0xd8, ...frame, ...scan]), Buffer.alloc(64 + padding, 1), Buffer.from([0xff, 0xd9])])
}

function session(change: Partial<LivenessSession> = {}): LivenessSession {
  return {
    id: 'a' as LivenessSessionId,
    accountId: 'b',
    purpose: 'raise-level',
    bindingHash: 'c',
    nonce: Buffer.alloc(16, 7),
    state: 'revealed',
    plan: createPlan({ flashes: true, slowLink: false }, seededInt(1)),
    step: 1,
    revealedAt: after(2000),
    lastSequence: 3,
    lastCapturedMs: 1900,
    frameCount: 3,
    wrongTurns: 0,
    extended: false,
    fallback: false,
    createdAt: START,
    expiresAt: after(LIMITS.sessionMs),
    ...change,
  }
}

function upload(change: Partial<FrameUpload> = {}, nonce = Buffer.alloc(16, 7)): FrameUpload {
  const [sequence, bytes] = [change.sequence ?? 4, change.jpeg ?? jpeg(640, 480)]
  return { step: 1, capturedMs: 2600, ...change, sequence, jpeg: bytes, signature: change.signature ?? signFrame(nonce, sequence, bytes) }
}

function code(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return error.kind.code
    throw error
  }
  return 'none'
}

const admit = (frame: FrameUpload, change: Partial<LivenessSession> = {}, now = after(2800)) =>
  code(() => admitFrame(session(change), frame, now))

test('a frame in its place is observed', () => {
  assert.equal(admitFrame(session(), upload(), after(2800)), 'observe')
})

test('a frame taken just before the last acknowledgement is stale, and no fault', () => {
  assert.equal(admitFrame(session(), upload({ step: 0, capturedMs: 1950 }), after(2050)), 'stale')
})

const REFUSALS: readonly (readonly [string, () => string])[] = [
  ['liveness/frame-empty', () => admit(upload({ jpeg: Buffer.alloc(0) }))],
  ['liveness/frame-too-large', () => admit(upload({ jpeg: jpeg(640, 480, LIMITS.image.maxBytes) }))],
  ['liveness/frame-not-jpeg', () => admit(upload({ jpeg: Buffer.from('%PDF-1.7 named .jpg by somebody') }))],
  ['liveness/frame-not-jpeg', () => admit(upload({ jpeg: jpeg(16_000, 12_500) }))],
  ['liveness/frame-not-jpeg', () => admit(upload({ jpeg: jpeg(100, 100) }))],
  ['liveness/frame-not-jpeg', () => admit(upload({ jpeg: jpeg(640, 480).subarray(0, 60) }))],
  ['liveness/too-many-frames', () => admit(upload(), { frameCount: LIMITS.maxFrames })],
  ['liveness/bad-sequence', () => admit(upload({ sequence: 3 }))],
  ['liveness/bad-sequence', () => admit(upload({ sequence: 4.5, signature: 'x' }))],
  ['liveness/bad-signature', () => admit(upload({ signature: 'f'.repeat(64) }))],
  ['liveness/bad-signature', () => admit(upload({ signature: 'short' }))],
  ['liveness/bad-signature', () => admit(upload({}, randomBytes(16)))],
  ['liveness/out-of-order', () => admit(upload({ step: 2 }))],
  ['liveness/out-of-order', () => admit(upload({ step: -1 }))],
  ['liveness/out-of-order', () => admit(upload(), { state: 'created' })],
  ['liveness/out-of-order', () => admit(upload(), { state: 'complete' })],
  ['liveness/bad-capture-time', () => admit(upload({ capturedMs: Number.NaN }))],
  ['liveness/bad-capture-time', () => admit(upload({ capturedMs: 1900 }))],
  ['liveness/bad-capture-time', () => admit(upload({ capturedMs: 9000 }))],
  ['liveness/bad-capture-time', () => admit(upload({ capturedMs: 2000 }), { revealedAt: after(9_000) }, after(10_500))],
  ['liveness/too-early', () => admit(upload({ capturedMs: 2100 }), {}, after(2249))],
  ['liveness/too-late', () => admit(upload({ capturedMs: 14_000 }), {}, after(15_000))],
  ['liveness/expired', () => admit(upload(), {}, after(LIMITS.sessionMs))],
  ['liveness/expired', () => admit(upload(), { state: 'expired' })],
  ['liveness/already-judged', () => admit(upload(), { state: 'passed' })],
  ['liveness/already-judged', () => admit(upload(), { state: 'abandoned' })],
]

for (const [expected, refusal] of REFUSALS) {
  test(`refuses with ${expected}: ${refusal.toString().slice(6, 90)}`, () => assert.equal(refusal(), expected))
}

test('an answer counts from 250 ms to the limit of its step, both ends included', () => {
  assert.equal(admit(upload({ capturedMs: 2100 }), {}, after(2250)), 'none')
  const limit = session().plan.steps[1]?.limitMs ?? 0
  assert.equal(admit(upload({ capturedMs: 2000 + limit - 100 }), {}, after(2000 + limit)), 'none')
  assert.equal(admit(upload({ capturedMs: 2000 + limit - 100 }), {}, after(2001 + limit)), 'liveness/too-late')
})

test('nothing outside the table is possible, and the last four states are final', () => {
  const events: LivenessEvent[] = ['reveal', 'acknowledge', 'redraw', 'complete', 'pass', 'refuse', 'expire', 'abandon']
  for (const [state, row] of Object.entries(LIVENESS_TRANSITIONS) as [LivenessState, Partial<Record<LivenessEvent, LivenessState>>][]) {
    for (const event of events) {
      if (row[event]) assert.equal(nextState(state, event), row[event])
      else
        assert.equal(
          code(() => nextState(state, event)),
          'liveness/out-of-order',
        )
    }
  }
  assert.deepEqual(
    Object.keys(LIVENESS_TRANSITIONS).filter((state) => isFinal(state as LivenessState)),
    ['passed', 'refused', 'expired', 'abandoned'],
  )
})

test('only a complete session can pass', () => {
  for (const state of ['created', 'revealed', 'passed', 'refused', 'expired', 'abandoned'] as const) {
    assert.equal(
      code(() => nextState(state, 'pass')),
      'liveness/out-of-order',
    )
  }
})

test('steps follow one another from the first reveal to complete', () => {
  let current = session({ state: 'created', step: 0, revealedAt: undefined })
  current = { ...current, ...reveal(current, after(10)) }
  assert.deepEqual([current.state, current.step], ['revealed', 0])
  for (let i = 1; i <= current.plan.steps.length; i += 1) {
    current = { ...current, ...acknowledge(current, after(i * 1000)) }
    assert.deepEqual([current.step, current.revealedAt], [i, after(i * 1000)])
  }
  assert.equal(current.state, 'complete')
  assert.equal(
    code(() => acknowledge(current, after(99_000))),
    'liveness/out-of-order',
  )
})

test('time is extended once: a minute more, doubled limits, another challenge from here', () => {
  const before = session()
  const extended = { ...before, ...extend(before, after(30_000), seededInt(77)) }
  assert.deepEqual(extended.expiresAt, after(LIMITS.sessionMs + LIMITS.extensionMs))
  assert.deepEqual(extended.plan.steps[0], before.plan.steps[0])
  assert.notDeepEqual(extended.plan.steps.slice(1), before.plan.steps.slice(1))
  assert.ok(extended.plan.steps.slice(1).every(({ kind, limitMs }) => limitMs === (isTurn(kind) ? 12_000 : 10_000)))
  assert.equal(
    code(() => extend(extended, after(31_000))),
    'liveness/already-extended',
  )
})

test('time can be extended for twenty seconds after it was over, then no more', () => {
  assert.deepEqual(extend(session(), after(79_999)).expiresAt, after(79_999 + LIMITS.extensionMs))
  assert.equal(
    code(() => extend(session(), after(80_000))),
    'liveness/expired',
  )
  assert.equal(
    code(() => extend(session({ state: 'complete' }), after(5000))),
    'liveness/out-of-order',
  )
})

test('the first wrong turn costs one turn more, the second the session', () => {
  const before = session({ step: session().plan.steps.findIndex(({ kind }) => isTurn(kind)) })
  const turns = (plan: LivenessSession['plan']) => plan.steps.filter(({ kind }) => isTurn(kind)).length
  const once = { ...before, ...pardonWrongTurn(before, after(4000)) }
  assert.deepEqual([once.state, once.wrongTurns, turns(once.plan)], ['revealed', 1, turns(before.plan) + 1])
  assert.equal({ ...once, ...pardonWrongTurn(once, after(5000)) }.state, 'refused')
})

test('the daylight fallback asks one turn more, without colours, instead of the end', () => {
  const before = session({ step: session().plan.steps.length - 1 })
  const back = { ...before, ...fallBack(before, after(9000)) }
  assert.deepEqual([back.state, back.fallback, back.step], ['revealed', true, before.plan.steps.length])
  const added = back.plan.steps.slice(back.step)
  assert.deepEqual(
    added.map(({ kind }) => isTurn(kind)),
    [false, true, false],
  )
  assert.ok(added.every(({ colour }) => colour === undefined))
})

test('a signature holds for one nonce, one place and one frame', () => {
  const [nonce, frame] = [randomBytes(16), randomBytes(2000)]
  const signature = signFrame(nonce, 5, frame)
  assert.match(signature, /^[0-9a-f]{64}$/)
  assert.ok(isFrameSigned(nonce, 5, frame, signature))
  assert.ok(!isFrameSigned(nonce, 6, frame, signature))
  assert.ok(!isFrameSigned(randomBytes(16), 5, frame, signature))
  assert.ok(!isFrameSigned(nonce, 5, Buffer.concat([frame, Buffer.alloc(1)]), signature))
})

test('every problem of the protocol has a public code of its own', () => {
  const codes = Object.values(LIVENESS_PROBLEMS).map((kind) => kind.code)
  assert.equal(new Set(codes).size, codes.length)
})
