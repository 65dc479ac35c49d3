import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { type Der, nul, oid, seq } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'

/**
 * A key that signs, wherever it lives.
 *
 * What this room makes is signed through this alone: the bytes go in, a signature as X.509 writes it comes out. A token (PKCS#11) or a
 * remote service is another implementation; one whose ECDSA answers r‖s turns it into DER itself.
 */
export interface Signer {
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer
  /** AlgorithmIdentifier of its signatures. */
  readonly algorithm: Der
  /** Name in node:crypto of the digest that its signatures are over. */
  readonly digest: 'sha256' | 'sha384'
  sign(bytes: Uint8Array): Promise<Buffer>
}

/** Kinds of keys that the authority makes. */
export const KEY_KINDS = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072'] as const
export type KeyKind = (typeof KEY_KINDS)[number]

/** Kinds of keys that people may have; P-256 unless the operator chose otherwise. */
export const PERSON_KEY_KINDS = ['P-256', 'RSA-2048', 'RSA-3072'] as const satisfies readonly KeyKind[]
export type PersonKeyKind = (typeof PERSON_KEY_KINDS)[number]

const MAKE: Readonly<Record<KeyKind, () => KeyObject>> = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey,
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey,
  'RSA-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'RSA-3072': () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey,
}

/** A new key as PKCS#8, to be wrapped before it is kept. */
export function makeKey(kind: KeyKind): Buffer {
  return MAKE[kind]().export({ type: 'pkcs8', format: 'der' })
}

const signAsync = promisify(sign)

/** A key in this process's memory, from PKCS#8. */
export function createKeySigner(pkcs8: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  const { algorithm, digest } = algorithmOf(key)
  return {
    spki: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    algorithm,
    digest,
    // A P-256 signature takes 20 µs, less than a hop to another thread; the others are worth it.
    sign: (bytes) => (digest === 'sha256' && key.asymmetricKeyType === 'ec' ? Promise.resolve(sign(digest, bytes, key)) : signAsync(digest, bytes, key)),
  }
}

/** How signatures of the key with this SubjectPublicKeyInfo are named. */
export function algorithmOfKey(spki: Buffer): Pick<Signer, 'algorithm' | 'digest'> {
  return algorithmOf(createPublicKey({ key: spki, format: 'der', type: 'spki' }))
}

function algorithmOf(key: KeyObject): { algorithm: Der; digest: 'sha256' | 'sha384' } {
  if (key.asymmetricKeyType === 'rsa') return { algorithm: seq(oid(OID.rsaWithSha256), nul), digest: 'sha256' }
  const isLarge = key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
  return isLarge
    ? { algorithm: seq(oid(OID.ecdsaWithSha384)), digest: 'sha384' }
    : { algorithm: seq(oid(OID.ecdsaWithSha256)), digest: 'sha256' }
}
