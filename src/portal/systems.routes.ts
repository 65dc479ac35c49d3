import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../platform/http/guard.ts'
import { tell } from './outcome.ts'
import { type AreaPages, seeOther } from './pages.ts'

/** One relying party that the citizen agreed to. */
export interface ConnectedSystem {
  readonly clientId: string
  readonly clientName: string
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly grantedAt: Date
}

export interface ConnectedSystems {
  list(accountId: string): Promise<readonly ConnectedSystem[]>
  /** Every token under the agreement is dead when this is done; nothing where there is none. */
  withdraw(accountId: string, clientId: string): Promise<void>
}

const PAGE = '/conta/sistemas'
const form = z.object({ client: z.string().min(1).max(200) })

/** Connected relying parties: what each may see, and the way to take that back. */
export function createSystemsRoutes({ pages, systems }: { pages: AreaPages; systems: ConnectedSystems }): Router {
  const router = new Router()

  const list = pages.section({ section: 'systems', view: 'systems' }, async ({ account }) => ({ systems: await systems.list(account.id) }))
  const withdraw = pages.signedIn(async (ctx, visit, { body }: { body: z.output<typeof form> }) => {
    await systems.withdraw(visit.account.id, body.client)
    seeOther(ctx, tell(PAGE, 'consent-withdrawn'))
  })

  router.get(PAGE, list)
  router.post(`${PAGE}/retirar`, guard({ body: form }, withdraw))
  return router
}
