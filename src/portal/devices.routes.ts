import Router from '@koa/router'
import { z } from 'zod'
import type { AccountId } from '../accounts/index.ts'
import { guard } from '../platform/http/guard.ts'
import type { SignOut } from './entrance.routes.ts'
import { tell } from './outcome.ts'
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
  /** Ends it here and at every relying party; nothing for a session that is not this account's. */
  end(accountId: AccountId, sessionId: string): Promise<void>
  endOthers(accountId: AccountId, keep: string): Promise<void>
}

export interface DevicesRoutesDependencies {
  readonly pages: AreaPages
  readonly openSessions: OpenSessions
  readonly signOut: SignOut
}

const PAGE = '/conta/aparelhos'
const form = z.object({ session: z.string().min(1).max(100) })
type Form = z.output<typeof form>

/** Where the account is open, and "sair deste aparelho". */
export function createDevicesRoutes({ pages, openSessions, signOut }: DevicesRoutesDependencies): Router {
  const router = new Router()

  const list = pages.section({ section: 'devices', view: 'devices' }, async ({ account, session }) => {
    const open = await openSessions.list(account.id)
    const sessions = open.map((one) => ({ ...one, current: one.id === session.id }))
    return { sessions: sessions.toSorted((one, other) => Number(other.current) - Number(one.current)) }
  })
  const end = pages.signedIn(async (ctx, visit, { body }: { body: Form }) => {
    if (body.session === visit.session.id) return signOut(ctx)
    await openSessions.end(visit.account.id, body.session)
    seeOther(ctx, tell(PAGE, 'session-ended'))
  })
  const endOthers = pages.signedIn(async (ctx, visit) => {
    await openSessions.endOthers(visit.account.id, visit.session.id)
    seeOther(ctx, tell(PAGE, 'others-ended'))
  })

  router.get(PAGE, list)
  router.post(`${PAGE}/sair`, guard({ body: form }, end))
  router.post(`${PAGE}/sair-dos-outros`, guard({}, endOthers))
  return router
}
