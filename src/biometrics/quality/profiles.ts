import type { ReasonCode } from '../reason.ts'
import type { FaceMeasures } from './measures.ts'

/**
 * What a picture of a face is for. `live-guidance`: a camera frame of the liveness check · `capture-point`: taken by staff, to the photograph
 * of ISO/IEC 19794-5 · `document-portrait`: on or scanned from a document · `reference`: a photograph that faces are compared with.
 */
export const QUALITY_PROFILES = ['live-guidance', 'capture-point', 'document-portrait', 'reference'] as const

export type QualityProfile = (typeof QUALITY_PROFILES)[number]

/** What is measured in the pixels, and what the detector and the file add. */
export type Judged = keyof FaceMeasures | 'facesPresent' | 'detectorScore' | 'jpegQuality'

/** The value must lie between these; of a signed measure its size. */
export interface Threshold {
  readonly least?: number
  readonly most?: number
}

export interface QualityRule {
  readonly measure: Judged
  readonly unit: string
  /** What to tell; the other end of a measure may have a word of its own. */
  readonly reason: ReasonCode | { readonly below: ReasonCode; readonly above: ReasonCode }
  /** Judged by its size. */
  readonly signed?: boolean
  /** Must hold of a turned head as well. */
  readonly turned?: boolean
  /** Where more would be no better. */
  readonly ideal?: number
  readonly limits: Readonly<Partial<Record<QualityProfile, Threshold>>>
}

/** Below this a face has too few pixels to follow or compare. */
export const MIN_FACE_PIXELS = 120

type ByProfile = readonly (Threshold | undefined)[]

/** Limits in the order of `QUALITY_PROFILES`; undefined: not judged there. */
function limitsOf(values: ByProfile): QualityRule['limits'] {
  return Object.fromEntries(QUALITY_PROFILES.flatMap((profile, index) => (values[index] ? [[profile, values[index]]] : [])))
}

const least = (...values: readonly (number | undefined)[]) =>
  limitsOf(values.map((value) => (value === undefined ? undefined : { least: value })))
const most = (...values: readonly (number | undefined)[]) =>
  limitsOf(values.map((value) => (value === undefined ? undefined : { most: value })))
const no = undefined

/**
 * Every threshold there is, in the order of `QUALITY_PROFILES`: live guidance, capture point, document portrait, reference.
 *
 * What each is worth, with the share of good pictures that it refuses, is in docs/quality.md; test/biometrics/quality-profiles.test.ts pins it.
 */
export const QUALITY_RULES: readonly QualityRule[] = [
  {
    measure: 'facesPresent',
    unit: 'faces',
    reason: { below: 'face/none', above: 'face/two-faces' },
    turned: true,
    ideal: 1,
    limits: limitsOf([
      { least: 1, most: 1 },
      { least: 1, most: 1 },
      { least: 1, most: 1 },
      { least: 1, most: 1 },
    ]),
  },
  {
    measure: 'faceWidth',
    unit: 'px',
    reason: 'face/too-far',
    turned: true,
    ideal: 240,
    limits: least(MIN_FACE_PIXELS, no, no, MIN_FACE_PIXELS),
  },
  { measure: 'interEyeDistance', unit: 'px', reason: 'face/low-resolution', ideal: 120, limits: least(no, 90, 60, no) },
  {
    measure: 'faceShare',
    unit: 'of the shorter side',
    reason: 'face/too-near',
    turned: true,
    ideal: 0.45,
    limits: most(0.75, 0.7, no, no),
  },
  { measure: 'headSize', unit: 'of the height', reason: 'face/too-far', ideal: 0.25, limits: least(no, 0.12, 0.15, no) },
  { measure: 'leftwardCrop', unit: 'eye distances', reason: 'face/cropped', ideal: 2, limits: least(no, 1.3, 1.1, 0.9) },
  { measure: 'rightwardCrop', unit: 'eye distances', reason: 'face/cropped', ideal: 2, limits: least(no, 1.3, 1.1, 0.9) },
  { measure: 'marginAbove', unit: 'face lengths', reason: 'face/cropped', ideal: 1.3, limits: least(no, 0.9, 0.7, 0.5) },
  { measure: 'marginBelow', unit: 'face lengths', reason: 'face/cropped', ideal: 0.4, limits: least(no, 0.15, 0, 0) },
  { measure: 'offCentre', unit: 'of the shorter side', reason: 'face/off-centre', ideal: 0.05, limits: most(0.3, 0.2, 0.3, no) },
  {
    measure: 'luminanceMean',
    unit: 'luma 0–255',
    reason: { below: 'face/too-dark', above: 'face/too-bright' },
    turned: true,
    ideal: 130,
    limits: limitsOf([
      { least: 45, most: 225 },
      { least: 70, most: 200 },
      { least: 60, most: 210 },
      { least: 45, most: 225 },
    ]),
  },
  { measure: 'underExposure', unit: 'share of pixels', reason: 'face/too-dark', ideal: 0, limits: most(no, 0.2, 0.25, 0.4) },
  { measure: 'overExposure', unit: 'share of pixels', reason: 'face/too-bright', ideal: 0, limits: most(no, 0.05, 0.1, 0.2) },
  { measure: 'illuminationUniformity', unit: 'ratio', reason: 'face/uneven-light', ideal: 0.95, limits: least(0.4, 0.6, 0.5, 0.4) },
  { measure: 'dynamicRange', unit: 'levels of luma', reason: 'face/washed-out', ideal: 110, limits: least(no, 45, 40, 30) },
  { measure: 'naturalColour', unit: 'CIELAB units', reason: 'face/unnatural-colour', ideal: 0, limits: most(no, 10, 15, 20) },
  { measure: 'detectorScore', unit: 'probability', reason: 'face/covered', ideal: 0.9, limits: least(0.3, 0.5, 0.4, 0.3) },
  { measure: 'faceOcclusion', unit: 'share of pixels', reason: 'face/covered', ideal: 0.1, limits: most(no, 0.5, 0.55, 0.6) },
  {
    measure: 'mouthOcclusion',
    unit: 'logarithm of ratios',
    reason: 'face/mouth-covered',
    ideal: 0.05,
    limits: most(0.3, 0.22, 0.24, 0.24),
  },
  { measure: 'eyesOcclusion', unit: 'share of pixels', reason: 'face/eyes-hidden', ideal: 0, limits: most(0.65, 0.5, 0.5, 0.5) },
  { measure: 'headPoseYaw', unit: '°', reason: 'face/look-ahead', signed: true, ideal: 0, limits: most(no, 8, 10, 12) },
  { measure: 'headPosePitch', unit: '°', reason: 'face/look-ahead', signed: true, ideal: 0, limits: most(no, 20, 25, no) },
  { measure: 'headPoseRoll', unit: '°', reason: 'face/tilted', signed: true, ideal: 0, limits: most(30, 8, 10, 20) },
  { measure: 'sharpness', unit: 'variance of the Laplacian', reason: 'face/hold-still', ideal: 60, limits: least(12, 25, no, no) },
  { measure: 'sharpness', unit: 'variance of the Laplacian', reason: 'face/blurred', ideal: 60, limits: least(no, no, 15, 15) },
  { measure: 'compressionArtifacts', unit: 'ratio', reason: 'face/compressed', ideal: 1.2, limits: most(no, 2, 2.3, 2.5) },
  { measure: 'jpegQuality', unit: '1–100', reason: 'face/compressed', ideal: 90, limits: least(no, 70, 40, 30) },
  { measure: 'backgroundUniformity', unit: 'share that is an edge', reason: 'face/background', ideal: 0, limits: most(no, 0.3, 0.25, no) },
]
