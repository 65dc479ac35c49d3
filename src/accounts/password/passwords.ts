import { createWorkerPool, type PoolStats, type WorkerPool } from '../../platform/worker-pool.ts'
import type { PasswordSettings } from '../settings.ts'
import type { PasswordAnswer, PasswordTask } from './password-task.ts'
import { badWords, findSimpleFault, isHashable, type PasswordFault, type PasswordOwner } from './policy.ts'

/** Weight of the newest measurement in the running mean of how long a verification takes. */
const NEWEST = 0.2

/** Passwords: judged, hashed and verified in threads of their own, with a bounded queue. */
export interface Passwords {
  /** Resolves once the threads answer. */
  ready(): Promise<void>
  /** First reason why a new password cannot be used, or `undefined`. */
  findFault(password: string, owner: PasswordOwner): Promise<PasswordFault | undefined>
  /** @throws {Problem} platform/busy when the queue is full. */
  hash(password: string): Promise<string>
  /**
   * Whether the password gives the hash; without a hash the same work and `false`.
   *
   * `rehash` is there when the stored hash was made at another cost.
   * @throws {Problem} platform/busy when the queue is full.
   */
  verify(password: string, hash: string | null): Promise<{ matches: boolean; rehash?: string | undefined }>
  /** Waits as long as a verification takes, without the work: what a locked account's answer waits. */
  idle(): Promise<void>
  /** The threads and their queue, for metrics. */
  stats(): PoolStats
  close(): Promise<void>
}

/** Starts the hash threads. They load the dictionaries only when a new password has to be judged. */
export function createPasswords(settings: PasswordSettings): Passwords {
  const pool: WorkerPool<PasswordTask, PasswordAnswer> = createWorkerPool({
    file: new URL('./password.worker.ts', import.meta.url),
    size: settings.slots, maxQueue: settings.maxQueue, deadlineMs: settings.deadlineMs, workerData: settings.cost,
  })
  let meanMs = 30

  async function findFault(password: string, owner: PasswordOwner): Promise<PasswordFault | undefined> {
    const simple = findSimpleFault(password, owner, settings.minLength)
    if (simple !== undefined) return simple
    const { common, score = 0 } = await pool.run({ kind: 'judge', password, badWords: badWords(owner) })
    if (common) return 'common'
    return score < settings.minScore ? 'guessable' : undefined
  }

  async function verify(password: string, hash: string | null): Promise<{ matches: boolean; rehash?: string | undefined }> {
    if (!isHashable(password)) return { matches: false }
    const started = performance.now()
    const { matches = false, rehash } = await pool.run({ kind: 'verify', password, hash })
    meanMs += NEWEST * (Math.min(performance.now() - started, 2000) - meanMs)
    return { matches, rehash }
  }

  return {
    ready: () => pool.ready(),
    findFault,
    async hash(password) {
      const { hash } = await pool.run({ kind: 'hash', password })
      if (hash === undefined) throw new Error('the hash worker answered without a hash')
      return hash
    },
    verify,
    idle: () => new Promise((resolve) => setTimeout(resolve, meanMs)),
    stats: () => pool.stats(),
    close: () => pool.close(),
  }
}
