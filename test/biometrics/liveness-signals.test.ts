import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlan, isTurn } from '../../src/biometrics/liveness/plan.ts'
import type { LivenessFrame } from '../../src/biometrics/liveness/protocol.ts'
import { continuitySignal } from '../../src/biometrics/liveness/signals/continuity-signal.ts'
import { flashSignal } from '../../src/biometrics/liveness/signals/flash-signal.ts'
import { identitySignal } from '../../src/biometrics/liveness/signals/identity-signal.ts'
import { padSignal } from '../../src/biometrics/liveness/signals/pad-signal.ts'
import { poseSignal, showing, stepProgress } from '../../src/biometrics/liveness/signals/pose-signal.ts'
import { commonHints, hintsFor } from '../../src/biometrics/liveness/signals/quality-signal.ts'
import { hammingDistance, repeatSignal } from '../../src/biometrics/liveness/signals/repeat-signal.ts'
import { framePrints, replaySignal, sketchOf } from '../../src/biometrics/liveness/signals/replay-signal.ts'
import type { FaceObservation, FrameObservation } from '../../src/biometrics/observation.ts'
import {
  createSimulatedCamera,
  faceOf,
  playPlan,
  SIMULATED_RULE,
  seededInt,
  seededRandom,
} from '../support/reactive-camera/simulated-person.ts'

const { steps } = createPlan({ flashes: true, slowLink: false }, seededInt(5))
const honest = (seed = 1, extra = {}) => playPlan(steps, createSimulatedCamera({ seed, ...extra }))
const front = createSimulatedCamera({ seed: 1 })({})

function withFace(frame: FrameObservation, change: Partial<FaceObservation>): FrameObservation {
  const [face] = frame.faces
  assert.ok(face)
  return { ...frame, faces: [{ ...face, ...change }] }
}

function changed(frames: readonly LivenessFrame[], index: number, change: (frame: FrameObservation) => FrameObservation): LivenessFrame[] {
  return frames.map((frame, i) => (i === index ? { ...frame, observation: change(frame.observation) } : frame))
}

// pose ----------------------------------------------------------------------------------------------------------------

test('pose: the person who turns as asked passes', () => {
  for (let seed = 0; seed < 20; seed += 1) assert.equal(poseSignal({ steps }, honest(seed)).outcome, 'passed')
})

test('pose: a still face, a turn too small and the other side do not pass', () => {
  const camera = createSimulatedCamera({ seed: 1 })
  for (const share of [0, 0.5, -1]) {
    const frames = playPlan(steps, (view) => camera({ ...view, yaw: (view.yaw ?? 0) * share }))
    assert.deepEqual([poseSignal({ steps }, frames).outcome, poseSignal({ steps }, frames).reasons], ['failed', ['face/not-live']])
  }
})

test('pose: somebody who never looks ahead again does not pass', () => {
  const camera = createSimulatedCamera({ seed: 1 })
  const frames = playPlan(steps, (view, step) => camera({ ...view, yaw: isTurn(step.kind) ? (view.yaw ?? 0) : 11 }))
  assert.equal(poseSignal({ steps }, frames).outcome, 'failed')
})

test('pose: one turn that nobody asked for is pardoned, but no second one, and none after a turn to the wrong side', () => {
  const camera = createSimulatedCamera({ seed: 1 })
  const ending = (yaws: readonly number[]) => {
    const frames = playPlan(steps, camera)
    const last = frames.at(-1)
    assert.ok(last)
    const after = (i: number) => ({ sequence: last.sequence + i + 1, capturedMs: last.capturedMs + 350 * (i + 1) })
    return [...frames, ...yaws.map((yaw, i) => ({ ...last, ...after(i), observation: camera({ yaw }) }))]
  }
  assert.equal(poseSignal({ steps }, ending([20, 0, 20, 0])).scores['unasked'], 0, 'a glance of one frame is none')
  assert.equal(poseSignal({ steps }, ending([20, 20, 20, 0])).outcome, 'passed')
  assert.deepEqual(poseSignal({ steps }, ending([20, 20, 20, 0]), 1).reasons, ['face/look-ahead', 'face/not-live'])
  assert.deepEqual(poseSignal({ steps }, ending([20, 20, 0, -20, -20])).reasons, ['face/look-ahead', 'face/not-live'])
  const redrawnAt = [steps.length - 1]
  assert.equal(poseSignal({ steps, redrawnAt }, ending([20, 20, 20, 0]), 1).outcome, 'passed', 'what an earlier challenge asked there')
})

