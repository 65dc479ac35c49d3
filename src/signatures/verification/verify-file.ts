import { createHash } from 'node:crypto'
import { OID } from '../asn1/oids.ts'
import { checkCms } from './cms.ts'
import { Unreadable } from './pdf/pdf-tokens.ts'
import { NOBODY, seeSigner } from './signer.ts'
import { type Known, type Seen, trustOf } from './verify-pdf.ts'

/** Of a file, in hexadecimal. */
export type ContentDigests = Readonly<Partial<Record<'sha256' | 'sha384' | 'sha512', string | undefined>>>

/** A signature that stands beside a file of any kind, or around it. */
export interface VerifyFileTask extends Known {
  readonly signature: Uint8Array
  /** The file, or its digests in hexadecimal by their names; undefined for a signature that carries its content. */
  readonly content: Uint8Array | ContentDigests | undefined
}

/** @throws {Unreadable} */
export function verifyFile({ signature, content, ...known }: VerifyFileTask): Seen {
  const digestOf = (algorithm: string): Buffer | undefined => {
    if (content instanceof Uint8Array) return createHash(algorithm).update(content).digest()
    const said = content && new Map(Object.entries(content)).get(algorithm)
    return said === undefined ? undefined : Buffer.from(said, 'hex')
  }
  const checked = checkCms(derOf(signature), { digestOf, namesCertificate: false })
  if (!checked) throw new Unreadable('not-signature')
  if (checked.content === undefined && content === undefined) throw new Unreadable('file-missing')
  const isOther = checked.contentType !== OID.data || (checked.content !== undefined && !isSame(checked.content, content))
  const trust = trustOf(known)
  const file = content instanceof Uint8Array ? content : (checked.content ?? signature)
  const sha256 = createHash('sha256').update(file).digest('hex')
  return {
    sha256: content instanceof Uint8Array ? sha256 : (content?.sha256 ?? sha256),
    timeStamps: [],
    signatures: checked.signers.map((signer) => {
      const seen = signer.certificate ? seeSigner(signer, signer.certificate, { certificates: checked.certificates, evidence: checked.evidence, proven: undefined, trust }) : NOBODY
      const form = seen.stampedAt === undefined ? 'B-B' : 'B-T'
      return { ...seen, form, fault: isOther ? 'content-changed' : signer.fault, reason: undefined, coversAll: true, unchanged: true, laterStamps: false, representation: signer.representation, permission: undefined }
    }),
  }
}

/** What a signature carries must be the file that it was sent with. */
function isSame(carried: Buffer, content: VerifyFileTask['content']): boolean {
  if (content === undefined) return true
  if (content instanceof Uint8Array) return carried.equals(content)
  return Object.entries(content).every(([algorithm, digest]) => digest === undefined || createHash(algorithm).update(carried).digest('hex') === digest)
}

/** DER or BER, or the same in PEM as some programs keep it. */
function derOf(signature: Uint8Array): Buffer {
  const bytes = Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength)
  if (bytes[0] === 0x30) return bytes
  const [, base64 = ''] = /^-----BEGIN (?:PKCS7|CMS)-----([A-Za-z0-9+/=\s]+)-----END/.exec(bytes.toString('latin1').trim()) ?? []
  return Buffer.from(base64, 'base64')
}
