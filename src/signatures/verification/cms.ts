import { createHash, type KeyObject, verify } from 'node:crypto'
import { oid } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, type DerNode, integerHex, NotDer, oidText, readDer, readFirstDer, tagged, timeOf } from '../asn1/reader.ts'
import { type ParsedCertificate, parseCertificate } from '../authority/certificate.ts'

/** What is wrong with one signature; the first that is found. */
export const CMS_FAULTS = ['unreadable', 'algorithm', 'content-changed', 'signature-wrong', 'certificate-missing', 'certificate-other'] as const
export type CmsFault = (typeof CMS_FAULTS)[number]

export interface CheckedCms {
  readonly fault: CmsFault | undefined
  readonly signer: ParsedCertificate | undefined
  readonly certificates: readonly ParsedCertificate[]
  /** Value that a time-stamp is of, and the time-stamp's token where there is one. */
  readonly signature: Buffer
  readonly stamp: Buffer | undefined
  /** The content that travels with the signature. */
  readonly content: Buffer | undefined
  readonly contentType: string
}

const DIGESTS: Readonly<Record<string, string>> = { [OID.sha256]: 'sha256', [OID.sha384]: 'sha384', [OID.sha512]: 'sha512' }
const MOST_CERTIFICATES = 20
/** Signature algorithms that we follow, with the kind of key each needs; `undefined` digest: that of the signer's digest algorithm. */
const SIGNATURES: Readonly<Record<string, { readonly key: 'rsa' | 'ec'; readonly digest?: string }>> = {
  [OID.rsaEncryption]: { key: 'rsa' },
  [OID.rsaWithSha256]: { key: 'rsa', digest: 'sha256' },
  [OID.rsaWithSha384]: { key: 'rsa', digest: 'sha384' },
  [OID.rsaWithSha512]: { key: 'rsa', digest: 'sha512' },
  [OID.ecdsaWithSha256]: { key: 'ec', digest: 'sha256' },
  [OID.ecdsaWithSha384]: { key: 'ec', digest: 'sha384' },
  [OID.ecdsaWithSha512]: { key: 'ec', digest: 'sha512' },
}