test('pose: left is the person’s own left, and pitch counts from the neutral one', () => {
  const face = (yawDegrees: number, pitchDegrees = 0) => ({
    ...(front.faces[0] as FaceObservation),
    pose: { yawDegrees, pitchDegrees, rollDegrees: 0 },
  })
  assert.equal(showing('turn-left', face(16), 0), 'shown')
  assert.equal(showing('turn-left', face(-16), 0), 'wrong-side')
  assert.equal(showing('turn-right', face(-16), 0), 'shown')
  assert.equal(showing('turn-right', face(-14), 0), 'not-yet')
  assert.equal(showing('frontal', face(8), 0), 'shown')
  assert.equal(showing('frontal', face(9), 0), 'not-yet')
  assert.equal(showing('look-up', face(0, 20), 10), 'not-yet')
  assert.equal(showing('look-up', face(0, 23), 10), 'shown')
})

const turn = { kind: 'turn-left', holdMs: 500, limitMs: 6000, frames: 3 } as const
const revealedAt = new Date('2026-11-22T12:00:00Z')
function turning(yaws: readonly number[], everyMs = 300): LivenessFrame[] {
  const camera = createSimulatedCamera({ seed: 1, restless: 0 })
  return yaws.map((yaw, i) => {
    const arrivedAt = new Date(revealedAt.getTime() + 500 + i * everyMs)
    return { sequence: i + 1, step: 1, capturedMs: i * everyMs, arrivedAt, observation: camera({ yaw }) }
  })
}
const progress = (frames: readonly LivenessFrame[]) => stepProgress(turn, frames, { pitch: 0, revealedAt })

test('a turn is acknowledged after three frames beyond 15° in a row that last as long as the hold', () => {
  assert.equal(progress(turning([0, 10, 20, 20])), 'pending')
  assert.equal(progress(turning([0, 10, 20, 20, 20])), 'acknowledged')
  assert.equal(progress(turning([20, 20, 10, 20, 20])), 'pending')
  assert.equal(progress(turning([20, 20, 20], 100)), 'pending')
})

test('two frames beyond 15° on the wrong side are a wrong turn, one is not', () => {
  assert.equal(progress(turning([0, -20])), 'pending')
  assert.equal(progress(turning([0, -20, -20])), 'wrong-turn')
})

test('frames with two faces, or too dark, do not count for a turn', () => {
  const frames = turning([20, 20, 20])
  assert.equal(progress(changed(frames, 1, (frame) => ({ ...frame, faces: [...frame.faces, ...frame.faces] }))), 'pending')
  assert.equal(progress(changed(frames, 1, (frame) => withFace(frame, { brightness: 20 }))), 'pending')
})

// quality -------------------------------------------------------------------------------------------------------------

test('quality: a good frame has nothing to tell', () => assert.deepEqual(hintsFor(front, 'frontal'), []))

const FAULTS = [
  ['face/too-far', { box: { x: 270, y: 190, width: 100, height: 110 } }],
  ['face/too-near', { box: { x: 100, y: 10, width: 420, height: 460 } }],
  ['face/off-centre', { box: { x: 20, y: 130, width: 190, height: 220 } }],
  ['face/too-dark', { brightness: 30 }],
  ['face/too-bright', { brightness: 240 }],
  ['face/uneven-light', { unevenness: 0.8 }],
  ['face/covered', { score: 0.2 }],
  ['face/hold-still', { sharpness: 3 }],
] as const

for (const [code, change] of FAULTS) {
  test(`quality: says ${code}`, () => assert.deepEqual(hintsFor(withFace(front, change), 'frontal'), [code]))
}

test('quality: no face and two faces hide everything else', () => {
  assert.deepEqual(hintsFor({ ...front, faces: [] }, 'turn-left'), ['face/none'])
  assert.deepEqual(hintsFor({ ...front, faces: [...front.faces, ...front.faces] }, 'frontal'), ['face/two-faces'])
})

