import { randomBytes } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import type { Database, Sql } from '../platform/db.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { Log } from '../platform/log.ts'
import type { LedgerRow, NewEvent } from './audit.store.ts'
import { eventValues, insertCheckpoint, insertEvent, insertSeals, lockSealing, selectHead, selectHighest, selectLedger, selectUnsealed } from './audit.store.ts'
import type { EventCatalog } from './catalog.ts'
import { joinCatalogs } from './catalog.ts'
import type { Head } from './chain.ts'
import { sealAfter } from './chain.ts'
import type { HeadFile } from './head.ts'
import { noHeadFile } from './head.ts'
import type { CheckpointSigner } from './signature.ts'
import { createCheckpointSigner } from './signature.ts'
import type { Verdict } from './verification.ts'
import { verifyChain } from './verification.ts'

/** Who did it. */
export interface AuditActor {
  readonly kind: 'citizen' | 'system' | 'operator' | 'client'
  readonly id?: string | undefined
}

export interface AuditEvent {
  /** One of the catalogs'. */
  readonly type: string
  readonly actor: AuditActor
  /** The account whose ledger shows it. */
  readonly subject?: string | undefined
  readonly clientId?: string | undefined
  /** Ids, enumerations and counts, as the catalog says; never personal data. */
  readonly data: Readonly<Record<string, unknown>>
}

/** One line of a person's ledger. */
export interface LedgerEntry {
  readonly id: number
  readonly at: Date
  readonly type: string
  readonly actor: AuditActor
  readonly clientId: string | undefined
  readonly data: Readonly<Record<string, unknown>>
}

export interface LedgerPage {
  /** Entries older than the one with this id. */
  readonly before?: number | undefined
  readonly limit: number
}

export interface Audit {
  /** Writes the event with what it tells: both commit or neither. @throws {Error} for a type or data that no catalog knows. */
  record(tx: Sql, event: AuditEvent): Promise<void>
  /** The event's values for `eventInsertion`, where what it tells and the event are one statement. @throws {Error} as `record` does. */
  prepare(event: AuditEvent): unknown[]
  /** Newest first; an event is there as soon as its transaction has committed. */
  ledger(accountId: string, page: LedgerPage): Promise<LedgerEntry[]>
  /** The highest number that events of this type and subject give as `field`; undefined when there is none. */
  highest(sql: Sql, of: { readonly type: string; readonly subject: string; readonly field: string }): Promise<number | undefined>
  /** Seals what is not sealed yet; returns how many. Safe to call from many processes. */
  seal(): Promise<number>
  /** Signs the newest seal and logs it; false when it is signed already, or there is none. */
  checkpoint(): Promise<boolean>
  /** Walks the whole chain and names the first bad row. */
  verify(): Promise<Verdict>
  /** For auditors who check the signatures of checkpoints by themselves. */
  readonly checkpointKey: { readonly id: string; readonly pem: string }
  /** Seals each second and signs a checkpoint each hour, until `stop()`. */
  start(): void
  stop(): Promise<void>
}

export interface AuditDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'hash'>
  readonly log: Log
  /** All rooms' catalogs; where the newest seal is noted outside the database; and who hears of each event. */
  readonly settings: { readonly catalogs: readonly EventCatalog[]; readonly head?: HeadFile | undefined; readonly onRecord?: ((type: string) => void) | undefined }
}

const SALT_BYTES = 16
const BATCH = 500
/** Ids to look back for transactions that took theirs early and committed late. */
const LATE_IDS = 5000
const SEAL_EVERY_MS = 1000
/** Other processes' events are sealed by them; this often all is looked at, in case one died. */
const FULL_EVERY_MS = 10 * 60_000
const CHECKPOINT_EVERY_MS = 60 * 60_000
const LONGEST_PAGE = 200

