/**
 * Envelope encryption. A master key (outside the database) wraps the keys of `keyring_key`, which stay unwrapped in memory and seal data.
 *
 * Terminology: **seal key** = encrypts; rotated, old ones still open. **hash key** = keys look-up hashes; one for ever, as every stored
 * hash depends on it. **data key** = one person's own key, itself sealed; forgetting it makes what it sealed unreadable.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Database, Sql } from './db.ts'
import { KEY_BYTES, openWith, sealWith } from './keys/cipher.ts'
import { readMasterKey } from './keys/master-key.ts'
import { Problem } from './problem.ts'
import { PLATFORM_PROBLEMS } from './problems.ts'
import type { Sensitive } from './sensitive.ts'

export { equalSecrets, openWith, sealWith } from './keys/cipher.ts'

export interface Keyring {
  /** Encrypts under the current seal key; only the same `context` opens it again. */
  seal(plain: Uint8Array | string, context: string): Buffer
  /** @throws {Problem} platform/seal-broken when the bytes, the context or the key are not the ones. */
  open(sealed: Uint8Array, context: string): Buffer
  /** HMAC-SHA-256, other for each purpose: for look-ups and tokens, where a plain hash could be guessed. */
  hash(value: string | Uint8Array, purpose: string): Buffer
  /** A new data key and its sealed form; `context` names its owner. Use it with `sealWith` and `openWith`. */
  dataKey(context: string): { key: Buffer; wrapped: Buffer }
  openDataKey(wrapped: Uint8Array, context: string): Buffer
  /** True when sealed by the key that seals now; after a rotation the rest can be opened and sealed again. */
  isCurrent(sealed: Uint8Array): boolean
  /** Adds a seal key, in use after ACTIVATION_SECONDS, when every process knows it. Returns its id. */
  rotate(): Promise<string>
  /** Wraps all keys under another master key; every process must then be started with that one. */
  rewrap(newMaster: Sensitive<Buffer>): Promise<number>
  close(): Promise<void>
}

export interface KeyringOptions {
  readonly db: Database
  readonly clock: Clock
  /** From the configuration; without it the file in `dataDir` is used, and made for a new database. */
  readonly masterKey?: Sensitive<Buffer> | undefined
  readonly dataDir: string
}

interface KeyRow {
  readonly id: string
  readonly purpose: string
  readonly wrapped: Buffer
  readonly master_key_id: string
  readonly created_at: Date
}

interface Key {
  readonly id: string
  readonly bytes: Buffer
  readonly createdAt: Date
}

interface Keys {
  readonly seal: ReadonlyMap<string, Key>
  readonly hash: Buffer
}

export const ACTIVATION_SECONDS = 60
const RELOAD_EVERY_MS = 20_000
const LOCK = 72_707_370
const CHANNEL = 'keyring'
const VERSION = 1
const ID_BYTES = 8

/**
 * The keyring of this database, its keys made on the first start.
 *
 * @throws {Problem} platform/master-key-wrong when the master key is not the one that wrapped the keys, or is missing.
 */
export async function openKeyring({ db, clock, masterKey, dataDir }: KeyringOptions): Promise<Keyring> {
  const isNew = (await selectKeys(db)).length === 0
  const master = readMasterKey(masterKey, dataDir, isNew)
  if (isNew) await db.transaction((tx) => createFirstKeys(tx, master, clock.now()))
  let keys = unwrapAll(await selectKeys(db), master)
  const reload = async () => {
    keys = unwrapAll(await selectKeys(db), master)
  }
  const quietly = () => void reload().catch(() => {})
  const timer = setInterval(quietly, RELOAD_EVERY_MS).unref()
  const unlisten = await db.listen(CHANNEL, quietly)
  return {
    ...sealing(() => keys, clock),
    async rotate() {
      const id = await db.transaction((tx) => insertKey(tx, 'seal', master, clock.now()))
      await db.notify(CHANNEL, id)
      await reload()
      return id
    },
    rewrap: (newMaster) => db.transaction((tx) => rewrapAll(tx, master, newMaster.reveal())),
    async close() {
      clearInterval(timer)
      await unlisten()
    },
  }
}

