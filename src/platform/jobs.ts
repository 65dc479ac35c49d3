/** Work that must happen later, again, or on one process only: pg-boss over our own database, embedded or not. */
import PgBoss from 'pg-boss'
import type { Database, Sql } from './db.ts'
import type { Log } from './log.ts'
import { Problem } from './problem.ts'

/** Ids and numbers: personal data stays in the tables that own it. */
export type JobData = Readonly<Record<string, string | number | boolean | null>>

export interface SendOptions {
  /** The job exists only if this transaction commits. */
  readonly tx?: Sql
  readonly startAfterSeconds?: number
  /** While a job with the same key waits, another is not added. */
  readonly singletonKey?: string
}

export type JobHandler = (data: JobData, jobId: string) => Promise<void>

export interface Jobs {
  /** Adds a job for the handler of that name; after `start()`. */
  send(name: string, data: JobData, options?: SendOptions): Promise<void>
  /** Names the handler; before `start()`. Retried with growing pauses when it throws; may run twice, so it must not mind. */
  work(name: string, handler: JobHandler): void
  /** Runs the handler by a cron expression (UTC), once among all processes; before `start()`. */
  schedule(name: string, cron: string, handler: JobHandler): void
  start(): Promise<void>
  /** Lets running jobs finish, for a while. */
  stop(): Promise<void>
}

export interface JobsOptions {
  readonly db: Database
  readonly log: Log
  /** How long a job may wait for a free process, at most. */
  readonly pollSeconds?: number
}

const STOP_MS = 8000
const RETRIES = { retryLimit: 8, retryDelay: 2, retryBackoff: true, expireInSeconds: 600 }

/** A job runner over `db`; nothing happens before `start()`. */
export function createJobs({ db, log, pollSeconds = 2 }: JobsOptions): Jobs {
  const boss = new PgBoss({ db: { executeSql: (text, values) => executeSql(db, text, values) }, schema: 'jobs' })
  const handlers = new Map<string, JobHandler>()
  const crons = new Map<string, string>()
  const workers = new Map<string, string>()
  boss.on('error', (error) => log.warn('jobs: a background step failed', { error }))

  const startWorker = async (name: string, handler: JobHandler) => {
    const worker = await boss.work<JobData>(name, { pollingIntervalSeconds: pollSeconds, batchSize: 1 }, async ([job]) => {
      if (job) await guarded(log, name, job.id, () => handler(job.data, job.id))
    })
    workers.set(name, worker)
  }

  return {
    async send(name, data, { tx, startAfterSeconds, singletonKey } = {}) {
      const worker = workers.get(name)
      if (!worker) throw new Error(`no handler for job ${name}, or jobs not started`)
      await boss.send(name, data, {
        ...(tx && { db: { executeSql: async (text: string, values: unknown[]) => ({ rows: await tx.query(text, values) }) } }),
        ...(startAfterSeconds !== undefined && { startAfter: startAfterSeconds }),
        ...(singletonKey !== undefined && { singletonKey }),
      })
      if (!tx && !startAfterSeconds) boss.notifyWorker(worker)
    },
    work: (name, handler) => void handlers.set(name, handler),
    schedule(name, cron, handler) {
      handlers.set(name, handler)
      crons.set(name, cron)
    },
    async start() {
      await boss.start()
      const known = new Set((await boss.getQueues()).map((queue) => queue.name))
      for (const name of handlers.keys()) if (!known.has(name)) await boss.createQueue(name, { name, policy: 'standard', ...RETRIES })
      for (const [name, handler] of handlers) await startWorker(name, handler)
      await keepSchedules(boss, crons)
    },
    async stop() {
      await boss.stop({ graceful: true, wait: true, close: false, timeout: STOP_MS })
    },
  }
}

/** Schedules are kept in the database: a new one is added, a changed one replaced, and one that the program no longer has must go. */
async function keepSchedules(boss: PgBoss, crons: ReadonlyMap<string, string>): Promise<void> {
  const known = new Map((await boss.getSchedules()).map(({ name, cron }) => [name, cron]))
  for (const [name, cron] of crons) if (known.get(name) !== cron) await boss.schedule(name, cron)
  for (const name of known.keys()) if (!crons.has(name)) await boss.unschedule(name)
}

/** pg-boss stores what a handler throws; a message may quote personal data, so only its name or code goes there. */
async function guarded(log: Log, job: string, jobId: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.warn('job failed', { job, jobId, error })
    const failure = new Error(error instanceof Problem ? error.code : 'failed')
    failure.stack = ''
    throw failure
  }
}

/** Creating a queue attaches a partition: two processes at once would end in a deadlock. */
const CREATES_QUEUE = /^\s*SELECT \w+\.create_queue\(/
const LOCK = 72_707_372
const SCRIPT = /^\s*BEGIN;([\s\S]*)COMMIT;\s*$/

/** pg-boss's own scripts begin and commit by themselves; here the transaction is ours, so that a failure rolls back on any connection. */
async function executeSql(db: Database, text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
  const script = values ? undefined : SCRIPT.exec(text)?.[1]
  if (CREATES_QUEUE.test(text)) {
    return db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
      return { rows: await tx.query(text, values) }
    })
  }
  if (script === undefined) return db.raw(text, values)
  await db.transaction((tx) => tx.execute(script))
  return { rows: [] }
}
