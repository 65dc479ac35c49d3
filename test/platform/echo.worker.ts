import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'

const message = z.object({
  id: z.number(),
  task: z.object({ do: z.string(), ms: z.number().optional(), bytes: z.instanceof(Uint8Array).optional() }),
})
const { failToStart, gate, startGate } = z
  .object({ failToStart: z.boolean().optional(), gate: z.instanceof(Int32Array).optional(), startGate: z.instanceof(Int32Array).optional() })
  .parse(workerData ?? {})

if (startGate) Atomics.wait(startGate, 0, 0)
if (failToStart) throw new Error('cannot start')

parentPort?.on('message', (raw) => {
  const { id, task } = message.parse(raw)
  const reply = (answer: object) => parentPort?.postMessage({ id, ...answer })
  switch (task.do) {
    case 'crash':
      throw new Error('crashed')
    case 'exit':
      return process.exit(3)
    case 'spin':
      for (const end = performance.now() + (task.ms ?? 0); performance.now() < end; );
      return reply({ result: 'spun' })
    case 'hold':
      if (gate) Atomics.wait(gate, 0, 0)
      if (gate) Atomics.add(gate, 1, 1)
      return reply({ result: 'held' })
    case 'wait':
      return void setTimeout(() => reply({ result: 'waited' }), task.ms)
    case 'fail':
      return reply({ error: { code: 'too-dark', message: 'more light' } })
    case 'env':
      return reply({ result: Object.keys(process.env) })
    case 'size':
      return reply({ result: task.bytes?.length })
    case 'nothing':
      return reply({ result: undefined })
    default:
      return reply({ result: task.do })
  }
})
parentPort?.postMessage({ ready: true })
