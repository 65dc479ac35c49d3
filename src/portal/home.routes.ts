import Router from '@koa/router'
import { type AccountId, displayName, type PersonId } from '../accounts/index.ts'
import type { Explanation, Level } from '../assurance/index.ts'
import { guard } from '../platform/http/guard.ts'
import type { Views } from '../platform/http/views.ts'
import { type Ledger, linesOf } from './history/ledger-line.ts'
import { outcomeQuery } from './outcome.ts'
import type { AreaPages } from './pages.ts'

const RECENT = 3

/** What the first page knows about an account besides its owner. */
export interface Overview {
  explain(accountId: AccountId, personId: PersonId): Promise<Explanation>
  hasTotp(accountId: AccountId): Promise<boolean>
  hasPasskey(accountId: AccountId): Promise<boolean>
  recoveryCodesLeft(accountId: AccountId): Promise<number>
}

export interface HomeRoutesDependencies {
  readonly pages: AreaPages
  readonly overview: Overview
  readonly ledger: Ledger
  readonly views: Views
}

/** `/conta`: level, what is worth doing, the latest uses; for a stranger, the way in. */
export function createHomeRoutes({ pages, overview, ledger, views }: HomeRoutesDependencies): Router {
  const router = new Router()

  router.get(
    '/',
    guard({}, (ctx) => ctx.redirect('/conta')),
  )

  router.get(
    '/conta',
    guard({ query: outcomeQuery }, async (ctx, { query }) => {
      const visit = await pages.findVisit(ctx)
      if (visit === undefined) {
        ctx.status = 200
        return views.render(ctx, 'portal/signed-out', {})
      }
      const { id, personId, citizen } = visit.account
      const { level } = await overview.explain(id, personId)
      const data = {
        level,
        firstName: displayName(citizen.reveal()).split(' ')[0],
        suggestions: await suggestionsFor(overview, id, level),
        entries: await linesOf(ctx, ledger, id, await ledger.audit.ledger(id, { limit: RECENT })),
        heldUntil: visit.heldUntil,
      }
      pages.show(ctx, visit, { section: 'home', view: 'home', data, outcome: query.feito })
    }),
  )

  return router
}

async function suggestionsFor(overview: Overview, id: AccountId, level: Level): Promise<string[]> {
  const hasSecondFactor = (await overview.hasTotp(id)) || (await overview.hasPasskey(id))
  const hasCodes = (await overview.recoveryCodesLeft(id)) > 0
  return [...(level === 'bronze' ? ['level'] : []), ...(hasSecondFactor ? [] : ['totp']), ...(hasCodes ? [] : ['recovery-codes'])]
}
