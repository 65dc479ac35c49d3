import type Router from '@koa/router'
import type { AccountId } from '../accounts/index.ts'
import type { Oidc } from '../oidc/index.ts'
import { type AreaData, createAreaSessions, createLoopbackFetch, createPortalRoutes, createRelyingParty } from '../portal/index.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { Foundation } from './foundation.ts'
import type { Rooms } from './rooms.ts'
import { faceCheckGrants, type Look, type Web } from './web.ts'

export const AREA_CLIENT = 'mt-conta'

const AREA_SCOPES = ['openid', 'profile', 'cpf', 'email', 'phone'] as const
/** How far back "não fui eu" doubts face checks. */
const DOUBTED_MS = 30 * 86_400_000

export interface CitizenAreaDependencies {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  readonly web: Web
  readonly look: Look
}

/** `/conta` as a first-party relying party of this very server: its registration, its sessions, its routes. */
export async function openCitizenArea(deps: CitizenAreaDependencies, localAddress: () => { host: string; port: number }): Promise<{ routes: Router; sessions: PageSessions<AreaData> }> {
  const { foundation, rooms, oidc, web, look } = deps
  const { publicUrl } = foundation.config.platform
  const sessions = createAreaSessions(foundation, { idleSeconds: rooms.settings.session.idleSeconds, absoluteSeconds: rooms.settings.session.totalSeconds })
  const relyingParty = createRelyingParty({
    issuer: publicUrl, clientId: AREA_CLIENT, clientSecret: await registerArea(oidc, foundation.keyring, publicUrl), scope: AREA_SCOPES.join(' '),
    redirectUri: `${publicUrl}/conta/retorno`, postLogoutRedirectUri: `${publicUrl}/conta/saiu`,
    claims: { id_token: { sid: { essential: true } } },
    fetch: createLoopbackFetch(publicUrl, localAddress),
  })
  const { accounts, assurance, audit, images, faces } = rooms
  const routes = createPortalRoutes({
    entrance: { sessions, relyingParty, views: web.views, publicUrl, findSession: (accountId, sid) => oidc.sessions.findUid(accountId, AREA_CLIENT, sid) },
    area: { findAccount: accounts.find, messages: look.messages, clock: foundation.clock },
    account: {
      contacts: accounts.contacts,
      factors: { ...accounts.factors, changePassword: accounts.changePassword },
      openSessions: openSessionsOf(rooms),
      systems: connectedSystems(oidc),
      overview: {
        async explain(accountId, personId) {
          const reference = await images.findReference(personId, faces.rule.modelId)
          return assurance.explain(accountId, { hasReferenceImage: reference !== undefined, faceCheckGrants: faceCheckGrants(foundation.config.demo.enabled) })
        },
        hasTotp: accounts.factors.totp.isEnabled,
        recoveryCodesLeft: accounts.factors.recoveryCodes.countLeft,
      },
    },
    history: {
      ledger: { audit, messages: look.messages, clientName: (id) => clientName(oidc, id) },
      reportMisuse: (accountId, personId) => reportMisuse(foundation, rooms, accountId, personId),
    },
    settings: { holdSeconds: rooms.settings.session.holdSeconds, minPasswordLength: rooms.settings.password.minLength, canChangeSensitive: accounts.canChangeSensitive },
  })
  return { routes, sessions }
}

/**
 * The area's registration, made on the first start and kept in step with the public address.
 *
 * Its secret is derived from the keyring, so that every process knows it and no copy of it is stored.
 */
async function registerArea({ clients }: Oidc, keyring: Keyring, publicUrl: string): Promise<string> {
  const actor = { kind: 'system' } as const
  const secret = keyring.hash(AREA_CLIENT, 'first-party-client').toString('base64url')
  const redirectUri = `${publicUrl}/conta/retorno`
  const metadata = { client_name: 'MT Login', redirect_uris: [redirectUri], post_logout_redirect_uris: [`${publicUrl}/conta/saiu`], client_uri: `${publicUrl}/conta` }
  const policy = { firstParty: true, allowedScopes: [...AREA_SCOPES], allowInternalHosts: [new URL(publicUrl).host] }
  const known = await clients.find(AREA_CLIENT)
  if (known === undefined) await clients.create({ id: AREA_CLIENT, metadata, policy, actor, secret })
  else if (!known.metadata.redirect_uris.includes(redirectUri)) await clients.change(AREA_CLIENT, { metadata, policy, actor })
  return secret
}

function openSessionsOf({ accounts }: Rooms) {
  const { sessions } = accounts
  return {
    async list(accountId: AccountId) {
      const devices = new Map((await accounts.listDevices(accountId)).map((device) => [device.id, device.label]))
      return (await sessions.list(accountId)).map(({ id, deviceId, createdAt, lastSeenAt }) => ({
        id, createdAt, lastSeenAt, label: deviceId === undefined ? undefined : devices.get(deviceId),
      }))
    },
    end: async (accountId: AccountId, id: string) => void (await sessions.end(accountId, id, 'citizen')),
    async endOthers(accountId: AccountId, keep: string | undefined) {
      for (const { id } of await sessions.list(accountId)) if (id !== keep) await sessions.end(accountId, id, 'citizen')
    },
  }
}

function connectedSystems(oidc: Oidc) {
  return {
    async list(accountId: string) {
      const consents = await oidc.consents.list(accountId)
      return Promise.all(consents.map(async ({ clientId, scopes, grantedAt }) => ({ clientId, clientName: await clientName(oidc, clientId), scopes, grantedAt })))
    },
    withdraw: oidc.consents.withdraw,
  }
}

async function clientName({ clients }: Oidc, id: string): Promise<string> {
  return (await clients.find(id))?.metadata.client_name ?? id
}

/** "Não fui eu": the account stops, and what somebody may have gained by a camera in the last month no longer counts. */
async function reportMisuse({ db, clock }: Foundation, { accounts, assurance }: Rooms, accountId: AccountId, personId: string): Promise<void> {
  const actor = { kind: 'citizen', id: accountId } as const
  await accounts.safety.suspend(accountId, { reason: 'not-me', actor })
  const since = new Date(clock.now().getTime() - DOUBTED_MS)
  await db.transaction((tx) => assurance.withdrawRemote(tx, { personId, accountId, since, reason: 'not-me', actor }))
}
