import { generateKeyPair, hash, randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import type { JsonObject } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { Actor, AuditPort } from '../ports.ts'
import {
  insertKey,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  listKeys,
  lockKeys,
  removeKey,
  rewrapKey,
  type StoredKey,
  setKeyRetirement,
} from './key.store.ts'
import { planRotation, publicationOrder } from './schedule.ts'

const generate = promisify(generateKeyPair)
const CHANNEL = 'oidc_key'
/** Often enough that a published key begins to sign on time in every process. */
const RECHECK_MS = 60_000
const SYSTEM: Actor = { kind: 'system' }

/** The keys as the provider uses them: private JWKs in publication order, cookie keys newest first. */
export interface ProviderKeys {
  readonly jwks: readonly JsonObject[]
  readonly cookieKeys: readonly string[]
}

export interface KeysDeps {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open' | 'isCurrent'>
  readonly audit: AuditPort
  readonly rotationDays: number
}

/** The signing keys of this server. */
export interface Keys {
  current(): ProviderKeys
  /** Called with new keys whenever the set, or which one signs, has changed. */
  onChange(listener: (keys: ProviderKeys) => void): void
  /** Publishes, retires and removes what is due; `urgent` replaces all at once. Run daily. Returns the kids added. */
  rotate(options?: { urgent?: boolean; actor?: Actor }): Promise<string[]>
  /** Seals all private keys again under the keyring's current key; run after its rotation. Returns how many. */
  reseal(): Promise<number>
  close(): Promise<void>
}

/** Opens the keys, making the first ones, and follows what other processes do to them. */
export async function openKeys(deps: KeysDeps): Promise<Keys> {
  const { db, clock } = deps
  const listeners: ((keys: ProviderKeys) => void)[] = []
  await rotateKeys(deps, false, SYSTEM)
  let signature = ''
  let current = await read()

  async function read(): Promise<ProviderKeys> {
    const stored = await listKeys(db)
    const signing = publicationOrder(stored, ['RS256', 'ES256'], clock.now())
    const cookies = publicationOrder(stored, ['cookie'], clock.now())
    signature = [...signing, ...cookies].map(({ kid }) => kid).join()
    return {
      jwks: signing.map((key): JsonObject => JSON.parse(opened(deps, key).toString())),
      cookieKeys: cookies.map((key) => opened(deps, key).toString()),
    }
  }

  async function reload(): Promise<void> {
    const before = signature
    const keys = await read()
    if (signature === before) return
    current = keys
    for (const listener of listeners) listener(keys)
  }

  const quietly = () => void reload().catch(() => {})
  const timer = setInterval(quietly, RECHECK_MS).unref()
  const unlisten = await db.listen(CHANNEL, quietly)
  return {
    current: () => current,
    onChange: (listener) => void listeners.push(listener),
    async rotate({ urgent = false, actor = SYSTEM } = {}) {
      const added = await rotateKeys(deps, urgent, actor)
      await reload()
      await db.notify(CHANNEL, 'changed')
      return added
    },
    reseal: () => db.transaction((tx) => resealAll(deps, tx)),
    async close() {
      clearInterval(timer)
      await unlisten()
    },
  }
}

async function rotateKeys(deps: KeysDeps, urgent: boolean, actor: Actor): Promise<string[]> {
  const plan = (keys: readonly StoredKey[], algorithm: KeyAlgorithm, now: Date) =>
    planRotation(
      keys.filter((key) => key.algorithm === algorithm),
      now,
      { rotationSeconds: deps.rotationDays * 86_400, urgent },
    )
  const before = await listKeys(deps.db)
  const due = KEY_ALGORITHMS.filter((algorithm) => plan(before, algorithm, deps.clock.now()).addFrom !== undefined)
  const made = new Map(await Promise.all(due.map(async (algorithm) => [algorithm, await createKey(algorithm)] as const)))
  return deps.db.transaction(async (tx) => {
    await lockKeys(tx)
    const now = deps.clock.now()
    const stored = await listKeys(tx)
    const added: string[] = []
    const removed: string[] = []
    for (const algorithm of KEY_ALGORITHMS) {
      const { addFrom, retire, remove } = plan(stored, algorithm, now)
      const key = made.get(algorithm)
      if (addFrom && key) {
        const wrapped = deps.keyring.seal(key.secret, sealContext(key.kid))
        await insertKey(tx, { kid: key.kid, algorithm, wrapped, activeFrom: addFrom, retireAt: undefined }, key.publicJwk, now)
        added.push(key.kid)
      }
      for (const { kid, at } of retire) await setKeyRetirement(tx, kid, at)
      for (const kid of remove) await removeKey(tx, kid, now)
      removed.push(...remove)
    }
    if (added.length + removed.length > 0)
      await deps.audit.record(tx, { type: 'oidc/keys-rotated', actor, data: { added, removed, urgent } })
    return added
  })
}

interface MadeKey {
  readonly kid: string
  readonly secret: string
  readonly publicJwk: JsonObject
}

/** A key pair with `use` and `alg`, so that every verifier finds the right one; RSA of 2048 bits, P-256. */
async function createKey(algorithm: KeyAlgorithm): Promise<MadeKey> {
  if (algorithm === 'cookie') return { kid: `cookie-${randomUUID()}`, secret: randomBytes(32).toString('base64url'), publicJwk: {} }
  const pair = algorithm === 'RS256' ? await generate('rsa', { modulusLength: 2048 }) : await generate('ec', { namedCurve: 'P-256' })
  const marks = { use: 'sig', alg: algorithm }
  const publicJwk: JsonObject = { ...pair.publicKey.export({ format: 'jwk' }), ...marks }
  const kid = thumbprint(publicJwk)
  return { kid, secret: JSON.stringify({ ...pair.privateKey.export({ format: 'jwk' }), ...marks, kid }), publicJwk: { ...publicJwk, kid } }
}

/** RFC 7638. */
function thumbprint({ kty, crv, x, y, e, n }: JsonObject): string {
  return hash('sha256', JSON.stringify(kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y }), 'base64url')
}

function sealContext(kid: string): string {
  return `oidc-key:${kid}`
}

function opened({ keyring }: KeysDeps, key: StoredKey): Buffer {
  return keyring.open(key.wrapped, sealContext(key.kid))
}

async function resealAll(deps: KeysDeps, tx: Sql): Promise<number> {
  await lockKeys(tx)
  const old = (await listKeys(tx)).filter(({ wrapped }) => !deps.keyring.isCurrent(wrapped))
  for (const key of old) await rewrapKey(tx, key.kid, deps.keyring.seal(opened(deps, key), sealContext(key.kid)))
  return old.length
}
