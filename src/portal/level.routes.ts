import Router from '@koa/router'
import { z } from 'zod'
import type { AccountId, PersonId } from '../accounts/index.ts'
import type { Explanation } from '../assurance/index.ts'
import { guard } from '../platform/http/guard.ts'
import type { AreaPages } from './pages.ts'

export interface LevelRoutesDependencies {
  readonly pages: AreaPages
  /** Answers "por que sou prata?" for this account. */
  readonly explain: (accountId: AccountId, personId: PersonId) => Promise<Explanation>
}

/** "Por que sou prata?": what counts, what no longer does, and every way up. */
export function createLevelRoutes({ pages, explain }: LevelRoutesDependencies): Router {
  const router = new Router()
  const done = z.object({ feito: z.literal('level').optional() })
  router.get('/conta/nivel', guard({ query: done }, pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof done> }) => {
    const explanation = await explain(visit.account.id, visit.account.personId)
    pages.show(ctx, visit, { section: 'level', view: 'level', data: { ...explanation, done: query.feito } })
  })))
  return router
}
