import {
  type ClaimsRequest,
  type ClientInstance,
  type GrantInstance,
  type JsonObject,
  type Prompt,
  Provider,
  type ProviderContext,
  type TokenInstance,
} from 'oidc-provider'
import { ACR_VALUES } from '../assurance/index.ts'
import type { Keyring } from '../platform/keyring.ts'
import { agencyResource } from './access/agency-access.ts'
import { documentsResource } from './access/documents-access.ts'
import { stampResource } from './access/stamp-access.ts'
import { proxyResource } from './access/proxy-access.ts'
import { dropForbiddenClaims } from './claims/allowed-claims.ts'
import { SCOPE_CLAIMS } from './claims/scope-claims.ts'
import { type ClientPolicy, SCOPES } from './clients/client.ts'
import type { RegistrationPreset } from './clients/provider-clients.ts'
import { createCookieSigner } from './keys/cookie-signer.ts'
import { guardedFetch, MOST_BODY_BYTES } from './net/guarded-fetch.ts'
import type { ProviderPages } from './pages.ts'
import { CLOCK_TOLERANCE_SECONDS, checkClientAssertion, checkRequestObject } from './policy/client-assertions.ts'
import type { ClientCertificates } from './policy/client-certificate.ts'
import { type FindResource, isOwnOrigin, mayIntrospect, mayRotate, resourceServer, tokenClaims, type TokenRepresentation } from './policy/decisions.ts'
import { createTtl, type Lifetimes } from './policy/ttl.ts'
import { currentClientId } from './provider-internals.ts'

export interface ProviderParts {
  readonly settings: { readonly issuer: string; readonly lifetimes: Lifetimes; readonly certificates: ClientCertificates }
  readonly state: {
    readonly adapter: (model: string) => unknown
    readonly keys: { readonly jwks: readonly JsonObject[]; readonly cookieKeys: readonly string[] }
    readonly keyring: Pick<Keyring, 'hash'>
  }
  readonly people: {
    readonly prompts: Prompt[]
    readonly findAccount: (ctx: ProviderContext, id: string, token?: TokenInstance) => Promise<unknown>
    readonly loadGrant: (ctx: ProviderContext) => Promise<GrantInstance | undefined>
    readonly tokenRepresentation: TokenRepresentation
    /** Whether a token still says the truth about for whom it acts. */
    readonly isLive: (token: TokenInstance) => Promise<boolean>
  }
  readonly clients: {
    readonly policyOf: (client: ClientInstance) => ClientPolicy
    readonly findResource: FindResource
    readonly internalHosts: (clientId: string | undefined) => Promise<readonly string[]>
    readonly choosePreset: (ctx: ProviderContext, preset: RegistrationPreset) => void
  }
  readonly pages: ProviderPages
}

/** Where each endpoint is; the same paths as the federal gov.br login, so that its relying parties move by a change of host. */
export const ROUTES = {
  authorization: '/authorize',
  token: '/token',
  jwks: '/jwk',
  userinfo: '/userinfo',
  end_session: '/logout',
  pushed_authorization_request: '/par',
  introspection: '/introspect',
  revocation: '/revoke',
  device_authorization: '/device/auth',
  code_verification: '/device',
  registration: '/reg',
}

const SIGNING = ['RS256', 'ES256']
const CLIENT_SIGNING = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA']
const ENCRYPTION_ALG = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES']
const ENCRYPTION_ENC = ['A128CBC-HS256', 'A128GCM', 'A256CBC-HS512', 'A256GCM']

/**
 * Asymmetric algorithms only: with no shared-key algorithm on offer a public key can't be passed off as a secret, and client secrets need
 * not be kept. Ours are RS256 and ES256; some relying parties' libraries fail on a key set with any other kind.
 */
