/** One thread that reads and updates PDFs. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { NotSignable, preparePdf } from './prepare.ts'

const message = z.object({
  id: z.number(),
  task: z.object({ pdf: z.instanceof(Uint8Array), request: z.object({ reason: z.string(), name: z.string(), at: z.date() }) }),
})

parentPort?.on('message', async (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    const result = await preparePdf(task.pdf, task.request)
    parentPort?.postMessage({ id, result }, [result.file.buffer])
  } catch (error) {
    const isRefusal = error instanceof NotSignable
    parentPort?.postMessage({ id, error: { code: isRefusal ? 'signatures/not-signable' : 'signatures/preparation-failed', message: isRefusal ? error.message : 'unknown' } })
  }
})
parentPort?.postMessage({ ready: true })
