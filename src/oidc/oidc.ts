import { hash } from 'node:crypto'
import { type ClientInstance, Provider, type ProviderContext } from 'oidc-provider'
import type { Audit } from '../audit/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/db.ts'
import type { HttpMiddleware } from '../platform/http/request-facts.ts'
import { proxyList } from '../platform/http/request-facts.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { ArtifactStore } from './adapter/artifact.ts'
import { createSqlArtifactStore } from './adapter/artifact.store.ts'
import { ProviderAdapter, TOKEN_PREFIXES } from './adapter/adapter.ts'
import { createFindAccount } from './claims/find-account.ts'
import { openClientDirectory } from './clients/directory.ts'
import { type ClientRegistry, createClientRegistry } from './clients/registry.ts'
import { createProviderClients, type RegistrationPreset } from './clients/provider-clients.ts'
import { createResources, type Resources } from './clients/resources.ts'
import { type Consents, createConsents } from './consents/consents.ts'
import { onProviderEvents } from './events-of-provider.ts'
import { type Keys, openKeys } from './keys/keys.ts'
import { createLogoutNotices, type LogoutNotices } from './logout/notices.ts'
import { createProviderPages, type RenderHtml } from './pages.ts'
import { createClientCertificates } from './policy/client-certificate.ts'
import { createPrompts } from './policy/prompts.ts'
import { createStandings } from './policy/standing.ts'
import type { Lifetimes } from './policy/ttl.ts'
import type { Actor, OidcPorts } from './ports.ts'
import { buildProvider } from './provider.ts'
import * as internals from './provider-internals.ts'
import { createProtocolRoutes } from './provider.routes.ts'
import { createRefreshGrace } from './refresh-grace.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { recordAuthorization } from './authorization-record.ts'
import { shareInteractions } from './shared-interaction.ts'

export interface OidcSettings extends Lifetimes {
  /** Public URL; no trailing slash. */
  readonly issuer: string
  readonly keyRotationDays: number
  readonly trustedProxies: readonly string[]
  /** Headers in which a trusted proxy passes a client's certificate and its verdict about it. */
  readonly certificateHeaders?: { readonly certificate: string; readonly verified?: string | undefined } | undefined
}

export interface OidcDependencies {
  readonly settings: OidcSettings
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring; readonly log: OidcLog; readonly store?: ArtifactStore | undefined }
  readonly audit: Pick<Audit, 'record'>
  readonly ports: OidcPorts
  readonly html: RenderHtml
}

export interface OidcLog {
  error(fields: object, text: string): void
}

/** The protocol server and everything that is done to it from outside a request. */
export interface Oidc {
  /** Answers the protocol's paths and passes on every other. */
  readonly middleware: HttpMiddleware
  readonly clients: ClientRegistry
  readonly resources: Resources
  readonly consents: Consents
  readonly sessions: Sessions
  readonly keys: Keys
  /** A token that lets its bearer register one or more clients at `/reg` within a day. */
  createRegistrationToken(preset: RegistrationPreset, actor: Actor): Promise<string>
  /** Attempts due back-channel logouts; every few seconds. */
  deliverLogouts(): Promise<number>
  /** Removes what has expired; every few minutes. */
  purgeExpired(): Promise<number>
  /** Lets background work end and stops listening. */
  close(): Promise<void>
  /** What the interaction pages speak to. */
  readonly provider: Provider
}

/**
 * Builds the room and opens what it keeps: clients, keys, the provider.
 *
 * Migrations must have been applied. Without `platform.store` artefacts are kept in the database.
 */
