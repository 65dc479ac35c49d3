import type { FaceObservation, FrameObservation } from '../../observation.ts'
import type { StepKind } from '../plan.ts'
import { isTurn } from '../plan.ts'
import type { LivenessFrame } from '../protocol.ts'
import type { ReasonCode } from '../../reason.ts'
import { sortReasons } from '../../reason.ts'
import { facesOf } from './signal.ts'

/**
 * Where a frame stops being good enough. Brightness is mean luma of the face; sizes are shares of the frame unless in pixels.
 *
 * Measured on 153 press photographs sent as frames: sharpness 12.6, brightness 80–183, unevenness .41, score .45 at the first and last percent.
 */
export const QUALITY_LIMITS = {
  minFacePixels: 120,
  maxFaceWidth: 0.75,
  /** Distance of the face's centre from the oval's, as a share of the frame's shorter side. */
  maxOffCentre: 0.3,
  minBrightness: 45,
  maxBrightness: 225,
  maxUnevenness: 0.6,
  minSharpness: 8,
  minScore: 0.3,
} as const

type Check = readonly [ReasonCode, (face: FaceObservation, frame: FrameObservation) => boolean]

/** Must hold in every frame that counts. */
const ALWAYS: readonly Check[] = [
  ['face/too-far', ({ box }) => box.width < QUALITY_LIMITS.minFacePixels],
  ['face/too-near', ({ box }, { width, height }) => box.width > QUALITY_LIMITS.maxFaceWidth * Math.min(width, height)],
  ['face/too-dark', ({ brightness }) => brightness < QUALITY_LIMITS.minBrightness],
  ['face/too-bright', ({ brightness }) => brightness > QUALITY_LIMITS.maxBrightness],
]

/** Must hold as well where the face is compared; a turned head is never lit evenly nor at rest. */
const FRONTAL: readonly Check[] = [
  ['face/off-centre', (face, frame) => offCentre(face, frame) > QUALITY_LIMITS.maxOffCentre],
  ['face/uneven-light', ({ unevenness }) => unevenness > QUALITY_LIMITS.maxUnevenness],
  ['face/covered', ({ score }) => score < QUALITY_LIMITS.minScore],
  ['face/hold-still', ({ sharpness }) => sharpness < QUALITY_LIMITS.minSharpness],
]

function offCentre({ box }: FaceObservation, { width, height }: FrameObservation): number {
  const [dx, dy] = [box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2]
  return Math.hypot(dx, dy) / Math.min(width, height)
}

/** What keeps this frame from counting for a step of this kind, the most useful first; empty for a good frame. */
export function hintsFor(frame: FrameObservation, kind: StepKind): ReasonCode[] {
  const [face, second] = facesOf(frame)
  if (!face) return ['face/none']
  if (second) return ['face/two-faces']
  const checks = isTurn(kind) ? ALWAYS : [...ALWAYS, ...FRONTAL]
  return sortReasons(checks.filter(([, fails]) => fails(face, frame)).map(([code]) => code))
}

/** What was wrong in at least half of the given frames: the reasons to tell a person whose check came to nothing. */
export function commonHints(frames: readonly LivenessFrame[], kind: StepKind): ReasonCode[] {
  const all = frames.map(({ observation }) => hintsFor(observation, kind))
  return sortReasons(all.flat()).filter((code) => all.filter((hints) => hints.includes(code)).length * 2 >= all.length)
}
