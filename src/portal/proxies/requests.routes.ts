import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { RepresentationRequest } from '../../proxies/index.ts'
import { tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { partyCard, wordsOf } from './cards.ts'
import { actingAs, inName, nameQuery, type NameQuery, PAGE, type ProxyDesk, type Refusal, refusalOf, showIn } from './desk.ts'

const REQUESTS = `${PAGE}/pedidos`
const params = z.object({ id: z.uuid() })
const form = z.object({ empresa: z.string().max(14).optional(), bloquear: z.enum(['delegate', 'everybody']).optional() })
type Form = z.output<typeof form>

/** Wishes to represent somebody: seen exactly, agreed to as a grant is signed, refused with one press, blocked for good. */
export function createRequestRoutes(desk: ProxyDesk): Router {
  const { pages, proxies: { requests } } = desk
  const router = new Router()

  const list = pages.signedIn((ctx, visit, { query }: { query: NameQuery }) => showRequests(desk, ctx, visit, { query }))
  const agree = pages.signedIn(async (ctx, visit, { params: { id }, body }: { params: { id: string }; body: Form }) => {
    const company = companyIn(body)
    const refusal = await refusalOf(async () => void (await requests.grant(actingAs(visit, company), id)))
    if (refusal === undefined) return done(ctx, 'proxy-granted', company)
    ctx.status = 422
    await showRequests(desk, ctx, visit, { query: { empresa: company }, refusal })
  })
  const refuse = pages.signedIn(async (ctx, visit, { params: { id }, body }: { params: { id: string }; body: Form }) => {
    await requests.refuse(actingAs(visit, companyIn(body)), id, { block: body.bloquear })
    done(ctx, body.bloquear ? 'proxy-blocked' : 'proxy-refused', companyIn(body))
  })
  const withdraw = pages.signedIn(async (ctx, visit, { params: { id }, body }: { params: { id: string }; body: Form }) => {
    await requests.withdraw(actingAs(visit, companyIn(body)), id)
    done(ctx, 'proxy-withdrawn', companyIn(body))
  })
  const unblock = pages.signedIn(async (ctx, visit, { body }: { body: Form }) => {
    await requests.unblock(actingAs(visit, companyIn(body)))
    done(ctx, 'proxy-unblocked', companyIn(body))
  })

  router.get(REQUESTS, guard({ query: nameQuery }, list))
  router.post(`${REQUESTS}/desbloquear`, guard({ body: form }, unblock))
  router.post(`${REQUESTS}/:id/concordar`, guard({ params, body: form }, agree))
  router.post(`${REQUESTS}/:id/recusar`, guard({ params, body: form }, refuse))
  router.post(`${REQUESTS}/:id/desistir`, guard({ params, body: form }, withdraw))
  // A reload, or a sign-in, after a form that was answered.
  router.get(`${REQUESTS}/*rest`, (ctx) => seeOther(ctx, REQUESTS))
  return router
}

function companyIn({ empresa }: Form): string | undefined {
  return empresa === '' ? undefined : empresa
}

function done(ctx: HttpContext, outcome: Parameters<typeof tell>[1], company: string | undefined): void {
  seeOther(ctx, inName(REQUESTS, company) + (company ? '&' : '?') + tell('', outcome).slice(1))
}

async function showRequests(desk: ProxyDesk, ctx: HttpContext, visit: Visit, { query, refusal }: { query: NameQuery; refusal?: Refusal }): Promise<void> {
  const { empresa: company, feito: outcome } = query
  const by = actingAs(visit, company)
  const { requests } = desk.proxies
  const cards = async (found: readonly RepresentationRequest[]) => Promise.all(found.map((request) => cardOf(ctx, desk, request)))
  showIn(desk, ctx, visit, {
    view: 'proxies/requests', company, outcome,
    data: { received: await cards(await requests.listReceived(by)), asked: await cards(await requests.listAsked(by)), blocks: await requests.listBlocks(by), refusal, here: inName(REQUESTS, company) },
  })
}

async function cardOf(ctx: HttpContext, desk: ProxyDesk, { id, represented, delegate, powers, validThrough, createdAt }: RepresentationRequest) {
  return { id, represented: partyCard(represented), delegate: partyCard(delegate), powers: await wordsOf(ctx, desk, powers), until: validThrough, createdAt }
}
