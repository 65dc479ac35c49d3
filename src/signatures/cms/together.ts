import { type Der, explicit, int, oid, retagged, seq, setOf } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, NotDer, readDer } from '../asn1/reader.ts'

/**
 * Detached signatures of ours under one content, as one SignedData of several signers (RFC 5652, 5.1); each stays as it is, to the byte.
 *
 * @throws {NotDer} for what is not such a signature
 */
export function together(signatures: readonly Buffer[]): Buffer {
  const parts = signatures.map(partsOf)
  const [first] = parts
  if (!first) throw new NotDer('a signature is expected')
  const signedData = seq(int(1), setOf(once(parts.flatMap(({ digests }) => digests))), first.content, retagged(0xa0, setOf(once(parts.flatMap(({ certificates }) => certificates)))), setOf(parts.flatMap(({ signers }) => signers)))
  return seq(oid(OID.signedData), explicit(0, signedData))
}

function partsOf(cms: Buffer): { digests: Der[]; content: Der; certificates: Der[]; signers: Der[] } {
  const [, digests, content, certificates, ...rest] = child(child(readDer(cms), 1), 0, 0x30).children()
  const signers = rest.at(-1)
  if (!digests || content?.tag !== 0x30 || certificates?.tag !== 0xa0 || signers?.tag !== 0x31) throw new NotDer('a detached signature is expected')
  const raws = (node: typeof digests) => node.children().map(({ raw }) => raw)
  return { digests: raws(digests), content: content.raw, certificates: raws(certificates), signers: raws(signers) }
}

const once = (values: readonly Der[]): Der[] => [...new Map(values.map((value) => [value.toString('latin1'), value])).values()]
