import type { Database } from '../../platform/db.ts'
import { findClient } from './client.store.ts'
import type { ClientRecord } from './client.ts'

const CHANNEL = 'oidc_client'
/** Bound on how long a lost notification may keep an old record in force. */
const RECHECK_MS = 5000
const MOST_CACHED = 5000
/** What a client id may be made of (RFC 6749, appendix A.1); anything else is nobody's, and some of it no text to PostgreSQL. */
const CLIENT_ID = /^[\x20-\x7e]{1,255}$/

interface Entry {
  readonly record: ClientRecord | undefined
  readonly checkedAt: number
}

/** Clients in memory: a disabled or changed one is gone from every process as soon as PostgreSQL has told it. */
export interface ClientDirectory {
  /** The client as it is used: `undefined` when unknown or disabled. */
  find(id: string): Promise<ClientRecord | undefined>
  /** Tells every process that this client has changed. */
  changed(id: string): Promise<void>
  close(): Promise<void>
}

/** Opens the directory and starts to listen for changes. */
export async function openClientDirectory(db: Database): Promise<ClientDirectory> {
  const entries = new Map<string, Entry>()
  /** Counts changes, so that a read that began before one does not overwrite what came after it. */
  let changes = 0
  const forget = (id: string) => {
    changes += 1
    if (id === '') entries.clear()
    else entries.delete(id)
  }
  const unlisten = await db.listen(CHANNEL, forget)

  async function load(id: string, known: Entry | undefined): Promise<ClientRecord | undefined> {
    const before = changes
    const stored = await findClient(db, id)
    const usable = stored?.disabledAt ? undefined : stored
    const record = known?.record && usable?.updatedAt.getTime() === known.record.updatedAt.getTime() ? known.record : usable
    if (entries.size >= MOST_CACHED) entries.clear()
    if (before === changes && record) entries.set(id, { record, checkedAt: performance.now() })
    return record
  }

  return {
    async find(id) {
      if (!CLIENT_ID.test(id)) return undefined
      const known = entries.get(id)
      if (known && performance.now() - known.checkedAt < RECHECK_MS) return known.record
      return load(id, known)
    },
    async changed(id) {
      forget(id)
      await db.notify(CHANNEL, id)
    },
    close: unlisten,
  }
}
