import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MatchRule } from '../../src/biometrics/liveness/match-rule.ts'
import type { PlanOptions } from '../../src/biometrics/liveness/plan.ts'
import { createPlan, isTurn } from '../../src/biometrics/liveness/plan.ts'
import type { LivenessFrame, LivenessSession, LivenessSessionId } from '../../src/biometrics/liveness/protocol.ts'
import { framePrints } from '../../src/biometrics/liveness/signals/replay-signal.ts'
import type { Evidence } from '../../src/biometrics/liveness/verdict.ts'
import { giveUpReasons, judge } from '../../src/biometrics/liveness/verdict.ts'
import { REASON_CODES, sortReasons } from '../../src/biometrics/reason.ts'
import { createSimulatedCamera, faceOf, playPlan, SIMULATED_RULE, seededInt } from '../support/reactive-camera/simulated-person.ts'

const START = new Date('2026-11-22T12:00:00Z')

function evidence(change: Partial<Evidence> & { seed?: number; options?: Partial<PlanOptions>; person?: object } = {}): Evidence {
  const { seed = 1, options, person, ...rest } = change
  const plan = createPlan({ flashes: true, slowLink: false, ...options }, seededInt(seed))
  const session: LivenessSession = {
    id: 'a' as LivenessSessionId,
    accountId: 'b',
    purpose: 'raise-level',
    bindingHash: 'c',
    nonce: Buffer.alloc(16),
    state: 'complete',
    plan,
    step: plan.steps.length,
    revealedAt: START,
    lastSequence: 20,
    lastCapturedMs: 9000,
    frameCount: 20,
    wrongTurns: 0,
    extended: false,
    fallback: false,
    createdAt: START,
    expiresAt: new Date(START.getTime() + 60_000),
  }
  return {
    session,
    frames: playPlan(plan.steps, createSimulatedCamera({ seed: 1, ...person }), { frontalFrames: plan.frontalFrames }),
    reference: { modelId: 'simulated', template: faceOf(1), inPerson: false },
    rule: SIMULATED_RULE,
    earlier: [],
    occasion: { boundDevice: false, attended: false },
    ...rest,
  }
}

test('the right person who does as asked passes, and without PAD nets that is worth basic', () => {
  for (let seed = 0; seed < 25; seed += 1) {
    const { passed, reasons, ...rest } = judge(evidence({ seed }))
    assert.deepEqual([passed, rest.class, reasons, rest.modelId, rest.k], [true, 'basic', [], 'simulated', 5])
  }
})

const LIVE = { padScore: 0.8 }
const bound = { boundDevice: true, attended: false }
const inPerson = { modelId: 'simulated', template: faceOf(1), inPerson: true }

function withoutStrict({ strict: _, ...rule }: MatchRule): MatchRule {
  return rule
}

const CLASSES: readonly (readonly [string, string, Parameters<typeof evidence>[0]])[] = [
  ['no nets', 'basic', {}],
  ['no nets, whatever the device and the reference', 'basic', { occasion: bound, reference: inPerson }],
  ['nets and flash', 'active', { person: LIVE }],
  ['nets, without flashes on request, three turns', 'active', { person: LIVE, options: { flashes: false } }],
  ['nets, device bound, but a reference taken remotely', 'active', { person: LIVE, occasion: bound }],
  ['nets, a reference in person, but no device key', 'active', { person: LIVE, reference: inPerson }],
  ['nets, device bound and a reference in person', 'active+bound', { person: LIVE, occasion: bound, reference: inPerson }],
  [
    'nets, device bound and a reference in person, but too far from it for the stricter point',
    'active',
    { person: LIVE, occasion: bound, reference: inPerson, rule: { ...SIMULATED_RULE, strict: { 1: 0.01, 3: 0.01, 5: 0.01 } } },
  ],
  [
    'the same with a model that has no stricter point',
    'active',
    { person: LIVE, occasion: bound, reference: inPerson, rule: withoutStrict(SIMULATED_RULE) },
  ],
  ['nets on a slow link, with the ten frames that they want', 'active', { person: LIVE, options: { slowLink: true, padNets: true } }],
  ['too few frames for the nets, on a slow link', 'basic', { person: LIVE, options: { slowLink: true } }],
  ['captured by staff', 'attended', { occasion: { boundDevice: false, attended: true } }],
]

for (const [what, expected, change] of CLASSES) {
  test(`class: ${what} → ${expected}`, () => {
    const verdict = judge(evidence(change))
    assert.deepEqual([verdict.passed, verdict.class], [true, expected], JSON.stringify(verdict))
  })
}

test('a decision names its nets, its operating point and its threshold, and how good the frames were', () => {
  const decide = (change: Parameters<typeof evidence>[0]) => judge(evidence({ padModel: 'pad-nets', ...change }))
  const prata = decide({ person: LIVE })
  assert.deepEqual([prata.point, prata.threshold, prata.padModel, prata.modelId], ['fmr1e-4', 0.42, 'pad-nets', 'simulated'])
  assert.ok((prata.scores['identity.quality'] ?? 0) >= 50 && (prata.scores['identity.distance'] ?? 1) < 0.42)
  const ouro = decide({ person: LIVE, occasion: bound, reference: inPerson })
  assert.deepEqual([ouro.class, ouro.point, ouro.threshold], ['active+bound', 'fmr1e-5', 0.366])
  assert.equal(decide({}).padModel, undefined, 'nets that scored no frame had no say')
})

