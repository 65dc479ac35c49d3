/**
 * A fixed number of worker threads behind a bounded queue, with a deadline for each call.
 *
 * A worker posts `{ ready: true }` once it can work, gets `{ id, task }` and answers `{ id, result }` or
 * `{ id, error: { code, message } }`. It works on one task at a time; one that overruns its deadline or dies is replaced.
 */

import { getCompileCacheDir } from 'node:module'
import path from 'node:path'
import type { Transferable } from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { Problem } from './problem.ts'
import { PLATFORM_PROBLEMS } from './problems.ts'

export interface WorkerPoolOptions {
  /** The worker's file: `new URL('./x.worker.ts', import.meta.url)`. */
  readonly file: URL
  readonly size: number
  /** Tasks that may wait; the next one is refused. */
  readonly maxQueue: number
  /** From the call to the answer, the wait included; for what came before the first thread was up, from then on. */
  readonly deadlineMs: number
  readonly workerData?: unknown
}

export interface RunOptions {
  readonly transfer?: readonly Transferable[]
  readonly signal?: AbortSignal
}

export interface PoolStats {
  readonly size: number
  readonly busy: number
  readonly queued: number
  readonly done: number
  readonly failed: number
  readonly refused: number
  readonly replaced: number
}

export interface WorkerPool<Task, Result> {
  /**
   * The worker's answer to one task.
   *
   * @throws {Problem} platform/busy, platform/deadline, platform/worker-lost, platform/aborted; platform/worker-missing while none can start
   * @throws {WorkError} what the worker itself answered.
   */
  run(task: Task, options?: RunOptions): Promise<Result>
  /** Resolves when every worker has started; rejects with the first failure to start. */
  ready(): Promise<void>
  stats(): PoolStats
  close(): Promise<void>
}

/** An error that the worker reported with a code of its own. */
export class WorkError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'WorkError'
    this.code = code
  }
}

interface Job {
  readonly id: number
  readonly task: unknown
  readonly transfer: readonly Transferable[]
  deadline: NodeJS.Timeout
  readonly settle: (outcome: { result: unknown } | { error: Error }) => void
  isSettled: boolean
}

interface Slot {
  worker: Worker | undefined
  isReady: boolean
  job: Job | undefined
}

/** A first task's wait for the first thread, which loads its libraries meanwhile. */
const LONGEST_START_MS = 30_000
const LONGEST_RESTART_MS = 5000
const FIRST_RESTART_MS = 50
/**
 * A thread that is ended inside a library's own code takes the whole process with it (Node-API's C++ exceptions), so one that is still at a
 * task is let finish it, unheard, for so long; then it hangs, and is ended all the same.
 */
const GRACE_MS = 30_000
const GRACE_AT_CLOSE_MS = 1000

/** Where V8 keeps what it compiled, when this process has such a folder: a thread starts a third sooner with it. */
function compileCache(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir()
  // Of the kept folder's own one for this version of Node.
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: path.dirname(folder) }
}

const answerSchema = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ id: z.number(), error: z.object({ code: z.string(), message: z.string() }) }),
  z.object({ id: z.number(), result: z.unknown() }),
])

/** Starts the workers at once; `ready()` tells when they all work. */
export function createWorkerPool<Task, Result>(options: WorkerPoolOptions): WorkerPool<Task, Result> {
  const pool = new Pool(options)
  return {
    // The worker's file decides what it answers: this is where its type is named.
    run: (task, runOptions) => pool.run(task, runOptions ?? {}) as Promise<Result>,
    ready: () => pool.ready,
    stats: () => pool.stats(),
    close: () => pool.close(),
  }
}

