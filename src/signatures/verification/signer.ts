/** Who signed and when, by the certificates and the evidence at hand: what can be said without asking anybody. */
import { OID } from '../asn1/oids.ts'
import { oidText } from '../asn1/reader.ts'
import type { ParsedCertificate } from '../authority/certificate.ts'
import { isAuthority } from '../authority/chain.ts'
import type { CheckedSigner } from './cms.ts'
import { type RawEvidence, type Reading, readingOf } from './revocation.ts'
import { type CheckedStamp, checkStamp, digestsOf } from './stamp.ts'
import { findPath } from './trust.ts'

/** A time-stamp authority's certificate that is good no more. */
export interface LostStamper {
  readonly serial: string
  readonly issuer: Uint8Array
  readonly at: Date
  /** The key may be in other hands: nothing that it says counts, whenever it says it was. */
  readonly isCompromised: boolean
}

export interface Trust {
  readonly roots: readonly ParsedCertificate[]
  readonly known: readonly ParsedCertificate[]
  readonly lost: readonly LostStamper[]
  readonly now: Date
}

/** Where a path was found, each certificate below the root, and what the evidence says of it. */
export interface PathMember {
  readonly serial: string
  readonly issuer: Uint8Array
  readonly name: string
  readonly evidence: 'good' | 'revoked' | 'none'
  readonly revokedAt: Date | undefined
}

/** A time that somebody vouches for. */
export interface ProvenTime {
  readonly at: Date
  readonly by: string
}

export interface SeenSigner {
  readonly signer: string | undefined
  readonly organization: string | undefined
  /** The earliest time that an authority we know vouches for; without one, nobody does. */
  readonly stampedAt: Date | undefined
  readonly stampedBy: string | undefined
  /** A time-stamp that is there and not of this signature, or of a key that was lost; one of an authority that we do not know is as good as none. */
  readonly stampFault: boolean
  /** The path was good once, and not at the time that counts. */
  readonly expired: boolean
  readonly path: readonly PathMember[]
  readonly root: Uint8Array | undefined
  /** ICP-Brasil's policy for signatures of people and companies. */
  readonly hasQualifiedPolicy: boolean
  readonly hasEvidence: boolean
}

/** A signature whose certificate is not there. */
export const NOBODY: SeenSigner = {
  signer: undefined, organization: undefined, stampedAt: undefined, stampedBy: undefined, stampFault: false, expired: false, path: [], root: undefined, hasQualifiedPolicy: false,
  hasEvidence: false,
}

export interface SignerSurroundings {
  /** Certificates that came along, beside those of the signature. */
  readonly certificates: readonly ParsedCertificate[]
  readonly evidence: RawEvidence
  /** A later time-stamp over all of it. */
  readonly proven: ProvenTime | undefined
  readonly trust: Trust
}

/** @see verdictOf for what follows from it */
export function seeSigner({ signature, stamp }: Pick<CheckedSigner, 'signature' | 'stamp'>, certificate: ParsedCertificate, around: SignerSurroundings): SeenSigner {
  const { trust, certificates, evidence, proven } = around
  const token = stamp && checkStamp(stamp, digestsOf(signature))
  const own = token && timeOfStamp(token, around)
  const time = earlier(own === 'lost' ? undefined : own, proven)
  const known = [...certificates, ...trust.known]
  const at = time?.at ?? trust.now
  const isForDocuments = signsDocuments(certificate)
  const path = isForDocuments ? findPath(certificate, known, trust.roots, at) : undefined
  const members = path ?? (isForDocuments ? onceGood(certificate, known, trust.roots) : undefined) ?? []
  const readings = members.slice(0, -1).map((each, i) => readingOf(each, members[i + 1] ?? each, evidence))
  return {
    signer: nameIn(certificate, 'CN'), organization: nameIn(certificate, 'O'), stampedAt: time?.at, stampedBy: time?.by,
    stampFault: (stamp !== undefined && token === undefined) || own === 'lost', expired: path === undefined && members.length > 0,
    path: members.slice(0, -1).map((each, i) => memberOf(each, members[i + 1] ?? each, readings[i], at)),
    root: members.length > 0 ? copied((members.at(-1) ?? certificate).der) : undefined,
    hasQualifiedPolicy: hasQualifiedPolicy(certificate), hasEvidence: readings[0] !== undefined,
  }
}

