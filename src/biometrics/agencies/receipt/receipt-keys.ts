import { createECDH, createHash, createPrivateKey, type KeyObject } from 'node:crypto'
import type { Audit, AuditActor } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database, Sql } from '../../../platform/db.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { insertReceiptKey, listReceiptKeys } from './receipt-key.store.ts'

export interface PublicKeyJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly kid: string
  readonly alg: 'ES256'
  readonly use: 'sig'
}

export interface ReceiptKey {
  readonly privateKey: KeyObject
  readonly publicKey: PublicKeyJwk
}

/** The keys of receipts: the first signs, all verify, for as long as a court may ask. */
export interface ReceiptKeys {
  /** Never empty; read anew each time, so that every process signs with a new key at once. */
  list(sql?: Sql): Promise<readonly ReceiptKey[]>
  /** A new random key signs from now on; what the others signed stays valid. Returns its id. */
  rotate(actor: AuditActor): Promise<string>
}

export interface ReceiptKeyDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'hash' | 'seal' | 'open'>
  readonly audit: Pick<Audit, 'record'>
}

const CURVE_ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')

/** The first key is derived from the keyring, so that receipts can be signed before anybody made one; the others are random and sealed. */
export function createReceiptKeys({ db, clock, keyring, audit }: ReceiptKeyDependencies): ReceiptKeys {
  const first = deriveKey(keyring)
  return {
    async list(sql = db) {
      const stored = await listReceiptKeys(sql)
      return [...stored.map(({ kid, sealed }) => keyOf(keyring.open(sealed, contextOf(kid)))), first]
    },
    rotate: (actor) =>
      db.transaction(async (tx) => {
        const curve = createECDH('prime256v1')
        curve.generateKeys()
        // The library leaves out leading zeros.
        const secret = Buffer.concat([Buffer.alloc(32), curve.getPrivateKey()]).subarray(-32)
        const { kid } = keyOf(secret).publicKey
        await insertReceiptKey(tx, { kid, sealed: keyring.seal(secret, contextOf(kid)) }, clock.now())
        await audit.record(tx, { type: 'biometrics/receipt-key-rotated', actor, data: { kid } })
        return kid
      }),
  }
}

const contextOf = (kid: string) => `agency-receipt-key/${kid}`

function deriveKey(keyring: Pick<Keyring, 'hash'>): ReceiptKey {
  for (let round = 0; ; round += 1) {
    const secret = keyring.hash(`es256/${round}`, 'agency-receipts')
    // One digest in 2^32 is no scalar of the curve.
    if (secret.compare(CURVE_ORDER) < 0 && secret.some((byte) => byte !== 0)) return keyOf(secret)
  }
}

/** The key pair of a scalar; its id is the RFC 7638 thumbprint. */
function keyOf(secret: Buffer): ReceiptKey {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(secret)
  const point = curve.getPublicKey()
  const key = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') } as const
  const kid = createHash('sha256').update(JSON.stringify({ crv: key.crv, kty: key.kty, x: key.x, y: key.y })).digest('base64url')
  const privateKey = createPrivateKey({ key: { ...key, d: secret.toString('base64url') }, format: 'jwk' })
  return { privateKey, publicKey: { ...key, kid, alg: 'ES256', use: 'sig' } }
}
