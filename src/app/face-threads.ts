import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseFaceModels, createFaces, type Faces } from '../biometrics/index.ts'
import type { Config } from '../platform/config.ts'

/** The face workers, and what their operator should know of the nets that were found. */
export interface FaceThreads {
  readonly faces: Faces
  readonly warning: string | undefined
}

/** Chooses the nets and starts the threads that hold them; they are ready later, so this comes before whatever takes its time. */
export async function openFaceThreads({ platform: { dataDir }, biometrics }: Config): Promise<FaceThreads> {
  const modelsDir = join(dataDir === 'memory' ? join(tmpdir(), 'mt-login') : dataDir, 'models')
  const { faceModels: set, faceRecogniser: recogniser, faceWorkers: workers, faceQueue: maxQueue } = biometrics
  const { models, rule, warning } = await chooseFaceModels({ set, recogniser }, modelsDir)
  return { faces: createFaces({ modelsDir, models, rule, workers, maxQueue }), warning }
}