/** Judges SignedData of one signer: that it is whole, and by whom. The chain and the time are others' business. */
export function checkCms(bytes: Buffer, digestOf: (algorithm: string) => Buffer | undefined): CheckedCms | undefined {
  try {
    return check(bytes, digestOf)
  } catch (error) {
    if (error instanceof NotDer || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

function check(bytes: Buffer, digestOf: (algorithm: string) => Buffer | undefined): CheckedCms {
  const info = readFirstDer(bytes)
  if (oidText(child(info, 0)) !== OID.signedData) throw new NotDer('SignedData is expected')
  const data = child(child(info, 1, 0xa0), 0, 0x30)
  const encapsulated = child(data, 2, 0x30)
  const contentType = oidText(child(encapsulated, 0))
  const wrapped = tagged(encapsulated, 0xa0)
  const content = wrapped && child(wrapped, 0, 0x04).content
  const certificates = (tagged(data, 0xa0)?.children() ?? []).slice(0, MOST_CERTIFICATES).map(({ raw }) => parseCertificate(raw))
  const signers = data.children().at(-1)
  if (signers?.tag !== 0x31 || signers.children().length !== 1) throw new NotDer('one signer is expected')
  const signer = child(signers, 0, 0x30)
  const [, id, digestAlgorithm] = signer.children()
  const attributes = tagged(signer, 0xa0)
  const value = signer.children().find(({ tag }) => tag === 0x04)
  if (!id || !digestAlgorithm || !attributes || !value) throw new NotDer('a signature without signed attributes')
  const certificate = certificates.find((each) => isNamed(each, id))
  const found = { signer: certificate, certificates, signature: value.content, stamp: stampOf(tagged(signer, 0xa1)), content, contentType }
  const algorithm = oidText(child(signer, signer.children().indexOf(value) - 1, 0x30).children()[0] ?? value)
  return { ...found, fault: faultOf({ digestAlgorithm: oidText(child(digestAlgorithm, 0)), algorithm, attributes, value: value.content, certificate, contentType }, content ? (name) => createHash(name).update(content).digest() : digestOf) }
}

interface SignerParts {
  readonly digestAlgorithm: string
  readonly algorithm: string
  readonly attributes: DerNode
  readonly value: Buffer
  readonly certificate: ParsedCertificate | undefined
  readonly contentType: string
}

function faultOf(parts: SignerParts, digestOf: (algorithm: string) => Buffer | undefined): CmsFault | undefined {
  const { attributes, certificate, value } = parts
  const digest = DIGESTS[parts.digestAlgorithm]
  const rule = SIGNATURES[parts.algorithm]
  if (digest === undefined || rule === undefined) return 'algorithm'
  const types = attributes.children().map((each) => child(each, 0).raw.toString('hex'))
  if (new Set(types).size !== types.length) return 'unreadable'
  const said = attributeOf(attributes, OID.messageDigest)?.content
  if (!said || !digestOf(digest)?.equals(said)) return 'content-changed'
  const type = attributeOf(attributes, OID.contentType)
  if (!type || oidText(type) !== parts.contentType) return 'content-changed'
  if (!certificate) return 'certificate-missing'
  if (!namesCertificate(attributes, certificate)) return 'certificate-other'
  const key = certificate.x509.publicKey
  if (key.asymmetricKeyType !== rule.key || !isStrong(key)) return 'algorithm'
  // Signed as SET OF (31), whatever tag they stand under.
  const signed = Buffer.from(attributes.raw)
  signed[0] = 0x31
  return verify(rule.digest ?? digest, signed, key, value) ? undefined : 'signature-wrong'
}

function isStrong({ asymmetricKeyDetails, asymmetricKeyType }: KeyObject): boolean {
  return asymmetricKeyType === 'ec' ? (asymmetricKeyDetails?.namedCurve ?? '').match(/^(prime256v1|secp384r1|secp521r1)$/) !== null : (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
}

function isNamed({ issuer, serial, extension }: ParsedCertificate, id: DerNode): boolean {
  if (id.tag === 0x30) return child(id, 0).raw.equals(issuer) && integerHex(child(id, 1)) === serial
  return id.tag === 0x80 && extension(OID.subjectKeyId)?.value.content.equals(id.content) === true
}

function attributeOf(attributes: DerNode, type: string): DerNode | undefined {
  const found = attributes.children().find((each) => child(each, 0).raw.equals(oid(type)))
  const values = found && child(found, 1, 0x31).children()
  return values?.length === 1 ? values[0] : undefined
}

/** The certificate is part of what is signed (RFC 5035): another one of the same key cannot take its place. */
function namesCertificate(attributes: DerNode, { der }: ParsedCertificate): boolean {
  const second = attributeOf(attributes, OID.signingCertificateV2)
  const first = attributeOf(attributes, OID.signingCertificate)
  if (!second && !first) return false
  const entry = child(child(second ?? (first as DerNode), 0, 0x30), 0, 0x30)
  const named = entry.children()[0]
  const algorithm = second && named?.tag === 0x30 ? DIGESTS[oidText(child(named, 0))] : second ? 'sha256' : 'sha1'
  const hash = entry.children().find(({ tag }) => tag === 0x04)
  return algorithm !== undefined && hash !== undefined && createHash(algorithm).update(der).digest().equals(hash.content)
}

function stampOf(unsigned: DerNode | undefined): Buffer | undefined {
  return unsigned && attributeOf(unsigned, OID.signatureTimeStamp)?.raw
}

/** A time-stamp of these bytes: when, and who says so. */
export interface CheckedStamp {
  readonly at: Date
  readonly signer: ParsedCertificate
  readonly certificates: readonly ParsedCertificate[]
}

/** The time that a token says about this value; undefined when it is not of it, or not whole. */
export function checkStamp(token: Buffer, stamped: Buffer): CheckedStamp | undefined {
  const checked = checkCms(token, () => undefined)
  if (!checked?.signer || checked.fault !== undefined || checked.contentType !== OID.tstInfo || !checked.content) return undefined
  const purposes = checked.signer.extension(OID.extendedKeyUsage)
  if (!purposes?.critical || purposes.value.children().length !== 1 || oidText(child(purposes.value, 0)) !== OID.timeStamping) return undefined
  const info = readDer(checked.content)
  const imprint = child(info, 2, 0x30)
  const digest = DIGESTS[oidText(child(child(imprint, 0, 0x30), 0))]
  if (digest === undefined || !createHash(digest).update(stamped).digest().equals(child(imprint, 1, 0x04).content)) return undefined
  return { at: timeOf(child(info, 4, 0x18)), signer: checked.signer, certificates: checked.certificates }
}
