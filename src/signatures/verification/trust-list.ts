import { createHash } from 'node:crypto'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type ParsedCertificate, parseCertificate } from '../authority/certificate.ts'
import { isAuthority } from '../authority/chain.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { deleteAnchor, insertAnchor, listAnchors, type TrustAnchor, type TrustKind, type TrustLevel } from './trust.store.ts'

/** Roots of others, such as ICP-Brasil's, that the verifier believes. */
export interface TrustList {
  list(): Promise<TrustAnchor[]>
  /** @throws {Problem} signatures/authority-unfit for what is no certificate of an authority */
  add(input: { der: Buffer; title: string; kind?: TrustKind; level: TrustLevel; actor: AuditActor }): Promise<TrustAnchor>
  /** @throws {Problem} signatures/certificate-unknown */
  remove(sha256: string, actor: AuditActor): Promise<void>
}

export function createTrustList({ db, clock, audit }: { db: Database; clock: Clock; audit: Pick<Audit, 'record'> }): TrustList {
  return {
    list: () => listAnchors(db),
    async add({ der, title, kind = 'other', level, actor }) {
      if (!isRoot(der)) throw new Problem(SIGNATURE_PROBLEMS.authorityUnfit, { detail: 'not a certificate of an authority' })
      const anchor = { sha256: createHash('sha256').update(der).digest('hex'), title, kind, level, der }
      await db.transaction(async (tx) => {
        await insertAnchor(tx, anchor, clock.now())
        await audit.record(tx, { type: 'signatures/root-trusted', actor, data: { rootSha256: anchor.sha256, level } })
      })
      return anchor
    },
    remove: (sha256, actor) => db.transaction(async (tx) => {
      if (!(await deleteAnchor(tx, sha256))) throw new Problem(SIGNATURE_PROBLEMS.certificateUnknown)
      await audit.record(tx, { type: 'signatures/root-distrusted', actor, data: { rootSha256: sha256 } })
    }),
  }
}

function isRoot(der: Buffer): boolean {
  let parsed: ParsedCertificate
  try {
    parsed = parseCertificate(der)
  } catch {
    return false
  }
  return isAuthority(parsed)
}
