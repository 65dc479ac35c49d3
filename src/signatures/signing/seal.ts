import type { Audit } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Authority } from '../authority/authority.ts'
import type { Signing } from './signing.ts'

export interface SealRequest {
  /** Why, as readers of the document show it; no personal data. */
  readonly reason: string
  readonly at: Date
}

/** The organisation's seal under documents that the program makes. */
export interface Seals {
  /**
   * The same document with the organisation's signature and a time-stamp (PAdES B-T).
   *
   * @throws {Problem} signatures/no-authority, signatures/not-signable, signatures/clock-behind, platform/busy, platform/deadline
   */
  seal(pdf: Uint8Array, request: SealRequest): Promise<Buffer>
}

export interface SealDependencies {
  readonly db: Sql
  readonly audit: Pick<Audit, 'record'>
  readonly authority: Pick<Authority, 'active' | 'service'>
  readonly signing: Signing
}

export function createSeals({ db, audit, authority, signing }: SealDependencies): Seals {
  return {
    async seal(pdf, { reason, at }) {
      const { organization } = await authority.active()
      const { signer, certificates, serial } = await authority.service('seal')
      const prepared = await signing.preparePdf(pdf, { reason, name: organization, at })
      const draft = signing.draft({ kind: 'pdf', digest: prepared.digest, certificates, at, form: 'B-T' })
      const cms = await draft.complete(await signer.sign(draft.toBeSigned))
      const sealed = await signing.finishPdf(prepared, { cms, certificates, form: 'B-T' })
      // The digest that is signed, not the file's: hashing ten megabytes here would keep others waiting.
      await audit.record(db, { type: 'signatures/document-sealed', actor: { kind: 'system' }, data: { serial, digest: Buffer.from(prepared.digest).toString('hex') } })
      return sealed
    },
  }
}
