import type { JsonObject } from 'oidc-provider'
import type { Database } from '../platform/db.ts'
import type { ArtifactStore } from './adapter/artifact.ts'
import type { LogoutNotices } from './logout/notices.ts'
import type { Actor, AuditPort, OidcPorts } from './ports.ts'

const GRANTED_MODELS = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode']

export interface EndedSessions {
  readonly accountId: string
  /** These sessions only; all of the account when absent. */
  readonly sessionUids?: readonly string[] | undefined
  readonly reason: string
  readonly actor: Actor
  /** Also what was granted beyond the session (`offline_access`), as when an account is suspended. */
  readonly offlineToo?: boolean | undefined
  /**
   * With `offlineToo`: beside those sessions everything that began up to this moment, to the second, as the protocol counts; what began
   * later is the owner's, who may be signed in again before this is done. Everything when absent.
   */
  readonly until?: Date | undefined
}

export interface Sessions {
  /** Ends sessions with the tokens under them and tells the relying parties. Returns how many sessions. */
  end(which: EndedSessions): Promise<number>
  /** The session in which this client knows the citizen by this `sid`; `undefined` when there is none any more. */
  findUid(accountId: string, clientId: string, sid: string): Promise<string | undefined>
  /** Kills one grant with its tokens. */
  revokeGrant(grantId: string): Promise<void>
  /** Tells one relying party that what it knows this person by, in this session, is over; the session itself goes on. */
  notify(about: { accountId: string; clientId: string; sessionUid: string | undefined; reason: string }): Promise<void>
  /** Kills the grants of an account at one client with their tokens. */
  revokeGrants(accountId: string, clientId: string): Promise<number>
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

  async function revokeGrants(accountId: string, which: { clientId?: string; until?: Date | undefined }): Promise<number> {
    const grants = (await store.grantsOf(accountId, which.clientId)).filter(({ issuedAt }) => beganBy(issuedAt, which.until))
    for (const { id } of grants) await revokeGrant(id)
    return grants.length
  }

  return {
    revokeGrant,
    revokeGrants: (accountId, clientId) => revokeGrants(accountId, { clientId }),
    async notify({ accountId, clientId, sessionUid, reason }) {
      const session = (await store.sessionsOf(accountId)).find(({ payload }) => payload['uid'] === sessionUid)
      const known = session && authorizationsOf(session.payload).find((one) => one.clientId === clientId)
      await notices.send({ clientId, accountId, sid: known?.sid, reason })
    },
    async findUid(accountId, clientId, sid) {
      const all = await store.sessionsOf(accountId)
      const uid = all.find(({ payload }) => authorizationsOf(payload).some((one) => one.clientId === clientId && one.sid === sid))?.payload[
        'uid'
      ]
      return typeof uid === 'string' ? uid : undefined
    },
    async end({ reason, actor, ...which }) {
      const { accountId, offlineToo = false } = which
      const ended = (await store.sessionsOf(accountId)).filter(({ payload }) => isMeant(payload, which))
      const told = ended.flatMap(({ payload }) => authorizationsOf(payload))
      for (const { id } of ended) await store.destroy('Session', id)
      for (const { grantId, persistsLogout } of told)
        if (grantId !== undefined && (offlineToo || !persistsLogout)) await revokeGrant(grantId)
      if (offlineToo) await revokeGrants(accountId, { until: which.until })
      for (const { clientId, sid } of told) await notices.send({ clientId, accountId, sid, reason })
      for (const { payload } of ended) if (typeof payload['uid'] === 'string') await ports.sessionEnded(payload['uid'], reason)
      const data = { reason, sessions: ended.length, clients: told.length }
      await audit.record(db, { type: 'oidc/sessions-ended', actor, subject: accountId, data })
      return ended.length
    },
  }
}

function isMeant({ uid, loginTs }: JsonObject, { sessionUids, offlineToo, until }: Omit<EndedSessions, 'reason' | 'actor'>): boolean {
  if (sessionUids?.includes(String(uid))) return true
  return offlineToo === true ? beganBy(typeof loginTs === 'number' ? loginTs : undefined, until) : sessionUids === undefined
}

/** What bears no time is as old as can be. */
function beganBy(epochSeconds: number | undefined, until: Date | undefined): boolean {
  return until === undefined || (epochSeconds ?? 0) <= Math.floor(until.getTime() / 1000)
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
