import Router from '@koa/router'
import { z } from 'zod'
import { type AddressLimit, createAddressLimit, networkOf } from '../../accounts/index.ts'
import { type FieldErrors, guard, listOf, type Typed } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import { type HttpContext, requestFacts } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { type Mandate, type MandateId, parseMandateId, parsePartyRef, type PartyKind, PROXIES_PROBLEMS, type Role, type SignedGrants } from '../../proxies/index.ts'
import { type Outcome, tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { mayBePassedOn, wordsOf } from './cards.ts'
import { actingAs, inName, nameQuery, PAGE, type ProxyDesk, type Refusal, refusalOf, showIn } from './desk.ts'
import { OTHERS, peopleOf } from './grant-others.routes.ts'
import { pathOfSigning } from './grant-signature.routes.ts'
import { person } from './person-form.ts'
import { createDrafts, type Drafts, type DraftStep, parseTypedDay, type ProxyDraft, STEPS, stepOf, termsOf } from './draft.ts'

type Mode = ProxyDraft['mode']
/** Many accounts behind one address flood nobody either: beside what the register allows each of them. */
const ASKED = { burst: 40, perSecond: 40 / 3600 }
const DONE: Readonly<Record<Mode, Outcome>> = { nova: 'proxy-granted', pedir: 'proxy-asked', repassar: 'proxy-passed-on' }
const MODES = Object.keys(DONE) as Mode[]
/** Which step mends a term that was refused. */
const MENDS: Readonly<Record<string, DraftStep | 'juntos'>> = { delegates: 'quem', represented: 'quem', powers: 'poderes', kind: 'poderes', term: 'prazo', instance: 'prazo', subDepth: 'prazo', quorum: 'juntos', hands: 'poderes' }

const powers = z.object({ poder: listOf(z.string().regex(/^[a-z0-9-]+:[a-z0-9.-]+:\d{1,6}$/)) })
const term = z.object({
  ate: z.string().max(12).transform((text, context) => parseTypedDay(text) ?? refuse(context, 'procuracoes.field.until')),
  limite: z.string().trim().max(120).optional(),
  repassar: z.literal('sim').optional(),
})

/** A page of the draft, in one of its two modes. */
interface Step extends ProxyDesk {
  /** Requests to represent, from one network. */
  readonly asked: AddressLimit
  readonly drafts: Drafts
  readonly signed: Pick<SignedGrants, 'prepare'>
  readonly mode: Mode
}

/**
 * A mandate in four short steps: who, what, until when, and a summary in plain words that is signed. The same four ask somebody else for
 * one ("quero representar"), where the last only sends the wish, or pass on a part of what one holds.
 */
export function createGrantRoutes(desk: ProxyDesk, signed: Pick<SignedGrants, 'prepare'>): Router {
  const router = new Router()
  const asked = createAddressLimit({ allowance: ASKED, networkOf })
  for (const mode of MODES) {
    const step: Step = { ...desk, asked, signed, mode, drafts: createDrafts(desk.sessions) }
    addStart(router, step)
    addPerson(router, step)
    addPowers(router, step)
    addTerm(router, step)
    addSummary(router, step)
  }
  return router
}

const startQuery = nameQuery.extend({ de: z.uuid().optional() })

function addStart(router: Router, step: Step): void {
  const { pages, drafts, mode } = step
  const start = pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof startQuery> }) => {
    const named = { mode, ...(query.empresa && { company: query.empresa }) }
    const parent = mode === 'repassar' ? await findParent(step, visit, { company: query.empresa, parent: query.de }) : undefined
    if (mode === 'repassar' && parent === undefined) return seeOther(ctx, inName(PAGE, query.empresa))
    await drafts.save(ctx, { ...named, ...(parent && { parent: parent.id }), ...(parent?.instance && { instance: parent.instance }) })
    seeOther(ctx, pathOf(mode, 'quem'))
  })
  router.get(`${PAGE}/${mode}`, guard({ query: startQuery }, start))
}

type Again = { errors?: FieldErrors; typed?: Typed }