function replaced(base: Evidence, change: (frame: LivenessFrame, index: number) => LivenessFrame): Evidence {
  return { ...base, frames: base.frames.map(change) }
}

const still = () => {
  const base = evidence()
  const camera = createSimulatedCamera({ seed: 1 })
  return { ...base, frames: playPlan(base.session.plan.steps, (view) => camera({ ...view, yaw: 0 })) }
}
const opposite = () => {
  const base = evidence()
  const camera = createSimulatedCamera({ seed: 1 })
  return { ...base, frames: playPlan(base.session.plan.steps, (view) => camera({ ...view, yaw: -(view.yaw ?? 0) })) }
}
const swapped = () => {
  const base = evidence()
  const [one, two] = [createSimulatedCamera({ seed: 1 }), createSimulatedCamera({ seed: 2 })]
  return { ...base, frames: playPlan(base.session.plan.steps, (view, step) => (isTurn(step.kind) ? two(view) : one(view))) }
}
const dark = () => {
  const base = evidence({ person: { screenLight: 0 } })
  return { ...base, session: { ...base.session, fallback: false } }
}

const REFUSALS: readonly (readonly [string, string, () => Evidence])[] = [
  ['another person', 'face/not-same-person', () => evidence({ person: { seed: 2 } })],
  ['a still photo', 'face/not-live', still],
  ['the turns in another order', 'face/not-live', opposite],
  ['another person who does the turns', 'face/not-live', swapped],
  [
    'a frozen frame',
    'face/not-live',
    () => replaced(evidence(), (frame, _) => ({ ...frame, observation: evidence().frames[0]?.observation ?? frame.observation })),
  ],
  [
    'frames of an earlier session',
    'face/not-live',
    () => ({ ...evidence(), earlier: framePrints(evidence().frames).map((print) => ({ ...print, sessionId: 'earlier' })) }),
  ],
  ['a face that the nets take for a picture', 'face/not-live', () => evidence({ person: { padScore: 0.1 } })],
  [
    'two faces',
    'face/two-faces',
    () =>
      replaced(evidence(), (frame) => ({
        ...frame,
        observation: { ...frame.observation, faces: [...frame.observation.faces, ...frame.observation.faces] },
      })),
  ],
  ['no face', 'face/none', () => replaced(evidence(), (frame) => ({ ...frame, observation: { ...frame.observation, faces: [] } }))],
  ['no answer to the colours and no turn instead', 'face/window-behind', dark],
  ['a session that is not complete', 'face/not-live', () => ({ ...evidence(), session: { ...evidence().session, state: 'revealed' } })],
]

for (const [what, reason, build] of REFUSALS) {
  test(`refuses ${what}`, () => {
    const verdict = judge(build())
    assert.equal(verdict.passed, false)
    assert.equal(verdict.class, 'basic')
    assert.ok(
      verdict.reasons.some((each) => each === reason),
      verdict.reasons.join(),
    )
  })
}

test('staff do not make a wrong person right', () => {
  assert.equal(judge(evidence({ person: { seed: 2 }, occasion: { boundDevice: true, attended: true } })).passed, false)
})

test('daylight with the extra turn passes', () => {
  let base = evidence({ person: { screenLight: 0 } })
  const third = { kind: 'turn-left', holdMs: 300, limitMs: 6000, frames: 3 } as const
  const ahead = { kind: 'frontal', holdMs: 300, limitMs: 5000, frames: 1 } as const
  const steps = [...base.session.plan.steps, ahead, third, ahead]
  base = { ...base, session: { ...base.session, fallback: true, plan: { ...base.session.plan, steps } } }
  assert.equal(judge({ ...base, frames: playPlan(steps, createSimulatedCamera({ seed: 1, screenLight: 0 })) }).passed, true)
})

test('a session given up says what was in the way', () => {
  const { session, frames } = evidence()
  const at = session.plan.steps.findIndex(({ kind }) => isTurn(kind))
  const stuck = { ...session, state: 'revealed', step: at } as const
  assert.deepEqual(giveUpReasons({ ...stuck, step: 0 }, []), ['face/none'])
  assert.deepEqual(giveUpReasons(stuck, frames.slice(0, 1)), ['face/too-slow'])
  const camera = createSimulatedCamera({ seed: 1 })
  const staring = Array.from({ length: 4 }, (_, i) => ({ sequence: i, step: at, capturedMs: i, arrivedAt: START, observation: camera({}) }))
  assert.deepEqual(giveUpReasons(stuck, staring), ['face/turn-more', 'face/too-slow', 'face/not-live'])
  const alone = staring.map((frame) => ({ ...frame, observation: { ...frame.observation, faces: [] } }))
  assert.deepEqual(giveUpReasons(stuck, alone), ['face/none'])
})

test('reasons come once each, the most useful first', () => {
  assert.deepEqual(sortReasons(['face/not-live', 'face/none', 'face/not-live']), ['face/none', 'face/not-live'])
  assert.equal(new Set(REASON_CODES).size, REASON_CODES.length)
})
