import { FRAME_LIMITS, PHOTO_LIMITS } from '../image.ts'
import type { FaceObservation, FrameObservation } from '../observation.ts'
import { measureQuality } from '../quality/measure-quality.ts'
import { DESCRIPTOR_SIZE } from '../onnx/nets.ts'
import { alignedSquare, cutSquare } from './alignment.ts'
import { appearanceOf, backgroundColour, skinColour } from './appearance.ts'
import { loadBuiltinSet } from './builtin-set.ts'
import { isFace } from './confirmation.ts'
import { decodeImage } from './decode.ts'
import type { Detection } from './detection.ts'
import { framePrint } from './frame-print.ts'
import type { FaceModelSet, LocatedFace } from './model-set.ts'
import { poseOf } from './pose.ts'
import type { Raster } from './raster.ts'
import { withMargin } from './raster.ts'
import type { OnnxRuntime } from './runtime.ts'
import { loadStandardSet } from './standard/standard-set.ts'

export interface ObserveOptions {
  /**
   * `frontal`: only when the yaw is below 10°, where descriptors may be matched. `always`: a turned face too, but without the mirror
   * image: good enough to follow one person from frame to frame, and half the cost.
   */
  readonly descriptor: 'frontal' | 'always' | 'never'
  /** `false`: frontal faces without their mirror image too, for half the cost and a lower accuracy. */
  readonly mirror?: boolean
  /** How many faces get a descriptor, largest first; one unless said. */
  readonly describeFaces?: number
  /** `true`: what the PAD nets say of the largest face, when it is frontal and they are installed. */
  readonly pad?: boolean
}

export interface FaceEngineOptions {
  readonly runtime: OnnxRuntime
  readonly modelsDir: string
  /** The built-in nets unless said. */
  readonly set?: FaceSetName
  /** Only with `standard`: load the PAD nets too. */
  readonly pad?: boolean
  /** Only with `standard`: model id of the recogniser; the manifest's first unless said. */
  readonly recogniser?: string | undefined
}

export type FaceSetName = 'standard' | 'builtin'