export async function createOidc({ settings, platform, audit, ports, html }: OidcDependencies): Promise<Oidc> {
  const { db, clock, keyring } = platform
  const store = platform.store ?? createSqlArtifactStore({ db, clock })
  const keys = await openKeys({ db, clock, keyring, audit, rotationDays: settings.keyRotationDays })
  const directory = await openClientDirectory(db)
  const clients = createClientRegistry({ db, clock, keyring, audit, directory })
  const resources = createResources({ db, clock, audit })
  const presets = new WeakMap<ProviderContext, RegistrationPreset>()
  const presetOf = () => (Provider.ctx && presets.get(Provider.ctx)) ?? 'strict'
  const source = createProviderClients({ directory, registry: () => clients, keyring, presetOf })
  const policyOf = (ctx: ProviderContext) => source.policyOf(ctx.oidc.client)
  const standings = createStandings(ports)
  const findClient = (id: string): Promise<ClientInstance | undefined> => provider.Client.find(id)
  const notices: LogoutNotices = createLogoutNotices({ db, clock, findClient, deliver: (client, ...about) => deliver(client, ...about) })
  const sessions = createSessions({ db, store, notices, audit, ports })
  const consents = createConsents({ db, clock, audit, policyOf, provider: () => provider, revokeGrants: sessions.revokeGrants })

  const provider = buildProvider({
    issuer: settings.issuer,
    lifetimes: settings,
    adapter: (model) => (model === 'Client' ? source.adapter : new ProviderAdapter(model, { store, clock, keyring })),
    keys: keys.current(),
    prompts: createPrompts({ standings, policyOf, clock }),
    findAccount: createFindAccount({ ports, standings, policyOf, clock }),
    loadGrant: consents.load,
    policyOf: source.policyOf,
    findResource: resources.find,
    internalHosts: async (id) => (id === undefined ? [] : ((await directory.find(id))?.policy.allowInternalHosts ?? [])),
    choosePreset: (ctx, preset) => void presets.set(ctx, preset),
    certificates: createClientCertificates({
      header: settings.certificateHeaders?.certificate,
      verifiedHeader: settings.certificateHeaders?.verified,
      trustedProxies: proxyList(settings.trustedProxies),
    }),
    pages: createProviderPages(html),
    keyring,
  })
  internals.useClientSource(provider, source)
  internals.useParallelSessionSave(provider)
  shareInteractions(provider)
  internals.useTokenPrefixes(provider, TOKEN_PREFIXES)
  internals.useReplayDetection(provider, replayDetection(store, clock))
  internals.useConformity(provider, (client) => source.policyOf(client).conformIdTokenClaims)
  const send = internals.useLogoutDelivery(provider, (client, accountId, sid) => notices.send({ clientId: client.clientId, accountId, sid, reason: 'logout' }))
  const deliver = (client: ClientInstance, accountId: string, sid: string | undefined) =>
    internals.onBehalfOf(client.clientId, () => send(client, accountId, sid))
  internals.wrapGrant(provider, 'refresh_token', createRefreshGrace({ store, clock, keyring, audit, db }))
  for (const grant of ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']) {
    internals.wrapGrant(provider, grant, recordAuthorization({ db, audit }))
  }
  onProviderEvents(provider, { log: platform.log, ports })
  const routes = createProtocolRoutes(provider)
  keys.onChange((current) => {
    internals.replaceKeys(provider, current)
    routes.forgetDocuments()
  })

  return {
    middleware: routes.middleware,
    clients,
    resources,
    consents,
    sessions,
    keys,
    async createRegistrationToken(preset, actor) {
      const token = await new provider.InitialAccessToken({ policies: [preset] }).save()
      await audit.record(db, { type: 'oidc/registration-token-issued', actor, data: { preset } })
      return token
    },
    deliverLogouts: notices.deliverDue,
    purgeExpired: async () => (await store.purge()) + (await notices.purge()),
    async close() {
      await notices.settle()
      await Promise.all([directory.close(), keys.close()])
    },
    provider,
  }
}

function replayDetection(store: ArtifactStore, clock: Clock): (issuer: string, jti: string, exp: number) => Promise<boolean> {
  return (issuer, jti, exp) => {
    const id = hash('sha256', JSON.stringify([issuer, jti]), 'base64url')
    const expiresAt = new Date(Math.max(exp * 1000, clock.now().getTime() + 1000))
    return store.insertOnce({ model: 'ReplayDetection', id, payload: { iss: issuer }, expiresAt })
  }
}
