/** Checks a signature by the AlgorithmIdentifier that names how it was made; what is weak or unknown to us is no signature. */
import { constants, type KeyObject, verify } from 'node:crypto'
import { OID } from '../asn1/oids.ts'
import { child, type DerNode, integerHex, oidText, tagged } from '../asn1/reader.ts'

/** Digests that still stand, by identifier. */
export const DIGESTS: Readonly<Record<string, string>> = { [OID.sha256]: 'sha256', [OID.sha384]: 'sha384', [OID.sha512]: 'sha512' }

interface Rule {
  readonly key: 'rsa' | 'ec'
  /** Absent where another member of the structure names it. */
  readonly digest?: string | undefined
  /** Of RSASSA-PSS. */
  readonly saltLength?: number
}

/** What fits into a key of 4,096 bits: some programs take all the room there is. */
const LONGEST_SALT = 512

const RULES: Readonly<Record<string, Rule>> = {
  [OID.rsaEncryption]: { key: 'rsa' },
  [OID.rsaWithSha256]: { key: 'rsa', digest: 'sha256' },
  [OID.rsaWithSha384]: { key: 'rsa', digest: 'sha384' },
  [OID.rsaWithSha512]: { key: 'rsa', digest: 'sha512' },
  [OID.ecdsaWithSha256]: { key: 'ec', digest: 'sha256' },
  [OID.ecdsaWithSha384]: { key: 'ec', digest: 'sha384' },
  [OID.ecdsaWithSha512]: { key: 'ec', digest: 'sha512' },
}

/** How a signature of this algorithm is checked; undefined for one that we do not follow. */
export function ruleOf(algorithm: DerNode): Rule | undefined {
  const id = oidText(child(algorithm, 0, 0x06))
  return id === OID.rsaPss ? pssRule(algorithm) : RULES[id]
}

/** RFC 4055, 3.1; its defaults are SHA-1, which we do not follow, and two digests in one signature nobody uses. */
function pssRule(algorithm: DerNode): Rule | undefined {
  const parameters = algorithm.children()[1]
  const [hash, mask, salt] = [0xa0, 0xa1, 0xa2].map((tag) => parameters && tagged(parameters, tag))
  const digest = hash && DIGESTS[oidText(child(child(hash, 0, 0x30), 0))]
  const masked = mask && child(mask, 0, 0x30)
  if (!digest || !masked || oidText(child(masked, 0)) !== OID.mgf1 || DIGESTS[oidText(child(child(masked, 1, 0x30), 0))] !== digest) return undefined
  const saltLength = salt ? Number.parseInt(integerHex(child(salt, 0, 0x02)), 16) : 20
  return saltLength <= LONGEST_SALT ? { key: 'rsa', digest, saltLength } : undefined
}

/** True when the key made this signature over these bytes; `digest` for algorithms that name none. */
export function isSignature({ key: kind, saltLength, ...rule }: Rule, { bytes, value, key, digest }: { bytes: Uint8Array; value: Uint8Array; key: KeyObject; digest?: string }): boolean {
  const name = rule.digest ?? digest
  if (name === undefined || !isKey(key, kind, saltLength !== undefined)) return false
  return verify(name, bytes, saltLength === undefined ? key : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, value)
}

/** A key of this kind that is still strong. */
export function isKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, kind: 'rsa' | 'ec', isPss: boolean): boolean {
  if (kind === 'ec') return type === 'ec' && /^(prime256v1|secp384r1|secp521r1)$/.test(details?.namedCurve ?? '')
  return (type === 'rsa' || (isPss && type === 'rsa-pss')) && (details?.modulusLength ?? 0) >= 2048
}
