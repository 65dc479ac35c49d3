import Router from '@koa/router'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Mandate } from '../../proxies/index.ts'
import { countWaiting } from './acts.routes.ts'
import { mandateCard, useLines } from './cards.ts'
import { actingAs, type NameQuery, nameQuery, PAGE, type ProxyDesk, showIn } from './desk.ts'

const OPEN: readonly string[] = ['pending_signature', 'pending_acceptance', 'active', 'suspended']
const MOST_ENDED = 20

/** Given and received mandates, and every use of what was given. */
export function createOverviewRoutes(desk: ProxyDesk): Router {
  const { pages, proxies } = desk
  const router = new Router()

  const overview = pages.signedIn(async (ctx, visit, { query: { empresa: company, feito: outcome } }: { query: NameQuery }) => {
    const by = actingAs(visit, company)
    const [given, received] = [await cardsOf(ctx, desk, await proxies.mandates.listGiven(by)), await cardsOf(ctx, desk, await proxies.mandates.listReceived(by))]
    showIn(desk, ctx, visit, { view: 'proxies/overview', company, outcome, data: { given, received, waitingActs: await countWaiting(desk, visit, company) } })
  })

  const uses = pages.signedIn(async (ctx, visit, { query: { empresa: company, feito: outcome } }: { query: NameQuery }) => {
    const lines = await useLines(ctx, desk, await proxies.uses.listFor(actingAs(visit, company)), company)
    showIn(desk, ctx, visit, { view: 'proxies/uses', company, outcome, data: { lines } })
  })

  router.get(PAGE, guard({ query: nameQuery }, overview))
  router.get(`${PAGE}/usos`, guard({ query: nameQuery }, uses))
  return router
}

/** Open ones, and of those that are over the latest. */
async function cardsOf(ctx: HttpContext, desk: ProxyDesk, mandates: readonly Mandate[]) {
  const cards = (list: readonly Mandate[]) => Promise.all(list.map((mandate) => mandateCard(ctx, desk, mandate)))
  return {
    open: await cards(mandates.filter(({ state }) => OPEN.includes(state))),
    ended: await cards(mandates.filter(({ state }) => !OPEN.includes(state)).slice(0, MOST_ENDED)),
  }
}
