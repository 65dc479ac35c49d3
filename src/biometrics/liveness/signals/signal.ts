import type { FaceObservation, FrameObservation } from '../../observation.ts'
import type { LivenessFrame } from '../protocol.ts'
import type { ReasonCode } from '../../reason.ts'

/** What one way of looking at a session found. `absent`: it could not be measured here, which is neither for nor against the person. */
export interface Signal {
  readonly outcome: 'passed' | 'failed' | 'absent'
  readonly reasons: readonly ReasonCode[]
  /** For the record and for tuning; never for the browser. */
  readonly scores: Readonly<Record<string, number>>
}

/** Beyond this a face is not compared with anything. */
export const FRONTAL_DEGREES = 10

/** Detectors find faces in sleeves and curtains too: another face counts when the detector is as sure as this and it is not far behind. */
const OTHER_FACE = { minScore: 0.5, minWidth: 0.35 }

/**
 * The faces that count, the person's own first: the surest of the large ones, and whoever else is plainly there.
 *
 * Everything that judges a frame goes through here, so that all of it speaks of the same face.
 */
export function facesOf({ faces }: FrameObservation): FaceObservation[] {
  const [own, ...others] = faces.toSorted((a, b) => weight(b) - weight(a))
  if (!own) return []
  return [own, ...others.filter(({ box, score }) => score >= OTHER_FACE.minScore && box.width >= OTHER_FACE.minWidth * own.box.width)]
}

function weight({ box, score }: FaceObservation): number {
  return box.width * score
}

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
