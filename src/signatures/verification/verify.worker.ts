/** One thread that reads what strangers sent. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { Unreadable } from './pdf/pdf-tokens.ts'
import { verifyFile } from './verify-file.ts'
import { verifyPdf } from './verify-pdf.ts'

const bytes = z.instanceof(Uint8Array)
const known = {
  roots: z.array(bytes), known: z.array(bytes), now: z.date(),
  lost: z.array(z.object({ serial: z.string(), issuer: bytes, at: z.date(), isCompromised: z.boolean() })),
}
const digest = z.string().optional()
const digests = z.object({ sha256: digest, sha384: digest, sha512: digest })
const message = z.object({
  id: z.number(),
  task: z.union([
    z.object({ ...known, pdf: bytes }),
    z.object({ ...known, signature: bytes, content: z.union([bytes, digests, z.undefined()]) }),
  ]),
})

parentPort?.on('message', (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    parentPort?.postMessage({ id, result: 'pdf' in task ? verifyPdf(task) : verifyFile(task) })
  } catch (error) {
    // Whatever else breaks on it, the file is one that we do not judge.
    parentPort?.postMessage({ id, error: { code: 'signatures/not-verifiable', message: error instanceof Unreadable ? error.reason : 'damaged' } })
  }
})
parentPort?.postMessage({ ready: true })
