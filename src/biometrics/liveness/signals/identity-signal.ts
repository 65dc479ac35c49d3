import { meanTemplate } from '../../descriptor.ts'
import type { MatchRule } from '../match-rule.ts'
import { distance, thresholdFor } from '../match-rule.ts'
import type { LivenessFrame } from '../protocol.ts'
import { hintsFor } from './quality-signal.ts'
import type { Signal } from './signal.ts'
import { isFrontal, singleFaces } from './signal.ts'

/** The person's stored face, as the image store hands it out for one model. */
export interface ReferenceTemplate {
  readonly modelId: string
  readonly template: readonly number[]
  /** Captured at a counter under dual control: only such a reference can carry `active+bound`. */
  readonly inPerson: boolean
}

export interface IdentitySignal extends Signal {
  readonly k: number
  readonly threshold: number
}

/** Frontal frames of the engine's best quality first: sharp, and little turned. Descriptors of turned frames are never compared. */
export function bestDescriptors(frames: readonly LivenessFrame[], modelId: string): (readonly number[])[] {
  return singleFaces(frames)
    .filter(
      ({ frame, face }) => frame.observation.modelId === modelId && isFrontal(face) && hintsFor(frame.observation, 'frontal').length === 0,
    )
    .sort((a, b) => rank(b.face) - rank(a.face))
    .flatMap(({ face }) => (face.descriptor ? [face.descriptor] : []))
}

function rank(face: { sharpness: number; pose: { yawDegrees: number } }): number {
  return Math.log(1 + Math.max(0, face.sharpness)) - Math.abs(face.pose.yawDegrees) / 10
}

/**
 * Whether the mean of the k best frontal frames is the person of the reference, at the threshold calibrated for that k.
 *
 * Frames or a reference of another model fail: distances across models mean nothing.
 */
export function identitySignal(frames: readonly LivenessFrame[], reference: ReferenceTemplate, rule: MatchRule): IdentitySignal {
  const descriptors = reference.modelId === rule.modelId ? bestDescriptors(frames, rule.modelId) : []
  const chosen = thresholdFor(rule, descriptors.length)
  if (!chosen) return { outcome: 'failed', reasons: ['face/hold-still'], scores: { frames: descriptors.length }, k: 0, threshold: 0 }
  const found = distance(rule, meanTemplate(descriptors.slice(0, chosen.k)), reference.template)
  const passed = found <= chosen.threshold
  return {
    outcome: passed ? 'passed' : 'failed',
    reasons: passed ? [] : ['face/not-same-person'],
    scores: { frames: descriptors.length, distance: found },
    ...chosen,
  }
}
