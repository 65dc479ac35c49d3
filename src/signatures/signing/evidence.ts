import { createHash } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import { int, nul, octets, oid, seq } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, readDer } from '../asn1/reader.ts'
import type { Authority } from '../authority/authority.ts'
import type { InstalledAuthority } from '../authority/authority.store.ts'
import { type ParsedCertificate, parseCertificate } from '../authority/certificate.ts'
import type { Evidence } from '../pdf/long-term.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { CertificateStatuses } from '../status/status.ts'

export interface EvidenceDependencies {
  readonly authority: Pick<Authority, 'list' | 'service'>
  readonly statuses: Pick<CertificateStatuses, 'ocsp' | 'statusOf'>
}

/**
 * What is needed to judge signatures by these certificates when nobody answers any more: chains, answers of now, the root's list.
 *
 * @throws {Problem} signatures/certificate-unknown for one that we did not issue; signatures/certificate-revoked for one that is good no more
 */
export async function evidenceFor(leaves: readonly Buffer[], { authority, statuses }: EvidenceDependencies): Promise<Evidence> {
  const installed = await authority.list()
  const [certificates, answers, lists] = [new Map<string, Buffer>(), [] as Buffer[], new Map<string, Buffer>()]
  const add = (to: Map<string, Buffer>, ...found: readonly Buffer[]) => found.forEach((each) => to.set(createHash('sha256').update(each).digest('hex'), each))
  for (const leaf of leaves.map(parseCertificate)) {
    const issuer = issuerOf(leaf, installed)
    if (!issuer) throw new Problem(SIGNATURE_PROBLEMS.certificateUnknown)
    const above = parseCertificate(issuer.certificate)
    const { kind } = await statuses.statusOf(above, leaf.serial)
    if (kind !== 'good') throw new Problem(kind === 'revoked' ? SIGNATURE_PROBLEMS.certificateRevoked : SIGNATURE_PROBLEMS.certificateUnknown)
    answers.push(await statuses.ocsp(questionAbout(leaf, above)))
    add(certificates, leaf.der, issuer.certificate, issuer.root, (await authority.service('ocsp', issuer)).certificates[0])
    add(lists, issuer.rootCrl)
  }
  return { certificates: [...certificates.values()], answers, lists: [...lists.values()] }
}

function issuerOf(leaf: ParsedCertificate, installed: readonly InstalledAuthority[]): InstalledAuthority | undefined {
  return installed.find(({ certificate }) => {
    const { x509, subject } = parseCertificate(certificate)
    return subject.equals(leaf.issuer) && leaf.x509.verify(x509.publicKey)
  })
}

/** An OCSPRequest about one certificate. By SHA-1, which only names it here: readers look for their answers by that. */
export function questionAbout(leaf: ParsedCertificate, issuer: ParsedCertificate): Buffer {
  const sha1 = (bytes: Buffer) => octets(createHash('sha1').update(bytes).digest())
  const keyBits = child(readDer(issuer.spki), 1, 0x03).content.subarray(1)
  return seq(seq(seq(seq(seq(seq(oid(OID.sha1), nul), sha1(issuer.subject), sha1(keyBits), int(Buffer.from(leaf.serial, 'hex')))))))
}
