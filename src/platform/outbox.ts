/**
 * Messages to people. Written in the caller's transaction, so that exactly what commits is sent; sealed; erased once delivered.
 *
 * At least once: a process killed between the delivery and its record delivers again.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from './clock.ts'
import type { Database, Sql } from './db.ts'
import type { Keyring } from './keyring.ts'
import type { Log } from './log.ts'
import type { Transport, Transports } from './messages/transports.ts'
import { Problem } from './problem.ts'
import { PLATFORM_PROBLEMS } from './problems.ts'

export type { DemoMessage } from './messages/files.ts'
export { recentDemoMessages } from './messages/files.ts'
export { createTransports } from './messages/transports.ts'

export type Channel = 'mail' | 'sms'

export interface Message {
  readonly channel: Channel
  readonly to: string
  /** What it is for, by a constant name; the only part that stays readable. */
  readonly purpose: string
  readonly subject?: string
  readonly text: string
  readonly html?: string
}

export interface Outbox {
  /** Sends once the transaction commits. */
  send(tx: Sql, message: Message): Promise<void>
  /** False for SMS where no provider is set up: offer another way. */
  canSend(channel: Channel): boolean
}

/** The Outbox and the process that empties it. */
export interface OutboxRelay extends Outbox {
  start(): Promise<void>
  stop(): Promise<void>
  /** Delivers what is due now; returns how many were delivered. */
  flush(): Promise<number>
}

export interface OutboxOptions {
  readonly db: Database
  readonly keyring: Keyring
  readonly clock: Clock
  readonly log: Log
  readonly transports: Transports
}

interface DueRow {
  readonly id: string
  readonly channel: Channel
  readonly sealed: Buffer
  readonly purpose: string
  readonly attempts: number
}

const CHANNEL = 'outbox'
const POLL_MS = 5000
const BATCH = 10
/** A claimed message that nobody reported on (a killed process) is due again after this time. */
const LEASE_SECONDS = 90
const RETRY_SECONDS = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800]

const bodySchema = z.object({ to: z.string(), subject: z.string().optional(), text: z.string(), html: z.string().optional() })

/** An outbox over `db`; `start()` begins the delivery. */
export function createOutbox(options: OutboxOptions): OutboxRelay {
  const { db, keyring, clock, transports } = options
  const relay = createRelay(options)
  return {
    canSend: (channel) => transports[channel] !== undefined,
    async send(tx, { channel, purpose, ...body }) {
      if (!transports[channel]) throw new Problem(PLATFORM_PROBLEMS.channelMissing, { detail: channel })
      const id = randomUUID()
      const sealed = keyring.seal(JSON.stringify(body), sealContext(id))
      const now = clock.now()
      await tx.execute(
        'INSERT INTO outbox_message (id, channel, sealed, purpose, created_at, next_attempt_at) VALUES ($1, $2, $3, $4, $5, $5)',
        [id, channel, sealed, purpose, now],
      )
      // Delivered by the database at the commit, and only then.
      await tx.query('SELECT pg_notify($1, $2)', [CHANNEL, ''])
    },
    ...relay,
    async start() {
      await relay.start(await db.listen(CHANNEL, relay.wake))
    },
  }
}

function createRelay(options: OutboxOptions) {
  let running: Promise<number> | undefined
  let isWanted = false
  let timer: NodeJS.Timeout | undefined
  let unlisten: () => Promise<void> = async () => {}

  const flush = async (): Promise<number> => {
    if (running) {
      isWanted = true
      return running
    }
    running = deliverDue(options)
    try {
      return await running
    } finally {
      running = undefined
    }
  }
  const wake = () =>
    void flush()
      .then(() => {
        if (!isWanted) return
        isWanted = false
        wake()
      })
      .catch((error: unknown) => options.log.warn('outbox: delivery interrupted', { error }))

  return {
    flush,
    wake,
    async start(stopListening: () => Promise<void>) {
      unlisten = stopListening
      timer = setInterval(wake, POLL_MS).unref()
      wake()
    },
    async stop() {
      clearInterval(timer)
      await unlisten()
      await running?.catch(() => 0)
    },
  }
}

function sealContext(id: string): string {
  return `outbox:${id}`
}

async function deliverDue(options: OutboxOptions): Promise<number> {
  let delivered = 0
  for (;;) {
    const due = await claim(options.db, options.clock.now())
    if (due.length === 0) return delivered
    for (const row of due) delivered += (await deliver(options, row)) ? 1 : 0
  }
}

function claim(db: Database, now: Date): Promise<DueRow[]> {
  return db.query<DueRow>(
    `UPDATE outbox_message SET attempts = attempts + 1, next_attempt_at = $1::timestamptz + make_interval(secs => $2)
     WHERE id IN (SELECT id FROM outbox_message WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1
                  ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING id, channel, sealed, purpose, attempts`,
    [now, LEASE_SECONDS, BATCH],
  )
}

async function deliver({ db, keyring, clock, log, transports }: OutboxOptions, row: DueRow): Promise<boolean> {
  try {
    const transport: Transport | undefined = transports[row.channel]
    if (!transport) throw new Problem(PLATFORM_PROBLEMS.channelMissing)
    const body = bodySchema.parse(JSON.parse(keyring.open(row.sealed, sealContext(row.id)).toString()))
    await transport.deliver({ id: row.id, channel: row.channel, purpose: row.purpose, at: clock.now(), ...body })
  } catch (error) {
    await recordFailure(db, row, clock.now(), error)
    log.warn('outbox: a message could not be delivered', { messageId: row.id, name: row.purpose, count: row.attempts, error })
    return false
  }
  await db.execute('UPDATE outbox_message SET sent_at = $2, sealed = NULL, last_error = NULL WHERE id = $1', [row.id, clock.now()])
  return true
}

/** Notes the kind of failure and when to try again; the last one erases the text. */
async function recordFailure(db: Database, row: DueRow, now: Date, error: unknown): Promise<void> {
  const wait = RETRY_SECONDS[row.attempts - 1]
  if (wait === undefined) {
    await db.execute('UPDATE outbox_message SET failed_at = $2, last_error = $3, sealed = NULL WHERE id = $1', [
      row.id,
      now,
      errorCode(error),
    ])
    return
  }
  const next = new Date(now.getTime() + wait * 1000)
  await db.execute('UPDATE outbox_message SET next_attempt_at = $2, last_error = $3 WHERE id = $1', [row.id, next, errorCode(error)])
}

/** The code only: a mail server's sentence quotes the address. */
function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code.slice(0, 80) : 'failed'
}
