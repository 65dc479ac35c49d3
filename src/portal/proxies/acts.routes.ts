import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { type OwnAct, powerName } from '../../proxies/index.ts'
import { type Outcome, tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { partyCard } from './cards.ts'
import { actingAs, inName, nameQuery, type NameQuery, PAGE, type ProxyDesk, type Refusal, refusalOf, showIn } from './desk.ts'

export const ACTS = `${PAGE}/atos`
const params = z.object({ id: z.uuid() })
const form = z.object({ empresa: z.string().max(14).optional() })
type Form = z.output<typeof form>
interface Params {
  readonly id: string
}

const WORDS = { aprovar: 'approve', recusar: 'refuse' } as const satisfies Record<string, 'approve' | 'refuse'>
const DONE = { aprovar: 'act-approved', recusar: 'act-refused' } as const satisfies Record<keyof typeof WORDS, Outcome>

/** Acts that count only when several people approve them: what waits, exactly what it is, yes or no, and how far it has come. */
export function createActRoutes(desk: ProxyDesk): Router {
  const { pages, proxies: { acts } } = desk
  const router = new Router()

  const list = pages.signedIn(async (ctx, visit, { query: { empresa: company, feito: outcome } }: { query: NameQuery }) => {
    const cards = await Promise.all((await acts.list(actingAs(visit, company))).map((own) => actCard(ctx, desk, own)))
    const [waiting, rest] = [cards.filter(({ isWaiting }) => isWaiting), cards.filter(({ isWaiting }) => !isWaiting)]
    showIn(desk, ctx, visit, { view: 'proxies/acts', company, outcome, data: { waiting, rest } })
  })
  const show = pages.signedIn(async (ctx, visit, { params: { id }, query }: { params: Params; query: NameQuery }) => showAct(desk, ctx, visit, { id, query }))
  const say = (word: keyof typeof WORDS) =>
    pages.signedIn(async (ctx, visit, { params: { id }, body }: { params: Params; body: Form }) => {
      const company = body.empresa === '' ? undefined : body.empresa
      const refusal = await refusalOf(async () => void (await acts[WORDS[word]](actingAs(visit, company), id)))
      if (refusal === undefined) return seeOther(ctx, inName(tell(`${ACTS}/${id}`, DONE[word]), company).replace(/\?empresa/, '&empresa'))
      ctx.status = 422
      await showAct(desk, ctx, visit, { id, query: { empresa: company }, refusal })
    })

  router.get(ACTS, guard({ query: nameQuery }, list))
  router.get(`${ACTS}/:id`, guard({ params, query: nameQuery }, show))
  router.post(`${ACTS}/:id/aprovar`, guard({ params, body: form }, say('aprovar')))
  router.post(`${ACTS}/:id/recusar`, guard({ params, body: form }, say('recusar')))
  // A reload, or a sign-in, after a form that was answered.
  router.get(`${ACTS}/:id/*rest`, guard({ params: params.extend({ rest: z.string() }) }, (ctx, { params: { id } }) => seeOther(ctx, `${ACTS}/${id}`)))
  return router
}

/** How many acts wait for a word of whoever acts. */
export async function countWaiting({ proxies: { acts } }: ProxyDesk, visit: Visit, company: string | undefined): Promise<number> {
  return (await acts.list(actingAs(visit, company), { open: true })).filter(isWaiting).length
}

function isWaiting({ state, isMember, mine }: OwnAct): boolean {
  return state === 'open' && isMember && mine === undefined
}

async function showAct(desk: ProxyDesk, ctx: HttpContext, visit: Visit, { id, query, refusal }: { id: string; query: NameQuery; refusal?: Refusal }): Promise<void> {
  const { empresa: company, feito: outcome } = query
  const own = await desk.proxies.acts.get(actingAs(visit, company), id)
  const card = await actCard(ctx, desk, own)
  const mayStill = own.isMember && (own.state === 'open' || own.state === 'approved')
  showIn(desk, ctx, visit, {
    view: 'proxies/act', company, outcome,
    data: {
      card, refusal, here: inName(`${ACTS}/${id}`, company),
      mayApprove: mayStill && own.mine !== 'approved', mayRefuse: mayStill && own.mine !== 'refused',
      votes: own.votes.map(({ party: { name }, word, at }) => ({ name, word, at })),
    },
  })
}

/** An act in the reader's words: exactly what it is, for whom, who asks, and how far it has come. */
async function actCard(ctx: HttpContext, { proxies, clientName }: ProxyDesk, own: OwnAct) {
  const { act, state, represented, approvals, members, mine, votes } = own
  const { id, version, service, instance, about, quorum, openedAt, expiresAt, usedAt, clientId, openedBy } = act
  const role = version === undefined ? undefined : await proxies.roles.find({ ...act, version })
  return {
    id, state, about, service, instance, quorum, approvals, members, mine, openedAt, expiresAt, usedAt, isWaiting: isWaiting(own), represented: partyCard(represented),
    power: role?.definition.title[localeOf(ctx)] ?? powerName(act), words: role?.definition.description[localeOf(ctx)],
    where: clientId === undefined ? undefined : await clientName(clientId),
    opener: votes.find(({ party }) => party.id === openedBy)?.party.name,
  }
}
