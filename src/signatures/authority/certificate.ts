import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { bits, type Der, explicit, ia5, int, octets, oid, primitive, printable, seq, setOf, time, tlv, utf8, yes } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, type DerNode, integerHex, oidText, readDer, tagged, timeOf } from '../asn1/reader.ts'
import { KEY_USAGE, type Profile } from './profiles.ts'
import type { Signer } from './signer.ts'

/** Whom a certificate names. */
export interface Subject {
  readonly commonName: string
  readonly organization: string
  readonly unit?: string
  /** Post of a servant. */
  readonly title?: string
  /** Tells people of the same name apart, and tells nothing else of them (RFC 5280, 4.1.2.6). */
  readonly serialNumber?: string
}

/** Name, one attribute in each RDN, country first, as ICP-Brasil's readers expect. */
export function nameOf({ commonName, organization, unit, title, serialNumber }: Subject): Der {
  const attribute = (type: string, value: Der) => setOf([seq(oid(type), value)])
  return seq(
    attribute(OID.country, printable('BR')),
    attribute(OID.organization, utf8(organization)),
    ...(unit === undefined ? [] : [attribute(OID.organizationalUnit, utf8(unit))]),
    ...(title === undefined ? [] : [attribute(OID.title, utf8(title))]),
    attribute(OID.commonName, utf8(commonName)),
    ...(serialNumber === undefined ? [] : [attribute(OID.serialNumber, printable(serialNumber))]),
  )
}

/** Where whoever checks a certificate finds the rest. */
export interface Places {
  readonly crl: string
  readonly issuer: string
  readonly ocsp?: string
  readonly practices: string
}

export interface CertificateRequest {
  readonly profile: Profile
  /** 16 random bytes in hexadecimal when it is not given (RFC 5280 wants positive, at most 20 bytes). */
  readonly serial?: string
  readonly subject: Der
  readonly spki: Buffer
  readonly notBefore: Date
  readonly notAfter: Date
  readonly places?: Places | undefined
  /** GeneralNames of a person's certificate (`people.ts`). */
  readonly altNames?: readonly Der[]
}

/** Who signs: the root signs itself. */
export interface Issuer {
  readonly name: Der
  readonly signer: Signer
}

/** A serial that nobody can guess, positive, the same number of bytes each time. */
export function newSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** SHA-1 of the key's bits: an identifier that readers compare, not a protection (RFC 5280, 4.2.1.2). */
export function keyIdOf(spki: Buffer): Buffer {
  return createHash('sha1').update(child(readDer(spki), 1, 0x03).content.subarray(1)).digest()
}

/** The certificate, signed. */
export async function issueCertificate(request: CertificateRequest, issuer: Issuer): Promise<Buffer> {
  const { serial = newSerial(), subject, spki, notBefore, notAfter } = request
  const tbs = seq(
    explicit(0, int(2)),
    int(Buffer.from(serial, 'hex')),
    issuer.signer.algorithm,
    issuer.name,
    seq(time(notBefore), time(notAfter)),
    subject,
    spki,
    explicit(3, seq(...extensionsOf(request, issuer))),
  )
  return signed(tbs, issuer.signer)
}

/** SIGNED{…}: the bytes, the algorithm, the signature; the shape of certificates, lists and requests. */
export async function signed(tbs: Der, signer: Signer): Promise<Der> {
  return seq(tbs, signer.algorithm, bits(await signer.sign(tbs)))
}

export function extension(id: string, critical: boolean, value: Der): Der {
  return seq(oid(id), ...(critical ? [yes] : []), octets(value))
}

export const authorityKeyId = (spki: Buffer): Der => extension(OID.authorityKeyId, false, seq(primitive(0, keyIdOf(spki))))
const uri = (address: string): Der => primitive(6, Buffer.from(address, 'latin1'))