function addPerson(router: Router, step: Step): void {
  const show = (ctx: HttpContext, visit: Visit, draft: ProxyDraft, again: Again = {}) =>
    showStep(step, ctx, visit, { draft, at: 'quem', data: { typed: { document: draft.document ?? '', name: draft.name ?? '' }, ...again } })
  const save = async (ctx: HttpContext, draft: ProxyDraft, body: z.output<typeof person>) => {
    // Another party may be given other powers.
    const { powers: _powers, others: _others, quorum: _quorum, ...kept } = draft
    await step.drafts.save(ctx, { ...(draft.document === body.document ? draft : kept), ...body })
    seeOther(ctx, pathOf(step.mode, 'poderes'))
  }
  addStep(router, step, { at: 'quem', form: person, keep: ['document', 'name'], show, save })
}

function addPowers(router: Router, step: Step): void {
  async function show(ctx: HttpContext, visit: Visit, draft: ProxyDraft, again: Again = {}): Promise<void> {
    const chosen = new Set(draft.powers?.map(({ namespace, code, version }) => `${namespace}:${code}:${version}`))
    const locale = localeOf(ctx)
    const titles = new Map((await step.proxies.roles.namespaces()).map(({ code, title }) => [code, title]))
    const options = (await rolesFor(step, visit, draft)).map(({ namespace, code, version, definition }) => ({
      value: `${namespace}:${code}:${version}`, agency: titles.get(namespace) ?? namespace, title: definition.title[locale], description: definition.description[locale],
      isChosen: chosen.has(`${namespace}:${code}:${version}`), isBroad: definition.broad, isForLawyers: !definition.kinds.includes('procuracao'),
    }))
    showStep(step, ctx, visit, { draft, at: 'poderes', data: { agencies: [...Map.groupBy(options, ({ agency }) => agency)], ...again } })
  }
  async function save(ctx: HttpContext, draft: ProxyDraft, { poder }: z.output<typeof powers>, visit: Visit): Promise<void> {
    const offered = await rolesFor(step, visit, draft)
    const chosen = offered.filter(({ namespace, code, version }) => poder.includes(`${namespace}:${code}:${version}`))
    const kind = (['procuracao', 'advocaticia'] as const).find((one) => chosen.every(({ definition }) => definition.kinds.includes(one)))
    const isMixed = new Set(chosen.map(({ namespace }) => namespace)).size > 1
    const fault = chosen.length === 0 ? 'none' : isMixed ? 'mixed' : kind === undefined ? 'kinds' : undefined
    if (fault !== undefined) {
      ctx.status = 422
      return show(ctx, visit, draft, { errors: { poder: `procuracoes.field.powers-${fault}` } })
    }
    const { kind: _kind, ...kept } = draft
    await step.drafts.save(ctx, { ...kept, ...(kind === 'advocaticia' && { kind }), powers: chosen.map(({ namespace, code, version }) => ({ namespace, code, version })) })
    seeOther(ctx, pathOf(step.mode, 'prazo'))
  }
  addStep(router, step, { at: 'poderes', form: powers, keep: [], show, save })
}

function addTerm(router: Router, step: Step): void {
  async function show(ctx: HttpContext, visit: Visit, draft: ProxyDraft, again: Again = {}): Promise<void> {
    const chosen = await Promise.all((draft.powers ?? []).map((power) => step.proxies.roles.find(power)))
    const typed = { ate: draft.until?.split('-').reverse().join('/') ?? '', limite: draft.instance ?? '' }
    const longestDays = Math.min(...chosen.map((role) => role?.definition.longestDays ?? 0))
    const parent = await findParent(step, visit, draft)
    const mayPassOn = step.mode === 'nova' ? chosen.every((role) => (role?.definition.subDepth ?? 0) > 0) : (parent?.subDepth ?? 0) > 1
    showStep(step, ctx, visit, { draft, at: 'prazo', data: { longestDays, lastDay: parent?.validThrough, mayPassOn, isPassedOn: draft.passOn === true, typed, ...again } })
  }
  async function save(ctx: HttpContext, draft: ProxyDraft, { ate, limite, repassar }: z.output<typeof term>): Promise<void> {
    const { instance: held, passOn: _passOn, ...kept } = draft
    const instance = step.mode === 'repassar' ? held : limite
    await step.drafts.save(ctx, { ...kept, until: ate, ...(instance && { instance }), ...(repassar && { passOn: true }) })
    seeOther(ctx, pathOf(step.mode, 'resumo'))
  }
  addStep(router, step, { at: 'prazo', form: term, keep: ['ate', 'limite'], show, save })
}

