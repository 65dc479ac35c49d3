import type { Sql } from '../platform/db.ts'
import type { CheckpointRow, SealedRow } from './audit.store.ts'
import { countUnsealed, selectCheckpoints, selectSealed } from './audit.store.ts'
import type { Head, StoredEvent } from './chain.ts'
import { chainHash, GENESIS, hashEvent } from './chain.ts'
import type { CheckpointSigner } from './signature.ts'

export type Fault =
  | 'seal-missing'
  | 'event-missing'
  | 'event-changed'
  | 'chain-broken'
  | 'checkpoint-forged'
  | 'checkpoint-mismatch'
  | 'cut-off'

export interface FirstBad {
  /** Place in the chain. */
  readonly seq: number
  readonly eventId?: number
  readonly fault: Fault
}

export type Verdict =
  | { readonly ok: true; readonly rows: number; readonly unsealed: number; readonly head: Head }
  | { readonly ok: false; readonly firstBad: FirstBad }

/** What is known about the chain from outside its rows: signed checkpoints and heads noted elsewhere. */
interface Expectation extends Head {
  readonly fault: 'checkpoint-mismatch' | 'cut-off'
}

const BATCH = 2000

/** Walks the whole chain; the verdict names the first bad place, by its order in the chain. */
export async function verifyChain(db: Sql, signer: CheckpointSigner, heads: readonly Head[]): Promise<Verdict> {
  const checkpoints = await selectCheckpoints(db)
  const forged = checkpoints.find((row) => !isGenuine(row, signer))
  const expected = expectations(checkpoints, heads)
  let head: Head = GENESIS
  for (let rows = await selectSealed(db, 0, BATCH); rows.length > 0; rows = await selectSealed(db, head.seq, BATCH)) {
    for (const row of rows) {
      const fault = faultOf(row, head, expected.get(row.seq))
      if (fault) return bad(earlier({ seq: fault === 'seal-missing' ? head.seq + 1 : row.seq, eventId: row.event_id, fault }, forged))
      head = { seq: row.seq, hash: row.hash }
    }
  }
  const beyond = [...expected.keys()].filter((seq) => seq > head.seq)
  if (beyond.length > 0) return bad(earlier({ seq: head.seq + 1, fault: 'cut-off' }, forged))
  if (forged) return bad({ seq: forged.seq, fault: 'checkpoint-forged' })
  return { ok: true, rows: head.seq, unsealed: await countUnsealed(db), head }
}

function bad(firstBad: FirstBad): Verdict {
  return { ok: false, firstBad }
}

/** A forged checkpoint before the bad row is the first bad thing. */
function earlier(found: FirstBad, forged: CheckpointRow | undefined): FirstBad {
  return forged && forged.seq < found.seq ? { seq: forged.seq, fault: 'checkpoint-forged' } : found
}

function isGenuine(row: CheckpointRow, signer: CheckpointSigner): boolean {
  return row.key_id === signer.keyId && signer.isValid(row, row.signature)
}

function expectations(checkpoints: readonly CheckpointRow[], heads: readonly Head[]): ReadonlyMap<number, Expectation[]> {
  const expected = new Map<number, Expectation[]>()
  const add = (item: Expectation) => expected.set(item.seq, [...(expected.get(item.seq) ?? []), item])
  for (const { seq, hash } of checkpoints) add({ seq, hash, fault: 'checkpoint-mismatch' })
  for (const { seq, hash } of heads) if (seq > 0) add({ seq, hash, fault: 'checkpoint-mismatch' })
  return expected
}

function faultOf(row: SealedRow, previous: Head, expected: readonly Expectation[] = []): Fault | undefined {
  if (row.seq !== previous.seq + 1) return 'seal-missing'
  if (!isPresent(row)) return 'event-missing'
  if (!hashEvent(row).equals(row.event_hash)) return 'event-changed'
  if (!chainHash(previous.hash, row.event_hash).equals(row.hash)) return 'chain-broken'
  return expected.find(({ hash }) => !row.hash.equals(hash))?.fault
}

function isPresent(row: SealedRow): row is SealedRow & StoredEvent {
  return row.id !== null && row.salt !== null
}
