import { createWorkerPool, type WorkerPool } from '../worker-pool.ts'
import type { ReadableDocument } from './document.ts'

export type { DocumentBlock, ReadableDocument } from './document.ts'

/** Readable documents as PDF, made in a thread of their own. */
export interface Documents {
  /**
   * The document on A4 pages: tagged for screen readers (PDF 1.7), numbered, equal input giving equal bytes.
   *
   * @throws {Problem} platform/busy, platform/deadline
   */
  render(document: ReadableDocument): Promise<Buffer>
  close(): Promise<void>
}

const LIMITS = { size: 1, maxQueue: 32, deadlineMs: 20_000 } as const

/** The thread starts with the first document: most processes never make one. */
export function createDocuments(): Documents {
  let pool: WorkerPool<ReadableDocument, Uint8Array> | undefined
  return {
    async render(document) {
      pool ??= createWorkerPool({ file: new URL('./document.worker.ts', import.meta.url), ...LIMITS })
      return Buffer.from(await pool.run(document))
    },
    close: async () => pool?.close(),
  }
}
