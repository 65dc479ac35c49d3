import { createHash } from 'node:crypto'
import { definite } from '../asn1/ber.ts'
import { oid } from '../asn1/der.ts'
import { OID, REPRESENTATION_OID } from '../asn1/oids.ts'
import { child, type DerNode, integerHex, NotDer, oidText, readDer, readFirstDer, tagged } from '../asn1/reader.ts'
import { DIGESTS, isKey, isSignature, ruleOf } from '../authority/algorithm.ts'
import { type ParsedCertificate, parseCertificate } from '../authority/certificate.ts'
import { readRepresentation, type Representation } from '../cms/representation.ts'
import type { RawEvidence } from './revocation.ts'

/** What is wrong with one signature; the first that is found. */
export const CMS_FAULTS = ['unreadable', 'algorithm', 'content-changed', 'signature-wrong', 'certificate-missing', 'certificate-other'] as const
export type CmsFault = (typeof CMS_FAULTS)[number]

/** One of those who signed. */
export interface CheckedSigner {
  readonly fault: CmsFault | undefined
  readonly certificate: ParsedCertificate | undefined
  /** Value that a time-stamp is of, and the time-stamp's token where there is one. */
  readonly signature: Buffer
  readonly stamp: Buffer | undefined
  readonly representation: Representation | undefined
}

export interface CheckedCms {
  readonly signers: readonly [CheckedSigner, ...CheckedSigner[]]
  readonly certificates: readonly ParsedCertificate[]
  readonly evidence: RawEvidence
  /** The content that travels with the signature. */
  readonly content: Buffer | undefined
  readonly contentType: string
}

export interface CmsToCheck {
  /** Digest of what stands outside, by its name; asked only when nothing stands inside. */
  readonly digestOf: (algorithm: string) => Buffer | undefined
  /** True where the format demands that the signature names its certificate (PAdES, CAdES, time-stamps). */
  readonly namesCertificate: boolean
}

/** Every signer's own, and those above them. */
const MOST_CERTIFICATES = 40
const MOST_SIGNERS = 20

