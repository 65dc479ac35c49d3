/** One thread with one face engine: the only file that loads the nets' runtime. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import * as runtime from 'onnxruntime-node'
import { z } from 'zod'
import { collectGarbage } from '../platform/garbage.ts'
import { createFaceEngine } from './engine/engine.ts'
import type { FaceEngine } from './engine/engine.ts'
import { answerFaceTask, faceTaskSchema } from './face-task.ts'

const options = z
  .object({
    modelsDir: z.string().min(1),
    set: z.enum(['standard', 'builtin']).default('builtin'),
    pad: z.boolean().default(false),
    recogniser: z.string().optional(),
  })
  .parse(workerData)
const messageSchema = z.object({ id: z.number(), task: faceTaskSchema })

function serve(engine: FaceEngine): void {
  parentPort?.on('message', async (message: unknown) => {
    const { id, task } = messageSchema.parse(message)
    parentPort?.postMessage({ id, ...(await answerFaceTask(engine, task)) })
  })
  parentPort?.postMessage({ ready: true })
}

const engine = await createFaceEngine({ runtime, ...options })
// The files of the nets, and what they were built from on a first start: 20 to 130 MB that nobody reads any more.
collectGarbage()
serve(engine)
