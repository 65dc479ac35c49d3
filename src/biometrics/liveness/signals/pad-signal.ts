import type { LivenessFrame } from '../protocol.ts'
import type { Signal } from './signal.ts'
import { isFrontal, mean, singleFaces } from './signal.ts'

export const PAD_LIMITS = {
  /** Measured so: mean of ten frontal frames at .4 lets 0 % of attacks pass and refuses 4 % of people (one person, one replay). */
  minFrames: 10,
  minMean: 0.4,
} as const

/** What the presentation-attack nets say of the frontal frames; `absent` without the nets or with too few frames for a judgement. */
export function padSignal(frames: readonly LivenessFrame[]): Signal {
  const scores = singleFaces(frames).flatMap(({ face }) => (isFrontal(face) && face.padScore !== undefined ? [face.padScore] : []))
  const found = { frames: scores.length, mean: mean(scores) }
  if (scores.length === 0) return { outcome: 'absent', reasons: [], scores: found }
  if (found.mean < PAD_LIMITS.minMean) return { outcome: 'failed', reasons: ['face/not-live'], scores: found }
  return { outcome: scores.length < PAD_LIMITS.minFrames ? 'absent' : 'passed', reasons: [], scores: found }
}
