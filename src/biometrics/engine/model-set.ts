import type { FaceBox, Point } from '../observation.ts'
import type { AlignedSquare } from './alignment.ts'
import type { Detection } from './detection.ts'
import type { Raster } from './raster.ts'

/** A face with its 68 landmarks, iBUG 300-W order. */
export interface LocatedFace extends Detection {
  readonly landmarks: readonly Point[]
}

/** Probability of a live face, 0–1, of the face in the detector's own box. */
export type PadScorer = (raster: Raster, ownBox: FaceBox) => Promise<number>

/**
 * One set of nets that together turn a picture into descriptors.
 *
 * Descriptors of two sets can't be compared: `id` is stored with every template and decision.
 */
export interface FaceModelSet {
  readonly id: string
  readonly dimension: number
  readonly metric: 'euclidean' | 'cosine'
  /** Each finds faces, or what looks like one; the next is asked when the one before found none. */
  readonly detectors: readonly ((raster: Raster) => Promise<Detection[]>)[]
  /** For frames of a camera, where the face is large: asked before the others. */
  readonly quickDetector: (raster: Raster) => Promise<Detection[]>
  /** The 68 landmarks, iBUG 300-W order; undefined when the box is outside the picture. */
  readonly landmarks: (raster: Raster, box: FaceBox) => Promise<Point[] | undefined>
  /** The square that the recogniser wants; absent where it is the one that light and focus are measured in. */
  readonly align?: (face: LocatedFace) => AlignedSquare
  /** Its side in pixels once cut. */
  readonly inputSize: number
  /** Descriptor of a square so cut (planes of bytes); `mirrored`: averaged with its mirror image's, at twice the cost. */
  readonly embed: (square: Float32Array, mirrored: boolean) => Promise<number[]>
  /** Probability of a live face by the PAD nets; absent where they are not installed. */
  readonly pad?: PadScorer
  readonly close: () => Promise<void>
}
