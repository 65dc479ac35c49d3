import type { FaceBox, Point } from '../observation.ts'
import type { AlignedSquare } from './alignment.ts'
import type { Detection } from './detection.ts'
import type { Raster } from './raster.ts'

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
  /** The square that the recogniser wants, and its side in pixels once cut. */
  readonly align: (landmarks: readonly Point[]) => AlignedSquare
  readonly inputSize: number
  /** Descriptor of a square cut by `align` (planes of bytes); `mirrored`: averaged with its mirror image's, at twice the cost. */
  readonly embed: (square: Float32Array, mirrored: boolean) => Promise<number[]>
  readonly close: () => Promise<void>
}