function extensionsOf({ profile, spki, places, altNames }: CertificateRequest, { signer }: Issuer): Der[] {
  const isAuthority = profile.usage.includes('keyCertSign')
  const { pathLength, purposes, policy } = profile
  return [
    authorityKeyId(signer.spki),
    extension(OID.subjectKeyId, false, octets(keyIdOf(spki))),
    extension(OID.keyUsage, true, usageBits(profile.usage)),
    ...(isAuthority ? [extension(OID.basicConstraints, true, seq(yes, ...(pathLength === undefined ? [] : [int(pathLength)])))] : []),
    ...(altNames ? [extension(OID.subjectAltName, false, seq(...altNames))] : []),
    ...(purposes ? [extension(OID.extendedKeyUsage, purposes.critical, seq(...purposes.oids.map(oid)))] : []),
    ...(policy && places ? [extension(OID.certificatePolicies, false, seq(seq(oid(policy), seq(seq(oid(OID.cps), ia5(places.practices))))))] : []),
    ...(profile.noCheck ? [extension(OID.ocspNoCheck, false, Buffer.from([0x05, 0]))] : []),
    ...(places && !profile.noCheck ? [extension(OID.crlDistributionPoints, false, seq(distributionPoint(places.crl)))] : []),
    ...(places ? [extension(OID.authorityInfoAccess, false, accessTo(places))] : []),
  ]
}

/** A DistributionPoint with one address. */
function distributionPoint(address: string): Der {
  return seq(explicit(0, explicit(0, uri(address))))
}

function accessTo({ issuer, ocsp }: Places): Der {
  const description = (method: string, address: string) => seq(oid(method), uri(address))
  return seq(description(OID.caIssuers, issuer), ...(ocsp === undefined ? [] : [description(OID.ocsp, ocsp)]))
}

/** A named bit list loses its trailing zeros in DER. */
function usageBits(usage: Profile['usage']): Der {
  const places = usage.map((name) => KEY_USAGE[name])
  const last = Math.max(...places)
  const byte = places.reduce<number>((sum, place) => sum | (0x80 >> place), 0)
  return tlv(0x03, Buffer.from([7 - last, byte]))
}

/** What the authority and the verifier read of a certificate, beside what node:crypto tells. */
export interface ParsedCertificate {
  readonly der: Buffer
  readonly x509: X509Certificate
  readonly serial: string
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly spki: Buffer
  readonly notBefore: Date
  readonly notAfter: Date
  /** Identifiers of the extensions that nobody may overlook. */
  readonly critical: readonly string[]
  /** Values of its extensions by their identifier. */
  extension(id: string): { readonly critical: boolean; readonly value: DerNode } | undefined
}

/** @throws {NotDer} or what node:crypto throws, for anything but a certificate. */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  const whole = readDer(der)
  const tbs = child(whole, 0, 0x30)
  const [, serial, , issuer, validity, subject, spki] = tbs.children()
  if (!serial || !issuer || !validity || !subject || !spki) throw new Error('not a certificate')
  const extensions = tagged(tbs, 0xa3)
  const all = extensions ? child(extensions, 0, 0x30).children() : []
  const byId = new Map(all.map((each) => [child(each, 0, 0x06).raw.toString('hex'), each]))
  return {
    der: whole.raw,
    x509: new X509Certificate(whole.raw),
    serial: integerHex(serial),
    issuer: issuer.raw,
    subject: subject.raw,
    spki: spki.raw,
    notBefore: timeOf(child(validity, 0)),
    notAfter: timeOf(child(validity, 1)),
    critical: all.filter(isCritical).map((each) => oidText(child(each, 0))),
    extension(id) {
      const found = byId.get(oid(id).toString('hex'))
      const value = found?.children().at(-1)
      return found && value && { critical: isCritical(found), value: readDer(value.content) }
    },
  }
}

/** Some write the default, FALSE, too. */
const isCritical = (extension: DerNode): boolean => extension.children().length === 3 && extension.children()[1]?.content[0] === 0xff

/** SHA-256 of the certificate as people compare it: pairs in capitals. */
export function fingerprintOf(der: Uint8Array): string {
  return (createHash('sha256').update(der).digest('hex').toUpperCase().match(/../g) ?? []).join(':')
}
