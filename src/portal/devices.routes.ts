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

/** A browser that the account knows: signing in with it is no news to its owner. */
export interface KnownDevice {
  readonly id: string
  readonly label: string | undefined
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

export interface KnownDevices {
  list(accountId: AccountId): Promise<readonly KnownDevice[]>
  /** Its sessions end, and its next sign-in is that of a new device; nothing for a device that is not this account's. */
  forget(accountId: AccountId, deviceId: string): Promise<void>
}

export interface DevicesRoutesDependencies {
  readonly pages: AreaPages
  readonly openSessions: OpenSessions
  readonly knownDevices: KnownDevices
  readonly signOut: SignOut
}

const PAGE = '/conta/aparelhos'
const form = z.object({ session: z.string().min(1).max(100) })
type Form = z.output<typeof form>
const forgetting = z.object({ device: z.uuid() })
type Forgetting = z.output<typeof forgetting>

/** Where the account is open, which devices it knows, "sair deste aparelho" and "esquecer este aparelho". */
export function createDevicesRoutes({ pages, openSessions, knownDevices, signOut }: DevicesRoutesDependencies): Router {
  const router = new Router()

  const list = pages.section({ section: 'devices', view: 'devices' }, async ({ account, session }) => {
    const open = await openSessions.list(account.id)
    const sessions = open.map((one) => ({ ...one, current: one.id === session.id }))
    const known = (await knownDevices.list(account.id)).map((device) => ({ ...device, current: device.id === session.deviceId }))
    return { sessions: sessions.toSorted((one, other) => Number(other.current) - Number(one.current)), known }
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

  const forget = pages.signedIn(async (ctx, { account, session }, { body }: { body: Forgetting }) => {
    await knownDevices.forget(account.id, body.device)
    if (body.device === session.deviceId) return signOut(ctx)
    seeOther(ctx, tell(PAGE, 'device-forgotten'))
  })

  router.get(PAGE, list)
  router.post(`${PAGE}/esquecer`, guard({ body: forgetting }, forget))
  router.post(`${PAGE}/sair`, guard({ body: form }, end))
  router.post(`${PAGE}/sair-dos-outros`, guard({}, endOthers))
  return router
}
