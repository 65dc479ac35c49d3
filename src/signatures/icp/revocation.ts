/** Asks whoever issued a certificate whether it still holds: OCSP first, then the list (CRL), within bounds. */
import { createHash } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import { int, nul, octets, oid, seq } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { child, type DerNode, oidText, readDer, tagged } from '../asn1/reader.ts'
import type { ParsedCertificate } from '../authority/certificate.ts'
import { type RawEvidence, type Reading, readingOf } from '../verification/revocation.ts'

/** Fetches an address that a certificate names; rejects for what is too large, too slow, or not on the public internet. */
export type FetchBytes = (address: string, ask: { readonly body?: Buffer; readonly mostBytes: number; readonly deadlineMs: number }) => Promise<Buffer>

/** For a run over many certificates: a host that failed once is not waited for again. */
export function notTwice(fetchBytes: FetchBytes): FetchBytes {
  const silent = new Set<string>()
  return async (address, ask) => {
    const { host } = new URL(address)
    if (silent.has(host)) throw new Error(`${host} does not answer`)
    try {
      return await fetchBytes(address, ask)
    } catch (error) {
      silent.add(host)
      throw error
    }
  }
}

export type RevocationVerdict = 'good' | 'revoked' | 'unchecked'

export interface RevocationChecks {
  /** Of every certificate below the root; `unchecked` when nobody vouches for one of them now. */
  check(path: readonly ParsedCertificate[]): Promise<RevocationVerdict>
}

const ANSWER_BYTES = 64 * 1024
/** Lists of the large authorities have hundreds of thousands of entries. */
const LIST_BYTES = 20 * 1024 * 1024
const ONE_MS = 5000
/** For all questions of one certificate together: a citizen waits. */
const ALL_MS = 12_000
const MOST_ADDRESSES = 2
const CACHED_LISTS = 32
const CACHED_BYTES = 64 * 1024 * 1024
/** Clocks of others go before ours. */
const SKEW_MS = 5 * 60_000
/** What names no next one is newest when it is made (RFC 6960, 4.2.2.1). */
const UNNAMED_MS = 3_600_000
const URI = 0x86

export function createRevocationChecks({ clock, fetchBytes }: { readonly clock: Clock; readonly fetchBytes: FetchBytes }): RevocationChecks {
  const lists = createListCache(clock)

  async function statusOf(certificate: ParsedCertificate, issuer: ParsedCertificate): Promise<RevocationVerdict> {
    const until = performance.now() + ALL_MS
    const get = async (address: string, ask: { body?: Buffer; mostBytes: number }): Promise<Buffer | undefined> => {
      const deadlineMs = Math.min(ONE_MS, Math.floor(until - performance.now()))
      // Whoever does not answer is as good as one who says nothing: the next address, or `unchecked`.
      return deadlineMs > 0 ? fetchBytes(address, { ...ask, deadlineMs }).catch(() => undefined) : undefined
    }
    const verdictOf = (evidence: RawEvidence) => verdictBy(readingOf(certificate, issuer, evidence), clock.now())
    for (const address of addressesOf(certificate, 'ocsp')) {
      const answer = await get(address, { body: questionAbout(certificate, issuer), mostBytes: ANSWER_BYTES })
      const verdict = verdictOf({ answers: answer ? [answer] : [], lists: [] })
      if (verdict !== 'unchecked') return verdict
    }
    for (const address of addressesOf(certificate, 'list')) {
      const list = lists.find(address) ?? (await get(address, { mostBytes: LIST_BYTES }))
      const reading = list && readingOf(certificate, issuer, { answers: [], lists: [list] })
      const verdict = verdictBy(reading, clock.now())
      if (list && reading && verdict !== 'unchecked') {
        lists.keep(address, list, reading.until)
        return verdict
      }
    }
    return 'unchecked'
  }

  return {
    async check(path) {
      const pairs = path.slice(0, -1).flatMap((certificate, index) => {
        const issuer = path[index + 1]
        return issuer ? [{ certificate, issuer }] : []
      })
      const verdicts = await Promise.all(pairs.map(({ certificate, issuer }) => statusOf(certificate, issuer)))
      if (verdicts.includes('revoked')) return 'revoked'
      return verdicts.length > 0 && verdicts.every((verdict) => verdict === 'good') ? 'good' : 'unchecked'
    },
  }
}

/** An old word that it is revoked still stands; an old word that it is good does not. */
function verdictBy(reading: Reading | undefined, now: Date): RevocationVerdict {
  if (!reading) return 'unchecked'
  if (reading.revokedAt) return 'revoked'
  const from = reading.from.getTime()
  const until = reading.until > reading.from ? reading.until.getTime() : from + UNNAMED_MS
  return from <= now.getTime() + SKEW_MS && until > now.getTime() ? 'good' : 'unchecked'
}

/** OCSPRequest for one certificate; SHA-1 names it, protects nothing, and is what every responder knows (RFC 5019). */
function questionAbout(certificate: ParsedCertificate, issuer: ParsedCertificate): Buffer {
  const key = child(readDer(issuer.spki), 1, 0x03).content.subarray(1)
  const sha1 = (bytes: Buffer) => octets(createHash('sha1').update(bytes).digest())
  const id = seq(seq(oid(OID.sha1), nul), sha1(issuer.subject), sha1(key), int(Buffer.from(certificate.serial, 'hex')))
  return seq(seq(seq(seq(id))))
}

/** Where the certificate says that answers or lists are; its issuer is known by now, so no stranger names them. */
export function addressesOf(certificate: ParsedCertificate, kind: 'ocsp' | 'list'): string[] {
  const found = kind === 'ocsp' ? accessOf(certificate) : pointsOf(certificate)
  return found.map(({ content }) => content.toString('latin1')).filter((address) => /^https?:\/\//i.test(address) && URL.canParse(address)).slice(0, MOST_ADDRESSES)
}

function accessOf(certificate: ParsedCertificate): DerNode[] {
  const descriptions = certificate.extension(OID.authorityInfoAccess)?.value.children() ?? []
  return descriptions.flatMap((each) => {
    const [method, place] = each.children()
    return method && place?.tag === URI && oidText(method) === OID.ocsp ? [place] : []
  })
}

function pointsOf(certificate: ParsedCertificate): DerNode[] {
  const points = certificate.extension(OID.crlDistributionPoints)?.value.children() ?? []
  return points.flatMap((point) => {
    const name = tagged(point, 0xa0)
    const full = name && tagged(name, 0xa0)
    return (full?.children() ?? []).filter(({ tag }) => tag === URI)
  })
}

/** Lists until the next one is due, the oldest forgotten first. */
function createListCache(clock: Clock) {
  const kept = new Map<string, { readonly bytes: Buffer; readonly until: Date }>()
  return {
    find(address: string): Buffer | undefined {
      const found = kept.get(address)
      if (found && found.until > clock.now()) return found.bytes
      kept.delete(address)
      return undefined
    },
    keep(address: string, bytes: Buffer, until: Date): void {
      kept.delete(address)
      kept.set(address, { bytes, until })
      const size = () => [...kept.values()].reduce((sum, each) => sum + each.bytes.length, 0)
      while (kept.size > CACHED_LISTS || size() > CACHED_BYTES) kept.delete(kept.keys().next().value ?? address)
    },
  }
}