const ENABLED_JWA = {
  idTokenSigningAlgValues: SIGNING,
  userinfoSigningAlgValues: SIGNING,
  introspectionSigningAlgValues: SIGNING,
  authorizationSigningAlgValues: SIGNING,
  clientAuthSigningAlgValues: CLIENT_SIGNING,
  requestObjectSigningAlgValues: CLIENT_SIGNING,
  dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
  ...Object.fromEntries(
    ['idToken', 'userinfo', 'introspection', 'authorization', 'requestObject'].flatMap((use) => [
      [`${use}EncryptionAlgValues`, ENCRYPTION_ALG],
      [`${use}EncryptionEncValues`, ENCRYPTION_ENC],
    ]),
  ),
}

/** Builds the provider from its parts: everything that this server decides about the protocol, in one place. */
export function buildProvider(parts: ProviderParts): Provider {
  const { settings, state } = parts
  return new Provider(settings.issuer, {
    adapter: state.adapter,
    jwks: { keys: state.keys.jwks },
    cookies: cookies(settings.issuer, state.keys.cookieKeys),
    routes: ROUTES,
    ...OFFERED,
    ...decisions(parts),
    features: features(parts),
  })
}

/** What is the same for every client and request. */
const OFFERED = {
  scopes: [...SCOPES],
  claims: SCOPE_CLAIMS,
  acrValues: [...ACR_VALUES],
  responseTypes: ['code'],
  subjectTypes: ['public', 'pairwise'],
  clientAuthMethods: [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    'tls_client_auth',
    'self_signed_tls_client_auth',
    'none',
  ],
  // RS256 unless a client registers otherwise: OpenID Connect's own default, and the one that every library verifies.
  clientDefaults: { id_token_signed_response_alg: 'RS256' },
  enabledJWA: ENABLED_JWA,
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  acceptQueryParamAccessTokens: false,
  allowOmittingSingleRegisteredRedirectUri: false,
  discovery: {
    authority_claims_supported: ['applies_to', 'permission', 'granted_by'], authority_granted_methods_supported: ['delegated', 'appointed'],
    ui_locales_supported: ['pt-BR', 'en', 'es'], claims_locales_supported: ['pt-BR'],
  },
  fetchResponseBodyLimits: { jwks_uri: MOST_BODY_BYTES, sector_identifier_uri: MOST_BODY_BYTES },
}

/** What depends on the client, the person or the moment. */
function decisions({ settings, state, people, clients, pages }: ProviderParts): JsonObject {
  const { policyOf } = clients
  return {
    ttl: createTtl(settings.lifetimes, policyOf),
    findAccount: people.findAccount,
    loadExistingGrant: people.loadGrant,
    interactions: { policy: people.prompts, url: (_ctx: ProviderContext, { uid }: { uid: string }) => `/interacao/${uid}` },
    pkce: {
      required: (_ctx: ProviderContext, client: ClientInstance) =>
        client.clientAuthMethod === 'none' || policyOf(client).fapi2 || policyOf(client).pkce === 'required',
    },
    pairwiseIdentifier: (_ctx: ProviderContext, accountId: string, client: ClientInstance) =>
      state.keyring.hash(JSON.stringify([client.sectorIdentifier, accountId]), 'oidc-pairwise').toString('base64url'),
    issueRefreshToken: (_ctx: ProviderContext, client: ClientInstance, source: TokenInstance) =>
      client.grantTypeAllowed('refresh_token') && (source.scopes.has('offline_access') || policyOf(client).sessionRefresh),
    rotateRefreshToken: ({ oidc }: ProviderContext) => mayRotate(oidc.entities['RefreshToken'], oidc.client),
    clientBasedCORS: (_ctx: ProviderContext, origin: string, client: ClientInstance) => isOwnOrigin(origin, client),
    extraTokenClaims: (ctx: ProviderContext, token: TokenInstance) => tokenClaims(ctx, token, people.tokenRepresentation),
    formats: { customizers: { jwt: (_ctx: ProviderContext, token: TokenInstance, jwt: { payload: JsonObject }) => keepSubject(token, jwt.payload) } },
    assertJwtClientAuthClaimsAndHeader: async (ctx: ProviderContext, claims: JsonObject) => checkClientAssertion(ctx, claims),
    fetch: async (url: string, options: { method?: string; headers?: Headers; body?: string | URLSearchParams }) =>
      guardedFetch(url, {
        method: options.method,
        headers: options.headers,
        body: options.body,
        allowedHosts: await clients.internalHosts(currentClientId()),
      }),
    renderError: (ctx: ProviderContext, out: { error: string; error_description?: string }) => pages.error(ctx, out),
  }
}

