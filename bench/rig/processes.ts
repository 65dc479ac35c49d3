/** Starts the servers under test and their stores as child processes, each on its own core, and stops them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** The server under test alone on the first core, everything else on the second. */
export const SERVER_CORE = '0'
export const OTHER_CORE = '1'
export const BOTH_CORES = '0-1'
const READY_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000

/** False where there is one core or no taskset: then the figures of server and load disturb each other. */
export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0

/** Moves this process, so the load generator, to the second core; its children inherit that. */
export function pinLoad(): void {
  if (canPin) spawnSync('taskset', ['-a', '-cp', OTHER_CORE, String(process.pid)], { stdio: 'ignore' })
}

/** Moves this process, where it is itself the server under test, to the first core. */
export function pinServer(): void {
  if (canPin) spawnSync('taskset', ['-a', '-cp', SERVER_CORE, String(process.pid)], { stdio: 'ignore' })
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Gives this process, and what it starts from now on, all cores: where the load is a person's and not a generator's. */
export function useAllCores(): void {
  if (canPin) spawnSync('taskset', ['-a', '-cp', `0-${availableParallelism() - 1}`, String(process.pid)], { stdio: 'ignore' })
}

export interface Program {
  readonly core: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  /** Open file that takes its standard output; otherwise only the end of it is kept. */
  readonly log?: number
}

export interface Running {
  readonly child: ChildProcess
  /** Milliseconds from the start of the process until it was ready. */
  readonly readyMs: number
  /** What it printed last, for a message. */
  output(): string
  stop(): Promise<void>
}

const running = new Set<Running>()

/** Stops whatever still runs; for the end of the program, however it ends. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop()))
}

/** Starts a program and waits until `isReady` says so. */
export async function start({ core, command, args, env, user, log }: Program, isReady: () => Promise<boolean>): Promise<Running> {
  const [program = command, ...words] = canPin ? ['taskset', '-c', core, command, ...args] : [command, ...args]
  const startedAt = performance.now()
  const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ['ignore', log ?? 'pipe', 'pipe'], ...user })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said = `${said}${chunk}`.slice(-4000)))
  const exited = once(child, 'exit')
  const hasExited = () => child.exitCode !== null || child.signalCode !== null

  async function stop() {
    running.delete(handle)
    if (!hasExited()) child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(late)
  }
  const handle = { child, readyMs: 0, output: () => said, stop }
  running.add(handle)
  while (!(await isReady().catch(() => false))) {
    if (hasExited() || performance.now() - startedAt > READY_TIMEOUT_MS) {
      await stop()
      throw new Error(`${command} ${args.join(' ')} did not become ready:\n${said}`)
    }
    await sleep(5)
  }
  handle.readyMs = performance.now() - startedAt
  return handle
}
