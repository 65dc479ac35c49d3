import type { FaceObservation, FrameObservation } from '../observation.ts'
import type { ReasonCode } from '../reason.ts'
import { sortReasons } from '../reason.ts'
import { facesOf } from './present-faces.ts'
import type { Judged, QualityProfile, QualityRule, Threshold } from './profiles.ts'
import { QUALITY_RULES } from './profiles.ts'

/** What is known besides the pixels of the face. */
export interface QualityContext {
  /** Faces that count (`facesOf`); one unless said. */
  readonly faces?: number
  /** The person was asked to turn: only what must hold of a turned head is judged. */
  readonly turned?: boolean
  /** Of the file, where there is one: `jpegQualityOf`. */
  readonly jpegQuality?: number | undefined
  readonly detectorScore?: number
}

export interface QualityItem {
  readonly measure: Judged
  readonly value: number
  readonly unit: string
  readonly threshold: Threshold
  readonly passed: boolean
  /** What to tell the person when it did not pass. */
  readonly reason: ReasonCode
  /** 0–100: 50 at the threshold, 100 where more would be no better. */
  readonly score: number
}

export interface QualityReport {
  readonly profile: QualityProfile
  /**
   * The score of the worst measure, 0–100: at least 50 exactly when everything passed. Our own scale for sorting pictures of one profile;
   * it is not the unified quality score of ISO/IEC 29794-5 and predicts no match score.
   */
  readonly overall: number
  readonly passed: boolean
  readonly items: readonly QualityItem[]
  /** Without repeats, the most useful first. */
  readonly reasons: readonly ReasonCode[]
}

/**
 * Holds what was measured against a profile's thresholds; no face at all is `undefined`.
 *
 * A measure that is not there is not judged: older observations and tight portraits lack some.
 */
export function judgeQuality(
  profile: QualityProfile,
  measures: Partial<Record<Judged, number>> | undefined,
  context: QualityContext = {},
): QualityReport {
  const facesPresent = measures === undefined ? 0 : (context.faces ?? 1)
  const values = { ...measures, facesPresent, jpegQuality: context.jpegQuality, detectorScore: context.detectorScore }
  const items = QUALITY_RULES.flatMap((rule) => {
    const value = values[rule.measure]
    const limit = rule.limits[profile]
    const applies = limit !== undefined && value !== undefined && (rule.turned === true || context.turned !== true)
    return applies ? [itemOf(rule, limit, value)] : []
  })
  const failed = items.filter(({ passed }) => !passed)
  return {
    profile,
    overall: Math.min(...items.map(({ score }) => score)),
    passed: failed.length === 0,
    items,
    reasons: facesPresent === 0 ? ['face/none'] : sortReasons(failed.map(({ reason }) => reason)),
  }
}

function itemOf({ measure, unit, reason, signed, ideal }: QualityRule, limit: Threshold, value: number): QualityItem {
  const size = signed ? Math.abs(value) : value
  const { least, most } = limit
  const scores = [
    ...(least === undefined ? [] : [scoreOf(size - least, Math.abs((ideal ?? least) - least))]),
    ...(most === undefined ? [] : [scoreOf(most - size, Math.abs(most - (ideal ?? most)))]),
  ]
  const passed = !(least !== undefined && size < least) && !(most !== undefined && size > most) && !Number.isNaN(size)
  const score = Math.min(...scores)
  const bounded = passed ? Math.max(50, score) : Math.min(49, score || 0)
  return { measure, value, unit, threshold: limit, passed, reason: reasonOf(reason, limit, size), score: bounded }
}

function reasonOf(reason: QualityRule['reason'], { least }: Threshold, size: number): ReasonCode {
  if (typeof reason === 'string') return reason
  return least !== undefined && size < least ? reason.below : reason.above
}

/** 50 at the limit, 100 at the ideal, 0 as far beyond the limit as the ideal is within. */
function scoreOf(within: number, reach: number): number {
  if (reach === 0) return within >= 0 ? 100 : 0
  return Math.round(Math.max(0, Math.min(100, 50 + (50 * within) / reach)))
}

/** Judges the person's face in a picture as the engine saw it: what pages, counters and agencies show. */
export function qualityOf(
  profile: QualityProfile,
  frame: FrameObservation,
  context: Pick<QualityContext, 'turned' | 'jpegQuality'> = {},
): QualityReport {
  const faces = facesOf(frame)
  const [face] = faces
  if (!face) return judgeQuality(profile, undefined, context)
  return judgeQuality(profile, measuresOf(face, frame), { ...context, faces: faces.length, detectorScore: face.score })
}

/** The measures of the worker, or what an observation without them tells. */
function measuresOf(face: FaceObservation, { width, height }: FrameObservation): Partial<Record<Judged, number>> {
  const { box, pose } = face
  const shorter = Math.min(width, height)
  return {
    headPoseYaw: pose.yawDegrees,
    headPoseRoll: pose.rollDegrees,
    faceWidth: box.width,
    faceShare: box.width / shorter,
    offCentre: Math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2) / shorter,
    luminanceMean: face.brightness,
    illuminationUniformity: 1 - face.unevenness,
    sharpness: face.sharpness,
    ...face.measures,
  }
}
