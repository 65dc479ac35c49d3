import { createHash } from 'node:crypto'
import { type Der, explicit, retagged, seq, setOf } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, NotDer, readDer } from '../asn1/reader.ts'
import { attribute } from './signed-data.ts'

/**
 * A signature of ours that was made without a time, with a time-stamp of its value among its unsigned attributes (CAdES B-B to B-T).
 *
 * What was signed stays as it is, to the byte. @throws {NotDer} for what is not a SignedData of one signer without unsigned attributes
 */
export async function withTime(cms: Buffer, stamp: (sha256: Buffer) => Promise<Der>): Promise<Buffer> {
  const signedData = child(child(readDer(cms), 1), 0, 0x30)
  const parts = signedData.children()
  const [signer, ...others] = parts.at(-1)?.children() ?? []
  const signerParts = signer?.children() ?? []
  const signature = signerParts.at(-1)
  if (!signer || others.length > 0 || signature?.tag !== 0x04) throw new NotDer('one signature without a time is expected')
  const token = await stamp(createHash('sha256').update(signature.content).digest())
  const unsigned = retagged(0xa1, setOf([attribute(OID.signatureTimeStamp, token)]))
  const stamped = seq(...signerParts.map(({ raw }) => raw), unsigned)
  return seq(child(readDer(cms), 0).raw, explicit(0, seq(...parts.slice(0, -1).map(({ raw }) => raw), setOf([stamped]))))
}
