import Router from '@koa/router'
import { type Account, type AccountId, displayName, type PersonId } from '../accounts/index.ts'
import type { Explanation } from '../assurance/index.ts'
import { guard } from '../platform/http/guard.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { Views } from '../platform/http/views.ts'
import { type AreaData, findCitizen } from './area.ts'
import { type Ledger, linesOf } from './history.routes.ts'
import type { AreaPages, Visit } from './pages.ts'

const RECENT = 3

/** When an account may change its credentials again after a recovery. */
export interface Hold {
  readonly canChangeSensitive: (account: Account) => boolean
  readonly holdSeconds: number
}

/** What the first page knows about an account besides its owner. */
export interface Overview {
  explain(accountId: AccountId, personId: PersonId): Promise<Explanation>
  hasTotp(accountId: AccountId): Promise<boolean>
  recoveryCodesLeft(accountId: AccountId): Promise<number>
}

export interface HomeRoutesDependencies {
  readonly pages: AreaPages
  readonly overview: Overview
  readonly ledger: Ledger
  readonly entrance: { readonly sessions: PageSessions<AreaData>; readonly views: Views }
  readonly hold: Hold
}

/** `/conta`: level, what is worth doing, the latest uses; for a stranger, the way in. */
export function createHomeRoutes({ pages, overview, ledger, entrance, hold }: HomeRoutesDependencies): Router {
  const router = new Router()
  const show = pages.signedIn(async (ctx, visit) => {
    const { level } = await overview.explain(visit.account.id, visit.account.personId)
    const entries = await ledger.audit.ledger(visit.account.id, { limit: RECENT })
    const data = {
      level,
      firstName: displayName(visit.account.citizen.reveal()).split(' ')[0],
      suggestions: await suggestionsFor(overview, visit, level),
      entries: await linesOf(ctx, ledger, entries),
      restrictedUntil: restrictedUntil(visit, hold),
    }
    pages.show(ctx, visit, { section: 'home', view: 'home', data })
  })

  router.get('/', guard({}, (ctx) => ctx.redirect('/conta')))
  router.get('/conta', guard({}, async (ctx, input) => {
    if ((await findCitizen(entrance.sessions, ctx)) !== undefined) return show(ctx, input)
    ctx.status = 200
    entrance.views.render(ctx, 'portal/signed-out', {})
  }))
  return router
}

async function suggestionsFor(overview: Overview, { account }: Visit, level: string): Promise<string[]> {
  const [hasTotp, codesLeft] = [await overview.hasTotp(account.id), await overview.recoveryCodesLeft(account.id)]
  return [...(level === 'bronze' ? ['level'] : []), ...(hasTotp ? [] : ['totp']), ...(codesLeft > 0 ? [] : ['recovery-codes'])]
}

/** Until when changes of credentials wait after a recovery; `undefined` when they do not. */
export function restrictedUntil({ account }: Visit, { canChangeSensitive, holdSeconds }: Hold): Date | undefined {
  if (account.recoveredAt === undefined || canChangeSensitive(account)) return undefined
  return new Date(account.recoveredAt.getTime() + holdSeconds * 1000)
}