function sealing(keys: () => Keys, clock: Clock): Omit<Keyring, 'rotate' | 'rewrap' | 'close'> {
  const seal: Keyring['seal'] = (plain, context) => {
    const key = currentKey(keys(), clock.now())
    return Buffer.concat([Buffer.from([VERSION]), Buffer.from(key.id, 'hex'), sealWith(key.bytes, plain, context)])
  }
  const open: Keyring['open'] = (sealed, context) => {
    const key = keys().seal.get(keyIdOf(sealed))
    if (!key) throw new Problem(PLATFORM_PROBLEMS.sealBroken)
    return openWith(key.bytes, sealed.subarray(1 + ID_BYTES), context)
  }
  // Key objects: given the bytes of a key, createHmac of Node 24 takes 24 µs instead of 4.
  const purposes = new Map<string, KeyObject>()
  return {
    seal,
    open,
    hash(value, purpose) {
      const known = purposes.get(purpose) ?? createSecretKey(Buffer.from(hkdfSync('sha256', keys().hash, '', `hash:${purpose}`, KEY_BYTES)))
      purposes.set(purpose, known)
      return createHmac('sha256', known).update(value).digest()
    },
    dataKey(context) {
      const key = randomBytes(KEY_BYTES)
      return { key, wrapped: seal(key, `data-key:${context}`) }
    },
    openDataKey: (wrapped, context) => open(wrapped, `data-key:${context}`),
    isCurrent: (sealed) => keyIdOf(sealed) === currentKey(keys(), clock.now()).id,
  }
}

function keyIdOf(sealed: Uint8Array): string {
  if (sealed[0] !== VERSION || sealed.length <= 1 + ID_BYTES) throw new Problem(PLATFORM_PROBLEMS.sealBroken)
  return Buffer.from(sealed.subarray(1, 1 + ID_BYTES)).toString('hex')
}

/** The newest key that every process must know by now; the oldest when all are that new (the first start). */
function currentKey(keys: Keys, now: Date): Key {
  const byAge = [...keys.seal.values()].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  const key = byAge.findLast(({ createdAt }) => createdAt.getTime() <= now.getTime() - ACTIVATION_SECONDS * 1000) ?? byAge[0]
  if (!key) throw new Problem(PLATFORM_PROBLEMS.sealBroken, { detail: 'there is no seal key' })
  return key
}

function selectKeys(db: Sql): Promise<KeyRow[]> {
  return db.query<KeyRow>(
    'SELECT id, purpose, wrapped, master_key_id, created_at FROM keyring_key WHERE retired_at IS NULL ORDER BY created_at',
  )
}

async function createFirstKeys(tx: Sql, master: Buffer, now: Date): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
  if ((await selectKeys(tx)).length > 0) return
  await insertKey(tx, 'seal', master, now)
  await insertKey(tx, 'hash', master, now)
}

async function insertKey(tx: Sql, purpose: 'seal' | 'hash', master: Buffer, now: Date): Promise<string> {
  const id = randomBytes(ID_BYTES).toString('hex')
  const wrapped = sealWith(master, randomBytes(KEY_BYTES), wrapContext(id, purpose))
  await tx.execute('INSERT INTO keyring_key (id, purpose, wrapped, master_key_id, created_at) VALUES ($1, $2, $3, $4, $5)', [
    id,
    purpose,
    wrapped,
    masterKeyId(master),
    now,
  ])
  return id
}

function wrapContext(id: string, purpose: string): string {
  return `keyring:${id}:${purpose}`
}

/** Tells master keys apart and gives nothing of them away. */
function masterKeyId(master: Buffer): string {
  return Buffer.from(hkdfSync('sha256', master, '', 'master-key-id', ID_BYTES)).toString('hex')
}

function unwrapAll(rows: readonly KeyRow[], master: Buffer): Keys {
  const seal = new Map<string, Key>()
  let hash: Buffer | undefined
  for (const row of rows) {
    const bytes = unwrap(row, master)
    if (row.purpose === 'hash') hash = bytes
    else seal.set(row.id, { id: row.id, bytes, createdAt: row.created_at })
  }
  if (!hash || seal.size === 0) throw new Problem(PLATFORM_PROBLEMS.masterKeyWrong, { detail: 'the keyring is incomplete' })
  return { seal, hash }
}

function unwrap(row: KeyRow, master: Buffer): Buffer {
  if (row.master_key_id !== masterKeyId(master)) {
    throw new Problem(PLATFORM_PROBLEMS.masterKeyWrong, {
      detail: `the keys were wrapped by master key ${row.master_key_id}, not by ${masterKeyId(master)}`,
    })
  }
  return openWith(master, row.wrapped, wrapContext(row.id, row.purpose))
}

async function rewrapAll(tx: Sql, master: Buffer, newMaster: Buffer): Promise<number> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
  const rows = await tx.query<KeyRow>('SELECT id, purpose, wrapped, master_key_id, created_at FROM keyring_key')
  for (const row of rows) {
    const wrapped = sealWith(newMaster, unwrap(row, master), wrapContext(row.id, row.purpose))
    await tx.execute('UPDATE keyring_key SET wrapped = $2, master_key_id = $3 WHERE id = $1', [row.id, wrapped, masterKeyId(newMaster)])
  }
  return rows.length
}
