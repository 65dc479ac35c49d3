/** One thread that reads and updates PDFs. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { NotSignable } from './document.ts'
import { extendPdf } from './long-term.ts'
import type { PreparedPdf } from './place.ts'
import { CERTIFICATIONS, preparePdf } from './prepare.ts'

const bytes = z.instanceof(Uint8Array)
const stamp = z.object({ page: z.number(), left: z.number(), top: z.number(), width: z.number(), height: z.number(), lines: z.array(z.string()), image: bytes.optional() })
const request = z.object({ reason: z.string(), name: z.string(), at: z.date(), stamp: stamp.optional(), certify: z.literal(CERTIFICATIONS).optional() })
const evidence = z.object({ certificates: z.array(bytes), answers: z.array(bytes), lists: z.array(bytes) })
const message = z.object({
  id: z.number(),
  task: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('prepare'), pdf: bytes, request }),
    z.object({ kind: z.literal('extend'), pdf: bytes, evidence, stamped: z.boolean() }),
  ]),
})
type Task = z.output<typeof message>['task']

/** A file without a place is one that is ready. */
type Outcome = { readonly file: Uint8Array<ArrayBuffer> } | PreparedPdf

async function work(task: Task): Promise<Outcome> {
  if (task.kind === 'prepare') return preparePdf(task.pdf, task.request)
  return task.stamped ? extendPdf(task.pdf, task.evidence, true) : { file: await extendPdf(task.pdf, task.evidence, false) }
}

parentPort?.on('message', async (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    const result = await work(task)
    parentPort?.postMessage({ id, result }, [result.file.buffer])
  } catch (error) {
    const isRefusal = error instanceof NotSignable
    parentPort?.postMessage({ id, error: { code: isRefusal ? 'signatures/not-signable' : 'signatures/preparation-failed', message: isRefusal ? error.message : 'unknown' } })
  }
})
parentPort?.postMessage({ ready: true })