test('quality: a second face that the detector doubts, or far behind, is not a second person', () => {
  const [face] = front.faces
  assert.ok(face)
  const other = (score: number, width: number): FaceObservation => ({ ...face, score, box: { x: 20, y: 20, width, height: width } })
  assert.deepEqual(hintsFor({ ...front, faces: [face, other(0.4, 200)] }, 'frontal'), [])
  assert.deepEqual(hintsFor({ ...front, faces: [face, other(0.9, 40)] }, 'frontal'), [])
  assert.deepEqual(hintsFor({ ...front, faces: [other(0.4, 240), face] }, 'frontal'), [])
  assert.deepEqual(hintsFor({ ...front, faces: [face, other(0.6, 150)] }, 'frontal'), ['face/two-faces'])
})

test('quality: a turned head may be off centre and unevenly lit', () => {
  const frame = withFace(front, { box: { x: 20, y: 130, width: 190, height: 220 }, unevenness: 0.8 })
  assert.deepEqual(hintsFor(frame, 'turn-right'), [])
})

test('quality: a reason is told only when at least half of the frames give it', () => {
  const frames = honest().slice(0, 4)
  const dark = (frame: FrameObservation) => withFace(frame, { brightness: 20 })
  assert.deepEqual(commonHints(changed(frames, 0, dark), 'turn-left'), [])
  assert.deepEqual(commonHints(changed(changed(frames, 0, dark), 2, dark), 'turn-left'), ['face/too-dark'])
})

// flash ---------------------------------------------------------------------------------------------------------------

test('flash: skin that answers the colours passes, at 10 % and at 5 % of the light', () => {
  for (const screenLight of [0.2, 0.1, 0.05]) {
    const passed = Array.from({ length: 30 }, (_, seed) => flashSignal(steps, honest(seed, { screenLight })).outcome === 'passed')
    assert.ok(passed.filter(Boolean).length >= 29, `${screenLight}: ${passed.filter(Boolean).length} of 30`)
  }
})

test('flash: daylight is no answer, and no fault', () => {
  for (let seed = 0; seed < 30; seed += 1) assert.equal(flashSignal(steps, honest(seed, { screenLight: 0 })).outcome, 'absent')
})

test('flash: a picture that is tinted as a whole is no answer', () => {
  for (let seed = 0; seed < 30; seed += 1)
    assert.equal(flashSignal(steps, honest(seed, { screenLight: 0.2, roomLight: 0.2 })).outcome, 'absent')
})

test('flash: the answer to another session’s colours passes in less than 3 % of sessions', () => {
  const camera = createSimulatedCamera({ seed: 1, screenLight: 0.2 })
  let passed = 0
  for (let seed = 0; seed < 400; seed += 1) {
    const asked = createPlan({ flashes: true, slowLink: false }, seededInt(seed)).steps
    const random = seededRandom(seed + 10_000)
    const other = createPlan({ flashes: true, slowLink: false }, seededInt(seed + 5000)).steps.filter(({ kind }) => kind === 'flash')
    const shuffled = (index: number) => other[(index + Math.floor(random() * 2)) % other.length]?.colour
    const frames = playPlan(asked, (view, step, index) =>
      camera({ ...view, colour: step.kind === 'flash' ? shuffled(index) : view.colour }),
    )
    if (flashSignal(asked, frames).outcome === 'passed') passed += 1
  }
  assert.ok(passed < 12, `${passed} of 400`)
})

test('flash: a camera that trails by three quick frames is followed', () => {
  const colours = steps.filter(({ kind }) => kind === 'flash')
  const many = colours.flatMap((step) => [step, step, step, step])
  const camera = createSimulatedCamera({ seed: 1, screenLight: 0.15 })
  const frames = playPlan(many, (view, _, index) => camera({ ...view, colour: many[Math.max(0, index - 3)]?.colour }), { everyMs: 70 })
  const signal = flashSignal(many, frames)
  assert.deepEqual([signal.outcome, signal.scores.lag], ['passed', 3])
})

