/** What evidence that came along with a signature says of a certificate: answers (OCSP) and lists (CRL), signed by who issued it. */
import { createPublicKey } from 'node:crypto'
import { OID } from '../asn1/oids.ts'
import { child, type DerNode, integerHex, NotDer, oidText, readDer, tagged, timeOf, valuesOf } from '../asn1/reader.ts'
import { isSignature, ruleOf } from '../authority/algorithm.ts'
import { type ParsedCertificate, parseCertificate } from '../authority/certificate.ts'
import { isSignedBy } from '../authority/chain.ts'
import { isIssuedBy, parseCertId } from '../status/ocsp.ts'

/** In DER, as they were found: OCSPResponse or BasicOCSPResponse, CertificateList. */
export interface RawEvidence {
  readonly answers: readonly Buffer[]
  readonly lists: readonly Buffer[]
}

/** What one piece says, and of when. */
export interface Reading {
  readonly from: Date
  readonly until: Date
  /** When it was revoked; undefined for one that is good. */
  readonly revokedAt: Date | undefined
}

const MOST_PIECES = 200

/**
 * The newest that the evidence says; undefined when it says nothing of this certificate.
 *
 * A piece that cannot be read, or is not by the issuer, is as good as none: whoever adds rubbish to a file changes nothing.
 */
export function readingOf(certificate: ParsedCertificate, issuer: ParsedCertificate, { answers, lists }: RawEvidence): Reading | undefined {
  const found: Reading[] = []
  for (const [pieces, read] of [[answers, readAnswer], [lists, readList]] as const) {
    for (const piece of pieces.slice(0, MOST_PIECES)) {
      const reading = quietly(() => read(piece, certificate, issuer))
      if (reading) found.push(reading)
    }
  }
  return found.sort((a, b) => b.from.getTime() - a.from.getTime())[0]
}

function quietly(read: () => Reading | undefined): Reading | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof NotDer || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

function readAnswer(piece: Buffer, certificate: ParsedCertificate, issuer: ParsedCertificate): Reading | undefined {
  const basic = basicOf(readDer(piece))
  if (!basic) return undefined
  const data = child(basic, 0, 0x30)
  const producedAt = timeOf(data.children().find(({ tag }) => tag === 0x18) ?? data)
  const single = (data.children().find(({ tag }) => tag === 0x30)?.children() ?? []).find((each) => {
    const id = parseCertId(child(each, 0, 0x30))
    return id.serial === certificate.serial && isIssuedBy(id, issuer)
  })
  if (!single || !isAnsweredBy(basic, issuer, producedAt)) return undefined
  const [, status, thisUpdate, ...more] = single.children()
  if (!status || !thisUpdate || (status.tag !== 0x80 && status.tag !== 0xa1)) return undefined
  const next = more.find(({ tag }) => tag === 0xa0)
  const from = timeOf(thisUpdate)
  return { from, until: next ? timeOf(child(next, 0, 0x18)) : from, revokedAt: status.tag === 0xa1 ? timeOf(child(status, 0, 0x18)) : undefined }
}

/** Lists hold BasicOCSPResponse (CMS) or the whole answer (`/DSS`). */
function basicOf(node: DerNode): DerNode | undefined {
  const [first, second] = node.children()
  if (first?.tag === 0x30) return node
  if (first?.tag !== 0x0a || first.content[0] !== 0 || !second) return undefined
  const bytes = child(second, 0, 0x30)
  return oidText(child(bytes, 0)) === OID.ocspBasic ? readDer(child(bytes, 1, 0x04).content) : undefined
}

/** By the issuer itself, or by a responder that the issuer made one (RFC 6960, 4.2.2.2). */
function isAnsweredBy(basic: DerNode, issuer: ParsedCertificate, at: Date): boolean {
  const rule = ruleOf(child(basic, 1, 0x30))
  if (!rule) return false
  const certificates = tagged(basic, 0xa0)
  const others = certificates ? child(certificates, 0, 0x30).children().slice(0, 5).map(({ raw }) => parseCertificate(raw)) : []
  const responders = others.filter((each) => isResponderOf(each, issuer, at))
  const [bytes, value] = [child(basic, 0).raw, child(basic, 2, 0x03).content.subarray(1)]
  return [issuer, ...responders].some(({ spki }) => isSignature(rule, { bytes, value, key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) }))
}

function isResponderOf(certificate: ParsedCertificate, issuer: ParsedCertificate, at: Date): boolean {
  const purposes = certificate.extension(OID.extendedKeyUsage)?.value.children().map(oidText) ?? []
  const isItsOwn = certificate.issuer.equals(issuer.subject) && isSignedBy(certificate.der, createPublicKey({ key: issuer.spki, format: 'der', type: 'spki' }))
  return purposes.includes(OID.ocspSigning) && certificate.notBefore <= at && at < certificate.notAfter && isItsOwn
}

function readList(piece: Buffer, certificate: ParsedCertificate, issuer: ParsedCertificate): Reading | undefined {
  const list = child(readDer(piece), 0, 0x30)
  const members = list.children()
  const name = members.filter(({ tag }) => tag === 0x30)[1]
  const [from, until] = members.filter(({ tag }) => tag === 0x17 || tag === 0x18)
  if (!name?.raw.equals(issuer.subject) || !from || !covers(tagged(list, 0xa0), certificate)) return undefined
  if (!isSignedBy(piece, createPublicKey({ key: issuer.spki, format: 'der', type: 'spki' }))) return undefined
  const entries = members.filter(({ tag }) => tag === 0x30)[2]
  return { from: timeOf(from), until: timeOf(until ?? from), revokedAt: entries && entryOf(entries, certificate.serial) }
}

function entryOf(entries: DerNode, serial: string): Date | undefined {
  // Lists may have half a million entries, and nearly every certificate is in none of them.
  if (!entries.content.includes(Buffer.from(serial, 'hex'))) return undefined
  for (const entry of valuesOf(entries)) {
    if (integerHex(child(entry, 0, 0x02)) === serial) return timeOf(child(entry, 1))
  }
  return undefined
}

/** A partition says nothing of certificates that name another one; a list of changes, or for others, says nothing at all. */
function covers(extensions: DerNode | undefined, certificate: ParsedCertificate): boolean {
  for (const each of extensions ? child(extensions, 0, 0x30).children() : []) {
    const id = oidText(child(each, 0))
    const value = each.children().at(-1)
    if (id === OID.issuingDistributionPoint) {
      const point = readDer(value?.content ?? Buffer.alloc(0))
      const address = tagged(point, 0xa0)
      // onlySomeReasons, indirectCRL, onlyContainsAttributeCerts.
      if (point.children().some(({ tag }) => tag >= 0x83 && tag <= 0x85)) return false
      const named = certificate.extension(OID.crlDistributionPoints)?.value.raw
      const uri = address && uriOf(address)
      if (uri && !named?.includes(uri)) return false
    } else if (each.children()[1]?.tag === 0x01 && each.children()[1]?.content[0] === 0xff) {
      return false
    }
  }
  return true
}

const uriOf = (address: DerNode): Buffer | undefined => tagged(address, 0xa0)?.children().find(({ tag }) => tag === 0x86)?.raw
