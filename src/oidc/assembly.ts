import { hash } from 'node:crypto'
import { type ClientInstance, Provider, type ProviderContext } from 'oidc-provider'
import { proxyList } from '../platform/http/request-facts.ts'
import { ProviderAdapter, TOKEN_PREFIXES } from './adapter/adapter.ts'
import { createSqlArtifactStore } from './adapter/artifact.store.ts'
import type { ArtifactStore } from './adapter/artifact.ts'
import { createFindAccount } from './claims/find-account.ts'
import { type ClientDirectory, openClientDirectory } from './clients/directory.ts'
import { createProviderClients, type ProviderClients, type RegistrationPreset } from './clients/provider-clients.ts'
import { type ClientRegistry, createClientRegistry } from './clients/registry.ts'
import { createResources, type Resources } from './clients/resources.ts'
import { type Consents, createConsents } from './consents/consents.ts'
import { onProviderEvents } from './events-of-provider.ts'
import { recordAuthorization } from './grants/authorization-record.ts'
import { createRefreshGrace } from './grants/refresh-grace.ts'
import { type Keys, openKeys } from './keys/keys.ts'
import { createLogoutNotices, type LogoutNotices } from './logout/notices.ts'
import type { OidcDependencies, OidcSettings } from './oidc.ts'
import { createProviderPages } from './pages.ts'
import { type ClientCertificates, createClientCertificates } from './policy/client-certificate.ts'
import { createPrompts } from './policy/prompts.ts'
import { createStandings } from './policy/standing.ts'
import { buildProvider } from './provider.ts'
import * as internals from './provider-internals.ts'
import { type Acting, createActing } from './representation/acting.ts'
import { createEnding, type Ending } from './representation/ending.ts'
import { createRepresentations, type Representations } from './representation/representations.ts'
import { switchByRefresh } from './representation/switch.ts'
import { createTokenExchange, EXCHANGE_PARAMETERS, TOKEN_EXCHANGE } from './representation/token-exchange.ts'
import { recordUses } from './representation/uses.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { shareInteractions } from './shared-interaction.ts'

/** What is there before the provider is. */
export interface Parts {
  readonly store: ArtifactStore
  readonly keys: Keys
  readonly directory: ClientDirectory
  readonly clients: ClientRegistry
  readonly resources: Resources
  readonly source: ProviderClients
  readonly choosePreset: (ctx: ProviderContext, preset: RegistrationPreset) => void
}

/** The provider with everything that hangs on it. */
export interface Assembly {
  readonly provider: Provider
  readonly notices: LogoutNotices
  readonly sessions: Sessions
  readonly consents: Consents
  readonly representation: Representing
}

/** Acting for others: the decisions, what tokens say, and the end of mandates. */
export interface Representing {
  readonly representations: Representations
  readonly acting: Acting
  readonly ending: Ending
}

/** Opens what the room keeps. */
export async function openParts({ settings, platform, audit }: OidcDependencies): Promise<Parts> {
  const { db, clock, keyring } = platform
  const keys = await openKeys({ db, clock, keyring, audit, rotationDays: settings.keyRotationDays })
  const directory = await openClientDirectory(db)
  const clients = createClientRegistry({ db, clock, keyring, audit, directory })
  const presets = new WeakMap<ProviderContext, RegistrationPreset>()
  const presetOf = () => (Provider.ctx && presets.get(Provider.ctx)) ?? 'strict'
  return {
    store: platform.store ?? createSqlArtifactStore({ db, clock }),
    keys,
    directory,
    clients,
    resources: createResources({ db, clock, audit }),
    source: createProviderClients({ directory, registry: () => clients, keyring, presetOf }),
    choosePreset: (ctx, preset) => void presets.set(ctx, preset),
  }
}

/** Client certificates as this deployment gets them. */
export function certificatesOf({ certificateHeaders, trustedProxies }: OidcSettings): ClientCertificates {
  return createClientCertificates({
    header: certificateHeaders?.certificate,
    verifiedHeader: certificateHeaders?.verified,
    trustedProxies: proxyList(trustedProxies),
  })
}

/** Builds the provider and ties it to what it needs and to what needs it; some of them need each other, hence the functions. */
export function assemble(deps: OidcDependencies, parts: Parts): Assembly {
  const { platform, audit, ports } = deps
  const { db, clock } = platform
  const { store, source } = parts
  const findClient = (id: string): Promise<ClientInstance | undefined> => provider.Client.find(id)
  const notices: LogoutNotices = createLogoutNotices({ db, clock, findClient, deliver: (client, ...about) => deliver(client, ...about) })
  const sessions = createSessions({ db, store, notices, audit, ports })
  const policyOf = (ctx: ProviderContext) => source.policyOf(ctx.oidc.client)
  const consents = createConsents({ db, clock, audit, server: { policyOf, provider: () => provider, revokeGrants: sessions.revokeGrants, acting: () => representation.representations } })
  const representation = openRepresentation(deps, parts, sessions)
  const provider = openProvider(deps, parts, { consents, representation })
  const deliver = useInternals(deps, parts, provider, notices)
  addRepresentation(deps, parts, provider, { ...representation, sessions })
  onProviderEvents(provider, { log: platform.log, ports })
  return { provider, notices, sessions, consents, representation }
}

