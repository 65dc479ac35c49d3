import { MIN_FACE_PIXELS } from '../../quality/profiles.ts'
import type { ReasonCode } from '../../reason.ts'
import type { MatchRule } from '../match-rule.ts'
import { distance } from '../match-rule.ts'
import type { LivenessFrame } from '../protocol.ts'
import type { Signal, SingleFace } from './signal.ts'
import { facesOf, singleFaces } from './signal.ts'

export const CONTINUITY_LIMITS = {
  /** Somebody passes behind, a blink of the detector: tolerated in one frame of five, never twice running. */
  maxBadShare: 0.2,
  maxBadRun: 1,
  /** How far a face moves between two frames, in its own widths: at rest, and for every second in between. */
  maxJump: 0.6,
  maxJumpPerSecond: 1.5,
  maxResize: 1.6,
  /** A head that turned this far between two frames looks less like itself: the distance may be a fifth more. */
  farTurnDegrees: 12,
  farTurnAllowance: 1.2,
} as const

/**
 * One and the same face all along: alone, large enough, moving as heads move, no other person from one frame to the next.
 *
 * Starts at the frame that ended the positioning: how somebody came into the oval is nobody's business.
 */
export function continuitySignal(frames: readonly LivenessFrame[], rule: MatchRule): Signal {
  const start = Math.max(0, frames.findIndex(({ step }) => step > 0) - 1)
  const judged = frames.slice(start)
  const faces = singleFaces(judged).filter(({ face }) => face.box.width >= MIN_FACE_PIXELS)
  const pairs = faces.slice(1).flatMap((face, i) => {
    const before = faces[i]
    return before ? [[before, face] as const] : []
  })
  const jumps = pairs.filter(([before, after]) => !isPlausibleMove(before, after)).length
  const distances = pairs.flatMap(([before, after]) => {
    const [a, b] = [before.face.descriptor, after.face.descriptor]
    return a && b ? [distance(rule, a, b) / turnAllowance(before, after)] : []
  })
  const maxDistance = Math.max(0, ...distances)
  const reasons: ReasonCode[] = [
    ...presenceReasons(judged),
    ...(jumps > 0 || maxDistance >= rule.consecutive ? (['face/not-live'] as const) : []),
  ]
  const scores = { frames: judged.length, alone: faces.length, jumps, maxDistance }
  return { outcome: reasons.length === 0 && faces.length > 0 ? 'passed' : 'failed', reasons, scores }
}

function presenceReasons(frames: readonly LivenessFrame[]): ReasonCode[] {
  const faults = frames.map(({ observation }): ReasonCode | undefined => {
    const [face, second] = facesOf(observation)
    if (!face) return 'face/none'
    if (second) return 'face/two-faces'
    return face.box.width < MIN_FACE_PIXELS ? 'face/too-far' : undefined
  })
  const bad = faults.filter((fault) => fault !== undefined)
  const running = faults.some((fault, i) => i >= CONTINUITY_LIMITS.maxBadRun && fault !== undefined && faults[i - 1] !== undefined)
  return running || bad.length > CONTINUITY_LIMITS.maxBadShare * frames.length ? [...new Set(bad)] : []
}

function turnAllowance(before: SingleFace, after: SingleFace): number {
  const degrees = Math.abs(before.face.pose.yawDegrees - after.face.pose.yawDegrees)
  return degrees > CONTINUITY_LIMITS.farTurnDegrees ? CONTINUITY_LIMITS.farTurnAllowance : 1
}

function isPlausibleMove(before: SingleFace, after: SingleFace): boolean {
  const [a, b] = [before.face.box, after.face.box]
  const width = (a.width + b.width) / 2
  const moved = Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2) / width
  const seconds = (after.frame.capturedMs - before.frame.capturedMs) / 1000
  const resized = Math.max(a.width / b.width, b.width / a.width)
  const slack = 1 + Math.max(0, seconds - 1) * 0.5
  return moved <= CONTINUITY_LIMITS.maxJump + CONTINUITY_LIMITS.maxJumpPerSecond * seconds && resized <= CONTINUITY_LIMITS.maxResize * slack
}
