/** A Redis server of the test's own, on a free port and without a file. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { Redis } from 'ioredis'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { freePort } from '../support/free-port.ts'

export interface TestRedis {
  readonly url: Sensitive<string>
  readonly port: number
  flush(): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

export async function startRedis(): Promise<TestRedis> {
  const port = await freePort()
  let child: ChildProcess | undefined
  const start = async () => {
    child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
    await ready(port)
  }
  const stop = async () => {
    const ended = child?.exitCode === null ? new Promise((resolve) => child?.once('exit', resolve)) : undefined
    child?.kill('SIGKILL')
    await ended
  }
  process.once('exit', () => child?.kill('SIGKILL'))
  await start()
  return {
    port,
    url: new Sensitive(`redis://127.0.0.1:${port}/0`),
    start,
    stop,
    async flush() {
      const redis = new Redis(port, '127.0.0.1')
      await redis.flushall()
      redis.disconnect()
    },
  }
}

async function ready(port: number): Promise<void> {
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: 200 })
  redis.on('error', () => {})
  await redis.ping()
  redis.disconnect()
}
