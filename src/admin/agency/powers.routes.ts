import Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import { LOCALES, localeOf } from '../../platform/http/locale.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { PROXIES_PROBLEMS, type Proxies, type Role, ROLE_CODE } from '../../proxies/index.ts'
import { type AgencyPages, type AgencyVisit, spaceIn, spacesOf, type Space } from './agency-pages.ts'
import { codeField, definitionOf, EMPTY, KEPT, type PowerForm, powerForm, typedOf } from './power-form.ts'

const PAGE = '/orgao/poderes'
const OUTCOMES = ['saved', 'published', 'retired', 'discarded'] as const
type Outcome = (typeof OUTCOMES)[number]
const SEEN_BY = ['editor', 'publisher', 'manager'] as const

const space = z.string().max(32)
const params = z.object({ espaco: space, codigo: z.string().max(64).regex(ROLE_CODE) })
const spaceParams = z.object({ espaco: space })
const query = z.object({ feito: z.enum(OUTCOMES).optional() })
const previewQuery = z.object({ versao: z.coerce.number().int().min(1).max(1_000_000).optional() })
/** What was on the page: another draft than the one that was read is not published. */
const publishing = z.object({ lido: z.string().max(20_000) })

export interface PowersRoutesDependencies {
  readonly pages: AgencyPages
  readonly roles: Proxies['roles']
}

interface Named {
  readonly params: z.output<typeof params>
}

/** `/orgao/poderes`: the agency's part of the catalogue, from a draft to a version that never changes and its end. */
export function createPowersRoutes(deps: PowersRoutesDependencies): Router {
  const { pages, roles } = deps
  const router = new Router()
  const list = pages.only('powers', async (ctx, visit, { query: { feito } }: { query: z.output<typeof query> }) => {
    const spaces = await Promise.all(spacesOf(visit, 'powers').map((one) => listed(ctx, roles, one)))
    pages.show(ctx, visit, { section: 'powers', view: 'powers', data: { spaces, outcome: feito } })
  })
  router.get(PAGE, guard({ query }, list))
  addForm(router, deps)
  addPower(router, deps)
  addActions(router, deps)
  return router
}

/** Each power once, by its newest version. */
async function listed(ctx: HttpContext, roles: Proxies['roles'], { code: space, title, roles: held }: Space) {
  const all = await roles.list({ namespace: space, states: ['draft', 'published', 'retired'], hidden: true })
  const powers = [...Map.groupBy(all, ({ code }) => code)].map(([code, versions]) => {
    const shown = versions.find(({ state }) => state === 'published') ?? versions.at(-1)
    const { state, version, definition } = shown ?? versions[0] ?? fail()
    return { code, state, version, title: definition.title[localeOf(ctx)], hasDraft: state !== 'draft' && versions.some((one) => one.state === 'draft'), href: `${PAGE}/${space}/${code}` }
  })
  return { code: space, title, powers, newHref: held.includes('editor') ? `/orgao/novo-poder/${space}` : undefined }
}

function fail(): never {
  throw new Problem(HTTP_PROBLEMS.notFound)
}