/** The represented party as `sub` of a JWT, where the provider puts the account of whoever signed in. */
function keepSubject({ extra }: TokenInstance, payload: JsonObject): void {
  if (typeof extra?.['sub'] === 'string') payload['sub'] = extra['sub']
}

/** On https the session cookie has the `__Host-` prefix; the two of a single interaction are bound to its path, which that prefix forbids. */
function cookies(issuer: string, keys: readonly string[]): JsonObject {
  const secure = issuer.startsWith('https:')
  const flags = { httpOnly: true, sameSite: 'lax', secure, signed: true, overwrite: true }
  return {
    keys: createCookieSigner(keys),
    names: secure
      ? { session: '__Host-mt_session', interaction: '__Secure-mt_interaction', resume: '__Secure-mt_resume' }
      : { session: 'mt_session', interaction: 'mt_interaction', resume: 'mt_resume' },
    long: { ...flags, path: '/' },
    short: flags,
  }
}

function features({ settings, people, clients, pages }: ProviderParts): JsonObject {
  const { policyOf, findResource } = clients
  return {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    claimsParameter: {
      enabled: true,
      assertClaimsParameter: async (ctx: ProviderContext, claims: ClaimsRequest, client: ClientInstance) => dropForbiddenClaims(ctx, claims, policyOf(client)),
    },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    encryption: { enabled: true },
    jwtIntrospection: { enabled: true },
    jwtResponseModes: { enabled: true },
    jwtUserinfo: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: {
      enabled: true,
      assertJwtClaimsAndHeader: async (ctx: ProviderContext, claims: JsonObject) => checkRequestObject(ctx, claims),
    },
    fapi: {
      enabled: true,
      profile: (_ctx: ProviderContext, client: ClientInstance | undefined) => (client && policyOf(client).fapi2 ? '2.0' : undefined),
    },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      tlsClientAuth: true,
      ...settings.certificates,
    },
    deviceFlow: {
      enabled: true,
      deviceInfo: () => ({}),
      userCodeInputSource: (ctx: ProviderContext, _form: string, _out: unknown, error?: { userCode?: string; name?: string }) =>
        pages.deviceInput(ctx, error),
      userCodeConfirmSource: (ctx: ProviderContext, _form: string, client: ClientInstance, _info: unknown, userCode: string) =>
        pages.deviceConfirm(ctx, client, userCode),
      successSource: (ctx: ProviderContext) => pages.deviceDone(ctx),
    },
    introspection: {
      enabled: true,
      allowedPolicy: async (_ctx: ProviderContext, client: ClientInstance, token: TokenInstance) =>
        (await mayIntrospect(client, token, findResource)) && people.isLive(token),
    },
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx: ProviderContext, client: ClientInstance, token: TokenInstance) => token.clientId === client.clientId,
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx: ProviderContext, indicator: string, client: ClientInstance) =>
        agencyResource(settings.issuer, indicator, policyOf(client)) ??
        stampResource(settings.issuer, indicator, policyOf(client)) ??
        documentsResource(settings.issuer, indicator, policyOf(client)) ??
        proxyResource(settings.issuer, indicator, policyOf(client)) ??
        resourceServer(indicator, policyOf(client), findResource),
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx: ProviderContext) => pages.logout(ctx),
      postLogoutSuccessSource: (ctx: ProviderContext) => pages.loggedOut(ctx),
    },
    registration: {
      enabled: true,
      initialAccessToken: true,
      policies: {
        strict: (ctx: ProviderContext) => clients.choosePreset(ctx, 'strict'),
        legacy: (ctx: ProviderContext) => clients.choosePreset(ctx, 'legacy'),
      },
    },
  }
}
