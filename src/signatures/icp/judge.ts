import { NotDer, oidText } from '../asn1/reader.ts'
import { OID } from '../asn1/oids.ts'
import { isKey } from '../authority/algorithm.ts'
import { type ParsedCertificate, parseCertificate } from '../authority/certificate.ts'
import { isAuthority } from '../authority/chain.ts'
import { hasQualifiedPolicy, qualifiedPoliciesOf } from '../verification/signer.ts'
import { findPath } from '../verification/trust.ts'
import type { TrustAnchor } from '../verification/trust.store.ts'
import { holderOf, type PersonHolder } from './holder.ts'

/** Why a certificate proves nothing of the person who showed it; stored and shown, so names never change. */
export const CERTIFICATE_FAULTS = ['unreadable', 'unknown-issuer', 'not-in-time', 'not-a-person', 'purpose', 'another-person', 'another-name', 'revoked', 'unchecked'] as const
export type CertificateFault = (typeof CERTIFICATE_FAULTS)[number]

export interface FitCertificate {
  readonly holder: PersonHolder
  readonly notAfter: Date
  /** Its policy wants the key in a card or token (A3, A4). */
  readonly inHardware: boolean
  /** From the holder's to the root, both included. */
  readonly path: readonly ParsedCertificate[]
}

export type Judgement = { readonly kind: 'fit'; readonly certificate: FitCertificate } | { readonly kind: 'unfit'; readonly fault: CertificateFault }

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2'
const ANY_PURPOSE = '2.5.29.37.0'
/** A3 and A4 (DOC-ICP-04): made and kept in a card or token that its PIN opens; A1 and A2 may be a file. */
const IN_HARDWARE = /^2\.16\.76\.1\.2\.[34]\./
const DIGITAL_SIGNATURE = 0x80

/**
 * What a certificate is worth by itself: chain, times, purpose and holder; revocation is somebody else's question.
 *
 * Only roots that an operator marked as ICP-Brasil's count as roots; their intermediate ones help to build the chain.
 */
export function judgeCertificate(chain: readonly Uint8Array[], anchors: readonly TrustAnchor[], at: Date): Judgement {
  try {
    const [leaf, ...given] = chain.map(parseCertificate)
    return leaf ? judgeLeaf(leaf, given, { anchors, at }) : unfit('unreadable')
  } catch (error) {
    if (error instanceof NotDer || (error instanceof Error && 'code' in error) || isNoCertificate(error)) return unfit('unreadable')
    throw error
  }
}

const unfit = (fault: CertificateFault): Judgement => ({ kind: 'unfit', fault })
const isNoCertificate = (error: unknown): boolean => error instanceof Error && error.message === 'not a certificate'

function judgeLeaf(leaf: ParsedCertificate, given: readonly ParsedCertificate[], { anchors, at }: { anchors: readonly TrustAnchor[]; at: Date }): Judgement {
  if (leaf.notBefore > at || leaf.notAfter <= at) return unfit('not-in-time')
  const known = believedAnchors(anchors).map(({ der }) => parseCertificate(der))
  const roots = known.filter(({ issuer, subject }) => issuer.equals(subject))
  const path = findPath(leaf, [...given, ...known], roots, at)
  if (!path || path.length < 2) return unfit('unknown-issuer')
  if (!isForSignIn(leaf)) return unfit('purpose')
  const holder = holderOf(leaf)
  return holder ? { kind: 'fit', certificate: { holder, notAfter: leaf.notAfter, inHardware: isInHardware(leaf), path } } : unfit('not-a-person')
}

/** Those that make a certificate ICP-Brasil's. */
export function believedAnchors(anchors: readonly TrustAnchor[]): readonly TrustAnchor[] {
  return anchors.filter(({ kind, level }) => kind === 'icp-brasil' && level === 'qualified')
}

/** A strong key that may sign, for a person (A1 to A4), for proving who is there where purposes are named. */
function isForSignIn(leaf: ParsedCertificate): boolean {
  const usage = leaf.extension(OID.keyUsage)?.value
  const purposes = leaf.extension(OID.extendedKeyUsage)?.value.children().map(oidText)
  const key = leaf.x509.publicKey
  return (
    !isAuthority(leaf) && usage?.tag === 0x03 && ((usage.content[1] ?? 0) & DIGITAL_SIGNATURE) !== 0 && hasQualifiedPolicy(leaf) &&
    (purposes === undefined || purposes.includes(CLIENT_AUTHENTICATION) || purposes.includes(ANY_PURPOSE)) &&
    (isKey(key, 'rsa', false) || isKey(key, 'ec', false))
  )
}

/** One that also says that its key may be a file says nothing. */
function isInHardware(leaf: ParsedCertificate): boolean {
  const policies = qualifiedPoliciesOf(leaf)
  return policies.length > 0 && policies.every((policy) => IN_HARDWARE.test(policy))
}
