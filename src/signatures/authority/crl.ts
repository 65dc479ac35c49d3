import { type Der, enumerated, explicit, int, octets, oid, primitive, seq, seqOf, time } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { authorityKeyId, extension, type Issuer, signed } from './certificate.ts'

/** Why a certificate is not good any more (RFC 5280, 5.3.1); `certificateHold` alone can be taken back. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
} as const
export type RevocationReason = keyof typeof REVOCATION_REASONS

export interface RevokedEntry {
  readonly serial: string
  readonly at: Date
  readonly reason: RevocationReason
}

export interface CrlRequest {
  readonly number: number
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly revoked: readonly RevokedEntry[]
  /** Of a partition: the address that its certificates name. Absent for a list that covers everything. */
  readonly partition?: string
}

/** The list, signed (v2, RFC 5280, 5). An empty one has no member for its entries at all. */
export async function issueCrl({ number, thisUpdate, nextUpdate, revoked, partition }: CrlRequest, issuer: Issuer): Promise<Buffer> {
  const tbs = seq(
    int(1),
    issuer.signer.algorithm,
    issuer.name,
    time(thisUpdate),
    time(nextUpdate),
    ...(revoked.length === 0 ? [] : [seqOf(revoked.map(entryOf))]),
    explicit(0, seq(
      authorityKeyId(issuer.signer.spki),
      extension(OID.crlNumber, false, int(number)),
      ...(partition === undefined ? [] : [extension(OID.issuingDistributionPoint, true, seq(explicit(0, explicit(0, primitive(6, Buffer.from(partition, 'latin1'))))))]),
    )),
  )
  return signed(tbs, issuer.signer)
}

/** `unspecified` is said by saying nothing (RFC 5280, 5.3.1). */
function entryOf({ serial, at, reason }: RevokedEntry): Der {
  const why = reason === 'unspecified' ? [] : [seq(seq(oid(OID.crlReason), octets(enumerated(REVOCATION_REASONS[reason]))))]
  return seq(int(Buffer.from(serial, 'hex')), time(at), ...why)
}
