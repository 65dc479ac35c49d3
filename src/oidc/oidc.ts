import type Router from '@koa/router'
import type { Provider } from 'oidc-provider'
import type { Audit } from '../audit/index.ts'
import type { RequireClient } from '../biometrics/index.ts'
import type { RequireDocumentsClient, RequireStampClient, SigningClients } from '../signatures/index.ts'
import type { RequireProxyClient } from '../proxies/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/db.ts'
import type { HttpMiddleware } from '../platform/http/request-facts.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { ArtifactStore } from './adapter/artifact.ts'
import { createRequireClient } from './access/agency-access.ts'
import { createRequireDocumentsClient } from './access/documents-access.ts'
import { createSigningClients } from './access/signing-clients.ts'
import { createRequireStampClient } from './access/stamp-access.ts'
import { createRequireProxyClient } from './access/proxy-access.ts'
import { createResourceAccess } from './access/resource-access.ts'
import { assemble, certificatesOf, openParts } from './assembly.ts'
import type { RegistrationPreset } from './clients/provider-clients.ts'
import type { ClientRegistry } from './clients/registry.ts'
import type { Resources } from './clients/resources.ts'
import type { Consents } from './consents/consents.ts'
import type { Keys } from './keys/keys.ts'
import type { RenderHtml } from './pages.ts'
import type { Lifetimes } from './policy/ttl.ts'
import type { Actor, OidcPorts, Representation } from './ports.ts'
import { createProtocolRoutes } from './provider.routes.ts'
import { replaceKeys } from './provider-internals.ts'
import { createGovbrRoutes } from './representation/govbr.routes.ts'
import type { Sessions } from './sessions.ts'

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
  readonly platform: {
    readonly db: Database
    readonly clock: Clock
    readonly keyring: Keyring
    readonly log: OidcLog
    readonly store?: ArtifactStore | undefined
  }
  readonly audit: Pick<Audit, 'record' | 'prepare'>
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
  /** Acting for others. */
  readonly representation: {
    /** For whom a person may act at a relying party. */
    options(accountId: string, clientId: string): Promise<readonly Representation[]>
    /** Kills the tokens that ended mandates left and sends their logouts; every second, and waits for no relying party. */
    killEnded(): Promise<number>
    /** The federal login's API for proxies. */
    readonly routes: Router
  }
  /** Attempts due back-channel logouts; every second. */
  deliverLogouts(): Promise<number>
  /** Removes what has expired; every few minutes. */
  purgeExpired(): Promise<number>
  /** Rejects while the store of the protocol's state does not answer; for readiness. */
  checkStore(): Promise<void>
  /** Lets background work end and stops listening. */
  close(): Promise<void>
  /** Who calls the agencies' API with a token of this server. */
  readonly requireClient: RequireClient
  /** Who asks for a time-stamp with a token of this server. */
  readonly requireStampClient: RequireStampClient
  /** Who has documents signed. */
  readonly requireDocumentsClient: RequireDocumentsClient
  /** Whom citizens may lend keys to. */
  readonly signingClients: SigningClients
  /** Who calls the mandates API. */
  readonly requireProxyClient: RequireProxyClient
  /** What the interaction pages speak to. */
  readonly provider: Provider
}

/**
 * Builds the room and opens what it keeps: clients, keys, the provider.
 *
 * Migrations must have been applied. Without `platform.store` artefacts are kept in the database.
 */
export async function createOidc(deps: OidcDependencies): Promise<Oidc> {
  const { platform, audit } = deps
  const parts = await openParts(deps)
  const { provider, notices, sessions, consents, representation } = assemble(deps, parts)
  const { directory, clients, resources, keys, store } = parts
  const { ending, representations } = representation
  const routes = createProtocolRoutes(provider, deps.html)
  const optionsOf = async (accountId: string, clientId: string) => {
    const client = await directory.find(clientId)
    return client ? representations.options(accountId, client.policy) : []
  }
  keys.onChange((current) => {
    replaceKeys(provider, current)
    routes.forgetDocuments()
  })
  const access = createResourceAccess({ provider, directory, certificates: certificatesOf(deps.settings), clock: platform.clock })
  return {
    middleware: routes.middleware,
    requireClient: createRequireClient(provider.issuer, access),
    requireStampClient: createRequireStampClient(provider.issuer, access),
    requireDocumentsClient: createRequireDocumentsClient(provider.issuer, access),
    signingClients: createSigningClients(directory, platform.keyring),
    requireProxyClient: createRequireProxyClient(provider.issuer, access),
    clients,
    resources,
    keys,
    sessions,
    consents,
    async createRegistrationToken(preset, actor) {
      const token = await new provider.InitialAccessToken({ policies: [preset] }).save()
      await audit.record(platform.db, { type: 'oidc/registration-token-issued', actor, data: { preset } })
      return token
    },
    representation: {
      options: optionsOf,
      killEnded: ending.killEnded,
      routes: createGovbrRoutes({ platform, provider, directory, acting: representation.acting, ports: deps.ports }),
    },
    deliverLogouts: () => notices.deliverDue(),
    purgeExpired: async () => (await store.purge()) + (await notices.purge()) + (await ending.purge()),
    checkStore: async () => void (await store.find('Session', 'ready')),
    async close() {
      await notices.settle()
      await Promise.all([directory.close(), keys.close()])
    },
    provider,
  }
}
