import { createHash } from 'node:crypto'
import type { Audit } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { createWorkerPool, WorkError, type WorkerPool } from '../../platform/worker-pool.ts'
import { OID } from '../asn1/oids.ts'
import type { Authority } from '../authority/authority.ts'
import { attribute, signCms } from '../cms/signed-data.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { TimeStamping } from '../timestamp/time-stamping.ts'
import type { PlaceRequest, PreparedPdf } from './prepare.ts'

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
  close(): Promise<void>
}

export interface SealDependencies {
  readonly db: Sql
  readonly audit: Pick<Audit, 'record'>
  readonly authority: Pick<Authority, 'active' | 'service'>
  readonly stamping: Pick<TimeStamping, 'stamp'>
}

const LIMITS = { size: 1, maxQueue: 32, deadlineMs: 20_000 } as const
/** Larger documents are not ours. */
const MOST_BYTES = 20 * 1024 * 1024

interface Task {
  readonly pdf: Uint8Array
  readonly request: PlaceRequest
}

/** The thread starts with the first document. */
export function createSeals({ db, audit, authority, stamping }: SealDependencies): Seals {
  let pool: WorkerPool<Task, PreparedPdf> | undefined

  async function prepare(task: Task): Promise<PreparedPdf> {
    pool ??= createWorkerPool({ file: new URL('./prepare.worker.ts', import.meta.url), ...LIMITS })
    try {
      return await pool.run(task)
    } catch (error) {
      if (error instanceof WorkError && error.code === SIGNATURE_PROBLEMS.notSignable.code) throw new Problem(SIGNATURE_PROBLEMS.notSignable, { detail: error.message })
      throw error
    }
  }

  return {
    async seal(pdf, { reason, at }) {
      if (pdf.length > MOST_BYTES) throw new Problem(SIGNATURE_PROBLEMS.notSignable, { detail: 'too-large' })
      const { organization } = await authority.active()
      const { signer, certificates, serial } = await authority.service('seal')
      const { file, digest, place } = await prepare({ pdf, request: { reason, name: organization, at } })
      const cms = await signCms(
        {
          messageDigest: Buffer.from(digest), contentType: OID.data, certificates,
          unsigned: async (signature) => [attribute(OID.signatureTimeStamp, await stamping.stamp(createHash('sha256').update(signature).digest()))],
        },
        signer,
      )
      const hex = cms.toString('hex')
      if (hex.length > place.digits) throw new Error('the signature does not fit into its place')
      const sealed = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
      sealed.write(hex, place.from, 'latin1')
      // The digest that is signed, not the file's: hashing ten megabytes here would keep others waiting.
      await audit.record(db, { type: 'signatures/document-sealed', actor: { kind: 'system' }, data: { serial, digest: Buffer.from(digest).toString('hex') } })
      return sealed
    },
    close: async () => pool?.close(),
  }
}
