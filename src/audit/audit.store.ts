import type { Sql } from '../platform/db.ts'
import type { Head, Seal, StoredEvent } from './chain.ts'
import { GENESIS } from './chain.ts'

const LOCK = 72_707_371
const EVENT_COLUMNS = `e.id, floor(extract(epoch FROM e.at) * 1000000)::int8 AS at_us, e.type, e.actor_kind, e.actor_id, e.subject_id, e.client_id,
  e.data::text AS data_text, e.salt`

export interface NewEvent {
  readonly at: Date
  readonly type: string
  readonly actorKind: string
  readonly actorId: string | null
  readonly subjectId: string | null
  readonly clientId: string | null
  readonly data: string
  readonly salt: Buffer
}

export async function insertEvent(sql: Sql, event: NewEvent): Promise<void> {
  await sql.execute(
    `INSERT INTO audit_event (at, type, actor_kind, actor_id, subject_id, client_id, data, salt)
     VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)`,
    eventValues(event),
  )
}

/**
 * The insertion of one event as a part of another statement (`WITH … AS (…)`), for each row of `source`; its values are numbered from
 * `first` on. `moreData` is SQL for what only that statement knows.
 */
export function eventInsertion(first: number, source: string, moreData = "'{}'::jsonb"): string {
  const $ = (offset: number) => `$${first + offset}`
  return `INSERT INTO audit_event (at, type, actor_kind, actor_id, subject_id, client_id, data, salt)
    SELECT ${$(0)}::timestamptz, ${$(1)}, ${$(2)}, ${$(3)}, ${$(4)}, ${$(5)}, ${$(6)}::jsonb || ${moreData}, ${$(7)}::bytea FROM ${source}`
}

/** The values of an event in the order of `eventInsertion`. */
export function eventValues(event: NewEvent): unknown[] {
  return [event.at, event.type, event.actorKind, event.actorId, event.subjectId, event.clientId, event.data, event.salt]
}

export interface LedgerRow {
  readonly id: number
  readonly at: Date
  readonly type: string
  readonly actor_kind: string
  readonly actor_id: string | null
  readonly client_id: string | null
  readonly data: Record<string, unknown>
}

/** A person's events, newest first, older than `before`. */
export function selectLedger(sql: Sql, subjectId: string, before: number | null, limit: number): Promise<LedgerRow[]> {
  return sql.query<LedgerRow>(
    `SELECT id, at, type, actor_kind, actor_id, client_id, data FROM audit_event
     WHERE subject_id = $1 AND ($2::int8 IS NULL OR id < $2) ORDER BY at DESC, id DESC LIMIT $3`,
    [subjectId, before, limit],
  )
}

/** The highest number under `field` among a subject's events of one type. */
export async function selectHighest(sql: Sql, { type, subject, field }: { type: string; subject: string; field: string }): Promise<number | undefined> {
  const [row] = await sql.query<{ highest: number | null }>(`SELECT ${highestOf({ subject: '$1', type: '$2', field: '$3' })} AS highest`, [subject, type, field])
  return row?.highest ?? undefined
}

/** The same as a part of another statement, for numbers of the very moment that the rest is read: each is an expression of that statement. */
export function highestOf({ subject, type, field }: { subject: string; type: string; field: string }): string {
  return `(SELECT max((h.data->>${field})::int) FROM audit_event h WHERE h.subject_id = ${subject} AND h.type = ${type})`
}

/** One process seals at a time; until the end of the transaction. */
export async function lockSealing(tx: Sql): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
}

export async function selectHead(sql: Sql): Promise<Head> {
  const [row] = await sql.query<Head>('SELECT seq, hash FROM audit_seal ORDER BY seq DESC LIMIT 1')
  return row ?? GENESIS
}

/**
 * Events without a seal, by id. `span` looks back that many ids from the newest sealed one: a transaction that took its id early may
 * commit late. Null looks at all.
 */
export function selectUnsealed(sql: Sql, span: number | null, limit: number): Promise<StoredEvent[]> {
  return sql.query<StoredEvent>(
    `SELECT ${EVENT_COLUMNS} FROM audit_event e
     WHERE ($1::int8 IS NULL OR e.id > coalesce((SELECT event_id FROM audit_seal ORDER BY event_id DESC LIMIT 1), 0) - $1)
       AND NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.event_id = e.id)
     ORDER BY e.id LIMIT $2`,
    [span, limit],
  )
}

export async function insertSeals(sql: Sql, seals: readonly Seal[]): Promise<void> {
  const rows = seals.map(({ seq, eventId, eventHash, hash }) => ({
    seq,
    event_id: eventId,
    event_hash: eventHash.toString('hex'),
    hash: hash.toString('hex'),
  }))
  await sql.execute(
    `INSERT INTO audit_seal (seq, event_id, event_hash, hash)
     SELECT seq, event_id, decode(event_hash, 'hex'), decode(hash, 'hex')
     FROM jsonb_to_recordset($1::jsonb) AS sealed (seq int8, event_id int8, event_hash text, hash text)`,
    [JSON.stringify(rows)],
  )
}

/** A seal with its event; the event's columns are null when the event is gone. */
export type SealedRow = { readonly seq: number; readonly event_id: number; readonly event_hash: Buffer; readonly hash: Buffer } & {
  readonly [Column in keyof StoredEvent]: StoredEvent[Column] | null
}

export function selectSealed(sql: Sql, afterSeq: number, limit: number): Promise<SealedRow[]> {
  return sql.query<SealedRow>(
    `SELECT s.seq, s.event_id, s.event_hash, s.hash, ${EVENT_COLUMNS}
     FROM audit_seal s LEFT JOIN audit_event e ON e.id = s.event_id WHERE s.seq > $1 ORDER BY s.seq LIMIT $2`,
    [afterSeq, limit],
  )
}

export async function countUnsealed(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    'SELECT count(*) AS count FROM audit_event e WHERE NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.event_id = e.id)',
  )
  return row?.count ?? 0
}

export interface CheckpointRow {
  readonly seq: number
  readonly hash: Buffer
  readonly at: Date
  readonly signature: Buffer
  readonly key_id: string
}

export function selectCheckpoints(sql: Sql): Promise<CheckpointRow[]> {
  return sql.query<CheckpointRow>('SELECT seq, hash, at, signature, key_id FROM audit_checkpoint ORDER BY seq')
}

/** False when this seal has a checkpoint already. */
export async function insertCheckpoint(sql: Sql, row: CheckpointRow): Promise<boolean> {
  const inserted = await sql.execute(
    'INSERT INTO audit_checkpoint (seq, hash, at, signature, key_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (seq) DO NOTHING',
    [row.seq, row.hash, row.at, row.signature, row.key_id],
  )
  return inserted === 1
}
