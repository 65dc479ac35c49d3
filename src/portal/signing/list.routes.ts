import Router from '@koa/router'
import { z } from 'zod'
import { files, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { ENVELOPE_LIMITS, KEPT_DAYS } from '../../signatures/index.ts'
import { type OutcomeQuery, outcomeQuery } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { envelopeCard, recordCard } from './cards.ts'
import { PAGE, personOf, type Refusal, refusalOf, type SigningDesk, showIn } from './desk.ts'
import { uploadLimits, type Uploads } from './upload.ts'

const historyQuery = z.object({ antes: z.iso.datetime().optional(), de: z.uuid().optional() })
const upload = z.object({ arquivos: files })
const MOST_DONE = 30

/** What waits, what runs and what is over; the beginning of something new; everything that was ever signed. */
export function createListRoutes(desk: SigningDesk, uploads: Uploads): Router {
  const { pages, signing } = desk
  const router = new Router()

  const list = pages.signedIn(async (ctx, visit, { query }: { query: OutcomeQuery }) => {
    const by = personOf(visit)
    const { toSign, open, done } = await signing.envelopes.list(by)
    const cards = (envelopes: typeof open) => envelopes.map((envelope) => envelopeCard(envelope, by))
    showIn(desk, ctx, visit, { view: 'signing/list', outcome: query.feito, data: { toSign: cards(toSign), open: cards(open), done: cards(done).slice(0, MOST_DONE), kept: KEPT_DAYS } })
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

  router.get(PAGE, guard({ query: outcomeQuery }, list))
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
