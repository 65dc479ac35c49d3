import type { Account, AccountId } from '../accounts/index.ts'
import { ACCOUNTS_PROBLEMS, displayName } from '../accounts/index.ts'
import type { Clock } from '../platform/clock.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import { type HttpContext, type HttpMiddleware, requestFacts } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import { isProblem } from '../platform/problem.ts'
import { type AreaData, type Citizen, findCitizen, FRESH_SECONDS, safeReturn } from './area.ts'

/** The parts of the area, in the order of its menu. */
const SECTIONS = [
  { name: 'home', href: '/conta', icon: 'home' },
  { name: 'data', href: '/conta/dados', icon: 'user' },
  { name: 'level', href: '/conta/nivel', icon: 'shield' },
  { name: 'security', href: '/conta/seguranca', icon: 'lock' },
  { name: 'devices', href: '/conta/aparelhos', icon: 'device' },
  { name: 'systems', href: '/conta/sistemas', icon: 'plug' },
  { name: 'history', href: '/conta/historico', icon: 'history' },
] as const

export type Section = (typeof SECTIONS)[number]['name']

/** A signed-in visit to the area. */
export interface Visit {
  readonly citizen: Citizen
  readonly account: Account
  /** Who asks for a change of credentials or contacts, as the accounts room wants to know it. */
  readonly changer: { accountId: AccountId; authenticatedAt: Date; sessionId?: string | undefined; facts: ReturnType<typeof requestFacts> }
}

export type VisitHandler<Input> = (ctx: HttpContext, visit: Visit, input: Input) => Promise<void> | void

export interface AreaPages {
  /** Runs the handler for a signed-in citizen; anybody else goes to the sign-in and comes back to this page. */
  signedIn<Input>(handler: VisitHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void>
  /** The same for a page whose change wants a sign-in of the last 20 minutes: an older one is renewed first. */
  fresh<Input>(handler: VisitHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void>
  show(ctx: HttpContext, visit: Visit, page: { section: Section; view: string; data?: object }): void
  /** Refusals of the accounts room that have a page of their own here. */
  readonly refusals: HttpMiddleware
}

export interface AreaPagesDependencies {
  readonly sessions: PageSessions<AreaData>
  readonly findAccount: (accountId: string) => Promise<Account | undefined>
  readonly views: Views
  readonly messages: Messages
  readonly clock: Clock
}

/** What every page of the area shares: who is there, the menu, and where to go when that is not enough. */
export function createAreaPages({ sessions, findAccount, views, messages, clock }: AreaPagesDependencies): AreaPages {
  async function visitOf(ctx: HttpContext): Promise<Visit | undefined> {
    const citizen = await findCitizen(sessions, ctx)
    const account = citizen && (await findAccount(citizen.accountId))
    if (citizen === undefined || account?.status !== 'active') return undefined
    const { authenticatedAt, sessionId } = citizen
    return { citizen, account, changer: { accountId: account.id, authenticatedAt, sessionId, facts: requestFacts(ctx) } }
  }

  const isFresh = ({ authenticatedAt }: Citizen) => clock.now().getTime() - authenticatedAt.getTime() <= FRESH_SECONDS * 1000
  const enter = (ctx: HttpContext, wish = '') => seeOther(ctx, `/conta/entrar?para=${safeReturn(pageOf(ctx.path))}${wish}`)

  return {
    signedIn: (handler) => async (ctx, input) => {
      const visit = await visitOf(ctx)
      if (visit === undefined) return enter(ctx)
      await handler(ctx, visit, input)
    },
    fresh: (handler) => async (ctx, input) => {
      const visit = await visitOf(ctx)
      if (visit === undefined) return enter(ctx)
      if (!isFresh(visit.citizen)) return enter(ctx, '&renovar=1')
      await handler(ctx, visit, input)
    },
    show(ctx, { account }, { section, view, data }) {
      const t = (key: string) => messages.text(localeOf(ctx), key)
      const nav = SECTIONS.map(({ name, href, icon }) => ({ href, icon, label: t(`portal.nav.${name}`), current: name === section }))
      const user = { name: displayName(account.citizen.reveal()), signOutHref: '/conta/sair' }
      if (ctx.status === 404) ctx.status = 200
      views.render(ctx, `portal/${view}`, { area: { nav, user, homeHref: '/conta' }, ...data })
    },
    async refusals(ctx, next) {
      try {
        await next()
      } catch (error) {
        if (isProblem(error, ACCOUNTS_PROBLEMS.reauthenticationNeeded)) enter(ctx, '&renovar=1')
        else if (isProblem(error, ACCOUNTS_PROBLEMS.changesHeld)) seeOther(ctx, '/conta/seguranca')
        else if (isProblem(error, ACCOUNTS_PROBLEMS.accountNotActive)) seeOther(ctx, '/conta/entrar')
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

/** The page to come back to: a posted address whose page is one level up loses its last part. */
function pageOf(path: string): string {
  return path.replace(/\/(remover|opcoes|codigo|sair|sair-dos-outros|retirar)$/, '').replace(/\/[0-9a-f-]{36}$/, '')
}
