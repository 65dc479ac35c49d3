import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import { PAGE_WIDTHS, SIGNATURE_PROBLEMS } from '../../signatures/index.ts'
import type { Visit } from '../pages.ts'
import { documentCard, pageImage } from './cards.ts'
import { PAGE, personOf, type SigningDesk, showIn } from './desk.ts'

const place = z.object({ id: z.uuid(), document: z.uuid() })
type Place = z.output<typeof place>
const picture = place.extend({ picture: z.string().regex(/^\d{1,4}-\d{1,4}-(800|1600)$/) })
const from = z.object({ pagina: z.coerce.number().int().min(1).max(2000).optional(), ampliar: z.literal('1').optional() })
/** Pages of one view: the browser asks for each picture only as it comes into sight. */
const PAGES_AT_ONCE = 10
const TEXTS_AT_ONCE = 20
/** Pictures, texts and receipts that one person may have in the making: one thread makes them for everybody. */
const AT_ONCE = 4

/** A document as everybody sees it: pictures of its pages, their text, and the file itself. */
export function createDocumentRoutes(desk: SigningDesk): Router {
  const { pages, signing } = desk
  const router = new Router()
  const busy = new Map<string, number>()

  const find = async (visit: Visit, { id, document }: Place) => {
    const envelope = await signing.envelopes.get(personOf(visit), id)
    const found = envelope.documents.find((one) => one.id === document)
    if (!found) throw new Problem(SIGNATURE_PROBLEMS.envelopeUnknown)
    return { envelope, found, bytes: async () => (await signing.envelopes.open(personOf(visit), id, document)).bytes }
  }

  const view = pages.signedIn(async (ctx, visit, { params, query }: { params: Place; query: z.output<typeof from> }) => {
    const { envelope, found } = await find(visit, params)
    if (envelope.contentsGoneAt) throw new Problem(SIGNATURE_PROBLEMS.documentGone)
    const range = rangeOf(found.pages ?? 0, query.pagina, PAGES_AT_ONCE)
    const base = `${PAGE}/${params.id}/documentos/${params.document}`
    const isLarge = query.ampliar === '1'
    const [small, large] = PAGE_WIDTHS
    const shown = range.pages.map((page) => ({ page, src: pageImage(base, found.version, page, isLarge ? large : small) }))
    showIn(desk, ctx, visit, { view: 'signing/document', data: { document: documentCard(envelope, found), back: `${PAGE}/${params.id}`, base, shown, isLarge, ...range, of: found.pages } })
  })

  const texts = pages.signedIn(async (ctx, visit, { params, query }: { params: Place; query: z.output<typeof from> }) => {
    const { envelope, found, bytes } = await find(visit, params)
    const range = rangeOf(found.pages ?? 0, query.pagina, TEXTS_AT_ONCE)
    const shown: { page: number; text: string }[] = []
    await inTurn(visit.account.id, async () => {
      for (const page of range.pages) shown.push({ page, text: (await signing.views.read(keyOf(found.currentSha256), bytes, page)).text.trim() })
    })
    const base = `${PAGE}/${params.id}/documentos/${params.document}`
    showIn(desk, ctx, visit, { view: 'signing/text', data: { document: documentCard(envelope, found), back: base, base: `${base}/texto`, shown, ...range, of: found.pages } })
  })

  const image = pages.signedIn(async (ctx, visit, { params }: { params: z.output<typeof picture> }) => {
    const [version = 0, page = 1, width = 0] = params.picture.split('-').map(Number)
    const { found, bytes } = await find(visit, params)
    // Not kept by the browser: people sign on computers that others use after them.
    if (found.form !== 'pdf' || found.version !== version || page < 1 || page > (found.pages ?? 0)) throw new Problem(SIGNATURE_PROBLEMS.envelopeUnknown)
    const shown = await inTurn(visit.account.id, () => signing.views.show(keyOf(found.currentSha256), bytes, page, width === 1600 ? 1600 : 800))
    ctx.type = 'image/webp'
    ctx.body = Buffer.from(shown.image)
  })

  async function inTurn<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const running = busy.get(accountId) ?? 0
    if (running >= AT_ONCE) throw new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: 2 })
    busy.set(accountId, running + 1)
    try {
      return await work()
    } finally {
      const left = (busy.get(accountId) ?? 1) - 1
      if (left > 0) busy.set(accountId, left)
      else busy.delete(accountId)
    }
  }

  const file = pages.signedIn(async (ctx, visit, { params }: { params: Place }) => {
    const { document, bytes } = await signing.envelopes.open(personOf(visit), params.id, params.document)
    download(ctx, document.form === 'pdf' && document.version > 0 ? signedName(document.name) : document.name, bytes, document.form === 'pdf' ? 'application/pdf' : 'application/octet-stream')
  })

  const beside = z.object({ id: z.uuid(), signature: z.uuid() })
  const detached = pages.signedIn(async (ctx, visit, { params }: { params: z.output<typeof beside> }) => {
    const { name, bytes } = await signing.records.detached(personOf(visit), params.id, params.signature)
    download(ctx, name, bytes, 'application/pkcs7-signature')
  })
  const all = pages.signedIn(async (ctx, visit, { params }: { params: Place }) => {
    const { name, bytes } = await signing.records.together(personOf(visit), params.id, params.document)
    download(ctx, name, bytes, 'application/pkcs7-signature')
  })
  const receipt = pages.signedIn(async (ctx, visit, { params: { id } }: { params: { id: string } }) => {
    download(ctx, `recibo-${id}.pdf`, await inTurn(visit.account.id, () => signing.records.receipt(personOf(visit), id)), 'application/pdf')
  })

  router.get(`${PAGE}/:id/documentos/:document`, guard({ params: place, query: from }, view))
  router.get(`${PAGE}/:id/documentos/:document/texto`, guard({ params: place, query: from }, texts))
  router.get(`${PAGE}/:id/documentos/:document/paginas/:picture`, guard({ params: picture }, image))
  router.get(`${PAGE}/:id/documentos/:document/arquivo`, guard({ params: place }, file))
  router.get(`${PAGE}/:id/documentos/:document/assinaturas.p7s`, guard({ params: place }, all))
  router.get(`${PAGE}/:id/p7s/:signature`, guard({ params: beside }, detached))
  router.get(`${PAGE}/:id/recibo`, guard({ params: z.object({ id: z.uuid() }) }, receipt))
  return router
}

const keyOf = (sha256: string) => sha256

/** `contrato.pdf` → `contrato-assinado.pdf`. */
function signedName(name: string): string {
  return `${name.replace(/\.pdf$/i, '').replace(/-assinado$/, '')}-assinado.pdf`
}

/** Never shown in the browser: it is somebody else's file on our own origin. */
export function download(ctx: HttpContext, name: string, bytes: Buffer, type: string): void {
  const plain = name.normalize('NFD').replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '')
  ctx.set('Content-Disposition', `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)}`)
  ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
  ctx.type = type
  ctx.body = bytes
}

function rangeOf(of: number, from = 1, size: number): { pages: number[]; before: number | undefined; after: number | undefined; first: number; last: number } {
  const first = Math.min(Math.max(1, from), Math.max(1, of))
  const last = Math.min(of, first + size - 1)
  const pages = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  return { pages, first, last, before: first > 1 ? Math.max(1, first - size) : undefined, after: last < of ? last + 1 : undefined }
}
