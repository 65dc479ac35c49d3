/** Calls with large JSON bodies from a thread of their own: what the caller computes is not the server's. */
import { Worker } from 'node:worker_threads'

const CALLER = `
const { parentPort, workerData } = require('node:worker_threads')
parentPort.on('message', async ({ url, token, body }) => {
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + token }, body })
  parentPort.postMessage({ status: response.status, bytes: (await response.arrayBuffer()).byteLength })
})`

export interface LargeCall {
  readonly url: string
  readonly token: string
  readonly body: Uint8Array<ArrayBuffer>
}

export interface Caller {
  /** Its body is given away. @throws when the answer is no success */
  call(call: LargeCall): Promise<void>
  close(): Promise<void>
}

export function createCaller(): Caller {
  const worker = new Worker(CALLER, { eval: true })
  return {
    async call(call) {
      const answered = new Promise<{ status: number }>((resolve) => worker.once('message', resolve))
      worker.postMessage(call, [call.body.buffer])
      const { status } = await answered
      if (status !== 200) throw new Error(`a large call was answered ${status}`)
    },
    close: async () => void (await worker.terminate()),
  }
}
