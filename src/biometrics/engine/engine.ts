import { FRAME_LIMITS, PHOTO_LIMITS } from '../image.ts'
import type { FaceObservation, FrameObservation } from '../observation.ts'
import { cutSquare } from './alignment.ts'
import { appearanceOf, backgroundColour, skinColour } from './appearance.ts'
import { loadBuiltinSet } from './builtin-set.ts'
import { decodeImage } from './decode.ts'
import type { Detection } from './detection.ts'
import { framePrint } from './frame-print.ts'
import type { FaceModelSet, Search } from './model-set.ts'
import { poseOf } from './pose.ts'
import type { Raster } from './raster.ts'
import type { OnnxRuntime } from './runtime.ts'

export interface ObserveOptions {
  /**
   * `frontal`: only when the yaw is below 10°, where descriptors may be matched. `always`: a turned face too, but without the mirror
   * image: good enough to follow one person from frame to frame, and half the cost.
   */
  readonly descriptor: 'frontal' | 'always' | 'never'
  /** How many faces get a descriptor, largest first; one unless said. */
  readonly describeFaces?: number
}

export interface FaceEngine {
  readonly modelId: string
  readonly dimension: number
  readonly metric: 'euclidean' | 'cosine'
  /**
   * Everything that one camera frame shows.
   *
   * @throws {ImageRefused} Before decoding when the header already says no.
   */
  readonly observe: (jpeg: Uint8Array, options: ObserveOptions) => Promise<FrameObservation>
  /** As `observe`, for a photograph to be kept: higher limits, a more thorough search, always a descriptor. */
  readonly describe: (photo: Uint8Array) => Promise<FrameObservation>
  readonly close: () => Promise<void>
}

/** Up to this turn a descriptor may be matched. */
export const FRONTAL_YAW_DEGREES = 10
/** Landmarks are found for this many faces at most: a crowd must not cost more than a refusal. */
const MOST_FACES = 8

/**
 * Loads the nets (building their files on first use) and answers frames one at a time.
 *
 * The caller hands in the runtime, because only a worker may load it. Not for the event loop: a frame takes some 20 ms of it.
 */
export async function createFaceEngine(options: { runtime: OnnxRuntime; modelsDir: string }): Promise<FaceEngine> {
  const set = await loadBuiltinSet(options.runtime, options.modelsDir)
  return {
    modelId: set.id,
    dimension: set.dimension,
    metric: set.metric,
    observe: async (jpeg, wanted) => observeRaster(set, await decodeImage(jpeg, FRAME_LIMITS), wanted, FRAME),
    describe: async (photo) => observeRaster(set, await decodeImage(photo, PHOTO_LIMITS), { descriptor: 'always' }, PHOTO),
    close: () => set.close(),
  }
}

/** A photograph has to count on its own: looked at harder, and averaged with its mirror image at any turn. */
interface Care {
  readonly search: Search
  readonly mirrorBelowDegrees: number
}
const FRAME: Care = { search: 'quick', mirrorBelowDegrees: FRONTAL_YAW_DEGREES }
const PHOTO: Care = { search: 'thorough', mirrorBelowDegrees: 180 }

async function observeRaster(set: FaceModelSet, raster: Raster, wanted: ObserveOptions, care: Care): Promise<FrameObservation> {
  const found = (await set.detect(raster, care.search)).toSorted((left, right) => areaOf(right) - areaOf(left))
  const faces: FaceObservation[] = []
  for (const detection of found.slice(0, MOST_FACES)) {
    const descriptor = faces.length < (wanted.describeFaces ?? 1) ? wanted.descriptor : 'never'
    const face = await observeFace(set, raster, detection, { descriptor, ...care })
    if (face) faces.push(face)
  }
  const { width, height } = raster
  return { modelId: set.id, width, height, faces, background: backgroundColour(raster, faces[0]?.box), ...framePrint(raster) }
}

const areaOf = ({ box }: Detection) => box.width * box.height

async function observeFace(
  set: FaceModelSet,
  raster: Raster,
  { box, score }: Detection,
  { descriptor, mirrorBelowDegrees }: ObserveOptions & Care,
): Promise<FaceObservation | undefined> {
  const landmarks = await set.landmarks(raster, box)
  if (!landmarks) return undefined
  const pose = poseOf(landmarks)
  const square = cutSquare(raster, set.align(landmarks), set.inputSize)
  const turn = Math.abs(pose.yawDegrees)
  const wanted = descriptor === 'always' || (descriptor === 'frontal' && turn < FRONTAL_YAW_DEGREES)
  return {
    box,
    score,
    landmarks,
    pose,
    skin: skinColour(raster, landmarks),
    ...appearanceOf(square, set.inputSize),
    ...(wanted && { descriptor: await set.embed(square, turn < mirrorBelowDegrees) }),
  }
}
