import Router from '@koa/router'
import { z } from 'zod'
import { createAddressLimit } from '../../accounts/index.ts'
import { files, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { type Envelope, ENVELOPE_LIMITS, KEPT_DAYS } from '../../signatures/index.ts'
import { outcomeQuery } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { envelopeCard, recordCard } from './cards.ts'
import { PAGE, personOf, type Refusal, refusalOf, type SigningDesk, showIn } from './desk.ts'
import { uploadLimits, type Uploads } from './upload.ts'

const historyQuery = z.object({ antes: z.iso.datetime().optional(), de: z.uuid().optional() })
/** Each opens names by the thousand. */
const SEARCHES = { burst: 20, perSecond: 0.5 } as const
const upload = z.object({ arquivos: files })
const listQuery = outcomeQuery.extend({ antes: z.iso.datetime().optional().catch(undefined), de: z.uuid().optional().catch(undefined), busca: z.string().max(120).optional().catch(undefined) })

/** What waits, what runs and what is over; the beginning of something new; everything that was ever signed. */
export function createListRoutes(desk: SigningDesk, uploads: Uploads): Router {
  const { pages, signing } = desk
  const router = new Router()

  const searches = createAddressLimit({ allowance: SEARCHES, networkOf: (accountId) => accountId })

  const list = pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof listQuery> }) => {
    const by = personOf(visit)
    const text = query.busca?.trim() ?? ''
    const cards = (envelopes: readonly Envelope[]) => envelopes.map((envelope) => envelopeCard(envelope, by))
    if (text !== '') {
      searches.check(by.accountId)
      searches.spend(by.accountId)
      return showIn(desk, ctx, visit, { view: 'signing/list', data: { search: { text, found: cards(await signing.envelopes.search(by, text)) }, kept: KEPT_DAYS } })
    }
    const before = query.antes && query.de ? { endedAt: new Date(query.antes), id: query.de } : undefined
    const { toSign, open, done, next } = await signing.envelopes.list(by, before)
    const olderHref = next && `${PAGE}?antes=${next.endedAt.toISOString()}&de=${next.id}#concluidas`
    showIn(desk, ctx, visit, { view: 'signing/list', outcome: query.feito, data: { toSign: cards(toSign), open: cards(open), done: cards(done), olderHref, isOlder: before !== undefined, kept: KEPT_DAYS } })
  })

  const history = pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof historyQuery> }) => {
    const before = query.antes && query.de ? { signedAt: new Date(query.antes), id: query.de } : undefined
    const records = (await signing.records.ofPerson(personOf(visit), before)).map(recordCard)
    const last = records.length >= 50 ? records.at(-1) : undefined
    showIn(desk, ctx, visit, { view: 'signing/history', data: { records, olderHref: last && `${PAGE}/historico?antes=${last.signedAt.toISOString()}&de=${last.id}` } })
  })

  const showNew = (ctx: HttpContext, visit: Visit, refusal?: Refusal & { error?: string }) =>
    showIn(desk, ctx, visit, { view: 'signing/new', data: { refusal, limits: ENVELOPE_LIMITS, ...(refusal?.error && { errors: { arquivos: refusal.error } }) } })

  const create = pages.signedIn(async (ctx, visit, { body }: { body: z.output<typeof upload> }) => {
    let id = ''
    const refusal = await refusalOf(async () => {
      id = await signing.drafts.create(personOf(visit), body.arquivos)
    })
    if (refusal === undefined) return seeOther(ctx, `${PAGE}/${id}`)
    ctx.status = 422
    showNew(ctx, visit, refusal)
  })

  router.get(PAGE, guard({ query: listQuery }, list))
  router.get(`${PAGE}/historico`, guard({ query: historyQuery }, history))
  router.get(`${PAGE}/nova`, guard({}, pages.signedIn((ctx, visit) => showNew(ctx, visit))))
  const onInvalid = pages.signedIn((ctx, visit) => showNew(ctx, visit, { code: '', detail: undefined, error: 'assinaturas.field.file' }))
  router.post(
    `${PAGE}/nova`,
    uploads((ctx, visit) => showNew(ctx, visit, { code: 'signatures/too-much', detail: 'upload' })),
    guard({ consumes: 'upload', ...uploadLimits, body: upload, onInvalid }, create),
  )
  return router
}
