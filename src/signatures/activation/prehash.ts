/** Signatures over a digest that somebody else made: what clients of the CSC and gov.br APIs hand in. */
import { constants, createHash, type KeyObject, privateEncrypt, randomBytes, sign } from 'node:crypto'
import { type Der, int, nul, octets, oid, seq } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, readDer } from '../asn1/reader.ts'

/** Order of P-256 (SEC 2, 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The signature over a SHA-256 digest as X.509 writes it: PKCS#1 v1.5, or ECDSA on P-256 in DER. */
export function signPrehashed(sha256: Buffer, key: KeyObject): Buffer {
  if (sha256.length !== 32) throw new Error('SHA-256 has 32 bytes')
  return key.asymmetricKeyType === 'rsa' ? signRsa(sha256, key) : signEcdsa(sha256, key)
}

function signRsa(sha256: Buffer, key: KeyObject): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, seq(seq(oid(OID.sha256), nul), octets(sha256)))
}

/**
 * ECDSA over a given digest, which node:crypto does not offer: it always hashes first.
 *
 * OpenSSL signs 32 random bytes instead: r, s' = k⁻¹(z' + rd). With the private scalar d the same k gives s = k⁻¹(z + rd) = s'(z + rd)/(z' + rd).
 * So the nonce and the multiplication on the curve stay OpenSSL's (random, constant time); s' is thrown away, and k is used in one
 * signature that anybody sees. The inversion is blinded.
 */
function signEcdsa(sha256: Buffer, key: KeyObject): Buffer {
  const { d } = key.export({ format: 'jwk' })
  if (d === undefined || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not a key on P-256')
  const scalar = numberOf(Buffer.from(d, 'base64url'))
  const other = randomBytes(32)
  const pair = readDer(sign('sha256', other, key))
  const [r, before] = [numberOf(child(pair, 0, 0x02).content), numberOf(child(pair, 1, 0x02).content)]
  const of = (digest: Buffer) => mod(numberOf(digest) + r * scalar)
  const s = mod(before * of(sha256) * inverse(of(createHash('sha256').update(other).digest())))
  // Happens once in 2²⁵⁶.
  if (s === 0n) return signEcdsa(sha256, key)
  return derOf(r, s)
}

const numberOf = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)
const mod = (value: bigint): bigint => value % ORDER
const derOf = (r: bigint, s: bigint): Der => seq(...[r, s].map((value) => int(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))))

/** 1/value, by Fermat, of a number that a random factor hides. */
function inverse(value: bigint): bigint {
  const blind = mod(numberOf(randomBytes(40))) || 1n
  return mod(power(mod(value * blind), ORDER - 2n) * blind)
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}
