import type { FaceObservation } from '../../observation.ts'
import { facesOf } from '../../quality/present-faces.ts'
import type { ReasonCode } from '../../reason.ts'
import type { LivenessFrame } from '../protocol.ts'

export { facesOf } from '../../quality/present-faces.ts'

/** What one way of looking at a session found. `absent`: it could not be measured here, which is neither for nor against the person. */
export interface Signal {
  readonly outcome: 'passed' | 'failed' | 'absent'
  readonly reasons: readonly ReasonCode[]
  /** For the record and for tuning; never for the browser. */
  readonly scores: Readonly<Record<string, number>>
}

/** Beyond this a face is not compared with anything. */
export const FRONTAL_DEGREES = 10

export interface SingleFace {
  readonly frame: LivenessFrame
  readonly face: FaceObservation
}

/** The frames with exactly one face, in order. */
export function singleFaces(frames: readonly LivenessFrame[]): SingleFace[] {
  return frames.flatMap((frame) => {
    const [face, second] = facesOf(frame.observation)
    return face && !second ? [{ frame, face }] : []
  })
}

export function isFrontal(face: FaceObservation): boolean {
  return Math.abs(face.pose.yawDegrees) < FRONTAL_DEGREES
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