function openRepresentation({ platform, ports }: OidcDependencies, { source, directory }: Parts, sessions: Sessions): Representing {
  const { db, clock, keyring, log } = platform
  const policyOf = (ctx: ProviderContext) => source.policyOf(ctx.oidc.client)
  const { revokeGrant, notify } = sessions
  const representations = createRepresentations({ db, clock, register: ports.representation, policyOf, revokeGrant })
  return {
    representations,
    acting: createActing({ keyring, policyOf, directory, representations, findPerson: ports.findPerson }),
    ending: createEnding({ db, clock, log, revokeGrant, notify }),
  }
}

function openProvider(
  { settings, platform, ports, html }: OidcDependencies,
  parts: Parts,
  { consents, representation: { representations, acting } }: { consents: Consents; representation: Representing },
): Provider {
  const { clock, keyring } = platform
  const { store, source, directory, keys } = parts
  const policyOf = (ctx: ProviderContext) => source.policyOf(ctx.oidc.client)
  const standings = createStandings(ports)
  return buildProvider({
    settings: { issuer: settings.issuer, lifetimes: settings, certificates: certificatesOf(settings) },
    state: {
      adapter: (model) => (model === 'Client' ? source.adapter : new ProviderAdapter(model, { store, clock, keyring })),
      keys: keys.current(),
      keyring,
    },
    people: {
      prompts: createPrompts({ standings, representations, policyOf, clock }),
      findAccount: createFindAccount({ ports, standings, acting: { representations, subjectOf: acting.subjectOf }, policyOf, clock }),
      loadGrant: consents.load,
      tokenRepresentation: acting.tokenRepresentation,
      isLive: acting.isLive,
    },
    clients: {
      policyOf: source.policyOf,
      findResource: parts.resources.find,
      internalHosts: async (id) => (id === undefined ? [] : ((await directory.find(id))?.policy.allowInternalHosts ?? [])),
      choosePreset: parts.choosePreset,
    },
    pages: createProviderPages(html),
  })
}

type Deliver = (client: ClientInstance, accountId: string, sid: string | undefined) => Promise<void>

/** Everything that is changed about the provider beyond its configuration; returns its own delivery of a logout token. */
function useInternals(
  { platform, audit }: OidcDependencies,
  { store, source }: Parts,
  provider: Provider,
  notices: LogoutNotices,
): Deliver {
  const { db, clock, keyring } = platform
  internals.useClientSource(provider, source)
  internals.useParallelSessionSave(provider)
  shareInteractions(provider)
  internals.useTokenPrefixes(provider, TOKEN_PREFIXES)
  internals.useReplayDetection(provider, (issuer, jti, exp) => {
    const id = hash('sha256', JSON.stringify([issuer, jti]), 'base64url')
    const expiresAt = new Date(Math.max(exp * 1000, clock.now().getTime() + 1000))
    return store.insertOnce({ model: 'ReplayDetection', id, payload: { iss: issuer }, expiresAt })
  })
  internals.useConformity(provider, (client) => source.policyOf(client).conformIdTokenClaims)
  internals.wrapGrant(provider, 'refresh_token', createRefreshGrace({ store, clock, keyring, audit, db }))
  for (const grant of ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']) {
    internals.wrapGrant(provider, grant, recordAuthorization({ db, audit }))
  }
  const send = internals.useLogoutDelivery(provider, (client, accountId, sid) =>
    notices.send({ clientId: client.clientId, accountId, sid, reason: 'logout' }),
  )
  return (client, accountId, sid) => internals.onBehalfOf(client.clientId, () => send(client, accountId, sid))
}

const CODE_GRANTS = ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code']

/** Token exchange, the switch of person, and a line for every use: the last around each grant, so that it comes after all that is made. */
function addRepresentation(
  { platform, ports }: OidcDependencies,
  { source, resources }: Parts,
  provider: Provider,
  { representations, sessions }: Representing & { readonly sessions: Sessions },
): void {
  const { db, clock } = platform
  const policyOf = (ctx: ProviderContext) => source.policyOf(ctx.oidc.client)
  const uses = { db, clock, register: ports.representation, representations, revokeGrant: sessions.revokeGrant }
  const exchange = createTokenExchange({ representations, policyOf, findPerson: ports.findPerson, findResource: resources.find })
  provider.registerGrantType(TOKEN_EXCHANGE, exchange, EXCHANGE_PARAMETERS)
  internals.wrapGrant(provider, TOKEN_EXCHANGE, recordUses(uses, 'api'))
  for (const grant of CODE_GRANTS) internals.wrapGrant(provider, grant, recordUses(uses, 'sign-in'))
  const cpfOf = async (accountId: string) => (await ports.findPerson(accountId, undefined)).subject?.cpf
  internals.wrapGrant(provider, 'refresh_token', recordUses(uses, 'refresh'))
  internals.wrapGrant(provider, 'refresh_token', switchByRefresh({ policyOf, representations, cpfOf }))
}
