import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../platform/http/guard.ts'
import { type AreaPages, seeOther } from './pages.ts'

/** One relying party that the citizen agreed to. */
export interface ConnectedSystem {
  readonly clientId: string
  readonly clientName: string
  readonly scopes: readonly string[]
  readonly grantedAt: Date
}

export interface ConnectedSystems {
  list(accountId: string): Promise<readonly ConnectedSystem[]>
  /** Every token under the agreement is dead when this is done. */
  withdraw(accountId: string, clientId: string): Promise<void>
}

const done = z.object({ feito: z.literal('consent-withdrawn').optional() })
const form = z.object({ client: z.string().min(1).max(200) })

/** Connected relying parties: what each may see, and the way to take that back. */
export function createSystemsRoutes({ pages, systems }: { pages: AreaPages; systems: ConnectedSystems }): Router {
  const router = new Router()
  router.get('/conta/sistemas', guard({ query: done }, pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof done> }) => {
    const consents = await systems.list(visit.account.id)
    pages.show(ctx, visit, { section: 'systems', view: 'systems', data: { consents, done: query.feito } })
  })))
  router.post('/conta/sistemas/retirar', guard({ body: form }, pages.signedIn(async (ctx, visit, { body }: { body: z.output<typeof form> }) => {
    await systems.withdraw(visit.account.id, body.client)
    seeOther(ctx, '/conta/sistemas?feito=consent-withdrawn')
  })))
  return router
}
