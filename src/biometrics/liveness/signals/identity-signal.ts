import { meanTemplate } from '../../descriptor.ts'
import { qualityOf } from '../../quality/judge.ts'
import type { MatchRule } from '../match-rule.ts'
import { compareFaces, thresholdFor } from '../match-rule.ts'
import type { LivenessFrame } from '../protocol.ts'
import { hintsFor } from './quality-signal.ts'
import type { Signal, SingleFace } from './signal.ts'
import { isFrontal, mean, singleFaces } from './signal.ts'

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
  /** The same comparison at the stricter operating point, which ouro asks for; absent where the model has none. */
  readonly strict?: { readonly passed: boolean; readonly threshold: number }
}

/** Frontal frames of the engine's best quality first: sharp, and little turned. Turned frames are never compared. */
function bestFaces(frames: readonly LivenessFrame[], modelId: string): SingleFace[] {
  return singleFaces(frames)
    .filter(
      ({ frame, face }) => frame.observation.modelId === modelId && isFrontal(face) && hintsFor(frame.observation, 'frontal').length === 0,
    )
    .filter(({ face }) => face.descriptor !== undefined)
    .sort((a, b) => rank(b.face) - rank(a.face))
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
  const faces = reference.modelId === rule.modelId ? bestFaces(frames, rule.modelId) : []
  const k = thresholdFor(rule, faces.length)?.k ?? 0
  const chosen = faces.slice(0, k)
  if (k === 0) return { outcome: 'failed', reasons: ['face/hold-still'], scores: { frames: faces.length }, k: 0, threshold: 0 }
  const probe = { template: meanTemplate(chosen.flatMap(({ face }) => (face.descriptor ? [face.descriptor] : []))), k }
  const usual = compareFaces(rule, probe, reference.template)
  if (!usual) throw new Error(`the rule knew a threshold for ${k} frames`)
  const strict = compareFaces(rule, probe, reference.template, 'fmr1e-5')
  return {
    outcome: usual.same ? 'passed' : 'failed',
    reasons: usual.same ? [] : ['face/not-same-person'],
    scores: {
      frames: faces.length,
      distance: usual.distance,
      quality: mean(chosen.map(({ frame }) => qualityOf('live-guidance', frame.observation).overall)),
    },
    k,
    threshold: usual.threshold,
    // A strict threshold of fewer frames would be another comparison than the one that is recorded.
    ...(strict?.k === k && { strict: { passed: strict.same, threshold: strict.threshold } }),
  }
}