function addForm(router: Router, { pages, roles }: PowersRoutesDependencies): void {
  interface Shown {
    readonly space: Space
    readonly code?: string | undefined
    readonly typed: Typed
    readonly errors?: FieldErrors
  }
  const show = (ctx: HttpContext, visit: AgencyVisit, { space: { code: espaco, title }, code, typed, errors }: Shown) => {
    const action = code === undefined ? `/orgao/novo-poder/${espaco}` : `${PAGE}/${espaco}/${code}/rascunho`
    const back = code === undefined ? PAGE : `${PAGE}/${espaco}/${code}`
    pages.show(ctx, visit, { section: 'powers', view: 'power-form', data: { espaco, agency: title, code, action, backHref: back, typed, ...(errors && { errors }) } })
  }

  async function save(ctx: HttpContext, visit: AgencyVisit, at: { space: Space; code: string; isNew: boolean }, form: PowerForm): Promise<void> {
    const { space: own, code, isNew } = at
    const definition = definitionOf(form)
    const known = isNew && (await roles.history({ namespace: own.code, code })).length > 0
    const fault = known ? { codigo: 'orgao.field.taken' } : await faultsOf(() => roles.draft({ namespace: own.code, code, definition }, { kind: 'operator', id: visit.account.id }))
    if (fault === undefined) return seeOther(ctx, `${PAGE}/${own.code}/${code}?feito=saved`)
    ctx.status = 422
    show(ctx, visit, { space: own, code: isNew ? undefined : code, typed: { ...typedAgain(form), codigo: code }, errors: fault })
  }

  const opened = pages.only('powers', (ctx, visit, { params: { espaco } }: { params: z.output<typeof spaceParams> }) => show(ctx, visit, { space: spaceIn(visit, espaco, ['editor']), typed: EMPTY }))
  const create = pages.only('powers', (ctx, visit, { params: { espaco }, body: { codigo, ...form } }: { params: z.output<typeof spaceParams>; body: PowerForm & { codigo: string } }) =>
    save(ctx, visit, { space: spaceIn(visit, espaco, ['editor']), code: codigo, isNew: true }, form))
  const again = pages.only('powers', (ctx, visit, { params: { espaco }, errors, typed }: { params: z.output<typeof spaceParams>; errors: FieldErrors; typed: Typed }) =>
    show(ctx, visit, { space: spaceIn(visit, espaco, ['editor']), typed, errors }))
  router.get('/orgao/novo-poder/:espaco', guard({ params: spaceParams }, opened))
  router.post('/orgao/novo-poder/:espaco', guard({ params: spaceParams, body: powerForm.extend({ codigo: codeField }), keep: KEPT, onInvalid: again }, create))

  const edit = pages.only('powers', async (ctx, visit, { params: { espaco, codigo } }: Named) => {
    const own = spaceIn(visit, espaco, ['editor'])
    const [newest] = await roles.history({ namespace: espaco, code: codigo })
    if (!newest) throw new Problem(HTTP_PROBLEMS.notFound)
    show(ctx, visit, { space: own, code: codigo, typed: typedOf(newest.role.definition) })
  })
  const change = pages.only('powers', async (ctx, visit, { params: { espaco, codigo }, body }: Named & { body: PowerForm }) => {
    const own = spaceIn(visit, espaco, ['editor'])
    if ((await roles.history({ namespace: espaco, code: codigo })).length === 0) throw new Problem(HTTP_PROBLEMS.notFound)
    await save(ctx, visit, { space: own, code: codigo, isNew: false }, body)
  })
  const changeAgain = pages.only('powers', (ctx, visit, { params: { espaco, codigo }, errors, typed }: Named & { errors: FieldErrors; typed: Typed }) =>
    show(ctx, visit, { space: spaceIn(visit, espaco, ['editor']), code: codigo, typed, errors }))
  router.get(`${PAGE}/:espaco/:codigo/rascunho`, guard({ params }, edit))
  router.post(`${PAGE}/:espaco/:codigo/rascunho`, guard({ params, body: powerForm, keep: KEPT, onInvalid: changeAgain }, change))
}

/** What was typed, from what was read of it. */
function typedAgain({ servicos, dias, ...rest }: PowerForm): Typed {
  const texts = Object.entries(rest).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))
  return { ...Object.fromEntries(texts), servicos: servicos.join(', '), dias: String(dias) }
}

/** Which field shows what the catalogue said of the definition. */
const FIELD_OF: Readonly<Record<string, string>> = { signature: 'assinatura', help: 'tipo_assistencia', organisation: 'para_organisation', subDepth: 'repasse' }

async function faultsOf(work: () => Promise<unknown>): Promise<FieldErrors | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== PROXIES_PROBLEMS.roleInvalid.code) throw error
    return { [FIELD_OF[error.detail ?? ''] ?? '']: `orgao.fault.${error.detail ?? 'sides'}` }
  }
}

function addPower(router: Router, { pages, roles }: PowersRoutesDependencies): void {
  const one = pages.only('powers', async (ctx, visit, { params: { espaco, codigo }, query: { feito } }: Named & { query: z.output<typeof query> }) => {
    const own = spaceIn(visit, espaco, SEEN_BY)
    await showPower({ pages, roles }, ctx, visit, { space: own, code: codigo, outcome: feito })
  })
  const preview = pages.only('powers', async (ctx, visit, { params: { espaco, codigo }, query: { versao } }: Named & { query: z.output<typeof previewQuery> }) => {
    const own = spaceIn(visit, espaco, SEEN_BY)
    const versions = await roles.history({ namespace: espaco, code: codigo })
    const role = versions.map((found) => found.role).find(({ version }) => versao === undefined || version === versao)
    if (!role) throw new Problem(HTTP_PROBLEMS.notFound)
    const { definition } = role
    const spoken = LOCALES.map((locale) => ({ locale, title: definition.title[locale], description: definition.description[locale] }))
    pages.show(ctx, visit, { section: 'powers', view: 'power-preview', data: { role, spoken, agency: own.title, backHref: `${PAGE}/${espaco}/${codigo}` } })
  })
  router.get(`${PAGE}/:espaco/:codigo`, guard({ params, query }, one))
  router.get(`${PAGE}/:espaco/:codigo/previa`, guard({ params, query: previewQuery }, preview))
}

