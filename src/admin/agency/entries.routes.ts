import Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard, listOf, type Typed } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import {
  type Authority, type Day, ENTERED_KINDS, type LegalTerms, type Mandate, MANDATE_KINDS, type MandateId, maskedDocument, parseDay, parseMandateId, parsePartyRef, PROXIES_PROBLEMS,
  type Proxies,
} from '../../proxies/index.ts'
import { type AgencyPages, type AgencyVisit, spaceIn, spacesOf, type Space } from './agency-pages.ts'

const PAGE = '/orgao/representacoes'
const ACTIONS = { aprovar: 'approved', rejeitar: 'rejected', suspender: 'suspended', liberar: 'resumed', encerrar: 'terminated' } as const
type Action = keyof typeof ACTIONS
const OUTCOMES = ['entered', ...Object.values(ACTIONS)] as const
const query = z.object({ feito: z.enum(OUTCOMES).optional() })
const spaceParams = z.object({ espaco: z.string().max(32) })
const params = spaceParams.extend({ id: z.string().refine((text) => parseMandateId(text) !== undefined) })

const party = z.string().max(30).refine((text) => parsePartyRef(text) !== undefined, 'orgao.field.party')
const day = z.string().max(10).transform((text, ctx) => (text === '' ? undefined : (parseDay(text) ?? refuse(ctx))))
const form = z.object({
  tipo: z.enum(MANDATE_KINDS, 'platform.field.required').refine((kind) => ENTERED_KINDS.includes(kind), 'platform.field.required'),
  representado: party,
  representado_nome: z.string().trim().min(3).max(200),
  representante: party,
  representante_nome: z.string().trim().min(3).max(200),
  poder: listOf(z.string().max(100)).refine((list) => list.length > 0, 'procuracoes.field.powers-none'),
  ate: day.optional(),
  documento: z.string().trim().min(3).max(200),
})
type Form = z.output<typeof form>
const KEPT = ['tipo', 'representado', 'representado_nome', 'representante', 'representante_nome', 'ate', 'documento']

function refuse(ctx: z.RefinementCtx): typeof z.NEVER {
  ctx.addIssue({ code: 'custom', message: 'orgao.field.day' })
  return z.NEVER
}

export interface EntriesDependencies {
  readonly pages: AgencyPages
  readonly proxies: Pick<Proxies, 'entered' | 'roles' | 'mandates'>
}

interface Named {
  readonly params: z.output<typeof params>
}
interface InSpace {
  readonly params: z.output<typeof spaceParams>
}

/** `/orgao/representacoes`: what a court or the law says, or a paper that a lawyer brings; entered by one official and approved by another. */
export function createEntriesRoutes(deps: EntriesDependencies): Router {
  const { pages, proxies: { entered } } = deps
  const router = new Router()
  const list = pages.only('entries', async (ctx, visit) => {
    const spaces = await Promise.all(
      spacesOf(visit, 'entries').map(async (space) => ({
        title: space.title, newHref: `${PAGE}/${space.code}/nova`,
        entries: (await entered.list(authorityOf(visit, space))).map((mandate) => ({ ...cardOf(mandate), href: `${PAGE}/${space.code}/${mandate.id}` })),
      })),
    )
    pages.show(ctx, visit, { section: 'entries', view: 'entries', data: { spaces } })
  })
  router.get(PAGE, guard({}, list))
  addForm(router, deps)
  addEntry(router, deps)
  return router
}

function authorityOf({ account }: AgencyVisit, { clientId, code }: Space): Authority {
  return { clientId, namespaces: [code], official: `conta:${account.id}`, at: { accountId: account.id, cpf: account.citizen.reveal().cpf } }
}

function cardOf({ id, kind, state, represented, delegate, validFrom, validThrough }: Mandate) {
  const spoken = (party: Mandate['represented']) => ({ name: party.name, document: maskedDocument(party) })
  return { id, kind, state, represented: spoken(represented), delegate: spoken(delegate), from: validFrom, until: validThrough }
}

/** Refusals that belong to the form, and the field that shows them. */
const FIELD_OF: Readonly<Record<string, string>> = { kind: 'tipo', powers: 'poder', term: 'ate', delegates: 'representante', represented: 'representado', age: 'representado', document: 'documento' }
const FORM_PROBLEMS: readonly string[] = [PROXIES_PROBLEMS.termsRefused, PROXIES_PROBLEMS.delegateUnconfirmed, PROXIES_PROBLEMS.notForOneself, PROXIES_PROBLEMS.roleChanged, PROXIES_PROBLEMS.tooManyRequests].map(({ code }) => code)