/** Undefined for an authority that we do not know; `lost` for a time that its key cannot vouch for any more. */
export function timeOfStamp(token: CheckedStamp, { certificates, evidence, proven, trust }: SignerSurroundings): ProvenTime | 'lost' | undefined {
  const path = findPath(token.signer, [...token.certificates, ...certificates, ...trust.known], trust.roots, token.at)
  const above = path?.[1]
  if (!path || !above) return undefined
  const fallen = trust.lost.find(({ serial, issuer }) => serial === token.signer.serial && above.der.equals(issuer))
  const limit = proven?.at ?? trust.now
  if (fallen && (fallen.at <= token.at || (fallen.isCompromised && fallen.at <= limit))) return 'lost'
  const merged = { answers: [...token.evidence.answers, ...evidence.answers], lists: [...token.evidence.lists, ...evidence.lists] }
  const revokedAt = readingOf(token.signer, above, merged)?.revokedAt
  if (revokedAt && revokedAt <= token.at) return 'lost'
  return { at: token.at, by: nameIn(token.signer, 'CN') ?? '' }
}

function earlier(one: ProvenTime | undefined, other: ProvenTime | undefined): ProvenTime | undefined {
  return one && other ? (one.at <= other.at ? one : other) : (one ?? other)
}

/** The path as it was on the certificate's last day: known, though its time was over. */
function onceGood(certificate: ParsedCertificate, known: readonly ParsedCertificate[], roots: readonly ParsedCertificate[]): ParsedCertificate[] | undefined {
  const last = new Date(certificate.notAfter.getTime() - 1000)
  return last >= certificate.notBefore ? findPath(certificate, known, roots, last) : undefined
}

function memberOf(certificate: ParsedCertificate, issuer: ParsedCertificate, reading: Reading | undefined, at: Date): PathMember {
  const covers = reading !== undefined && (reading.from >= at || reading.until >= at)
  return {
    serial: certificate.serial, issuer: copied(issuer.der), name: nameIn(certificate, 'CN') ?? '', evidence: reading?.revokedAt ? 'revoked' : covers ? 'good' : 'none',
    revokedAt: reading?.revokedAt,
  }
}

/** Away from the file's own bytes, which would otherwise all go along to whoever asked. */
const copied = (der: Buffer): Uint8Array => new Uint8Array(der)

/** A certificate for answers about revocation, for time-stamps or for issuing signs no documents, whoever holds its key. */
function signsDocuments(certificate: ParsedCertificate): boolean {
  const usage = certificate.extension(OID.keyUsage)?.value.content[1]
  const purposes = certificate.extension(OID.extendedKeyUsage)?.value.children().map(oidText)
  const isOther = purposes?.every((purpose) => purpose === OID.timeStamping || purpose === OID.ocspSigning) ?? false
  return !isOther && !isAuthority(certificate) && (usage === undefined || (usage & 0xc0) !== 0)
}

/** A1 to A4 (DOC-ICP-04); others below the same root are for machines, for secrecy or for time-stamps. */
export function qualifiedPoliciesOf(certificate: ParsedCertificate): string[] {
  const policies = certificate.extension(OID.certificatePolicies)?.value.children() ?? []
  return policies.map((policy) => oidText(policy.children()[0] ?? policy)).filter((policy) => /^2\.16\.76\.1\.2\.[1-4]\./.test(policy))
}

export function hasQualifiedPolicy(certificate: ParsedCertificate): boolean {
  return qualifiedPoliciesOf(certificate).length > 0
}

export function nameIn({ x509 }: ParsedCertificate, key: 'CN' | 'O'): string | undefined {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(x509.subject)?.[1]?.replaceAll(/\p{C}/gu, '').slice(0, 200)
}