/** The audit record over the three tables of `db`. */
export function createAudit(deps: AuditDependencies): Audit {
  const { db, clock, keyring } = deps
  const catalog = joinCatalogs(deps.settings.catalogs)
  const head = deps.settings.head ?? noHeadFile
  const signer = createCheckpointSigner(keyring)
  const seal = (span: number | null) => sealAll(db, head, span)
  const checkpoint = () => signHead(deps, signer)
  const newEvent = ({ type, actor, subject, clientId, data }: AuditEvent): NewEvent => {
    const schema = catalog.get(type)
    if (!schema) throw new Error(`no catalog knows the event ${type}`)
    const checked = schema.safeParse(data)
    // The fault's message would quote the data.
    if (!checked.success)
      throw new Error(`the data of ${type} is wrong at: ${checked.error.issues.map((issue) => issue.path.join('.') || issue.code).join(', ')}`)
    return {
      at: clock.now(),
      type,
      actorKind: actor.kind,
      actorId: actor.id ?? null,
      subjectId: subject ?? null,
      clientId: clientId ?? null,
      data: JSON.stringify(checked.data),
      salt: randomBytes(SALT_BYTES),
    }
  }
  return {
    async record(tx, event) {
      await insertEvent(tx, newEvent(event))
      deps.settings.onRecord?.(event.type)
    },
    prepare: (event) => eventValues(newEvent(event)),
    async ledger(accountId, { before, limit }) {
      return (await selectLedger(db, accountId, before ?? null, Math.min(limit, LONGEST_PAGE))).map(toEntry)
    },
    highest: selectHighest,
    seal: () => seal(null),
    checkpoint,
    async verify() {
      const noted = await head.read()
      return verifyChain(db, signer, noted ? [noted] : [])
    },
    checkpointKey: { id: signer.keyId, pem: signer.publicKeyPem },
    ...sealingLoop(deps.log, seal, checkpoint),
  }
}

function toEntry(row: LedgerRow): LedgerEntry {
  return { id: row.id, at: row.at, type: row.type, actor: toActor(row), clientId: row.client_id ?? undefined, data: row.data }
}

function toActor({ actor_kind: kind, actor_id: id }: LedgerRow): AuditActor {
  const known = kind === 'citizen' || kind === 'operator' || kind === 'client' ? kind : 'system'
  return { kind: known, ...(id !== null && { id }) }
}

async function sealAll(db: Database, file: HeadFile, span: number | null): Promise<number> {
  for (let total = 0; ; ) {
    const { count, head } = await db.transaction((tx) => sealBatch(tx, span))
    total += count
    if (count > 0) await file.write(head)
    if (count < BATCH) return total
  }
}

async function sealBatch(tx: Sql, span: number | null): Promise<{ count: number; head: Head }> {
  await lockSealing(tx)
  const [head, events] = [await selectHead(tx), await selectUnsealed(tx, span, BATCH)]
  const seals = sealAfter(head, events)
  if (seals.length > 0) await insertSeals(tx, seals)
  return { count: seals.length, head: seals.at(-1) ?? head }
}

/** The log line is the copy that a database's owner cannot reach. */
async function signHead({ db, clock, log }: AuditDependencies, signer: CheckpointSigner): Promise<boolean> {
  const head = await selectHead(db)
  if (head.seq === 0) return false
  const signed = { ...head, at: clock.now() }
  const isNew = await insertCheckpoint(db, { ...signed, signature: signer.sign(signed), key_id: signer.keyId })
  if (isNew) log.info('audit: checkpoint', { count: head.seq, hash: head.hash.toString('hex'), code: signer.keyId })
  return isNew
}

/** Timers that never overlap; a failure is logged and the next round tries again. */
function sealingLoop(log: Log, seal: (span: number | null) => Promise<number>, checkpoint: () => Promise<boolean>) {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let isStopped = true
  const due = { full: 0, checkpoint: 0 }
  const round = async () => {
    const now = performance.now()
    const isFull = now >= due.full
    if (isFull) due.full = now + FULL_EVERY_MS
    await seal(isFull ? null : LATE_IDS)
    if (now < due.checkpoint) return
    due.checkpoint = now + CHECKPOINT_EVERY_MS
    await checkpoint()
  }
  const next = () => {
    if (isStopped) return
    timer = setTimeout(() => {
      running = round()
        .catch((error: unknown) => log.warn('audit: sealing failed', { error }))
        .finally(next)
    }, SEAL_EVERY_MS).unref()
  }
  return {
    start() {
      isStopped = false
      next()
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
      await seal(LATE_IDS).catch((error: unknown) => log.warn('audit: sealing failed', { error }))
    },
  }
}
