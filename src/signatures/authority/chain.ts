import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { oid } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, integerHex, NotDer, readDer, tagged, timeOf } from '../asn1/reader.ts'
import { isSignature, ruleOf } from './algorithm.ts'
import { type ParsedCertificate, parseCertificate } from './certificate.ts'

/** True when SIGNED{…} was signed by this key, with a digest that still stands. */
export function isSignedBy(der: Buffer, key: KeyObject): boolean {
  const whole = readDer(der)
  const rule = ruleOf(child(whole, 1, 0x30))
  return rule !== undefined && isSignature(rule, { bytes: child(whole, 0, 0x30).raw, value: child(whole, 2, 0x03).content.subarray(1), key })
}

export interface ChainToCheck {
  readonly certificate: Buffer
  readonly root: Buffer
  readonly rootCrl: Buffer
  /** The key that was requested. */
  readonly spki: Buffer
  readonly now: Date
}

/** What is wrong with a ceremony's answer; nothing when it can be used. */
export function checkChain({ certificate, root, rootCrl, spki, now }: ChainToCheck): string | undefined {
  try {
    const [below, top] = [parseCertificate(certificate), parseCertificate(root)]
    const key = createPublicKey({ key: top.spki, format: 'der', type: 'spki' })
    if (!below.spki.equals(spki)) return 'the certificate is for another key than the requested one'
    if (!isAuthority(top) || !top.issuer.equals(top.subject) || !isSignedBy(root, key)) return 'the root is not a certificate authority that signs itself'
    if (!isAuthority(below) || pathLengthOf(below) !== 0) return 'the certificate is not of an authority with no other below it'
    if (!below.issuer.equals(top.subject) || !isSignedBy(certificate, key)) return 'the certificate is not signed by this root'
    if (below.notBefore > now || below.notAfter <= now || top.notAfter < below.notAfter) return 'the certificates are not good now'
    const list = crlNumberOf(rootCrl, root)
    if (list === undefined) return 'the list of revoked authorities is not signed by this root'
    if (revokedSerials(rootCrl).has(below.serial)) return 'the root has revoked this certificate'
    return undefined
  } catch (error) {
    if (error instanceof NotDer || (error instanceof Error && 'code' in error)) return 'not certificates and a list in DER or PEM'
    throw error
  }
}

/** True for a certificate that may sign certificates. */
export function isAuthority(certificate: ParsedCertificate): boolean {
  const constraints = certificate.extension(OID.basicConstraints)?.value
  const usage = certificate.extension(OID.keyUsage)?.value
  const isMarked = constraints?.children()[0]?.tag === 0x01 && constraints.children()[0]?.content[0] === 0xff
  return isMarked && (usage === undefined || ((usage.content[1] ?? 0) & 0x04) !== 0)
}

export function pathLengthOf(certificate: ParsedCertificate): number | undefined {
  const length = certificate.extension(OID.basicConstraints)?.value.children()[1]
  return length && Number.parseInt(integerHex(length), 16)
}

/** Number of a list that this issuer signed; undefined for another's. */
export function crlNumberOf(crl: Buffer, issuerDer: Buffer): number | undefined {
  const issuer = new X509Certificate(issuerDer)
  if (!isSignedBy(crl, issuer.publicKey)) return undefined
  const extensions = tagged(child(readDer(crl), 0, 0x30), 0xa0)
  const found = extensions && child(extensions, 0).children().find((each) => child(each, 0).raw.equals(oid(OID.crlNumber)))
  const value = found?.children().at(-1)
  return value && Number.parseInt(integerHex(readDer(value.content)), 16)
}

/** When a list has to be followed by another. */
export function nextUpdateOf(crl: Buffer): Date | undefined {
  const times = child(readDer(crl), 0, 0x30).children().filter(({ tag }) => tag === 0x17 || tag === 0x18)
  return times[1] && timeOf(times[1])
}

/** Serials of a list with the time of each. */
export function revokedSerials(crl: Buffer): Map<string, Date> {
  const lists = child(readDer(crl), 0, 0x30).children().filter(({ tag }) => tag === 0x30)
  // signature, issuer, and then, where there are any, the entries.
  const entries = lists[2]?.children() ?? []
  return new Map(entries.map((entry) => [integerHex(child(entry, 0)), timeOf(child(entry, 1))]))
}