function addSummary(router: Router, step: Step): void {
  const { proxies, mode } = step

  async function show(ctx: HttpContext, visit: Visit, draft: ProxyDraft, refused?: Refusal): Promise<void> {
    const by = actingAs(visit, draft.company)
    const terms = termsOf(draft)
    let preview: object | undefined
    const refusal = refused ?? (await refusalOf(async () => {
      if (mode === 'nova' && terms) preview = await proxies.mandates.preview(by, terms)
      if (mode === 'repassar' && terms) preview = await proxies.mandates.previewSub(by, parentOf(draft), terms)
    }))
    if (refusal !== undefined) ctx.status = 422
    const words = await wordsOf(ctx, step, draft.powers ?? [])
    showStep(step, ctx, visit, { draft, at: 'resumo', data: { words, preview, refusal, people: peopleOf(draft).map(({ name }) => name), othersHref: mode === 'nova' ? OTHERS : undefined, mendHref: pathOf(mode, MENDS[refusal?.detail ?? ''] ?? 'quem'), here: pathOf(mode, 'resumo') } })
  }
  async function save(ctx: HttpContext, draft: ProxyDraft, _body: object, visit: Visit): Promise<void> {
    const by = actingAs(visit, draft.company)
    const terms = termsOf(draft)
    if (!terms) return seeOther(ctx, pathOf(mode, 'quem'))
    const [represented] = terms.delegates
    let signing: string | undefined
    const refusal = await refusalOf(async () => {
      if (mode !== 'pedir' && (await wantsSignature(step, draft))) signing = await step.signed.prepare(by, terms, mode === 'repassar' ? parentOf(draft) : undefined)
      else if (mode === 'nova') await proxies.mandates.grant(by, terms)
      else if (mode === 'repassar') await proxies.mandates.subdelegate(by, parentOf(draft), terms)
      else if (represented) await askWithin(step, ctx, () => proxies.requests.ask(by, { represented, powers: terms.powers, validThrough: terms.validThrough }))
    })
    if (refusal !== undefined) return show(ctx, visit, draft, refusal)
    if (signing !== undefined) return seeOther(ctx, pathOfSigning(signing))
    await step.drafts.save(ctx, undefined)
    seeOther(ctx, inName(PAGE, draft.company) + (draft.company ? '&' : '?') + tell('', DONE[mode]).slice(1))
  }
  addStep(router, step, { at: 'resumo', form: z.object({}), keep: [], show: (ctx, visit, draft) => show(ctx, visit, draft), save })
}

/** Given by a signature under the instrument, which is read first. */
async function wantsSignature({ proxies }: Step, { powers: chosen = [] }: ProxyDraft): Promise<boolean> {
  const roles = await Promise.all(chosen.map((power) => proxies.roles.find(power)))
  return roles.some((role) => role?.definition.signature === 'avancada')
}

/** @throws {Problem} proxies/too-many-requests for a network that has asked too much */
async function askWithin({ asked }: Step, ctx: HttpContext, ask: () => Promise<unknown>): Promise<void> {
  const { ip } = requestFacts(ctx)
  try {
    asked.check(ip)
  } catch (cause) {
    throw new Problem(PROXIES_PROBLEMS.tooManyRequests, { cause, retryAfterSeconds: 3600 })
  }
  asked.spend(ip)
  await ask()
}

