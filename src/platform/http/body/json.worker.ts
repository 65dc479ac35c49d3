/** One thread that reads large JSON. Speaks the protocol of `platform/worker-pool.ts`. */
import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { readBase64 } from './base64-file.ts'
import { parseJson } from './body.ts'
import { LONG_TEXT, MALFORMED, MOST_VALUES } from './large-json.ts'

const message = z.object({ id: z.number(), task: z.instanceof(Uint8Array) })

function read(body: Uint8Array): { value: unknown; memory: ArrayBuffer[] } {
  const memory: ArrayBuffer[] = []
  let values = 0
  const value = parseJson(body, (found) => {
    values += 1
    if (values > MOST_VALUES) throw new Error('too many values')
    if (typeof found !== 'string' || found.length < LONG_TEXT) return found
    const file = readBase64(found)
    memory.push(file.bytes.buffer)
    return file
  })
  return { value, memory }
}

parentPort?.on('message', (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    const { value, memory } = read(task)
    parentPort?.postMessage({ id, result: value }, memory)
  } catch {
    parentPort?.postMessage({ id, error: { code: MALFORMED, message: 'not valid JSON' } })
  }
})
parentPort?.postMessage({ ready: true })
