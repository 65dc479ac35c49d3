/**
 * One thread that shows pages of PDFs as pictures. Speaks the protocol of `platform/worker-pool.ts`.
 *
 * Files come from strangers, and the renderer is a large program that reads them: it runs as WebAssembly, whose memory is its own and bounded
 * here; after any fault but a plain refusal the thread ends, and another one takes its place.
 */
import { parentPort } from 'node:worker_threads'
import type { PDFiumDocument, PDFiumLibrary } from '@hyzyla/pdfium'
import sharp from 'sharp'
import { z } from 'zod'

const WASM_PAGE_BYTES = 65_536
const MOST_MEMORY_BYTES = 384 * 1024 * 1024
/** Of one picture: a page may say that it is as tall as a house. */
const MOST_PIXELS = 8_000_000
const MOST_TEXT = 20_000
const QUALITY = 78

const message = z.object({
  id: z.number(),
  task: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('open'), pdf: z.instanceof(Uint8Array) }),
    z.object({ kind: z.literal('page'), key: z.string(), pdf: z.instanceof(Uint8Array).optional(), page: z.int(), width: z.int().optional() }),
  ]),
})
type Task = z.output<typeof message>['task']

/** A refusal that leaves the renderer as it was. */
class Refused extends Error {}

const grow = WebAssembly.Memory.prototype.grow
WebAssembly.Memory.prototype.grow = function bounded(this: WebAssembly.Memory, pages: number): number {
  if (this.buffer.byteLength + pages * WASM_PAGE_BYTES > MOST_MEMORY_BYTES) throw new RangeError('the renderer may not have more memory')
  return grow.call(this, pages)
}
sharp.concurrency(1)
sharp.cache(false)

// The renderer tells the console what it thinks of files; the log is for operators.
console.error = console.warn = () => {}
const { PDFiumLibrary: Library } = await import('@hyzyla/pdfium')
const library: PDFiumLibrary = await Library.init()
/** The last one stays open: people turn pages. */
let current: { readonly key: string; readonly document: PDFiumDocument } | undefined

async function openDocument(pdf: Uint8Array): Promise<PDFiumDocument> {
  try {
    return await library.loadDocument(pdf)
  } catch (error) {
    throw error instanceof WebAssembly.RuntimeError || error instanceof RangeError ? error : new Refused('unreadable')
  }
}

async function documentOf({ key, pdf }: { key: string; pdf?: Uint8Array | undefined }): Promise<PDFiumDocument> {
  if (current?.key === key) return current.document
  if (!pdf) throw new Refused('needs-file')
  current?.document.destroy()
  current = undefined
  current = { key, document: await openDocument(pdf) }
  return current.document
}

async function renderPage(task: Extract<Task, { kind: 'page' }>) {
  const document = await documentOf(task)
  const pages = document.getPageCount()
  if (task.page < 1 || task.page > pages) throw new Refused('no-such-page')
  const page = document.getPage(task.page - 1)
  const { originalWidth, originalHeight } = page.getOriginalSize()
  if (!(originalWidth > 0 && originalHeight > 0)) throw new Refused('unreadable')
  const text = page.getText().replaceAll('\0', '').slice(0, MOST_TEXT)
  const width = task.width ?? 60
  const height = Math.max(1, Math.round((width * originalHeight) / originalWidth))
  if (width * height > MOST_PIXELS) throw new Refused('too-large')
  const { data } = await page.render({ width, height, renderFormFields: true, render: async (picture) => picture.data })
  const image = task.width === undefined ? undefined : await sharp(data, { raw: { width, height, channels: 4 } }).removeAlpha().webp({ quality: QUALITY, effort: 2 }).toBuffer()
  return { pages, text, ratio: originalHeight / originalWidth, width: originalWidth, height: originalHeight, ...(image && { image: new Uint8Array(image) }) }
}

async function work(task: Task) {
  if (task.kind === 'page') return renderPage(task)
  const document = await openDocument(task.pdf)
  try {
    const pages = document.getPageCount()
    if (pages < 1) throw new Refused('unreadable')
    return { pages }
  } finally {
    document.destroy()
  }
}

parentPort?.on('message', async (received: unknown) => {
  const { id, task } = message.parse(received)
  try {
    parentPort?.postMessage({ id, result: await work(task) })
  } catch (error) {
    // Without an answer: one that came first would have the next person's page handed to a thread that ends.
    if (!(error instanceof Refused)) process.exit(1)
    parentPort?.postMessage({ id, error: { code: 'signatures/not-shown', message: error.message } })
  }
})
parentPort?.postMessage({ ready: true })
