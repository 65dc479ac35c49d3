import { isProblem, Problem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import { createWorkerPool, WorkError, type WorkerPool } from '../../platform/worker-pool.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'

/** One page of a PDF, as people see it. */
export interface PageView {
  /** WebP. */
  readonly image: Uint8Array
  /** What the page says, for whoever cannot see the picture; empty for scanned pages. */
  readonly text: string
  readonly pages: number
  /** In points, as it is shown. */
  readonly width: number
  readonly height: number
}

/** Shows PDFs as pictures, so that no browser has to open a file of a stranger and everybody sees the same. */
export interface PageViews {
  /** How many pages there are. @throws {Problem} signatures/not-signable, platform/busy, platform/deadline */
  count(pdf: Uint8Array): Promise<number>
  /** `key` names the bytes; `read` is asked for them when they are not at hand. @throws {Problem} signatures/not-signable, platform/busy, platform/deadline */
  show(key: string, read: () => Promise<Uint8Array>, page: number, width: PageWidth): Promise<PageView>
  /** The page's text and size without its picture. */
  read(key: string, read: () => Promise<Uint8Array>, page: number): Promise<Omit<PageView, 'image'>>
  close(): Promise<void>
}

/** Widths in pixels that are offered: for a phone, and to read small print. */
export const PAGE_WIDTHS = [800, 1600] as const
export type PageWidth = (typeof PAGE_WIDTHS)[number]

const LIMITS = { size: 1, maxQueue: 64, deadlineMs: 15_000 } as const

type Answer = Omit<PageView, 'image'> & { readonly image?: Uint8Array }
type Task = { readonly kind: 'open'; readonly pdf: Uint8Array } | { readonly kind: 'page'; readonly key: string; readonly pdf?: Uint8Array; readonly page: number; readonly width?: number }

/** The thread starts with the first page. */
export function createPageViews(): PageViews {
  let pool: WorkerPool<Task, Answer> | undefined

  async function run(task: Task): Promise<Answer> {
    pool ??= createWorkerPool({ file: new URL('./render.worker.ts', import.meta.url), ...LIMITS })
    return pool.run(task)
  }

  async function showPage(task: { key: string; page: number; width?: number }, read: () => Promise<Uint8Array>): Promise<Answer> {
    const known: Task = { kind: 'page', ...task }
    try {
      return await run(known)
    } catch (error) {
      if (!(error instanceof WorkError) || error.message !== 'needs-file') throw refusalOf(error)
    }
    const pdf = await read()
    return run({ ...known, pdf }).catch((error: unknown) => {
      throw refusalOf(error)
    })
  }

  return {
    async count(pdf) {
      const { pages } = await run({ kind: 'open', pdf }).catch((error: unknown) => {
        throw refusalOf(error)
      })
      return pages
    },
    async show(key, read, page, width) {
      const { image, ...view } = await showPage({ key, page, width }, read)
      if (!image) throw new Error('the renderer made no picture')
      return { ...view, image }
    },
    read: (key, read, page) => showPage({ key, page }, read),
    close: async () => pool?.close(),
  }
}

/** A thread that ended over a file says nothing more of it than that it cannot be read. */
function refusalOf(error: unknown): unknown {
  if (isProblem(error, PLATFORM_PROBLEMS.workerLost)) return new Problem(SIGNATURE_PROBLEMS.notSignable, { detail: 'unreadable', cause: error })
  return error instanceof WorkError ? new Problem(SIGNATURE_PROBLEMS.notSignable, { detail: error.message, cause: error }) : error
}