/** Judges SignedData: that it is whole, and by whom. The chain and the time are others' business. Undefined for what is none. */
export function checkCms(bytes: Buffer, how: CmsToCheck): CheckedCms | undefined {
  try {
    return check(bytes, how)
  } catch (error) {
    if (error instanceof NotDer || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

/** What others write with lengths of their own kind is read all the same. */
function infoOf(bytes: Buffer): DerNode {
  const isPlain = bytes[1] !== 0x80 && isReadable(bytes)
  return isPlain ? readFirstDer(bytes) : readDer(definite(bytes))
}

function isReadable(bytes: Buffer): boolean {
  const open = [readFirstDer(bytes)]
  try {
    for (let node = open.pop(); node; node = open.pop()) if ((node.tag & 0x20) !== 0) open.push(...node.children())
    return true
  } catch (error) {
    if (error instanceof NotDer) return false
    throw error
  }
}

function check(bytes: Buffer, how: CmsToCheck): CheckedCms {
  const info = infoOf(bytes)
  if (oidText(child(info, 0)) !== OID.signedData) throw new NotDer('SignedData is expected')
  const data = child(child(info, 1, 0xa0), 0, 0x30)
  const encapsulated = child(data, 2, 0x30)
  const contentType = oidText(child(encapsulated, 0))
  const wrapped = tagged(encapsulated, 0xa0)
  const content = wrapped && child(wrapped, 0, 0x04).content
  const certificates = (tagged(data, 0xa0)?.children() ?? []).slice(0, MOST_CERTIFICATES).flatMap(({ tag, raw }) => (tag === 0x30 ? [parseCertificate(raw)] : []))
  const list = data.children().at(-1)
  const infos = list?.tag === 0x31 ? list.children() : []
  if (infos.length === 0 || infos.length > MOST_SIGNERS) throw new NotDer('signers are expected')
  const digestOf = content ? (name: string) => createHash(name).update(content).digest() : how.digestOf
  const [first, ...others] = infos.map((each) => checkSigner(each, { certificates, contentType, digestOf, namesCertificate: how.namesCertificate }))
  if (!first) throw new NotDer('signers are expected')
  const archived = infos.map((each) => adobeEvidence(tagged(each, 0xa0)))
  const carried = carriedEvidence(tagged(data, 0xa1))
  const evidence = { answers: [carried, ...archived].flatMap(({ answers }) => answers), lists: [carried, ...archived].flatMap(({ lists }) => lists) }
  return { signers: [first, ...others], certificates, evidence, content, contentType }
}

interface Surroundings extends CmsToCheck {
  readonly certificates: readonly ParsedCertificate[]
  readonly contentType: string
}

function checkSigner(info: DerNode, around: Surroundings): CheckedSigner {
  const [, id, digestAlgorithm] = info.children()
  const attributes = tagged(info, 0xa0)
  const value = info.children().find(({ tag }, i) => tag === 0x04 && i > 2)
  if (!id || !digestAlgorithm || !attributes || !value) throw new NotDer('a signature without signed attributes')
  const certificate = around.certificates.find((each) => isNamed(each, id))
  const algorithm = child(info, info.children().indexOf(value) - 1, 0x30)
  const parts = { digestAlgorithm: oidText(child(digestAlgorithm, 0)), algorithm, attributes, value: value.content, certificate }
  const said = attributeOf(attributes, REPRESENTATION_OID)
  const stamp = tagged(info, 0xa1)
  return {
    fault: faultOf(parts, around), certificate, signature: value.content, stamp: stamp && attributeOf(stamp, OID.signatureTimeStamp)?.raw,
    representation: said && readRepresentation(said),
  }
}

interface SignerParts {
  readonly digestAlgorithm: string
  readonly algorithm: DerNode
  readonly attributes: DerNode
  readonly value: Buffer
  readonly certificate: ParsedCertificate | undefined
}

function faultOf({ attributes, certificate, value, algorithm, digestAlgorithm }: SignerParts, { contentType, digestOf, namesCertificate }: Surroundings): CmsFault | undefined {
  const digest = DIGESTS[digestAlgorithm]
  const rule = ruleOf(algorithm)
  if (digest === undefined || rule === undefined) return 'algorithm'
  const types = attributes.children().map((each) => child(each, 0).raw.toString('hex'))
  if (new Set(types).size !== types.length) return 'unreadable'
  const said = attributeOf(attributes, OID.messageDigest)?.content
  if (!said || !digestOf(digest)?.equals(said)) return 'content-changed'
  const type = attributeOf(attributes, OID.contentType)
  if (!type || oidText(type) !== contentType) return 'content-changed'
  if (!certificate) return 'certificate-missing'
  if (!isCertificateNamed(attributes, certificate, namesCertificate)) return 'certificate-other'
  const key = certificate.x509.publicKey
  if (!isKey(key, rule.key, rule.saltLength !== undefined)) return 'algorithm'
  // Signed as SET OF (31), whatever tag they stand under.
  const signed = Buffer.from(attributes.raw)
  signed[0] = 0x31
  return isSignature(rule, { bytes: signed, value, key, digest }) ? undefined : 'signature-wrong'
}

function isNamed({ issuer, serial, extension }: ParsedCertificate, id: DerNode): boolean {
  if (id.tag === 0x30) return child(id, 0).raw.equals(issuer) && integerHex(child(id, 1)) === serial
  return id.tag === 0x80 && extension(OID.subjectKeyId)?.value.content.equals(id.content) === true
}

/** The one value of an attribute; undefined when it is missing or has several. */
export function attributeOf(attributes: DerNode, type: string): DerNode | undefined {
  const found = attributes.children().find((each) => child(each, 0).raw.equals(oid(type)))
  const values = found && child(found, 1, 0x31).children()
  return values?.length === 1 ? values[0] : undefined
}

/** The certificate is part of what is signed (RFC 5035): another one of the same key cannot take its place. */
function isCertificateNamed(attributes: DerNode, { der }: ParsedCertificate, mustBe: boolean): boolean {
  const second = attributeOf(attributes, OID.signingCertificateV2)
  const first = second ?? attributeOf(attributes, OID.signingCertificate)
  if (!first) return !mustBe
  const entry = child(child(first, 0, 0x30), 0, 0x30)
  const named = entry.children()[0]
  const algorithm = second && named?.tag === 0x30 ? DIGESTS[oidText(child(named, 0))] : second ? 'sha256' : 'sha1'
  const hash = entry.children().find(({ tag }) => tag === 0x04)
  return algorithm !== undefined && hash !== undefined && createHash(algorithm).update(der).digest().equals(hash.content)
}

/** Lists, and answers under `[1]` with their identifier (RFC 5652, 10.2.1; RFC 5940). */
function carriedEvidence(revocations: DerNode | undefined): RawEvidence {
  const items = revocations?.children() ?? []
  return { lists: items.filter(({ tag }) => tag === 0x30).map(({ raw }) => raw), answers: items.filter(({ tag }) => tag === 0xa1).flatMap((each) => each.children()[1]?.raw ?? []) }
}

/** RevocationInfoArchival, as Adobe's readers sign it (ISO 32000-1, 12.8.3.3.2). */
function adobeEvidence(attributes: DerNode | undefined): RawEvidence {
  const archive = attributes && attributeOf(attributes, OID.adobeRevocation)
  const under = (tag: number) => (archive && tagged(archive, tag) ? child(tagged(archive, tag) as DerNode, 0, 0x30).children().map(({ raw }) => raw) : [])
  return { lists: under(0xa0), answers: under(0xa1) }
}
