import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { NotDer } from '../asn1/reader.ts'
import type { Authority } from '../authority/authority.ts'
import { findCrl, findState, hasShard, type InstalledAuthority, listRevoked, listRevokedServices, lockCrl, markStale, type RevokedService, type StoredCrl, storeCrl } from '../authority/authority.store.ts'
import { type ParsedCertificate, parseCertificate } from '../authority/certificate.ts'
import type { CrlThread } from './crl-thread.ts'
import { placesOf } from '../authority/places.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { answerOcsp, type CertId, type CertificateStatus, isIssuedBy, type OcspQuestion, parseOcspRequest, refuseOcsp } from './ocsp.ts'

/** A list is made anew after half of its life, and at once after a revocation. */
const CRL_HOURS = 24
const HOUR_MS = 3_600_000
/** What a reader may keep an answer for; whoever asks anew gets what is true now. */
const OCSP_MINUTES = 10

export interface StatusDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly publicUrl: string
  readonly authority: Pick<Authority, 'list' | 'signerOf' | 'service'>
  readonly lists: Pick<CrlThread, 'issue'>
}

/** Whether certificates are still good: lists, answers, and for our own verifier. */
export interface CertificateStatuses {
  /** The list of one part, right as of this moment; undefined for a part that there is not. */
  crl(authorityId: string, shard: number): Promise<Buffer | undefined>
  /** An OCSP answer, always: a request that cannot be read gets one that says so. */
  ocsp(request: Uint8Array): Promise<Buffer>
  /** By the issuer's whole certificate, for who has the certificate at hand. */
  statusOf(issuer: ParsedCertificate, serial: string): Promise<CertificateStatus>
  /** Time-stamp authorities' certificates of ours that are good no more. */
  revokedStampers(): Promise<RevokedService[]>
}

export function createStatuses({ db, clock, publicUrl, authority, lists }: StatusDependencies): CertificateStatuses {
  /** Parsed once for each certificate: parsing costs more than the answer. */
  const parsed = new Map<string, ParsedCertificate>()
  const issuerOf = (installed: InstalledAuthority): ParsedCertificate => {
    const known = parsed.get(installed.id) ?? parseCertificate(installed.certificate)
    parsed.set(installed.id, known)
    return known
  }

  const isFresh = (found: StoredCrl | undefined): found is StoredCrl & { der: Buffer } =>
    found !== undefined && !found.stale && found.der !== null && clock.now().getTime() - (found.made_at?.getTime() ?? 0) < (CRL_HOURS / 2) * HOUR_MS

  async function makeCrl(installed: InstalledAuthority, shard: number): Promise<Buffer> {
    const signer = await authority.signerOf(installed.keyId)
    return db.transaction(async (tx) => {
      if ((await lockCrl(tx, installed.id, shard)) === undefined) await markStale(tx, installed.id, shard)
      const before = await lockCrl(tx, installed.id, shard)
      if (isFresh(before)) return before.der
      const thisUpdate = clock.now()
      const number = (before?.number ?? 0) + 1
      const der = await lists.issue(
        {
          number, thisUpdate, nextUpdate: new Date(thisUpdate.getTime() + CRL_HOURS * HOUR_MS), revoked: await listRevoked(tx, installed.id, shard),
          partition: placesOf(publicUrl, installed.id, shard).crl,
        },
        { name: issuerOf(installed).subject, signer },
      )
      await storeCrl(tx, installed.id, shard, { number, der }, thisUpdate)
      return der
    })
  }

  async function statusIn(installed: InstalledAuthority, serial: string): Promise<CertificateStatus> {
    const state = await findState(db, installed.id, serial)
    if (!state) return { kind: 'unknown' }
    return state.revoked ? { kind: 'revoked', ...state.revoked } : { kind: 'good' }
  }

  async function answer({ ids, nonce }: OcspQuestion): Promise<Buffer> {
    const installed = await authority.list()
    const ownerOf = (id: CertId) => installed.find((each) => isIssuedBy(id, issuerOf(each)))
    // A responder speaks for one issuer: that of the first certificate that is ours.
    const owner = ids.map(ownerOf).find((each) => each !== undefined)
    const statuses = []
    for (const id of ids) {
      statuses.push({ id, status: owner && ownerOf(id) === owner ? await statusIn(owner, id.serial) : ({ kind: 'unknown' } as const) })
    }
    const { signer, certificates } = await authority.service('ocsp', owner)
    const thisUpdate = clock.now()
    return answerOcsp({ statuses, nonce, thisUpdate, nextUpdate: new Date(thisUpdate.getTime() + OCSP_MINUTES * 60_000) }, { signer, certificate: certificates[0] })
  }

  return {
    async crl(authorityId, shard) {
      const installed = (await authority.list()).find(({ id }) => id === authorityId)
      if (!installed || (shard !== 0 && !(await hasShard(db, authorityId, shard)))) return undefined
      const found = await findCrl(db, authorityId, shard)
      return isFresh(found) ? found.der : makeCrl(installed, shard)
    },
    async ocsp(request) {
      try {
        return await answer(parseOcspRequest(request))
      } catch (error) {
        if (error instanceof NotDer) return refuseOcsp('malformed')
        if (error instanceof Problem && error.code === SIGNATURE_PROBLEMS.noAuthority.code) return refuseOcsp('try-later')
        throw error
      }
    },
    async statusOf(issuer, serial) {
      const installed = (await authority.list()).find((each) => each.certificate.equals(issuer.der))
      return installed ? statusIn(installed, serial) : { kind: 'unknown' }
    },
    revokedStampers: () => listRevokedServices(db, 'tsa'),
  }
}
