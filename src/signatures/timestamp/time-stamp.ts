/** Time-stamps (RFC 3161, RFC 5816). */
import { createHash } from 'node:crypto'
import { bits, type Der, generalizedTime, int, nul, octets, oid, seq, utf8 } from '../asn1/der.ts'
import { OID, POLICY_OID } from '../asn1/oids.ts'
import { child, integerHex, NotDer, oidText, readDer } from '../asn1/reader.ts'
import { signCms } from '../cms/signed-data.ts'
import { newSerial } from '../authority/certificate.ts'
import type { Signer } from '../authority/signer.ts'

/** What is to be stamped: a digest, and how the asker wants the answer. */
export interface StampRequest {
  readonly imprint: Buffer
  readonly digest: 'sha256' | 'sha384' | 'sha512'
  readonly nonce: string | undefined
  readonly wantsCertificates: boolean
}

/** Why a request is refused (PKIFailureInfo, by the number of its bit). */
export const FAILURES = { badAlg: 0, badRequest: 2, badDataFormat: 5, timeNotAvailable: 14, unacceptedPolicy: 15, unacceptedExtension: 16, systemFailure: 25 } as const
export type StampFailure = keyof typeof FAILURES

/** A request that is understood and not met. */
export class StampRefused extends Error {
  readonly failure: StampFailure

  constructor(failure: StampFailure) {
    super(failure)
    this.name = 'StampRefused'
    this.failure = failure
  }
}

const DIGESTS = { [OID.sha256]: ['sha256', 32], [OID.sha384]: ['sha384', 48], [OID.sha512]: ['sha512', 64] } as const
const LONGEST_NONCE_HEX = 64

/** @throws {StampRefused} */
export function parseStampRequest(bytes: Uint8Array): StampRequest {
  try {
    return parse(bytes)
  } catch (error) {
    if (error instanceof NotDer) throw new StampRefused('badDataFormat')
    throw error
  }
}

function parse(bytes: Uint8Array): StampRequest {
  const request = readDer(bytes)
  if (integerHex(child(request, 0)) !== '01') throw new StampRefused('badRequest')
  const imprint = child(request, 1, 0x30)
  const known = Object.entries(DIGESTS).find(([id]) => id === oidText(child(child(imprint, 0, 0x30), 0)))?.[1]
  if (!known) throw new StampRefused('badAlg')
  const value = child(imprint, 1, 0x04).content
  if (value.length !== known[1]) throw new StampRefused('badDataFormat')
  const rest = request.children().slice(2)
  const policy = rest.find(({ tag }) => tag === 0x06)
  if (policy && oidText(policy) !== POLICY_OID.timeStamps) throw new StampRefused('unacceptedPolicy')
  if (rest.some(({ tag }) => tag === 0xa0)) throw new StampRefused('unacceptedExtension')
  const nonce = rest.find(({ tag }) => tag === 0x02)
  const nonceHex = nonce && integerHex(nonce)
  if (nonceHex !== undefined && nonceHex.length > LONGEST_NONCE_HEX) throw new StampRefused('badDataFormat')
  return { imprint: value, digest: known[0], nonce: nonceHex, wantsCertificates: rest.some(({ tag, content }) => tag === 0x01 && content[0] === 0xff) }
}

const DIGEST_OID = { sha256: OID.sha256, sha384: OID.sha384, sha512: OID.sha512 } as const
/** Our clock follows the machine's, which follows NTP: what is promised is a second. */
const ACCURACY_SECONDS = 1

/** The authority's key with its certificates, its own first. */
export interface Stamper {
  readonly signer: Signer
  readonly certificates: readonly [Buffer, ...Buffer[]]
}

/** A token and its serial number. */
export interface StampToken {
  readonly token: Buffer
  readonly serial: string
}

/** The token: that this digest was here at this time. */
export async function issueStamp(request: StampRequest, at: Date, { signer, certificates }: Stamper): Promise<StampToken> {
  const serial = newSerial()
  const info = seq(
    int(1),
    oid(POLICY_OID.timeStamps),
    seq(seq(oid(DIGEST_OID[request.digest]), nul), octets(request.imprint)),
    int(Buffer.from(serial, 'hex')),
    generalizedTime(at),
    seq(int(ACCURACY_SECONDS)),
    ...(request.nonce === undefined ? [] : [int(Buffer.from(request.nonce, 'hex'))]),
  )
  const token = await signCms(
    {
      messageDigest: createHash(signer.digest).update(info).digest(), contentType: OID.tstInfo, content: info, certificates,
      carriesCertificates: request.wantsCertificates,
    },
    signer,
  )
  return { token, serial }
}

/** TimeStampResp with a token. */
export function grantStamp(token: Der): Buffer {
  return seq(seq(int(0)), token)
}

/** TimeStampResp without one. */
export function refuseStamp(failure: StampFailure): Buffer {
  const place = FAILURES[failure]
  const flags = Buffer.alloc(Math.floor(place / 8) + 1)
  flags[Math.floor(place / 8)] = 0x80 >> (place % 8)
  return seq(seq(int(2), seq(utf8(failure)), bits(flags, 7 - (place % 8))))
}
