import { createHash } from 'node:crypto'
import { OID } from '../asn1/oids.ts'
import { child, NotDer, oidText, readDer, timeOf } from '../asn1/reader.ts'
import { DIGESTS } from '../authority/algorithm.ts'
import type { ParsedCertificate } from '../authority/certificate.ts'
import { checkCms } from './cms.ts'
import type { RawEvidence } from './revocation.ts'

/** A time-stamp of these bytes: when, and who says so. */
export interface CheckedStamp {
  readonly at: Date
  readonly signer: ParsedCertificate
  readonly certificates: readonly ParsedCertificate[]
  readonly evidence: RawEvidence
}

/** The time that a token says about a value with these digests; undefined when it is not of it, or not whole. */
export function checkStamp(token: Buffer, digestOf: (algorithm: string) => Buffer): CheckedStamp | undefined {
  try {
    return check(token, digestOf)
  } catch (error) {
    if (error instanceof NotDer) return undefined
    throw error
  }
}

function check(token: Buffer, digestOf: (algorithm: string) => Buffer): CheckedStamp | undefined {
  const checked = checkCms(token, { digestOf: () => undefined, namesCertificate: true })
  if (!checked?.content || checked.contentType !== OID.tstInfo || checked.signers.length !== 1) return undefined
  const [{ fault, certificate }] = checked.signers
  if (fault !== undefined || !certificate || !isStamper(certificate)) return undefined
  const info = readDer(checked.content)
  const imprint = child(info, 2, 0x30)
  const digest = DIGESTS[oidText(child(child(imprint, 0, 0x30), 0))]
  if (digest === undefined || !digestOf(digest).equals(child(imprint, 1, 0x04).content)) return undefined
  return { at: timeOf(child(info, 4, 0x18)), signer: certificate, certificates: checked.certificates, evidence: checked.evidence }
}

/** For time-stamps and nothing else, critically (RFC 3161, 2.3). */
function isStamper(certificate: ParsedCertificate): boolean {
  const purposes = certificate.extension(OID.extendedKeyUsage)
  return purposes?.critical === true && purposes.value.children().length === 1 && oidText(child(purposes.value, 0)) === OID.timeStamping
}

/** Digests of a value that is at hand. */
export const digestsOf = (value: Uint8Array) => (algorithm: string): Buffer => createHash(algorithm).update(value).digest()
