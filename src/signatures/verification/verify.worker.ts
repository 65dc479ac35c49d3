/** One thread that reads what strangers sent. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { Unreadable } from './pdf-tokens.ts'
import { verifyPdf } from './verify-pdf.ts'

const bytes = z.instanceof(Uint8Array)
const message = z.object({ id: z.number(), task: z.object({ pdf: bytes, roots: z.array(bytes), known: z.array(bytes), now: z.date() }) })

parentPort?.on('message', (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    parentPort?.postMessage({ id, result: verifyPdf(task) })
  } catch (error) {
    // Whatever else breaks on it, the file is one that we do not judge.
    parentPort?.postMessage({ id, error: { code: 'signatures/not-verifiable', message: error instanceof Unreadable ? error.reason : 'damaged' } })
  }
})
parentPort?.postMessage({ ready: true })
