import { createHash } from 'node:crypto'

/** An event exactly as stored; numbers of microseconds and JSON as the database's own text, so that hashing is the same everywhere. */
export interface StoredEvent {
  readonly id: number
  readonly at_us: number
  readonly type: string
  readonly actor_kind: string
  readonly actor_id: string | null
  readonly subject_id: string | null
  readonly client_id: string | null
  readonly data_text: string
  readonly salt: Buffer
}

export interface Seal {
  readonly seq: number
  readonly eventId: number
  readonly eventHash: Buffer
  readonly hash: Buffer
}

/** The last seal, or where the chain begins. */
export interface Head {
  readonly seq: number
  readonly hash: Buffer
}

export const GENESIS: Head = { seq: 0, hash: Buffer.alloc(32) }

/** SHA-256 over salt and all columns; the salt keeps a guessed event from being confirmed by its hash. */
export function hashEvent(event: StoredEvent): Buffer {
  const { id, at_us, type, actor_kind, actor_id, subject_id, client_id, data_text } = event
  return createHash('sha256')
    .update(event.salt)
    .update(JSON.stringify([id, at_us, type, actor_kind, actor_id, subject_id, client_id, data_text]))
    .digest()
}

export function chainHash(previous: Buffer, eventHash: Buffer): Buffer {
  return createHash('sha256').update(previous).update(eventHash).digest()
}

/** The seals of these events, in their order, after `head`. */
export function sealAfter(head: Head, events: readonly StoredEvent[]): Seal[] {
  let { seq, hash } = head
  return events.map((event) => {
    const eventHash = hashEvent(event)
    seq += 1
    hash = chainHash(hash, eventHash)
    return { seq, eventId: event.id, eventHash, hash }
  })
}
