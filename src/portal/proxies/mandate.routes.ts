import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { type Acting, LEGAL_KINDS, type Mandate, type MandateId, parseMandateId, type Party, PROXIES_PROBLEMS } from '../../proxies/index.ts'
import { type Outcome, tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { branchCards, mandateCard, mayBePassedOn, useLines } from './cards.ts'
import { actingAs, inName, nameQuery, type NameQuery, PAGE, type ProxyDesk, type Refusal, refusalOf, showIn } from './desk.ts'

/** What can be done to a mandate, by which side and in which states. The register judges again. */
const ACTIONS = {
  aceitar: { side: 'delegate', states: ['pending_acceptance'], done: 'proxy-accepted' },
  recusar: { side: 'delegate', states: ['pending_signature', 'pending_acceptance'], done: 'proxy-refused' },
  renunciar: { side: 'delegate', states: ['active', 'suspended'], done: 'proxy-renounced' },
  assinar: { side: 'giver', states: ['pending_signature'], done: 'proxy-signed' },
  parar: { side: 'giver', states: ['active', 'suspended'], done: 'proxy-suspended' },
  liberar: { side: 'giver', states: ['suspended'], done: 'proxy-resumed' },
  cancelar: { side: 'giver', states: ['pending_signature', 'pending_acceptance', 'active', 'suspended'], done: 'proxy-revoked' },
  'nao-fui-eu': { side: 'giver', states: ['active', 'suspended'], done: 'proxy-suspended' },
} as const satisfies Record<string, { side: 'giver' | 'delegate'; states: readonly Mandate['state'][]; done: Outcome }>
/** What has counted once has a document, which says where anybody sees whether it counts now. */
const PRINTED: readonly Mandate['state'][] = ['active', 'suspended', 'revoked', 'renounced', 'expired']
type Action = keyof typeof ACTIONS
const NAMES = Object.keys(ACTIONS) as [Action, ...Action[]]

const params = z.object({ id: z.string().refine((text) => parseMandateId(text) !== undefined) })
const form = z.object({ empresa: z.string().max(14).optional() })

/** One mandate: what it says, what became of it, every use, and what its sides may do to it, in two presses each. */
export function createMandateRoutes(desk: ProxyDesk): Router {
  const { pages } = desk
  const router = new Router()

  const show = pages.signedIn(async (ctx, visit, { params: { id }, query }: { params: { id: string }; query: NameQuery }) =>
    showMandate(desk, ctx, visit, { id: idOf(id), query }),
  )
  const disown = pages.signedIn(async (ctx, visit, { params: { id }, query }: { params: { id: string }; query: NameQuery }) =>
    showMandate(desk, ctx, visit, { id: idOf(id), query, view: 'proxies/not-me' }),
  )
  const print = pages.signedIn(async (ctx, visit, { params: { id }, query }: { params: { id: string }; query: NameQuery }) => {
    const { pdf } = await desk.proxies.instruments.get(actingAs(visit, query.empresa), idOf(id))
    ctx.status = 200
    ctx.set('Content-Disposition', `attachment; filename="procuracao-${id}.pdf"`)
    ctx.type = 'application/pdf'
    ctx.body = pdf
  })
  const act = (acao: Action) => pages.signedIn(async (ctx, visit, { params: { id }, body }: { params: { id: string }; body: z.output<typeof form> }) => {
    const company = body.empresa === '' ? undefined : body.empresa
    let outcome: Outcome = ACTIONS[acao].done
    const refusal = await refusalOf(async () => {
      outcome = outcomeOf(acao, await perform(desk, actingAs(visit, company), idOf(id), acao))
    })
    if (refusal === undefined) return seeOther(ctx, `${inName(tell(`${PAGE}/${id}`, outcome), company).replace(/\?empresa/, '&empresa')}`)
    ctx.status = 422
    await showMandate(desk, ctx, visit, { id: idOf(id), query: { empresa: company }, refusal })
  })

  router.get(`${PAGE}/:id`, guard({ params, query: nameQuery }, show))
  router.get(`${PAGE}/:id/nao-fui-eu`, guard({ params, query: nameQuery }, disown))
  router.get(`${PAGE}/:id/documento`, guard({ params, query: nameQuery }, print))
  for (const name of NAMES) router.post(`${PAGE}/:id/${name}`, guard({ params, body: form }, act(name)))
  // A reload, or a sign-in, after a form that was answered.
  router.get(`${PAGE}/:id/*rest`, guard({ params: params.extend({ rest: z.string() }) }, (ctx, { params: { id } }) => seeOther(ctx, `${PAGE}/${id}`)))
  return router
}

function idOf(text: string): MandateId {
  const id = parseMandateId(text)
  if (id === undefined) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
  return id
}

function perform({ proxies: { mandates } }: ProxyDesk, by: Acting, id: MandateId, action: Action): Promise<Mandate> {
  switch (action) {
    case 'aceitar':
      return mandates.accept(by, id)
    case 'recusar':
      return mandates.refuse(by, id)
    case 'renunciar':
      return mandates.renounce(by, id)
    case 'assinar':
      return mandates.sign(by, id)
    case 'parar':
      return mandates.suspend(by, id, 'citizen')
    case 'nao-fui-eu':
      return mandates.suspend(by, id, 'not-me')
    case 'liberar':
      return mandates.resume(by, id)
    case 'cancelar':
      return mandates.revoke(by, id)
  }
}

/** What came of it, where one press may not be all that it takes. */
function outcomeOf(action: Action, { state, stoppedBy }: Mandate): Outcome {
  if (action === 'assinar') return state === 'pending_signature' ? 'proxy-joined' : 'proxy-signed'
  if (action === 'aceitar' && state !== 'active') return 'proxy-joined'
  if (action !== 'liberar' || state === 'active') return ACTIONS[action].done
  return stoppedBy.some((one) => one === 'represented' || one === 'grantor') ? 'proxy-joined' : 'proxy-lifted'
}

interface Shown {
  readonly id: MandateId
  readonly query: NameQuery
  readonly view?: string
  readonly refusal?: Refusal
}

async function showMandate(desk: ProxyDesk, ctx: HttpContext, visit: Visit, { id, query, view = 'proxies/mandate', refusal }: Shown): Promise<void> {
  const { empresa: company, feito: outcome } = query
  const by = actingAs(visit, company)
  const mandate = await desk.proxies.mandates.get(by, id)
  const side = isVisitor(visit, company, mandate.delegate) ? 'delegate' : 'giver'
  const isOffered = (name: Action) => name !== 'nao-fui-eu' && !(name === 'cancelar' && LEGAL_KINDS.includes(mandate.kind)) && isTheirs(name, mandate, visit, company)
  const actions = NAMES.filter((name) => isOffered(name) && ACTIONS[name].side === side && ACTIONS[name].states.some((state) => state === mandate.state))
  showIn(desk, ctx, visit, {
    view, company, outcome,
    data: {
      mandate: await mandateCard(ctx, desk, mandate), side, actions, refusal,
      print: PRINTED.includes(mandate.state) ? inName(`${PAGE}/${id}/documento`, company) : undefined,
      passOn: side === 'delegate' && mayBePassedOn(mandate) ? `${inName(`${PAGE}/repassar`, company)}${company === undefined ? '?' : '&'}de=${id}` : undefined,
      passesLeft: mandate.subDepth, branches: await branchCards(ctx, desk, mandate, (party) => isVisitor(visit, company, party), company),
      here: inName(`${PAGE}/${id}`, company), history: await desk.proxies.mandates.history(by, id),
      lines: await useLines(ctx, desk, await desk.proxies.uses.listOf(by, id), company),
    },
  })
}

/** Whoever stops it can let go, and cannot stop it once more; of what was passed on the represented may let go what lies below them. */
function isTheirs(action: Action, { represented, stoppedBy }: Mandate, visit: Visit, company: string | undefined): boolean {
  if (action !== 'parar' && action !== 'liberar') return true
  const own = isVisitor(visit, company, represented) ? 'represented' : 'grantor'
  const isStopping = stoppedBy.includes(own)
  return action === 'parar' ? !isStopping : isStopping || (own === 'represented' && stoppedBy.includes('grantor'))
}

/** Whether a party is the one as which somebody looks. */
function isVisitor({ account }: Visit, company: string | undefined, { kind, document }: Party): boolean {
  if (company === undefined) return document === account.citizen.reveal().cpf
  return kind === 'company' && document.slice(0, 8) === company.slice(0, 8)
}
