import Router from '@koa/router'
import type { AccountId, PersonId } from '../accounts/index.ts'
import type { Explanation } from '../assurance/index.ts'
import type { AreaPages } from './pages.ts'

export interface LevelRoutesDependencies {
  readonly pages: AreaPages
  /** Answers "por que sou prata?" for this account. */
  readonly explain: (accountId: AccountId, personId: PersonId) => Promise<Explanation & { readonly managesCertificate?: boolean }>
}

/** "Por que sou prata?": what counts, what no longer does, and every way up. */
export function createLevelRoutes({ pages, explain }: LevelRoutesDependencies): Router {
  const router = new Router()
  router.get(
    '/conta/nivel',
    pages.section({ section: 'level', view: 'level' }, ({ account }) => explain(account.id, account.personId)),
  )
  return router
}
