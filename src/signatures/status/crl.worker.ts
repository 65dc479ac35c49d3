/** One thread that writes the entries of long lists. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { crlEntries } from '../authority/crl.ts'
import { unpackEntries } from './crl-thread.ts'

const message = z.object({ id: z.number(), task: z.array(z.string()) })

parentPort?.on('message', (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    const result = new Uint8Array(crlEntries(task.flatMap(unpackEntries)))
    parentPort?.postMessage({ id, result }, [result.buffer])
  } catch {
    parentPort?.postMessage({ id, error: { code: 'signatures/list-failed', message: 'unknown' } })
  }
})
parentPort?.postMessage({ ready: true })
