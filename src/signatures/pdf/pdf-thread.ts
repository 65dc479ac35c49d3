import { Problem } from '../../platform/problem.ts'
import { createWorkerPool, WorkError, type WorkerPool } from '../../platform/worker-pool.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { Evidence } from './long-term.ts'
import type { PreparedPdf } from './place.ts'
import type { PlaceRequest } from './prepare.ts'

/** Reads and updates PDFs where nobody waits for it. */
export interface PdfThread {
  /** @throws {Problem} signatures/not-signable, platform/busy, platform/deadline */
  prepare(pdf: Uint8Array, request: PlaceRequest): Promise<PreparedPdf>
  /** @throws {Problem} as `prepare` */
  addEvidence(pdf: Uint8Array, evidence: Evidence): Promise<Uint8Array<ArrayBuffer>>
  /** As `addEvidence`, with a place for a time-stamp of the whole document. */
  prepareStamp(pdf: Uint8Array, evidence: Evidence): Promise<PreparedPdf>
  close(): Promise<void>
}

/** More documents than anybody's batch may wait. */
const LIMITS = { size: 1, maxQueue: 128, deadlineMs: 20_000 } as const
export const MOST_DOCUMENT_BYTES = 20 * 1024 * 1024

type Task = { readonly kind: 'prepare'; readonly pdf: Uint8Array; readonly request: PlaceRequest } | { readonly kind: 'extend'; readonly pdf: Uint8Array; readonly evidence: Evidence; readonly stamped: boolean }

/** The thread starts with the first document. */
export function createPdfThread(): PdfThread {
  let pool: WorkerPool<Task, PreparedPdf> | undefined

  async function run(task: Task): Promise<PreparedPdf> {
    // A copy that is given away: cloning on the way to the thread takes ten times as long, and others wait meanwhile.
    const pdf = new Uint8Array(task.pdf)
    pool ??= createWorkerPool({ file: new URL('./pdf.worker.ts', import.meta.url), ...LIMITS })
    try {
      return await pool.run({ ...task, pdf }, { transfer: [pdf.buffer] })
    } catch (error) {
      if (error instanceof WorkError && error.code === SIGNATURE_PROBLEMS.notSignable.code) throw new Problem(SIGNATURE_PROBLEMS.notSignable, { detail: error.message })
      throw error
    }
  }

  return {
    async prepare(pdf, request) {
      if (pdf.length > MOST_DOCUMENT_BYTES) throw new Problem(SIGNATURE_PROBLEMS.notSignable, { detail: 'too-large' })
      return run({ kind: 'prepare', pdf, request })
    },
    addEvidence: async (pdf, evidence) => (await run({ kind: 'extend', pdf, evidence, stamped: false })).file,
    prepareStamp: (pdf, evidence) => run({ kind: 'extend', pdf, evidence, stamped: true }),
    close: async () => pool?.close(),
  }
}
