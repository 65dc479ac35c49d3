import { createPublicKey } from 'node:crypto'
import { OID } from '../asn1/oids.ts'
import type { ParsedCertificate } from '../authority/certificate.ts'
import { isAuthority, isSignedBy, pathLengthOf } from '../authority/chain.ts'

const LONGEST_PATH = 6
/** Critical extensions that are looked at; one that is not could say that the certificate is for something else. */
const UNDERSTOOD = new Set<string>([OID.basicConstraints, OID.keyUsage, OID.extendedKeyUsage, OID.certificatePolicies, OID.subjectAltName, OID.crlDistributionPoints])

/** From the signer's up to a root that is trusted, both included; undefined when none leads there. */
export function findPath(leaf: ParsedCertificate, given: readonly ParsedCertificate[], roots: readonly ParsedCertificate[], at: Date): ParsedCertificate[] | undefined {
  return climb([leaf], [...given, ...roots], roots, at)
}

function climb(path: ParsedCertificate[], known: readonly ParsedCertificate[], roots: readonly ParsedCertificate[], at: Date): ParsedCertificate[] | undefined {
  const top = path.at(-1)
  if (!top || top.notBefore > at || top.notAfter <= at) return undefined
  if (top.critical.some((id) => !UNDERSTOOD.has(id))) return undefined
  if (roots.some(({ der }) => der.equals(top.der))) return path
  if (path.length >= LONGEST_PATH) return undefined
  for (const candidate of known) {
    if (path.includes(candidate) || !candidate.subject.equals(top.issuer) || !isAuthority(candidate)) continue
    const longest = pathLengthOf(candidate)
    if (longest !== undefined && longest < path.length - 1) continue
    if (!isSignedBy(top.der, createPublicKey({ key: candidate.spki, format: 'der', type: 'spki' }))) continue
    const found = climb([...path, candidate], known, roots, at)
    if (found) return found
  }
  return undefined
}
