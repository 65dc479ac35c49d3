import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { hashPassword, isOutdatedHash, verifyPassword } from './argon2id.ts'
import { answerPasswordTask, passwordTask } from './password-task.ts'

const cost = z.object({ memoryKib: z.int(), passes: z.int(), parallelism: z.int() }).parse(workerData)
const message = z.object({ id: z.union([z.number(), z.string()]), task: passwordTask })

const answer = answerPasswordTask({
  hash: (password) => hashPassword(password, cost),
  verify: verifyPassword,
  isOutdated: (hash) => isOutdatedHash(hash, cost),
})

parentPort?.on('message', async (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    parentPort?.postMessage({ id, result: await answer(task) })
  } catch {
    parentPort?.postMessage({ id, error: { code: 'accounts/hash-failed', message: 'the password could not be hashed' } })
  }
})
parentPort?.postMessage({ ready: true })
