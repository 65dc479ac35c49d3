/** Cryptographic Message Syntax as PAdES, CAdES and time-stamps use it (RFC 5652, RFC 5035, EN 319 122-1). */
import { createHash } from 'node:crypto'
import { type Der, explicit, int, nul, octets, oid, retagged, seq, setOf, time, tlv, tlvParts } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, NotDer, readDer } from '../asn1/reader.ts'
import type { Signer } from '../authority/signer.ts'

export interface CmsRequest {
  /** SHA-256 or SHA-384 of the content, by the signer's digest. */
  readonly messageDigest: Buffer
  readonly contentType: string
  /** The content itself where it travels with the signature, as in a time-stamp token or an attached file. */
  readonly content?: Buffer
  /** First the signer's, then those above it, without the root. */
  readonly certificates: readonly [Buffer, ...Buffer[]]
  /** False for a time-stamp whose asker wants no certificates. */
  readonly carriesCertificates?: boolean
  /** What the signer says beside the content: as whose representative, for one. */
  readonly attributes?: readonly Der[]
  /** CAdES wants it; PAdES forbids it, where a time-stamp says it better. */
  readonly signingTime?: Date
  /** Unsigned attributes over the signature's value: a time-stamp of it. */
  readonly unsigned?: (signature: Buffer) => Promise<readonly Der[]>
}

const DIGESTS = { sha256: OID.sha256, sha384: OID.sha384 } as const

/** A signature that waits for its key: what is to be signed, and the rest once that was done. */
export interface CmsDraft {
  /** The signed attributes as a key signs them (DTBS, RFC 5652, 5.4). */
  readonly toBeSigned: Der
  /** ContentInfo with SignedData of one signer. */
  complete(signature: Buffer): Promise<Buffer>
}

/** What is said of a key in a signature that it makes. */
export type SigningKey = Pick<Signer, 'algorithm' | 'digest'>

/** In two steps: many drafts can be signed in one use of a key that lives elsewhere. */
export function draftCms(request: CmsRequest, key: SigningKey): CmsDraft {
  const { certificates, contentType } = request
  const certificate = namesOf(certificates[0])
  // Signed as SET OF (31), embedded under [0] (A0): RFC 5652, 5.4.
  const attributes = setOf([
    attribute(OID.contentType, oid(contentType)),
    attribute(OID.messageDigest, octets(request.messageDigest)),
    ...(request.signingTime ? [attribute(OID.signingTime, time(request.signingTime))] : []),
    attribute(OID.signingCertificateV2, signingCertificate(certificates[0], certificate)),
    ...(request.attributes ?? []),
  ])
  return {
    toBeSigned: attributes,
    async complete(signature) {
      const unsigned = await request.unsigned?.(signature)
      const digestAlgorithm = seq(oid(DIGESTS[key.digest]))
      return contentInfo(request, digestAlgorithm, seq(
        int(1),
        seq(certificate.issuer, certificate.serial),
        digestAlgorithm,
        retagged(0xa0, attributes),
        signatureAlgorithm(key),
        octets(signature),
        ...(unsigned && unsigned.length > 0 ? [retagged(0xa1, setOf(unsigned))] : []),
      ))
    },
  }
}

/** ContentInfo with SignedData of one signer, by a key that is at hand. */
export async function signCms(request: CmsRequest, signer: Signer): Promise<Buffer> {
  const draft = draftCms(request, signer)
  return draft.complete(await signer.sign(draft.toBeSigned))
}

const [SEQUENCE, OCTET_STRING, EXPLICIT_0] = [0x30, 0x04, 0xa0]

/** The content may be a whole file: nothing around it copies it but the last layer. */
function contentInfo({ certificates, content, contentType, carriesCertificates = true }: CmsRequest, digestAlgorithm: Der, signerInfo: Der): Der {
  const enclosed = content ? tlvParts(EXPLICIT_0, ...tlvParts(OCTET_STRING, content)) : []
  const signedData = tlvParts(
    SEQUENCE,
    // RFC 5652, 5.1: content of another type than plain data makes it 3.
    int(contentType === OID.data ? 1 : 3),
    setOf([digestAlgorithm]),
    ...tlvParts(SEQUENCE, oid(contentType), ...enclosed),
    ...(carriesCertificates ? [retagged(EXPLICIT_0, setOf(certificates))] : []),
    setOf([signerInfo]),
  )
  return tlv(SEQUENCE, oid(OID.signedData), ...tlvParts(EXPLICIT_0, ...signedData))
}

export function attribute(type: string, value: Der): Der {
  return seq(oid(type), setOf([value]))
}

/** In CMS an RSA key is named by its kind; the digest has its own member. */
function signatureAlgorithm({ algorithm }: SigningKey): Der {
  return algorithm.includes(oid(OID.rsaWithSha256)) ? seq(oid(OID.rsaEncryption), nul) : algorithm
}

/** A certificate as signatures name it: no more of it is read for each of a hundred documents. */
function namesOf(der: Buffer): { readonly issuer: Der; readonly serial: Der } {
  const [, serial, , issuer] = child(readDer(der), 0, 0x30).children()
  if (serial?.tag !== 0x02 || !issuer) throw new NotDer('a certificate is expected')
  return { issuer: issuer.raw, serial: serial.raw }
}

/** ESSCertIDv2: SHA-256 is the default, and defaults are absent in DER. */
function signingCertificate(der: Buffer, { issuer, serial }: { issuer: Der; serial: Der }): Der {
  const directoryName = explicit(4, issuer)
  const issuerSerial = seq(seq(directoryName), serial)
  return seq(seq(seq(octets(createHash('sha256').update(der).digest()), issuerSerial)))
}
