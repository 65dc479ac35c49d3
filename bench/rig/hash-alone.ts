/** What argon2id with the server's default cost does on the server's core with nothing beside it. */
import { argon2Sync, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { canPin, SERVER_CORE } from './processes.ts'

const MEMORY_KIB = 19_456
const PASSES = 2
const SECONDS = 3

/** Hashes a second, measured in a process of its own on the server's core. */
export async function hashAlonePerSecond(): Promise<number> {
  const own = [process.execPath, import.meta.filename, 'measure']
  const [command = '', ...args] = canPin ? ['taskset', '-c', SERVER_CORE, ...own] : own
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk) => (said += chunk))
  await once(child, 'exit')
  return Number(said)
}

function hashOnce() {
  argon2Sync('argon2id', { message: 'uma-senha-qualquer', nonce: randomBytes(16), parallelism: 1, tagLength: 32, memory: MEMORY_KIB, passes: PASSES })
}

if (process.argv[1] === import.meta.filename && process.argv[2] === 'measure') {
  for (let index = 0; index < 10; index += 1) hashOnce()
  const startedAt = performance.now()
  let count = 0
  for (; performance.now() - startedAt < SECONDS * 1000; count += 1) hashOnce()
  process.stdout.write(String(count / ((performance.now() - startedAt) / 1000)))
}
