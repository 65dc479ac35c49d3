import { type Der, enumerated, explicit, int, octets, oid, primitive, seq, time, tlv } from '../asn1/der.ts'
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
  /** Or what `crlEntries` made of them. */
  readonly revoked: readonly RevokedEntry[] | Buffer
  /** Of a partition: the address that its certificates name. Absent for a list that covers everything. */
  readonly partition?: string
}

/** The list, signed (v2, RFC 5280, 5). An empty one has no member for its entries at all. */
export async function issueCrl({ number, thisUpdate, nextUpdate, revoked, partition }: CrlRequest, issuer: Issuer): Promise<Buffer> {
  const entries = Buffer.isBuffer(revoked) ? revoked : crlEntries(revoked)
  const tbs = seq(
    int(1),
    issuer.signer.algorithm,
    issuer.name,
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length === 0 ? [] : [tlv(0x30, entries)]),
    explicit(0, seq(
      authorityKeyId(issuer.signer.spki),
      extension(OID.crlNumber, false, int(number)),
      ...(partition === undefined ? [] : [extension(OID.issuingDistributionPoint, true, seq(explicit(0, explicit(0, primitive(6, Buffer.from(partition, 'latin1'))))))]),
    )),
  )
  return signed(tbs, issuer.signer)
}

/** The entries one after the other: what takes the time in a long list. */
export function crlEntries(revoked: readonly RevokedEntry[]): Buffer {
  return Buffer.concat(revoked.map(entryOf))
}

/** `unspecified` is said by saying nothing (RFC 5280, 5.3.1). */
function entryOf({ serial, at, reason }: RevokedEntry): Der {
  const why = reason === 'unspecified' ? [] : [seq(seq(oid(OID.crlReason), octets(enumerated(REVOCATION_REASONS[reason]))))]
  return seq(int(Buffer.from(serial, 'hex')), time(at), ...why)
}
