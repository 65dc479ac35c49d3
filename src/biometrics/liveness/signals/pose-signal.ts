import type { FaceObservation } from '../../observation.ts'
import type { ReasonCode } from '../../reason.ts'
import type { Plan, Step, StepKind } from '../plan.ts'
import { isTurn } from '../plan.ts'
import { LIMITS, type LivenessFrame } from '../protocol.ts'
import { hintsFor } from './quality-signal.ts'
import type { Signal, SingleFace } from './signal.ts'
import { facesOf, isFrontal, mean, singleFaces } from './signal.ts'

export const POSE_LIMITS = {
  /** The engine's yaw saturates at 30–36°, and is 0.9° uncertain at rest. */
  turnDegrees: 15,
  returnDegrees: 8,
  /** Relative to the person's own neutral: the camera's height shifts pitch, never yaw. */
  pitchDegrees: 12,
} as const

/** What a face does about a step. */
export type Showing = 'shown' | 'not-yet' | 'wrong-side'

/** Signed degrees towards what is asked: positive is right, whatever the side. */
function turned(kind: StepKind, face: FaceObservation, neutralPitch: number): number {
  if (kind === 'turn-left') return face.pose.yawDegrees
  if (kind === 'turn-right') return -face.pose.yawDegrees
  const pitch = face.pose.pitchDegrees - neutralPitch
  return kind === 'look-up' ? pitch : -pitch
}

export function showing(kind: StepKind, face: FaceObservation, neutralPitch: number): Showing {
  if (!isTurn(kind)) return Math.abs(face.pose.yawDegrees) <= POSE_LIMITS.returnDegrees ? 'shown' : 'not-yet'
  const sideways = kind === 'turn-left' || kind === 'turn-right'
  const needed = sideways ? POSE_LIMITS.turnDegrees : POSE_LIMITS.pitchDegrees
  const degrees = turned(kind, face, neutralPitch)
  if (degrees > needed) return 'shown'
  return degrees < -needed ? 'wrong-side' : 'not-yet'
}

/** Pitch of the person looking ahead: the mean over the frontal frames of the first step. */
export function neutralPitch(frames: readonly LivenessFrame[]): number {
  const first = singleFaces(frames).filter(({ frame, face }) => frame.step === 0 && isFrontal(face))
  return mean(first.map(({ face }) => face.pose.pitchDegrees))
}

export type Progress = 'acknowledged' | 'pending' | 'wrong-turn'

/**
 * Whether the newest frames show the step: enough of them in a row, for as long as the plan's hold, each good enough to be judged.
 *
 * Times are the server's, so that nobody stretches a hold by writing other capture times. A single frame's hold counts from the reveal.
 */
export function stepProgress(step: Step, frames: readonly LivenessFrame[], context: { pitch: number; revealedAt: Date }): Progress {
  const shown = frames.map((frame) => frameShowing(step, frame, context.pitch))
  const wrong = shown.slice(-2)
  if (wrong.length === 2 && wrong.every((each) => each === 'wrong-side')) return 'wrong-turn'
  const run = frames.slice(shown.findLastIndex((each) => each !== 'shown') + 1)
  const [first, last] = [run[0], run.at(-1)]
  if (run.length < step.frames || !first || !last) return 'pending'
  const since = step.frames === 1 ? context.revealedAt : first.arrivedAt
  return last.arrivedAt.getTime() - since.getTime() >= step.holdMs ? 'acknowledged' : 'pending'
}

function frameShowing(step: Step, frame: LivenessFrame, pitch: number): Showing {
  const [face] = facesOf(frame.observation)
  if (!face || hintsFor(frame.observation, step.kind).length > 0) return 'not-yet'
  return showing(step.kind, face, pitch)
}

/** What to tell somebody whose frame is good but who does not show the step yet. */
export function poseHint(kind: StepKind, face: FaceObservation, pitch: number): ReasonCode | undefined {
  const state = showing(kind, face, pitch)
  if (state === 'shown') return undefined
  if (!isTurn(kind)) return 'face/look-ahead'
  return state === 'wrong-side' ? 'face/other-side' : 'face/turn-more'
}

/**
 * Every turn of the plan was shown to its side, with the frontal steps between them shown as frontal, and hardly any turn came unasked:
 * `wrongTurns` says how many of the session were pardoned already.
 *
 * Looked at again here, on what was stored: acknowledgement has already asked for it, and a verdict does not rest on bookkeeping alone.
 */
export function poseSignal(plan: Pick<Plan, 'steps' | 'redrawnAt'>, frames: readonly LivenessFrame[], wrongTurns = 0): Signal {
  const { steps } = plan
  const pitch = neutralPitch(frames)
  const faces = singleFaces(frames)
  const counts = steps.map(({ kind }, index) => {
    const here = faces.filter(({ frame }) => frame.step === index)
    return here.filter(({ face }) => showing(kind, face, pitch) === 'shown').length
  })
  const missing = steps.filter(({ frames: needed }, index) => (counts[index] ?? 0) < needed).length
  const turns = steps.filter(({ kind }) => isTurn(kind)).length
  const unasked = unaskedTurns(plan, faces)
  const yaws = faces.map(({ face }) => face.pose.yawDegrees)
  const scores = { turns, missing, unasked, yawMin: Math.min(0, ...yaws), yawMax: Math.max(0, ...yaws) }
  const reasons: ReasonCode[] = [
    ...(unasked > 0 && unasked + wrongTurns > LIMITS.pardonedWrongTurns ? (['face/look-ahead', 'face/not-live'] as const) : []),
    ...(missing > 0 || turns < 2 ? (['face/not-live'] as const) : []),
  ]
  return { outcome: reasons.length === 0 ? 'passed' : 'failed', reasons: [...new Set(reasons)], scores }
}

/** Turns aside between two asked ones, once the face was back. The first step does not count: there people still find the oval. */
function unaskedTurns({ steps, redrawnAt = [] }: Pick<Plan, 'steps' | 'redrawnAt'>, faces: readonly SingleFace[]): number {
  let [count, aside, wasAhead] = [0, 0, false]
  for (const { frame, face } of faces) {
    const step = steps[frame.step]
    const yaw = Math.abs(face.pose.yawDegrees)
    if (frame.step === 0 || step === undefined || isTurn(step.kind) || redrawnAt.includes(frame.step)) wasAhead = false
    else if (yaw <= POSE_LIMITS.returnDegrees) wasAhead = true
    aside = wasAhead && yaw > POSE_LIMITS.turnDegrees ? aside + 1 : 0
    if (aside === 2) [count, wasAhead] = [count + 1, false]
  }
  return count
}
