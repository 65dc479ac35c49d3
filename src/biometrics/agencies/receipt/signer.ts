import { createPublicKey } from 'node:crypto'
import { CompactSign, decodeProtectedHeader, FlattenedSign, flattenedVerify } from 'jose'
import type { Sql } from '../../../platform/db.ts'
import { canonicalJson } from './canonical.ts'
import type { PublicKeyJwk, ReceiptKey, ReceiptKeys } from './receipt-keys.ts'

/** A detached JWS (RFC 7515, appendix F): the payload is the canonical JSON of what it is about. */
export interface Signature {
  readonly protected: string
  readonly signature: string
}

/** Signs what agencies keep as evidence. */
export interface Signer {
  /** Of every key that ever signed, the one in use first. */
  publicKeys(): Promise<PublicKeyJwk[]>
  /** Detached, over the canonical JSON; in the transaction that keeps it. */
  certify(document: object, tx: Sql): Promise<Signature>
  isCertified(document: object, signature: Signature): Promise<boolean>
  /** One text (JWS Compact Serialization) with the claims in it. */
  attest(claims: object): Promise<string>
}

const DOCUMENT_TYPE = 'mt-recibo+jws'
const RESULT_TYPE = 'mt-validacao+jwt'

/**
 * ES256 with keys that are none of those that sign tokens: a receipt must be verifiable for as long as a court may ask, so its `kid` finds
 * its key however often a new one has taken over since.
 */
export function createSigner(keys: Pick<ReceiptKeys, 'list'>): Signer {
  const current = async (typ: string, tx?: Sql) => {
    const [key] = await keys.list(tx)
    if (!key) throw new Error('there is no key for receipts')
    return { privateKey: key.privateKey, header: { alg: 'ES256', kid: key.publicKey.kid, typ } }
  }
  return {
    publicKeys: async () => (await keys.list()).map(({ publicKey }) => publicKey),
    async certify(document, tx) {
      const { privateKey, header } = await current(DOCUMENT_TYPE, tx)
      const signed = await new FlattenedSign(Buffer.from(canonicalJson(document))).setProtectedHeader(header).sign(privateKey)
      return { protected: signed.protected ?? '', signature: signed.signature }
    },
    isCertified: async (document, signature) => isSigned(await keys.list(), document, signature),
    async attest(claims) {
      const { privateKey, header } = await current(RESULT_TYPE)
      return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header).sign(privateKey)
    },
  }
}

async function isSigned(keys: readonly ReceiptKey[], document: object, signature: Signature): Promise<boolean> {
  try {
    const { kid } = decodeProtectedHeader({ ...signature, payload: '' })
    const key = keys.find(({ publicKey }) => publicKey.kid === kid)
    if (!key) return false
    const payload = Buffer.from(canonicalJson(document)).toString('base64url')
    const verifier = createPublicKey({ key: { ...key.publicKey }, format: 'jwk' })
    const { protectedHeader } = await flattenedVerify({ ...signature, payload }, verifier, { algorithms: ['ES256'] })
    return protectedHeader?.['typ'] === DOCUMENT_TYPE
  } catch {
    return false
  }
}
