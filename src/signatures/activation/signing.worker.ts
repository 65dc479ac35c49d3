/** The signing thread: the only place where a citizen's private key is ever open. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { createKeyRoom, SigningRefused } from './key-room.ts'
import { signingTask } from './signing-task.ts'

const settings = z.object({
  evidence: z.object({ issuer: z.string(), audience: z.string() }),
  cost: z.object({ memoryKib: z.int(), passes: z.int() }),
})
const message = z.object({ id: z.number(), task: signingTask })
const room = createKeyRoom(settings.parse(workerData))

parentPort?.on('message', async (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    parentPort?.postMessage({ id, result: await room.answer(task) })
  } catch (error) {
    // The message of what is not foreseen could hold anything: it stays here.
    const isRefusal = error instanceof SigningRefused
    parentPort?.postMessage({ id, error: { code: isRefusal ? error.code : 'failed', message: isRefusal ? error.message : 'unknown' } })
  }
})
parentPort?.postMessage({ ready: true })