test('flash: too few frames, or no colours at all, cannot be measured', () => {
  assert.equal(flashSignal(steps, honest().slice(0, 4)).outcome, 'absent')
  const plain = createPlan({ flashes: false, slowLink: false }, seededInt(1)).steps
  assert.equal(flashSignal(plain, playPlan(plain, createSimulatedCamera({ seed: 1 }))).outcome, 'absent')
})

// continuity ----------------------------------------------------------------------------------------------------------

const continuity = (frames: readonly LivenessFrame[]) => continuitySignal(frames, SIMULATED_RULE)

test('continuity: one face all along passes', () => {
  for (let seed = 0; seed < 20; seed += 1) assert.equal(continuity(honest(seed)).outcome, 'passed')
})

test('continuity: another person from the middle on fails', () => {
  const [one, two] = [createSimulatedCamera({ seed: 1 }), createSimulatedCamera({ seed: 2 })]
  const frames = playPlan(steps, (view, _, index) => (index < steps.length / 2 ? one(view) : two(view)))
  assert.deepEqual([continuity(frames).outcome, continuity(frames).reasons], ['failed', ['face/not-live']])
})

test('continuity: another person in the turned frames only fails', () => {
  const [one, two] = [createSimulatedCamera({ seed: 1 }), createSimulatedCamera({ seed: 2 })]
  const frames = playPlan(steps, (view, step) => (isTurn(step.kind) ? two(view) : one(view)))
  assert.equal(continuity(frames).outcome, 'failed')
})

test('continuity: somebody who passes behind once is tolerated, twice running is not', () => {
  const two = (frame: FrameObservation) => ({ ...frame, faces: [...frame.faces, ...frame.faces] })
  const once = changed(honest(), 6, two)
  assert.equal(continuity(once).outcome, 'passed')
  assert.deepEqual(continuity(changed(once, 7, two)).reasons, ['face/two-faces'])
})

test('continuity: a face that leaves, jumps or is small fails', () => {
  const none = (frame: FrameObservation) => ({ ...frame, faces: [] })
  assert.deepEqual(continuity(changed(changed(honest(), 6, none), 7, none)).reasons, ['face/none'])
  const far = (frame: FrameObservation) => withFace(frame, { box: { x: 10, y: 10, width: 130, height: 150 } })
  assert.deepEqual(continuity(changed(honest(), 8, far)).reasons, ['face/not-live'])
  const small = honest().map((frame) => ({
    ...frame,
    observation: withFace(frame.observation, { box: { x: 270, y: 190, width: 100, height: 120 } }),
  }))
  assert.deepEqual(continuity(small).reasons, ['face/too-far'])
})

// repeats and replay --------------------------------------------------------------------------------------------------

test('repeat: a frame sent twice, and a view that never changes, fail', () => {
  const frames = honest()
  assert.equal(repeatSignal(frames).outcome, 'passed')
  assert.equal(repeatSignal([...frames, ...frames.slice(0, 1)]).outcome, 'failed')
  const frozen = frames.map((frame) => ({ ...frame, observation: { ...frame.observation, perceptualHash: '00ff00ff00ff00ff' } }))
  assert.equal(repeatSignal(frozen).outcome, 'failed')
})

test('repeat: hashes differ by bits, not by digits', () => {
  assert.equal(hammingDistance('0f', 'f0'), 8)
  assert.equal(hammingDistance('00', '01'), 1)
  assert.equal(hammingDistance('00', '000'), Number.POSITIVE_INFINITY)
})

const kept = (frames: readonly LivenessFrame[], sessionId = 'earlier') => framePrints(frames).map((print) => ({ ...print, sessionId }))

test('replay: the frames of an earlier session are known again, even encoded anew', () => {
  const earlier = honest(1)
  assert.equal(replaySignal(earlier, kept(earlier)).outcome, 'failed')
  const random = seededRandom(4)
  const again = earlier.map((frame, i) => ({
    ...frame,
    observation: {
      ...withFace(frame.observation, {
        descriptor: frame.observation.faces[0]?.descriptor?.map((value) => value + (random() - 0.5) * 0.001) ?? [],
      }),
      pixelDigest: `again ${i}`,
    },
  }))
  assert.equal(replaySignal(again, kept(earlier)).outcome, 'failed')
  assert.equal(replaySignal(again.slice(0, 2), kept(earlier)).outcome, 'passed')
})

