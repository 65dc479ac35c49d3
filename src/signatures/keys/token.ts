import { createHash, createPublicKey } from 'node:crypto'
import type { Config } from '../../platform/config.ts'
import { Problem } from '../../platform/problem.ts'
import { int, seq } from '../asn1/der.ts'
import { algorithmOfKey, type KeyKind, type Signer } from '../authority/signer.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type Attributes, CK, createTokenSessions, findPrivateKey, signWith, type TokenPlace, type TokenSessions } from './cryptoki.ts'

/** A token (PKCS #11 v2.40) in which keys of the authority are made, and which they never leave. */
export interface KeyToken {
  /** A new key that the token will not give away. @throws {Problem} signatures/key-unavailable */
  make(id: string, kind: KeyKind): Promise<Signer>
  /** A key that was made here; whether it is still there shows when it signs. */
  signer(id: string, spki: Buffer): Signer
  close(): Promise<void>
}

/** The token that the configuration names, if it names one. */
export function configuredToken({ tokenModule, tokenLabel, tokenPin }: Config['signatures']): KeyToken | undefined {
  return tokenModule && tokenPin ? createKeyToken({ module: tokenModule, label: tokenLabel, pin: tokenPin }) : undefined
}

/** Nothing is opened before the first use. */
export function createKeyToken(place: TokenPlace): KeyToken {
  const sessions = createTokenSessions(place)
  return {
    async make(id, kind) {
      const spki = await sessions.run(async (cryptoki, session) => {
        const { mechanism, attributes } = generation(kind)
        const keys = await cryptoki.C_GenerateKeyPairAsync(session, { mechanism }, publicTemplate(id, attributes), privateTemplate(id))
        const wanted = kind.startsWith('RSA') ? [CK.MODULUS, CK.PUBLIC_EXPONENT] : [CK.EC_POINT]
        return spkiOf(kind, cryptoki.C_GetAttributeValue(session, keys.publicKey, wanted.map((type) => ({ type }))).map(({ value }) => value))
      })
      return tokenSigner(sessions, id, spki)
    },
    signer: (id, spki) => tokenSigner(sessions, id, spki),
    close: () => sessions.close(),
  }
}

function tokenSigner(sessions: TokenSessions, id: string, spki: Buffer): Signer {
  const { algorithm, digest, isRsa } = algorithmOfToken(spki)
  return {
    spki,
    algorithm,
    digest,
    async sign(bytes) {
      const answer = await sessions.run(async (cryptoki, session) => {
        const key = findPrivateKey(cryptoki, session, idOf(id))
        if (!key) throw new Problem(SIGNATURE_PROBLEMS.keyUnavailable, { detail: 'the token does not hold this key' })
        return isRsa
          ? signWith(cryptoki, session, { key, mechanism: CK.SHA256_RSA_PKCS, bytes: Buffer.from(bytes) })
          : signWith(cryptoki, session, { key, mechanism: CK.ECDSA, bytes: createHash(digest).update(bytes).digest() })
      })
      return isRsa ? answer : derOf(answer)
    },
  }
}

function algorithmOfToken(spki: Buffer): Pick<Signer, 'algorithm' | 'digest'> & { isRsa: boolean } {
  return { ...algorithmOfKey(spki), isRsa: createPublicKey({ key: spki, format: 'der', type: 'spki' }).asymmetricKeyType === 'rsa' }
}

/** Tokens answer r‖s; X.509 and CMS want a SEQUENCE of the two (RFC 3279, 2.2.3). */
function derOf(signature: Buffer): Buffer {
  const half = signature.length / 2
  return seq(int(signature.subarray(0, half)), int(signature.subarray(half)))
}

const EC_PARAMS = { 'P-256': '06082a8648ce3d030107', 'P-384': '06052b81040022' } as const
const EXPONENT = Buffer.from([1, 0, 1])

function generation(kind: KeyKind): { mechanism: number; attributes: Attributes } {
  if (kind === 'P-256' || kind === 'P-384') return { mechanism: CK.EC_KEY_PAIR_GEN, attributes: [{ type: CK.EC_PARAMS, value: Buffer.from(EC_PARAMS[kind], 'hex') }] }
  return { mechanism: CK.RSA_KEY_PAIR_GEN, attributes: [{ type: CK.MODULUS_BITS, value: Number(kind.slice(4)) }, { type: CK.PUBLIC_EXPONENT, value: EXPONENT }] }
}

function publicTemplate(id: string, attributes: Attributes): Attributes {
  return [{ type: CK.TOKEN, value: true }, { type: CK.VERIFY, value: true }, { type: CK.ID, value: idOf(id) }, { type: CK.LABEL, value: labelOf(id) }, ...attributes]
}

function privateTemplate(id: string): Attributes {
  return [
    { type: CK.TOKEN, value: true }, { type: CK.PRIVATE, value: true }, { type: CK.SENSITIVE, value: true }, { type: CK.EXTRACTABLE, value: false },
    { type: CK.SIGN, value: true }, { type: CK.ID, value: idOf(id) }, { type: CK.LABEL, value: labelOf(id) },
  ]
}

function idOf(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

function labelOf(id: string): Buffer {
  return Buffer.from(`mt-login ${id}`)
}

/** SubjectPublicKeyInfo of what the token says of a key: of an EC key its point, as an OCTET STRING (2.3.3 of the standard). */
function spkiOf(kind: KeyKind, [first = Buffer.alloc(0), second = EXPONENT]: readonly Buffer[]): Buffer {
  const url = (bytes: Buffer) => bytes.toString('base64url')
  const half = kind === 'P-384' ? 48 : 32
  const point = first.subarray(-2 * half)
  const key = kind.startsWith('RSA') ? { kty: 'RSA', n: url(first), e: url(second) } : { kty: 'EC', crv: kind, x: url(point.subarray(0, half)), y: url(point.subarray(half)) }
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' })
}
