/** The request that leaves the server for the ceremony: PKCS#10 (RFC 2986), so that any offline authority can meet it. */
import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { bits, type Der, ia5, int, oid, retagged, seq, setOf } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, NotDer, oidText, readDer } from '../asn1/reader.ts'
import { PROFILES } from './profiles.ts'
import { issueCertificate, type Issuer, nameOf, type Places, type Subject } from './certificate.ts'
import { issueCrl } from './crl.ts'
import type { Signer } from './signer.ts'

const DAY_MS = 86_400_000
/** Clocks of those who check are not ours. */
const EARLY_MS = 5 * 60_000
/** How long a root's list is good: the next ceremony is due before. */
const ROOT_LIST_DAYS = 400

/** What the issuing authority is called; the demonstration's name says what it is. */
export function issuingName(organization: string, isDemo: boolean): Subject {
  return { commonName: isDemo ? 'MT Login AC Emissora DEMONSTRACAO SEM VALOR' : 'MT Login AC Emissora', organization, unit: 'Assinatura eletronica avancada' }
}

export function rootName(organization: string, isDemo: boolean): Subject {
  return { commonName: isDemo ? 'MT Login AC Raiz DEMONSTRACAO SEM VALOR' : 'MT Login AC Raiz', organization }
}

/** The request, signed by the key that it is about; `unstructured` carries the addresses that the certificate will name. */
export async function makeRequest(subject: Subject, places: Places, signer: Signer): Promise<Buffer> {
  const info = seq(int(0), nameOf(subject), signer.spki, retagged(0xa0, setOf([seq(oid(PLACES_ATTRIBUTE), setOf([placesValue(places)]))])))
  return seq(info, signer.algorithm, bits(await signer.sign(info)))
}

/** unstructuredName (PKCS#9): readers of requests show it and change nothing by it. */
const PLACES_ATTRIBUTE = '1.2.840.113549.1.9.2'
const placesValue = ({ crl, issuer, practices }: Places): Der => ia5([crl, issuer, practices].join(' '))

export interface ParsedRequest {
  readonly subject: Buffer
  readonly spki: Buffer
  readonly places: Places
}

/** @throws {NotDer} for what is no request of ours, or is signed by another key than its own. */
export function parseRequest(der: Uint8Array): ParsedRequest {
  const whole = readDer(der)
  const info = child(whole, 0, 0x30)
  const spki = child(info, 2, 0x30).raw
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  const digest = oidText(child(child(whole, 1, 0x30), 0)) === OID.ecdsaWithSha384 ? 'sha384' : 'sha256'
  if (!verify(digest, info.raw, key, child(whole, 2, 0x03).content.subarray(1))) throw new NotDer('the request is not signed by its own key')
  const attribute = child(info, 3, 0xa0).children().find((each) => oidText(child(each, 0)) === PLACES_ATTRIBUTE)
  const text = attribute ? child(child(attribute, 1, 0x31), 0).content.toString('latin1') : ''
  const [crl = '', issuer = '', practices = ''] = text.split(' ')
  if (![crl, issuer, practices].every((address) => URL.canParse(address))) throw new NotDer('the request names no addresses')
  return { subject: child(info, 1, 0x30).raw, spki, places: { crl, issuer, practices } }
}

/** A root that signs itself. */
export async function makeRoot(subject: Subject, signer: Signer, now: Date): Promise<Buffer> {
  const name = nameOf(subject)
  const times = { notBefore: new Date(now.getTime() - EARLY_MS), notAfter: new Date(now.getTime() + PROFILES.root.days * DAY_MS) }
  return issueCertificate({ profile: PROFILES.root, subject: name, spki: signer.spki, ...times }, { name, signer })
}

/** The certificate of the issuing authority, from its request; it never outlives the root. */
export async function signIssuing(request: ParsedRequest, root: Buffer, issuer: Issuer, { now, policy }: { now: Date; policy: string }): Promise<Buffer> {
  const end = Math.min(now.getTime() + PROFILES.issuing.days * DAY_MS, Date.parse(new X509Certificate(root).validTo))
  return issueCertificate(
    { profile: { ...PROFILES.issuing, policy }, ...request, notBefore: new Date(now.getTime() - EARLY_MS), notAfter: new Date(end) },
    issuer,
  )
}

/** The root's list of revoked authorities. Numbers are seconds: they grow without a file that counts. */
export async function signRootCrl(issuer: Issuer, revoked: Parameters<typeof issueCrl>[0]['revoked'], now: Date): Promise<Buffer> {
  const nextUpdate = new Date(now.getTime() + ROOT_LIST_DAYS * DAY_MS)
  return issueCrl({ number: Math.floor(now.getTime() / 1000), thisUpdate: now, nextUpdate, revoked }, issuer)
}