interface StepPages<Form> {
  readonly at: DraftStep
  readonly form: z.ZodType<Form>
  readonly keep: readonly string[]
  readonly show: (ctx: HttpContext, visit: Visit, draft: ProxyDraft, again?: Again) => Promise<void> | void
  readonly save: (ctx: HttpContext, draft: ProxyDraft, body: Form, visit: Visit) => Promise<void>
}

/** One address for GET and POST; whoever comes too early is led to the step that is next. */
function addStep<Form>(router: Router, { pages, drafts, mode }: Step, { at, form, keep, show, save }: StepPages<Form>): void {
  const withDraft = async (ctx: HttpContext, work: (draft: ProxyDraft) => Promise<void> | void): Promise<void> => {
    const draft = await drafts.find(ctx)
    if (draft?.mode !== mode) return seeOther(ctx, `${PAGE}/${mode}`)
    const next = stepOf(draft)
    if (STEPS.indexOf(at) > STEPS.indexOf(next)) return seeOther(ctx, pathOf(mode, next))
    await work(draft)
  }
  const open = pages.signedIn((ctx, visit) => withDraft(ctx, (draft) => show(ctx, visit, draft)))
  const onInvalid = pages.signedIn((ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => withDraft(ctx, (draft) => show(ctx, visit, draft, { errors, ...(keep.length > 0 && { typed }) })))
  const answer = pages.signedIn((ctx, visit, { body }: { body: Form }) => withDraft(ctx, (draft) => save(ctx, draft, body, visit)))
  router.get(pathOf(mode, at), guard({}, open))
  router.post(pathOf(mode, at), guard({ body: form, keep, onInvalid }, answer))
}

function showStep(step: Step, ctx: HttpContext, visit: Visit, { draft, at, data }: { draft: ProxyDraft; at: DraftStep; data: object }): void {
  const before = STEPS[STEPS.indexOf(at) - 1]
  const back = before === undefined ? inName(PAGE, draft.company) : pathOf(step.mode, before)
  showIn(step, ctx, visit, { view: `proxies/draft-${at}`, company: draft.company, data: { draft, mode: step.mode, at: STEPS.indexOf(at) + 1, of: STEPS.length, action: pathOf(step.mode, at), back, ...data } })
}

/**
 * What may be given in this draft: by whom it would be, to whom. Who asks for somebody asks alone, so for no power that wants several, nor for
 * one that its grantor signs for with a certificate, and begins.
 */
async function rolesFor(step: Step, visit: Visit, draft: ProxyDraft): Promise<Role[]> {
  const { proxies, mode } = step
  const other = parsePartyRef(draft.document ?? '')?.kind ?? 'person'
  const own: PartyKind = draft.company === undefined ? 'person' : 'company'
  if (mode === 'repassar') {
    const held = await Promise.all(((await findParent(step, visit, draft))?.powers ?? []).map((power) => proxies.roles.find(power)))
    return held.filter((role) => role?.definition.delegateKinds.includes(other)).filter((role) => role !== undefined)
  }
  const [represented, delegate] = mode === 'nova' ? [own, other] : [other, own]
  return (await proxies.roles.list()).filter(
    ({ definition }) =>
      (definition.kinds.includes('procuracao') || (mode === 'nova' && definition.kinds.includes('advocaticia'))) && (mode === 'nova' || (definition.joint !== 'required' && definition.signature === 'simples')) &&
      definition.representedKinds.some((kind) => kind === represented) && definition.delegateKinds.includes(delegate),
  )
}

/** The mandate that a part is passed on of, while it is the visitor's to pass on. */
async function findParent({ proxies: { mandates } }: Step, visit: Visit, { company, parent }: Pick<ProxyDraft, 'company' | 'parent'>): Promise<Mandate | undefined> {
  const id = parent === undefined ? undefined : parseMandateId(parent)
  return id && (await mandates.listReceived(actingAs(visit, company))).find((one) => one.id === id && mayBePassedOn(one))
}

function parentOf({ parent = '' }: ProxyDraft): MandateId {
  const id = parseMandateId(parent)
  if (id === undefined) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
  return id
}

function pathOf(mode: Mode, at: DraftStep | 'juntos'): string {
  return `${PAGE}/${mode}/${at}`
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
