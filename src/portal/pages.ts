import { type Account, ACCOUNTS_PROBLEMS, type Changer, displayName, isByFaceAlone, type SignInSession } from '../accounts/index.ts'
import { guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import { type HttpContext, type HttpMiddleware, requestFacts } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import { isProblem } from '../platform/problem.ts'
import { type AreaData, entranceTo, pageOf } from './area.ts'
import { type Outcome, type OutcomeQuery, outcomeQuery, toneOf } from './outcome.ts'
import { type AreaVisit, findSignedIn, type VisitAccounts } from './visit.ts'

/** The parts of the area, in the order of its menu. */
const SECTIONS = [
  { name: 'home', href: '/conta', icon: 'home' },
  { name: 'data', href: '/conta/dados', icon: 'user' },
  { name: 'level', href: '/conta/nivel', icon: 'shield' },
  { name: 'security', href: '/conta/seguranca', icon: 'lock' },
  { name: 'devices', href: '/conta/aparelhos', icon: 'device' },
  { name: 'systems', href: '/conta/sistemas', icon: 'plug' },
  { name: 'appointments', href: '/conta/agendamentos', icon: 'calendar' },
  { name: 'proxies', href: '/conta/procuracoes', icon: 'document' },
  { name: 'documents', href: '/conta/assinaturas', icon: 'pen' },
  { name: 'companies', href: '/conta/empresas', icon: 'building' },
  { name: 'certificates', href: '/conta/certificados', icon: 'key' },
  { name: 'history', href: '/conta/historico', icon: 'history' },
] as const

/** What a face alone may do besides looking: stop things, keep an hour at a counter, and make the way in that the counter opened. */
const BY_FACE: readonly RegExp[] = [
  /^\/conta\/(nao-fui-eu|sistemas\/retirar|aparelhos\/[\w-]+)$/,
  /^\/conta\/agendamentos(\/desmarcar)?$/,
  /^\/conta\/balcao\/acesso\//,
  /^\/conta\/procuracoes\/[\w-]+\/(recusar|renunciar|parar|cancelar|nao-fui-eu)$/,
  /^\/conta\/procuracoes\/(pedidos|atos)\/[\w-]+\/(recusar|desistir)$/,
  /^\/conta\/assinaturas\/[\w-]+\/(cancelar|recusar)$/,
  /^\/conta\/certificados\/[\w-]+\/(parar|revogar)$/,
]

export type Section = (typeof SECTIONS)[number]['name']

/** A signed-in visit to the area. */
export interface Visit extends AreaVisit {
  /** Who asks for a change of credentials or contacts, as the accounts room wants to know it. */
  readonly changer: Changer
  /** Until when changes wait after a recovery; `undefined` when they do not. */
  readonly heldUntil: Date | undefined
}

export type VisitHandler<Input> = (ctx: HttpContext, visit: Visit, input: Input) => Promise<void> | void

export interface Page {
  readonly section: Section
  readonly view: string
  readonly data?: object
  readonly outcome?: Outcome | undefined
}

export interface AreaPages {
  /** Who visits; a page session whose sign-in is over ends here. */
  findVisit(ctx: HttpContext): Promise<Visit | undefined>
  /** Runs the handler for a signed-in citizen; anybody else goes to the sign-in and comes back to this page. */
  signedIn<Input>(handler: VisitHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void>
  /**
   * The same for a change of credentials or contacts: an old sign-in is renewed first (ASVS 7.5.1), and after a recovery the citizen is
   * told how long to wait.
   */
  fresh<Input>(handler: VisitHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void>
  /** A page of the menu: signed in, with what the last action came to. */
  section(page: Pick<Page, 'section' | 'view'>, dataOf: (visit: Visit, ctx: HttpContext) => Promise<object> | object): HttpMiddleware
  show(ctx: HttpContext, visit: Visit, page: Page): void
  /** Refusals of the accounts room that have a page of their own here. */
  readonly refusals: HttpMiddleware
}

/** What the area asks of the accounts room on every page. */
export interface AreaAccounts extends VisitAccounts {
  /** Whether a sign-in is recent enough for a change of credentials. */
  isRecent(session: SignInSession): boolean
  /** Until when changes wait after a recovery. */
  heldUntil(account: Account): Date | undefined
}

export interface AreaPagesDependencies {
  readonly sessions: PageSessions<AreaData>
  readonly accounts: AreaAccounts
  readonly views: Views
  readonly messages: Messages
}

/** What every page of the area shares: who is there, the menu, and where to go when that is not enough. */
export function createAreaPages({ sessions, accounts, views, messages }: AreaPagesDependencies): AreaPages {
  async function findVisit(ctx: HttpContext): Promise<Visit | undefined> {
    const found = await findSignedIn(ctx, sessions, accounts)
    if (found === undefined) return undefined
    const { account, session, idToken } = found
    const changer = { accountId: account.id, authenticatedAt: session.authenticatedAt, sessionId: session.id, facts: requestFacts(ctx) }
    return { account, session, idToken, changer, heldUntil: accounts.heldUntil(account) }
  }

  const enter = (ctx: HttpContext, isRenewal = false) => seeOther(ctx, entranceTo(pageOf(ctx), { isRenewal }))

  const signedIn: AreaPages['signedIn'] = (handler) => async (ctx, input) => {
    const visit = await findVisit(ctx)
    if (visit === undefined) return enter(ctx)
    if (isByFaceAlone(visit.session) && ctx.method !== 'GET' && ctx.method !== 'HEAD' && !BY_FACE.some((stop) => stop.test(ctx.path))) return refuseFace(ctx, visit)
    await handler(ctx, visit, input)
  }

  const show: AreaPages['show'] = (ctx, { account }, { section, view, data, outcome }) => {
    const t = (key: string) => messages.text(localeOf(ctx), key)
    const menu = SECTIONS.map(({ name, href, icon }) => ({ href, icon, label: t(`portal.nav.${name}`), current: name === section }))
    const user = { name: displayName(account.citizen.reveal()), signOutHref: '/conta/sair' }
    const told = outcome && { tone: toneOf(outcome), text: t(`portal.done.${outcome}`) }
    if (ctx.status === 404) ctx.status = 200
    views.render(ctx, `portal/${view}`, { area: { user, homeHref: '/conta' }, menu, outcome: told, ...data })
  }

  const refuseFace = (ctx: HttpContext, visit: Visit): void => {
    ctx.status = 403
    show(ctx, visit, { section: 'security', view: 'face-alone' })
  }

  return {
    findVisit,
    signedIn,
    fresh: (handler) =>
      signedIn(async (ctx, visit, input) => {
        if (isByFaceAlone(visit.session)) return refuseFace(ctx, visit)
        if (visit.heldUntil !== undefined) return seeOther(ctx, '/conta/seguranca')
        if (!accounts.isRecent(visit.session)) return enter(ctx, true)
        await handler(ctx, visit, input)
      }),
    section: (page, dataOf) =>
      guard(
        { query: outcomeQuery },
        signedIn(async (ctx, visit, { query }: { query: OutcomeQuery }) => {
          show(ctx, visit, { ...page, data: await dataOf(visit, ctx), outcome: query.feito })
        }),
      ),
    show,
    async refusals(ctx, next) {
      try {
        await next()
      } catch (error) {
        if (isProblem(error, ACCOUNTS_PROBLEMS.reauthenticationNeeded)) enter(ctx, true)
        else if (isProblem(error, ACCOUNTS_PROBLEMS.changesHeld)) seeOther(ctx, '/conta/seguranca')
        else if (isProblem(error, ACCOUNTS_PROBLEMS.accountNotActive)) enter(ctx)
        else throw error
      }
    },
  }
}

/** 303: what was posted is done, the browser reads another page. */
export function seeOther(ctx: HttpContext, location: string): void {
  ctx.status = 303
  ctx.redirect(location)
}
