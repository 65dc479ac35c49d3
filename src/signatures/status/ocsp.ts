/** Questions and answers about one certificate's status (RFC 6960, RFC 9654). */
import { createHash } from 'node:crypto'
import { bits, type Der, enumerated, explicit, generalizedTime, octets, oid, primitive, seq, tlv } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, type DerNode, integerHex, NotDer, oidText, readDer, tagged } from '../asn1/reader.ts'
import { extension, keyIdOf, type ParsedCertificate } from '../authority/certificate.ts'
import { REVOCATION_REASONS, type RevocationReason } from '../authority/crl.ts'
import type { Signer } from '../authority/signer.ts'

/** One certificate as a question names it: its serial, and digests of its issuer's name and key. */
export interface CertId {
  readonly raw: Buffer
  readonly digest: 'sha1' | 'sha256'
  readonly nameHash: Buffer
  readonly keyHash: Buffer
  readonly serial: string
}

export interface OcspQuestion {
  readonly ids: readonly CertId[]
  readonly nonce: Buffer | undefined
}

/** Whoever asks about more at once has a list to fetch. */
const MOST_QUESTIONS = 20
/** RFC 9654 wants 1 to 128. */
const LONGEST_NONCE = 128

/** @throws {NotDer} for what is no request. */
export function parseOcspRequest(bytes: Uint8Array): OcspQuestion {
  const request = child(readDer(bytes), 0, 0x30)
  const list = request.children().find(({ tag }) => tag === 0x30)
  const ids = (list?.children() ?? []).map((each) => parseCertId(child(each, 0, 0x30)))
  if (ids.length === 0 || ids.length > MOST_QUESTIONS) throw new NotDer('one to twenty certificates are expected')
  return { ids, nonce: nonceOf(tagged(request, 0xa2)) }
}

/** @throws {NotDer} */
export function parseCertId(node: DerNode): CertId {
  const algorithm = oidText(child(child(node, 0, 0x30), 0))
  // OpenSSL still asks with SHA-1; here it only names a certificate that we look up.
  const digest = algorithm === OID.sha1 ? 'sha1' : algorithm === OID.sha256 ? 'sha256' : undefined
  if (digest === undefined) throw new NotDer('another digest')
  return { raw: node.raw, digest, nameHash: child(node, 1, 0x04).content, keyHash: child(node, 2, 0x04).content, serial: integerHex(child(node, 3, 0x02)) }
}

function nonceOf(extensions: DerNode | undefined): Buffer | undefined {
  const found = extensions && child(extensions, 0, 0x30).children().find((each) => oidText(child(each, 0)) === OID.ocspNonce)
  const value = found?.children().at(-1)
  if (!value) return undefined
  const nonce = readDer(value.content)
  if (nonce.tag !== 0x04 || nonce.content.length === 0 || nonce.content.length > LONGEST_NONCE) throw new NotDer('a nonce that is none')
  return nonce.content
}

/** True when the question's digests are those of this issuer. */
export function isIssuedBy({ digest, nameHash, keyHash }: CertId, issuer: ParsedCertificate): boolean {
  const keyBits = child(readDer(issuer.spki), 1, 0x03).content.subarray(1)
  const hash = (bytes: Buffer) => createHash(digest).update(bytes).digest()
  return hash(issuer.subject).equals(nameHash) && hash(keyBits).equals(keyHash)
}

export type CertificateStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'revoked'; readonly at: Date; readonly reason: RevocationReason }

export interface OcspAnswer {
  readonly statuses: readonly { readonly id: CertId; readonly status: CertificateStatus }[]
  readonly nonce: Buffer | undefined
  readonly thisUpdate: Date
  readonly nextUpdate: Date
}

/** Who answers: the responder's key and certificate. */
export interface Responder {
  readonly signer: Signer
  readonly certificate: Buffer
}

/** A signed answer. */
export async function answerOcsp({ statuses, nonce, thisUpdate, nextUpdate }: OcspAnswer, { signer, certificate }: Responder): Promise<Buffer> {
  const data = seq(
    explicit(2, octets(keyIdOf(signer.spki))),
    generalizedTime(thisUpdate),
    seq(...statuses.map(({ id, status }) => seq(id.raw, statusOf(status), generalizedTime(thisUpdate), explicit(0, generalizedTime(nextUpdate))))),
    ...(nonce ? [explicit(1, seq(extension(OID.ocspNonce, false, octets(nonce))))] : []),
  )
  const basic = seq(data, signer.algorithm, bits(await signer.sign(data)), explicit(0, seq(certificate)))
  return seq(enumerated(0), explicit(0, seq(oid(OID.ocspBasic), octets(basic))))
}

/** `malformedRequest`, `tryLater` and the rest carry no signature. */
export function refuseOcsp(reason: 'malformed' | 'try-later'): Buffer {
  return seq(enumerated(reason === 'malformed' ? 1 : 3))
}

function statusOf(status: CertificateStatus): Der {
  if (status.kind === 'good') return primitive(0, Buffer.alloc(0))
  if (status.kind === 'unknown') return primitive(2, Buffer.alloc(0))
  const why = status.reason === 'unspecified' ? [] : [explicit(0, enumerated(REVOCATION_REASONS[status.reason]))]
  return tlv(0xa1, generalizedTime(status.at), ...why)
}
