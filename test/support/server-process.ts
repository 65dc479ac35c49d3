/** The server as a process of its own, to be killed and started again on the same data and ports. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

const MAIN = path.join(import.meta.dirname, '../../src/main.ts')
const READY_DEADLINE_MS = 120_000

export interface ServerProcess {
  readonly url: string
  readonly portalUrl: string
  /** Resolves when `/pronto` says 200. */
  start(): Promise<void>
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
  isRunning(): boolean
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>
  /** What it wrote to its two streams, all lives together. */
  output(): string
}

/** Describes the process; `start()` runs it. Variables of this process are not inherited except the search path. */
export async function serverProcess(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const [port, demoPort] = [await freePort(), await freePort()]
  // What V8 compiled is shared by all test processes (scripts/test.ts).
  const compiled = process.env['NODE_COMPILE_CACHE']
  const all = { PATH: process.env['PATH'] ?? '', ...(compiled && { NODE_COMPILE_CACHE: compiled }), PORT: String(port), DEMO_PORT: String(demoPort), METRICS_PORT: '0', LOG_LEVEL: 'warn', DEMO: 'true', ...env }
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let said = ''
  process.once('exit', () => child?.kill('SIGKILL'))

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    return child.exitCode
  }

  return {
    url,
    portalUrl: `http://127.0.0.1:${demoPort}`,
    output: () => said,
    async start() {
      const started = spawn(process.execPath, [MAIN], { env: all, stdio: ['ignore', 'pipe', 'pipe'] })
      child = started
      const hear = (chunk: unknown): void => {
        said += String(chunk)
      }
      for (const stream of [started.stdout, started.stderr]) stream.on('data', hear)
      for (const deadline = Date.now() + READY_DEADLINE_MS; ; await sleep(25)) {
        const isReady = await fetch(`${url}/pronto`).then(({ ok }) => ok, () => false)
        if (isReady) return
        if (started.exitCode !== null || Date.now() > deadline) throw new Error(`the server did not become ready:\n${said.slice(-3000)}`)
      }
    },
    isRunning: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  }
}
