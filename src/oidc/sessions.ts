import type { JsonObject } from 'oidc-provider'
import type { Database } from '../platform/db.ts'
import type { ArtifactStore } from './adapter/artifact.ts'
import type { LogoutNotices } from './logout/notices.ts'
import type { Actor, AuditPort, OidcPorts } from './ports.ts'

const GRANTED_MODELS = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode']

export interface EndedSessions {
  readonly accountId: string
  /** One session only; all of the account when absent. */
  readonly sessionUid?: string | undefined
  readonly reason: string
  readonly actor: Actor
  /** Also what was granted beyond the session (`offline_access`), as when an account is suspended. */
  readonly offlineToo?: boolean | undefined
}

export interface Sessions {
  /** Ends sessions with the tokens under them and tells the relying parties. Returns how many sessions. */
  end(which: EndedSessions): Promise<number>
  /** The session in which this client knows the citizen by this `sid`; `undefined` when there is none any more. */
  findUid(accountId: string, clientId: string, sid: string): Promise<string | undefined>
  /** Kills the grants of an account at one client, or at all, with their tokens. */
  revokeGrants(accountId: string, clientId?: string): Promise<number>
}

export interface SessionsDeps {
  readonly db: Database
  readonly store: ArtifactStore
  readonly notices: LogoutNotices
  readonly audit: AuditPort
  readonly ports: Pick<OidcPorts, 'sessionEnded'>
}

interface Authorization {
  readonly clientId: string
  readonly sid: string | undefined
  readonly grantId: string | undefined
  readonly persistsLogout: boolean
}

/** Sessions of the protocol seen from outside a request: "sair deste aparelho", "não fui eu", a suspended account. */
export function createSessions({ db, store, notices, audit, ports }: SessionsDeps): Sessions {
  async function revokeGrant(grantId: string): Promise<void> {
    await store.destroy('Grant', grantId)
    for (const model of GRANTED_MODELS) await store.revokeByGrantId(model, grantId)
  }

  async function revokeGrants(accountId: string, clientId?: string): Promise<number> {
    const grants = await store.grantsOf(accountId, clientId)
    for (const { id } of grants) await revokeGrant(id)
    return grants.length
  }

  return {
    revokeGrants,
    async findUid(accountId, clientId, sid) {
      const all = await store.sessionsOf(accountId)
      const uid = all.find(({ payload }) => authorizationsOf(payload).some((one) => one.clientId === clientId && one.sid === sid))?.payload[
        'uid'
      ]
      return typeof uid === 'string' ? uid : undefined
    },
    async end({ accountId, sessionUid, reason, actor, offlineToo = false }) {
      const all = await store.sessionsOf(accountId)
      const ended = sessionUid === undefined ? all : all.filter(({ payload }) => payload['uid'] === sessionUid)
      const told = ended.flatMap(({ payload }) => authorizationsOf(payload))
      for (const { id } of ended) await store.destroy('Session', id)
      for (const { grantId, persistsLogout } of told)
        if (grantId !== undefined && (offlineToo || !persistsLogout)) await revokeGrant(grantId)
      if (offlineToo && sessionUid === undefined) await revokeGrants(accountId)
      for (const { clientId, sid } of told) await notices.send({ clientId, accountId, sid, reason })
      for (const { payload } of ended) if (typeof payload['uid'] === 'string') await ports.sessionEnded(payload['uid'], reason)
      const data = { reason, sessions: ended.length, clients: told.length }
      await audit.record(db, { type: 'oidc/sessions-ended', actor, subject: accountId, data })
      return ended.length
    },
  }
}

function authorizationsOf({ authorizations }: JsonObject): Authorization[] {
  if (typeof authorizations !== 'object' || authorizations === null) return []
  return Object.entries(authorizations).map(([clientId, entry]: [string, unknown]) => {
    const text = (name: string) => {
      const value: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, name) : undefined
      return typeof value === 'string' ? value : undefined
    }
    const persistsLogout = typeof entry === 'object' && entry !== null && Reflect.get(entry, 'persistsLogout') === true
    return { clientId, sid: text('sid'), grantId: text('grantId'), persistsLogout }
  })
}