test('replay: one frame that is equal to the pixel is enough', () => {
  const [monday, tuesday] = [honest(1, { day: 0 }), honest(1, { day: 1 })]
  assert.equal(replaySignal([...tuesday, ...monday.slice(0, 1)], kept(monday)).outcome, 'failed')
})

test('replay: the same person in the same place, now or on another day, is not a replay', () => {
  const camera = createSimulatedCamera({ seed: 1 })
  const prints = kept(playPlan(steps, camera))
  assert.equal(replaySignal(playPlan(steps, camera), prints).outcome, 'passed')
  for (let day = 1; day < 20; day += 1) assert.equal(replaySignal(honest(1, { day }), prints).outcome, 'passed')
})

test('replay: a sketch is near for a near descriptor and far for another person', () => {
  const random = seededRandom(3)
  const face = faceOf(1)
  const near = face.map((value) => value + (random() - 0.5) * 0.002)
  assert.ok(hammingDistance(sketchOf(face), sketchOf(near)) <= 4)
  assert.ok(hammingDistance(sketchOf(face), sketchOf(faceOf(2))) > 60)
  assert.equal(sketchOf(undefined), '')
})

test('replay: a long session is known again as a short one is, and a part of it too', () => {
  const earlier = playPlan(steps, createSimulatedCamera({ seed: 1 }), { frontalFrames: 23 })
  const encodedAnew = earlier.map((frame, i) => ({ ...frame, observation: { ...frame.observation, pixelDigest: `again ${i}` } }))
  assert.ok(framePrints(earlier).length > 20)
  assert.equal(replaySignal(encodedAnew, kept(earlier)).outcome, 'failed')
  assert.equal(replaySignal(encodedAnew.slice(0, 12), kept(earlier)).outcome, 'failed')
  assert.equal(replaySignal(encodedAnew, kept(earlier.slice(0, 12))).outcome, 'failed')
})

test('replay: at most 32 prints of a session are kept, none of a turned face', () => {
  const many = [...honest(), ...honest(2), ...honest(3)]
  assert.equal(framePrints([...many, ...many]).length, 32)
  const prints = framePrints(many)
  assert.ok(prints.length >= 8)
  assert.ok(prints.every(({ stance }) => Math.abs(Number(stance.split(',')[2])) <= 10))
})

// identity and PAD ----------------------------------------------------------------------------------------------------

const reference = (seed: number) => ({ modelId: 'simulated', template: faceOf(seed), inPerson: false })

test('identity: the person of the reference matches, anybody else does not', () => {
  const own = identitySignal(honest(1), reference(1), SIMULATED_RULE)
  assert.deepEqual([own.outcome, own.k, own.threshold], ['passed', 5, 0.42])
  for (let seed = 2; seed < 12; seed += 1) {
    assert.deepEqual(identitySignal(honest(seed), reference(1), SIMULATED_RULE).reasons, ['face/not-same-person'])
  }
})

test('identity: the threshold belongs to the number of frames at hand', () => {
  assert.equal(identitySignal(honest(1).slice(0, 2), reference(1), SIMULATED_RULE).k, 1)
})

test('identity: turned frames and templates of another model are never compared', () => {
  const camera = createSimulatedCamera({ seed: 1 })
  const turned = playPlan(steps, (view) => camera({ ...view, yaw: 20 }))
  assert.deepEqual(identitySignal(turned, reference(1), SIMULATED_RULE).reasons, ['face/hold-still'])
  assert.equal(identitySignal(honest(1), { ...reference(1), modelId: 'other' }, SIMULATED_RULE).outcome, 'failed')
})

test('pad: the mean of ten frontal frames decides; without nets, or with fewer frames, nothing is said', () => {
  assert.equal(padSignal(honest(1, { padScore: 0.8 })).outcome, 'passed')
  assert.equal(padSignal(honest(1, { padScore: 0.2 })).outcome, 'failed')
  assert.equal(padSignal(honest(1)).outcome, 'absent')
  assert.equal(padSignal(honest(1, { padScore: 0.8 }).slice(0, 5)).outcome, 'absent')
})