async function showPower(
  { pages, roles }: PowersRoutesDependencies,
  ctx: HttpContext,
  visit: AgencyVisit,
  { space: own, code, outcome, refusal }: { space: Space; code: string; outcome?: Outcome | undefined; refusal?: string },
): Promise<void> {
  const versions = await roles.history({ namespace: own.code, code })
  const [newest] = versions
  if (!newest) throw new Problem(HTTP_PROBLEMS.notFound)
  const draft = versions.map(({ role }) => role).find(({ state }) => state === 'draft')
  const published = versions.map(({ role }) => role).find(({ state }) => state === 'published')
  const isPublisher = own.roles.includes('publisher')
  const base = `${PAGE}/${own.code}/${code}`
  pages.show(ctx, visit, {
    section: 'powers', view: 'power',
    data: {
      code, agency: own.title, base, backHref: PAGE, outcome, refusal, versions: versions.map(({ role, mandates }) => ({ ...cardOf(ctx, role), mandates })),
      title: newest.role.definition.title[localeOf(ctx)], shown: (draft ?? published ?? newest.role).definition,
      mayEdit: own.roles.includes('editor'), hasDraft: draft !== undefined,
      mayPublish: draft !== undefined && isPublisher && draft.draftedBy !== visit.account.id, isOwnDraft: isPublisher && draft?.draftedBy === visit.account.id,
      mayDiscard: draft !== undefined && own.roles.some((role) => role === 'editor' || role === 'publisher'), mayRetire: published !== undefined && isPublisher,
      read: draft && JSON.stringify(draft.definition),
    },
  })
}

function cardOf(ctx: HttpContext, { version, state, definition, createdAt, publishedAt, retiredAt }: Role) {
  return { version, state, title: definition.title[localeOf(ctx)], createdAt, publishedAt, retiredAt }
}

/** Refusals that the page explains. */
const EXPLAINED: readonly string[] = [PROXIES_PROBLEMS.secondPerson, PROXIES_PROBLEMS.roleChanged, PROXIES_PROBLEMS.roleNotFound].map(({ code }) => code)

function addActions(router: Router, deps: PowersRoutesDependencies): void {
  const { pages, roles } = deps
  async function act(ctx: HttpContext, visit: AgencyVisit, at: { space: Space; code: string }, outcome: Outcome, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Problem) || !EXPLAINED.includes(error.code)) throw error
      ctx.status = error.status
      return showPower(deps, ctx, visit, { ...at, refusal: error.code })
    }
    const isGone = outcome === 'discarded' && (await roles.history({ namespace: at.space.code, code: at.code })).length === 0
    seeOther(ctx, `${isGone ? PAGE : `${PAGE}/${at.space.code}/${at.code}`}?feito=${outcome}`)
  }
  const actorOf = ({ account }: AgencyVisit) => ({ kind: 'operator', id: account.id }) as const

  const publish = pages.only('powers', (ctx, visit, { params: { espaco, codigo: code }, body: { lido } }: Named & { body: z.output<typeof publishing> }) => {
    const own = spaceIn(visit, espaco, ['publisher'])
    return act(ctx, visit, { space: own, code }, 'published', () => roles.publish({ namespace: espaco, code }, actorOf(visit), seenOf(lido)))
  })
  const retire = pages.only('powers', (ctx, visit, { params: { espaco, codigo: code } }: Named) => {
    const own = spaceIn(visit, espaco, ['publisher'])
    return act(ctx, visit, { space: own, code }, 'retired', () => roles.retire({ namespace: espaco, code }, actorOf(visit)))
  })
  const discard = pages.only('powers', (ctx, visit, { params: { espaco, codigo: code } }: Named) => {
    const own = spaceIn(visit, espaco, ['editor', 'publisher'])
    return act(ctx, visit, { space: own, code }, 'discarded', () => roles.discard({ namespace: espaco, code }, actorOf(visit)))
  })
  router.post(`${PAGE}/:espaco/:codigo/publicar`, guard({ params, body: publishing }, publish))
  router.post(`${PAGE}/:espaco/:codigo/retirar`, guard({ params }, retire))
  router.post(`${PAGE}/:espaco/:codigo/descartar`, guard({ params }, discard))
}

function seenOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(HTTP_PROBLEMS.invalidInput)
  }
}
