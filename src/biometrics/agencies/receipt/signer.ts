import { createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { CompactSign, FlattenedSign, flattenedVerify } from 'jose'
import type { Keyring } from '../../../platform/keyring.ts'
import { canonicalJson } from './canonical.ts'

/** A detached JWS (RFC 7515, appendix F): the payload is the canonical JSON of what it is about. */
export interface Signature {
  readonly protected: string
  readonly signature: string
}

export interface PublicKeyJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly kid: string
  readonly alg: 'ES256'
  readonly use: 'sig'
}

/** Signs what agencies keep as evidence. */
export interface Signer {
  readonly publicKey: PublicKeyJwk
  /** Detached, over the canonical JSON. */
  certify(document: object): Promise<Signature>
  isCertified(document: object, signature: Signature): Promise<boolean>
  /** One text (JWS Compact Serialization) with the claims in it. */
  attest(claims: object): Promise<string>
}

const CURVE_ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
const DOCUMENT_TYPE = 'mt-recibo+jws'
const RESULT_TYPE = 'mt-validacao+jwt'

/**
 * ES256 with a key derived from the keyring's hash key: a receipt must be verifiable for as long as a court may ask, so its key
 * outlives every rotation, needs no table, and is none of the keys that sign tokens.
 */
export function createSigner(keyring: Pick<Keyring, 'hash'>): Signer {
  const { privateKey, publicKey } = deriveKey(keyring)
  const header = (typ: string) => ({ alg: 'ES256', kid: publicKey.kid, typ })
  const verifier = createPublicKey({ key: { ...publicKey }, format: 'jwk' })
  return {
    publicKey,
    async certify(document) {
      const signed = await new FlattenedSign(Buffer.from(canonicalJson(document))).setProtectedHeader(header(DOCUMENT_TYPE)).sign(privateKey)
      return { protected: signed.protected ?? '', signature: signed.signature }
    },
    async isCertified(document, signature) {
      try {
        const payload = Buffer.from(canonicalJson(document)).toString('base64url')
        const { protectedHeader } = await flattenedVerify({ ...signature, payload }, verifier, { algorithms: ['ES256'] })
        return protectedHeader?.['typ'] === DOCUMENT_TYPE
      } catch {
        return false
      }
    },
    attest: (claims) => new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header(RESULT_TYPE)).sign(privateKey),
  }
}

function deriveKey(keyring: Pick<Keyring, 'hash'>): { privateKey: KeyObject; publicKey: PublicKeyJwk } {
  for (let round = 0; ; round += 1) {
    const secret = keyring.hash(`es256/${round}`, 'agency-receipts')
    // One digest in 2^32 is no scalar of the curve.
    if (secret.compare(CURVE_ORDER) >= 0 || secret.every((byte) => byte === 0)) continue
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(secret)
    const point = curve.getPublicKey()
    const key = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') } as const
    const kid = createHash('sha256').update(JSON.stringify({ crv: key.crv, kty: key.kty, x: key.x, y: key.y })).digest('base64url')
    const privateKey = createPrivateKey({ key: { ...key, d: secret.toString('base64url') }, format: 'jwk' })
    return { privateKey, publicKey: { ...key, kid, alg: 'ES256', use: 'sig' } }
  }
}
