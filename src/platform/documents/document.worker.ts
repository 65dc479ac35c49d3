/** One thread that lays documents out. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { documentSchema } from './document.ts'
import { layOut } from './layout.ts'

const message = z.object({ id: z.number(), task: documentSchema })

parentPort?.on('message', async (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    parentPort?.postMessage({ id, result: await layOut(task) })
  } catch (error) {
    parentPort?.postMessage({ id, error: { code: 'platform/document-failed', message: error instanceof Error ? error.name : 'unknown' } })
  }
})
parentPort?.postMessage({ ready: true })
