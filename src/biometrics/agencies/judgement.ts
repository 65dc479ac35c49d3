import type { MatchRule } from '../liveness/match-rule.ts'
import { compareFaces } from '../liveness/match-rule.ts'
import type { FrameObservation } from '../observation.ts'
import { qualityOf, type QualityReport } from '../quality/judge.ts'
import { jpegQualityOf } from '../quality/jpeg-quality.ts'
import type { ReasonCode } from '../reason.ts'

/** What a picture is to serve for, as agencies say it; what is asked of it follows. */
export const PICTURE_PROFILES = {
  selfie: 'live-guidance',
  documento: 'document-portrait',
  ponto_de_coleta: 'capture-point',
  referencia: 'reference',
} as const
export type PictureProfile = keyof typeof PICTURE_PROFILES

/** The engine, as this API uses it. */
export interface AgencyFaces {
  readonly rule: MatchRule
  describe(photo: Uint8Array): Promise<FrameObservation>
}

/** What can be said of a picture's quality: numbers with units, thresholds and reasons. */
export function judgePicture(profile: PictureProfile, seen: FrameObservation, bytes: Uint8Array): QualityReport {
  return qualityOf(PICTURE_PROFILES[profile], seen, { jpegQuality: jpegQualityOf(bytes) })
}

export interface PictureSeen {
  readonly bytes: Uint8Array
  readonly seen: FrameObservation
}

export interface PictureComparison {
  readonly result: 'same' | 'other' | 'unusable'
  readonly reasons: readonly { readonly picture: 0 | 1; readonly code: ReasonCode }[]
  readonly modelId: string
  readonly metric: MatchRule['metric']
  readonly point: string
  /** Absent when unusable. */
  readonly score?: { readonly distance: number; readonly threshold: number }
}

/**
 * Whether two pictures show one person, at the threshold calibrated for single pictures.
 *
 * A picture that could mislead the recogniser is not compared at all: `unusable` says which and why, and is no verdict about anybody.
 */
export function comparePictures(rule: MatchRule, pictures: readonly [PictureSeen, PictureSeen]): PictureComparison {
  const about = { modelId: rule.modelId, metric: rule.metric, point: 'fmr1e-4' }
  const reasons = pictures.flatMap(({ seen, bytes }, index) => faultsOf(seen, bytes).map((code) => ({ picture: index === 0 ? (0 as const) : (1 as const), code })))
  const [left, right] = pictures.map(({ seen }) => seen.faces[0]?.descriptor)
  const isOurs = pictures.every(({ seen }) => seen.modelId === rule.modelId)
  const found = left && right && isOurs && reasons.length === 0 ? compareFaces(rule, { template: left, k: 1 }, right) : undefined
  if (!found) return { ...about, result: 'unusable', reasons }
  const { same, distance, threshold, point } = found
  return { ...about, result: same ? 'same' : 'other', reasons: [], point, score: { distance, threshold } }
}

function faultsOf(seen: FrameObservation, bytes: Uint8Array): readonly ReasonCode[] {
  const { passed, reasons } = judgePicture('documento', seen, bytes)
  if (seen.faces[0]?.descriptor === undefined) return reasons.length > 0 ? reasons : ['face/none']
  return passed ? [] : reasons
}
