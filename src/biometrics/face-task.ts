import { z } from 'zod'
import type { FaceEngine } from './engine/engine.ts'
import { ImageRefused, normalisePhoto } from './image.ts'
import type { ImageRefusal } from './image.ts'
import type { FrameObservation } from './observation.ts'

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)

export const faceTaskSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('observe'),
    jpeg: bytes,
    options: z.object({ descriptor: z.enum(['frontal', 'always', 'never']), pad: z.boolean().default(false) }),
  }),
  z.object({ kind: z.literal('describe'), photo: bytes }),
  z.object({ kind: z.literal('normalise'), photo: bytes }),
])

/** What a face worker can be asked. `normalise` answers the JPEG to store, the others an observation. */
export type FaceTask = z.input<typeof faceTaskSchema>

export type FaceTaskResult = FrameObservation | Uint8Array

export type FaceTaskAnswer =
  | { readonly result: FaceTaskResult }
  | { readonly error: { readonly code: `image/${ImageRefusal}` | 'biometrics/engine'; readonly message: string } }

/** Does one task; a refused picture answers `image/<refusal>`, a defect `biometrics/engine` without its text, which could cite the picture. */
export async function answerFaceTask(engine: FaceEngine, task: z.output<typeof faceTaskSchema>): Promise<FaceTaskAnswer> {
  try {
    return { result: await done(engine, task) }
  } catch (error) {
    if (error instanceof ImageRefused) return { error: { code: `image/${error.code}`, message: error.message } }
    return { error: { code: 'biometrics/engine', message: error instanceof Error ? error.name : 'unknown failure' } }
  }
}

async function done(engine: FaceEngine, task: z.output<typeof faceTaskSchema>): Promise<FaceTaskResult> {
  switch (task.kind) {
    case 'observe':
      return engine.observe(task.jpeg, task.options)
    case 'describe':
      return engine.describe(task.photo)
    case 'normalise':
      return normalisePhoto(task.photo)
  }
}
