import Router from '@koa/router'
import { z } from 'zod'
import type { AccountId } from '../accounts/index.ts'
import { guard } from '../platform/http/guard.ts'
import { type AreaPages, seeOther } from './pages.ts'

/** One place where the account is open. */
export interface OpenSession {
  readonly id: string
  /** What the browser says of itself, e.g. `Chrome · Android`. */
  readonly label: string | undefined
  readonly createdAt: Date
  readonly lastSeenAt: Date
}

export interface OpenSessions {
  list(accountId: AccountId): Promise<readonly OpenSession[]>
  /** Ends it here and at every relying party. */
  end(accountId: AccountId, sessionId: string): Promise<void>
  endOthers(accountId: AccountId, keep: string | undefined): Promise<void>
}

const done = z.object({ feito: z.enum(['session-ended', 'others-ended']).optional() })
const form = z.object({ session: z.string().min(1).max(100) })

/** Where the account is open, and "sair deste aparelho". */
export function createDevicesRoutes({ pages, openSessions }: { pages: AreaPages; openSessions: OpenSessions }): Router {
  const router = new Router()

  router.get('/conta/aparelhos', guard({ query: done }, pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof done> }) => {
    const sessions = (await openSessions.list(visit.account.id)).map((session) => ({ ...session, current: session.id === visit.citizen.sessionId }))
    pages.show(ctx, visit, { section: 'devices', view: 'devices', data: { sessions, done: query.feito } })
  })))

  router.post('/conta/aparelhos/sair', guard({ body: form }, pages.signedIn(async (ctx, visit, { body }: { body: z.output<typeof form> }) => {
    await openSessions.end(visit.account.id, body.session)
    seeOther(ctx, '/conta/aparelhos?feito=session-ended')
  })))

  router.post('/conta/aparelhos/sair-dos-outros', guard({}, pages.signedIn(async (ctx, visit) => {
    await openSessions.endOthers(visit.account.id, visit.citizen.sessionId)
    seeOther(ctx, '/conta/aparelhos?feito=others-ended')
  })))

  return router
}