function addForm(router: Router, { pages, proxies: { entered, roles } }: EntriesDependencies): void {
  async function show(ctx: HttpContext, visit: AgencyVisit, space: Space, again: { errors?: FieldErrors; typed?: Typed } = {}): Promise<void> {
    const published = await roles.list({ namespace: space.code, hidden: true })
    const powers = published
      .filter(({ definition }) => definition.kinds.some((kind) => ENTERED_KINDS.includes(kind)))
      .map(({ code, version, definition }) => ({ value: `${code}:${version}`, label: definition.title[localeOf(ctx)], hint: definition.description[localeOf(ctx)], kinds: definition.kinds }))
    pages.show(ctx, visit, { section: 'entries', view: 'entry-form', data: { agency: space.title, action: `${PAGE}/${space.code}/nova`, backHref: PAGE, powers, kinds: ENTERED_KINDS, ...again } })
  }

  const open = pages.only('entries', (ctx, visit, { params: { espaco } }: InSpace) => show(ctx, visit, spaceIn(visit, espaco, ['registrar'])))
  const onInvalid = pages.only('entries', (ctx, visit, { params: { espaco }, errors, typed }: InSpace & { errors: FieldErrors; typed: Typed }) => show(ctx, visit, spaceIn(visit, espaco, ['registrar']), { errors, typed }))
  const enter = pages.only('entries', async (ctx, visit, { params: { espaco }, body }: InSpace & { body: Form }) => {
    const space = spaceIn(visit, espaco, ['registrar'])
    try {
      const { id } = await entered.enter(authorityOf(visit, space), termsOf(espaco, body))
      seeOther(ctx, `${PAGE}/${espaco}/${id}?feito=entered`)
    } catch (error) {
      if (!(error instanceof Problem) || !FORM_PROBLEMS.includes(error.code)) throw error
      ctx.status = 422
      await show(ctx, visit, space, { errors: { [FIELD_OF[error.detail ?? ''] ?? '']: error.code === PROXIES_PROBLEMS.tooManyRequests.code ? 'orgao.field.tries' : `${error.code}.text` }, typed: typedAgain(body) })
    }
  })
  router.get(`${PAGE}/:espaco/nova`, guard({ params: spaceParams }, open))
  router.post(`${PAGE}/:espaco/nova`, guard({ params: spaceParams, body: form, keep: KEPT, onInvalid }, enter))
}

function typedAgain({ poder: _poder, ate, ...rest }: Form): Typed {
  return { ...rest, ...(ate && { ate }) }
}

function termsOf(namespace: string, { tipo, representado, representante, poder, ate, documento, ...names }: Form): LegalTerms {
  const refOf = (text: string) => parsePartyRef(text) ?? invalid()
  const powers = poder.map((text) => {
    const [code = '', version = ''] = text.split(':')
    return { namespace, code, version: Number(version) }
  })
  if (powers.some(({ version }) => !Number.isInteger(version))) throw new Problem(HTTP_PROBLEMS.invalidInput)
  return {
    kind: tipo, represented: { ref: refOf(representado), name: names.representado_nome }, delegate: { ref: refOf(representante), name: names.representante_nome }, powers,
    document: documento, validThrough: ate satisfies Day | undefined,
  }
}

function invalid(): never {
  throw new Problem(HTTP_PROBLEMS.invalidInput)
}

function addEntry(router: Router, { pages, proxies: { entered, roles } }: EntriesDependencies): void {
  async function show(ctx: HttpContext, visit: AgencyVisit, at: { space: Space; id: MandateId }, more: { outcome?: string | undefined; refusal?: string } = {}): Promise<void> {
    const { space, id } = at
    const { mandate, document, isOwn, bySystem } = await entered.get(authorityOf(visit, space), id)
    if (mandate.origin !== space.clientId) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    const found = await Promise.all(mandate.powers.map((power) => roles.find(power)))
    const isDraft = mandate.state === 'draft'
    const mayDecide = isDraft && !bySystem
    const offered: Action[] = [
      ...(mayDecide && !isOwn ? (['aprovar'] as const) : []), ...(mayDecide ? (['rejeitar'] as const) : []), ...(mandate.state === 'active' ? (['suspender', 'encerrar'] as const) : []),
      ...(mandate.state === 'suspended' ? ([...(mandate.stoppedBy.includes('authority') ? (['liberar'] as const) : []), 'encerrar'] as const) : []),
    ]
    pages.show(ctx, visit, {
      section: 'entries', view: 'entry',
      data: {
        entry: cardOf(mandate), document, isOwn: isDraft && isOwn, bySystem: isDraft && bySystem, actions: offered, agency: space.title, backHref: PAGE, base: `${PAGE}/${space.code}/${id}`,
        powers: found.flatMap((role) => role?.definition.description[localeOf(ctx)] ?? []), ...more,
      },
    })
  }
  const idOf = (text: string): MandateId => parseMandateId(text) ?? invalid()

  const open = pages.only('entries', (ctx, visit, { params: { espaco, id }, query: { feito } }: Named & { query: z.output<typeof query> }) =>
    show(ctx, visit, { space: spaceIn(visit, espaco, ['registrar']), id: idOf(id) }, { outcome: feito }))
  const act = (action: Action) =>
    pages.only('entries', async (ctx, visit, { params: { espaco, id: text } }: Named) => {
      const at = { space: spaceIn(visit, espaco, ['registrar']), id: idOf(text) }
      const authority = authorityOf(visit, at.space)
      const change = ACTIONS[action]
      // What citizens gave is no entry of this desk: a court's order about it comes by the agency's system.
      if ((await entered.get(authority, at.id)).mandate.origin !== at.space.clientId) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
      try {
        await (change === 'approved' ? entered.approve(authority, at.id) : entered.change(authority, at.id, change))
        seeOther(ctx, `${PAGE}/${espaco}/${text}?feito=${change}`)
      } catch (error) {
        const isKnown = error instanceof Problem && [PROXIES_PROBLEMS.stepOutOfOrder.code, PROXIES_PROBLEMS.notForOneself.code].some((code) => code === error.code)
        if (!isKnown) throw error
        ctx.status = 422
        await show(ctx, visit, at, { refusal: error.detail === 'second-person' ? PROXIES_PROBLEMS.secondPerson.code : error.code })
      }
    })
  router.get(`${PAGE}/:espaco/:id`, guard({ params, query }, open))
  for (const name of Object.keys(ACTIONS) as Action[]) router.post(`${PAGE}/:espaco/:id/${name}`, guard({ params }, act(name)))
}