export interface FaceEngine {
  readonly modelId: string
  /** Whether `observe` can ask the PAD nets. */
  readonly pad: boolean
  readonly dimension: number
  readonly metric: 'euclidean' | 'cosine'
  /**
   * Everything that one camera frame shows.
   *
   * @throws {ImageRefused} Before decoding when the header already says no.
   */
  readonly observe: (jpeg: Uint8Array, options: ObserveOptions) => Promise<FrameObservation>
  /** As `observe`, for a photograph to be kept: higher limits, a more thorough search, always a descriptor. */
  readonly describe: (photo: Uint8Array, options?: { readonly describeFaces: number }) => Promise<FrameObservation>
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
export async function createFaceEngine(options: FaceEngineOptions): Promise<FaceEngine> {
  const { runtime, modelsDir, set: name, pad = false, recogniser } = options
  const set =
    name === 'standard' ? await loadStandardSet(runtime, modelsDir, { pad, recogniser }) : await loadBuiltinSet(runtime, modelsDir)
  const inTurn = createQueue()
  return {
    modelId: set.id,
    pad: set.pad !== undefined,
    dimension: set.dimension,
    metric: set.metric,
    async observe(jpeg, wanted) {
      const raster = await decodeImage(jpeg, FRAME_LIMITS)
      return inTurn(() => observeRaster(set, raster, wanted, FRAME))
    },
    async describe(photo, { describeFaces } = { describeFaces: 1 }) {
      const raster = await decodeImage(photo, PHOTO_LIMITS)
      return inTurn(() => observeRaster(set, raster, { descriptor: 'always', describeFaces }, PHOTO))
    },
    close: () => set.close(),
  }
}

/** One after another: the nets' input buffers are shared, and the runtime has one thread anyway. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => undefined)
    return next
  }
}

/** A photograph has to count on its own: looked at with room around it too, and averaged with its mirror image at any turn. */
interface Care {
  readonly margins: readonly number[]
  readonly quick: boolean
  readonly mirrorBelowDegrees: number
}
/** A portrait cut close round the face is found once it has room: this part of its longer side, all round. */
const ROOM = 0.4
const FRAME: Care = { margins: [0], quick: true, mirrorBelowDegrees: FRONTAL_YAW_DEGREES }
const PHOTO: Care = { margins: [0, ROOM], quick: false, mirrorBelowDegrees: 180 }

async function observeRaster(set: FaceModelSet, raster: Raster, wanted: ObserveOptions, care: Care): Promise<FrameObservation> {
  const found = await locateFaces(set, raster, care)
  const faces: FaceObservation[] = []
  for (const face of found) {
    const descriptor = faces.length < (wanted.describeFaces ?? 1) ? wanted.descriptor : 'never'
    const mirrorBelowDegrees = wanted.mirror === false ? 0 : care.mirrorBelowDegrees
    faces.push(await observeFace(set, raster, face, { descriptor, mirrorBelowDegrees, pad: wanted.pad === true && faces.length === 0 }))
  }
  const { width, height } = raster
  return { modelId: set.id, width, height, faces, background: backgroundColour(raster, faces[0]?.box), ...framePrint(raster) }
}

/** The faces, largest first: the first detector's that found any, then the same with room around the picture. */
async function locateFaces(set: FaceModelSet, raster: Raster, { margins, quick }: Care): Promise<LocatedFace[]> {
  const detectors = quick ? [set.quickDetector, ...set.detectors] : set.detectors
  for (const share of margins) {
    const margin = Math.round(Math.max(raster.width, raster.height) * share)
    const roomy = margin === 0 ? raster : withMargin(raster, margin)
    for (const detect of detectors) {
      const found = (await detect(roomy)).toSorted((left, right) => areaOf(right) - areaOf(left)).slice(0, MOST_FACES)
      const faces: LocatedFace[] = []
      for (const face of found) {
        const inPicture = movedBack(face, margin)
        const landmarks = await set.landmarks(raster, inPicture.box)
        if (landmarks && (await isFace(set, raster, landmarks, face.score))) faces.push({ ...inPicture, landmarks })
      }
      if (faces.length > 0) return faces
    }
  }
  return []
}

const areaOf = ({ box }: Detection) => box.width * box.height

/** From the picture with a margin to the picture. */
function movedBack(face: Detection, margin: number): Detection {
  const moved = <Place extends { x: number; y: number }>(place: Place): Place => ({ ...place, x: place.x - margin, y: place.y - margin })
  const { box, points, ownBox } = face
  return { ...face, box: moved(box), ...(points && { points: points.map(moved) }), ...(ownBox && { ownBox: moved(ownBox) }) }
}

async function observeFace(
  set: FaceModelSet,
  raster: Raster,
  face: LocatedFace,
  { descriptor, mirrorBelowDegrees, pad }: Pick<ObserveOptions, 'descriptor'> & Pick<Care, 'mirrorBelowDegrees'> & { pad: boolean },
): Promise<FaceObservation> {
  const { box, score, landmarks, ownBox = box } = face
  const pose = poseOf(landmarks)
  const turn = Math.abs(pose.yawDegrees)
  const frontal = turn < FRONTAL_YAW_DEGREES
  // One square for all sets, so that one limit of sharpness and of light holds for all.
  const square = cutSquare(raster, alignedSquare(landmarks), DESCRIPTOR_SIZE)
  const wanted = descriptor === 'always' || (descriptor === 'frontal' && frontal)
  return {
    box,
    score,
    landmarks,
    pose,
    skin: skinColour(raster, landmarks),
    ...appearanceOf(square, DESCRIPTOR_SIZE),
    measures: measureQuality(raster, { box, landmarks, pose }),
    ...(wanted && {
      descriptor: await set.embed(set.align ? cutSquare(raster, set.align(face), set.inputSize) : square, turn < mirrorBelowDegrees),
    }),
    ...(pad && frontal && set.pad && { padScore: await set.pad(raster, ownBox) }),
  }
}
