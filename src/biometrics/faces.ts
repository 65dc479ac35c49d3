import { forbidTelemetry } from '../platform/config.ts'
import { createWorkerPool, type PoolStats, WorkError, type WorkerPool } from '../platform/worker-pool.ts'
import { PAD_MODEL_ID } from './engine/standard/pad-nets.ts'
import { calibrationOf } from './calibration.ts'
import type { FaceTask, FaceTaskResult } from './face-task.ts'
import { acceptImage, FRAME_LIMITS, ImageRefused, type ImageRefusal, PHOTO_LIMITS } from './image.ts'
import type { MatchRule } from './liveness/match-rule.ts'
import { BUILTIN_MODELS, type FaceModels } from './model-choice.ts'
import type { FrameObservation } from './observation.ts'

/** The face engine behind its worker threads; nothing here touches a picture on the event loop but its header. */
export interface Faces {
  /** What is installed and in use. */
  readonly models: FaceModels
  /** The model in use and where it says that two faces are one person's. */
  readonly rule: MatchRule
  /** The presentation-attack nets in use, as decisions name them. */
  readonly padModel: string | undefined
  /** One camera frame of a liveness check, with a descriptor and what the PAD nets say of the largest face. @throws {ImageRefused} @throws {Problem} platform/busy, platform/deadline */
  observe(jpeg: Uint8Array): Promise<FrameObservation>
  /** One photograph of a person, as carefully as the engine can. @throws {ImageRefused} */
  describe(photo: Uint8Array): Promise<FrameObservation>
  /** The photograph as it may be stored: upright, at most 1600 px, nothing but the picture. @throws {ImageRefused} */
  normalise(photo: Uint8Array): Promise<Uint8Array>
  /** Resolves when every worker has loaded its nets. */
  ready(): Promise<void>
  stats(): PoolStats
  close(): Promise<void>
}

export interface FacesOptions {
  /** Where the nets are kept, built there on the first start. */
  readonly modelsDir: string
  /** As `chooseFaceModels` chose; the built-in ones unless said. */
  readonly models?: FaceModels
  /** Its calibration, as `chooseFaceModels` found it; the shipped one unless said. */
  readonly rule?: MatchRule
  readonly workers: number
  readonly maxQueue: number
}

/** From the upload to the observation, the wait included: a hint that comes later helps nobody. */
const DEADLINE_MS = 8000

/** Starts the face workers. */
export function createFaces(options: FacesOptions): Faces {
  forbidTelemetry()
  const { modelsDir, models = BUILTIN_MODELS, rule = calibrationOf(models.setId), workers, maxQueue } = options
  const pool: WorkerPool<FaceTask, FaceTaskResult> = createWorkerPool({
    file: new URL('./face.worker.ts', import.meta.url),
    size: workers,
    maxQueue,
    deadlineMs: DEADLINE_MS,
    workerData: { modelsDir, set: models.set, pad: models.pad, ...(models.set === 'standard' && { recogniser: models.setId }) },
  })
  const ask = (task: FaceTask): Promise<FaceTaskResult> => {
    const { own, memory } = copied(task)
    return pool.run(own, { transfer: [memory] }).catch(translate)
  }
  return {
    models,
    rule,
    padModel: models.pad ? PAD_MODEL_ID : undefined,
    async observe(jpeg) {
      acceptImage(jpeg, FRAME_LIMITS)
      return observation(await ask({ kind: 'observe', jpeg, options: { descriptor: 'always', pad: models.pad } }))
    },
    async describe(photo) {
      acceptImage(photo, PHOTO_LIMITS)
      return observation(await ask({ kind: 'describe', photo }))
    },
    async normalise(photo) {
      acceptImage(photo, PHOTO_LIMITS)
      const picture = await ask({ kind: 'normalise', photo })
      if (!(picture instanceof Uint8Array)) throw new Error('the face worker answered something else than a picture')
      return picture
    },
    ready: () => pool.ready(),
    stats: () => pool.stats(),
    close: () => pool.close(),
  }
}

/** With a picture of its own, whose memory is given away: cloning on the way to the thread takes ten times as long. */
function copied(task: FaceTask): { own: FaceTask; memory: ArrayBuffer } {
  const picture = new Uint8Array(task.kind === 'observe' ? task.jpeg : task.photo)
  return { own: task.kind === 'observe' ? { ...task, jpeg: picture } : { ...task, photo: picture }, memory: picture.buffer }
}

function observation(result: FaceTaskResult): FrameObservation {
  if (result instanceof Uint8Array) throw new Error('the face worker answered a picture')
  return result
}

const REFUSED = 'image/'

/** The worker's word for a refused picture becomes the error that it was before it crossed the thread. */
function translate(error: unknown): never {
  if (error instanceof WorkError && error.code.startsWith(REFUSED)) throw new ImageRefused(error.code.slice(REFUSED.length) as ImageRefusal)
  throw error
}