class Pool {
  readonly ready: Promise<void>
  readonly #options: WorkerPoolOptions
  readonly #slots: Slot[]
  /** Threads past a deadline that still have their task in hand. */
  readonly #leaving = new Set<Worker>()
  readonly #queue: Job[] = []
  readonly #counts = { done: 0, failed: 0, refused: 0, replaced: 0 }
  #lastId = 0
  #averageMs = 100
  #restartMs = FIRST_RESTART_MS
  #isClosed = false
  #isStarting = true
  #started: { resolve: () => void; reject: (error: Error) => void }

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    const started = Promise.withResolvers<void>()
    this.ready = started.promise
    this.ready.catch(() => {})
    this.#started = started
    this.#slots = Array.from({ length: options.size }, () => ({ worker: undefined, isReady: false, job: undefined }))
    for (const slot of this.#slots) this.#start(slot)
  }

  run(task: unknown, { transfer = [], signal }: RunOptions): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Problem(PLATFORM_PROBLEMS.workerLost))
    if (signal?.aborted) return Promise.reject(new Problem(PLATFORM_PROBLEMS.aborted))
    if (this.#queue.length >= this.#options.maxQueue && !this.#slots.some((slot) => slot.isReady && !slot.job)) {
      this.#counts.refused++
      return Promise.reject(new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: this.#estimatedWaitSeconds() }))
    }
    return new Promise((resolve, reject) => {
      const begun = performance.now()
      const job: Job = {
        id: ++this.#lastId,
        task,
        transfer,
        isSettled: false,
        deadline: setTimeout(() => this.#overrun(job), this.#isStarting ? LONGEST_START_MS : this.#options.deadlineMs),
        settle: (outcome) => {
          if (job.isSettled) return
          job.isSettled = true
          clearTimeout(job.deadline)
          signal?.removeEventListener('abort', onAbort)
          this.#counts['error' in outcome ? 'failed' : 'done']++
          this.#averageMs += (performance.now() - begun - this.#averageMs) / 16
          if ('error' in outcome) reject(outcome.error)
          else resolve(outcome.result)
        },
      }
      const onAbort = () => this.#abort(job)
      signal?.addEventListener('abort', onAbort)
      this.#queue.push(job)
      this.#next()
    })
  }

  stats(): PoolStats {
    return { size: this.#slots.length, busy: this.#slots.filter((slot) => slot.job).length, queued: this.#queue.length, ...this.#counts }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const lost = [...this.#queue.splice(0), ...this.#slots.flatMap((slot) => slot.job ?? [])]
    for (const job of lost) job.settle({ error: new Problem(PLATFORM_PROBLEMS.workerLost) })
    this.#started.reject(new Problem(PLATFORM_PROBLEMS.workerLost))
    const ends = this.#slots.map(({ worker, job }) => worker && (job ? endOnceIdle(worker, GRACE_AT_CLOSE_MS) : worker.terminate()))
    await Promise.all([...ends, ...[...this.#leaving].map((worker) => endOnceIdle(worker, GRACE_AT_CLOSE_MS))])
  }

  #estimatedWaitSeconds(): number {
    const waves = (this.#queue.length + 1) / this.#slots.length
    return Math.min(30, Math.max(1, Math.ceil((waves * this.#averageMs) / 1000)))
  }

  /** Workers get none of our environment: they need no secret of it. */
  #start(slot: Slot): void {
    const worker = new Worker(this.#options.file, { workerData: this.#options.workerData, env: compileCache() })
    slot.worker = worker
    slot.isReady = false
    worker.on('message', (message: unknown) => this.#answered(slot, message))
    worker.on('error', (error) => this.#lost(slot, worker, error))
    worker.on('exit', (code) => this.#lost(slot, worker, new Error(`worker ended with code ${code}`)))
  }

  #answered(slot: Slot, message: unknown): void {
    const parsed = answerSchema.safeParse(message)
    if (!parsed.success) return
    if ('ready' in parsed.data) {
      this.#becameReady(slot)
      return
    }
    const job = slot.job
    if (job?.id !== parsed.data.id) return
    slot.job = undefined
    slot.worker?.unref()
    job.settle('error' in parsed.data ? { error: new WorkError(parsed.data.error.code, parsed.data.error.message) } : parsed.data)
    this.#next()
  }

  /** The first thread is up, or cannot start: from here the deadlines of what waited for it run. */
  #beginDeadlines(): void {
    if (!this.#isStarting) return
    this.#isStarting = false
    for (const job of this.#queue) {
      clearTimeout(job.deadline)
      job.deadline = setTimeout(() => this.#overrun(job), this.#options.deadlineMs)
    }
  }

  #becameReady(slot: Slot): void {
    slot.isReady = true
    this.#beginDeadlines()
    slot.worker?.unref()
    this.#restartMs = FIRST_RESTART_MS
    if (this.#slots.every(({ isReady }) => isReady)) this.#started.resolve()
    this.#next()
  }

  #next(): void {
    for (const slot of this.#slots) {
      if (!slot.isReady || slot.job || !slot.worker) continue
      const job = this.#queue.shift()
      if (!job) return
      slot.job = job
      slot.worker.ref()
      this.#post(slot, slot.worker, job)
    }
  }

  #post(slot: Slot, worker: Worker, job: Job): void {
    try {
      worker.postMessage({ id: job.id, task: job.task }, [...job.transfer])
    } catch (cause) {
      // A task that cannot be cloned harms nobody else.
      slot.job = undefined
      worker.unref()
      job.settle({ error: new Problem(PLATFORM_PROBLEMS.workFailed, { cause }) })
    }
  }

  #withdraw(job: Job): boolean {
    const index = this.#queue.indexOf(job)
    if (index >= 0) this.#queue.splice(index, 1)
    return index >= 0
  }

  /** A worker that is still at it is replaced at once; it leaves when it is done. */
  #overrun(job: Job): void {
    this.#withdraw(job)
    job.settle({ error: new Problem(PLATFORM_PROBLEMS.deadline, { retryAfterSeconds: this.#estimatedWaitSeconds() }) })
    const slot = this.#slots.find((candidate) => candidate.job === job)
    if (!slot?.worker) return
    const { worker } = slot
    this.#leaving.add(worker)
    void endOnceIdle(worker, GRACE_MS).finally(() => this.#leaving.delete(worker))
    this.#lost(slot, worker, new Error('deadline'))
  }

  /** The caller is gone; a running task goes on to its end or its deadline, as it may not be interrupted halfway. */
  #abort(job: Job): void {
    const running = !this.#withdraw(job)
    const deadline = job.deadline
    job.settle({ error: new Problem(PLATFORM_PROBLEMS.aborted) })
    if (running) setTimeout(() => this.#overrun(job), this.#options.deadlineMs).unref()
    clearTimeout(deadline)
  }

  /** What waits for a thread that cannot start is told so, and why, rather than after its deadline that it took too long. */
  #giveUpWaiting(cause: Error): void {
    if (this.#slots.some(({ worker }) => worker)) return
    const retryAfterSeconds = Math.ceil(LONGEST_RESTART_MS / 1000)
    for (const job of this.#queue.splice(0)) job.settle({ error: new Problem(PLATFORM_PROBLEMS.workerMissing, { cause, retryAfterSeconds }) })
  }

  #lost(slot: Slot, worker: Worker, cause: Error): void {
    if (slot.worker !== worker) return
    const { job, isReady } = slot
    slot.worker = undefined
    slot.job = undefined
    slot.isReady = false
    if (!this.#leaving.has(worker)) void worker.terminate()
    job?.settle({ error: new Problem(PLATFORM_PROBLEMS.workerLost, { cause }) })
    if (this.#isClosed) return
    this.#counts.replaced++
    if (isReady) {
      this.#start(slot)
      return
    }
    this.#started.reject(cause)
    this.#giveUpWaiting(cause)
    this.#beginDeadlines()
    setTimeout(() => this.#isClosed || this.#start(slot), this.#restartMs).unref()
    this.#restartMs = Math.min(this.#restartMs * 2, LONGEST_RESTART_MS)
  }
}

/** Ends a thread after its next message, or when the grace is over. */
async function endOnceIdle(worker: Worker, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, graceMs).unref()
    worker.once('message', () => resolve()).once('exit', () => resolve())
  })
  await worker.terminate()
}
