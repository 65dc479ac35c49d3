/**
 * The part of `oidc-provider` that this room uses, typed here because the package ships no types.
 *
 * Only `provider-internals.ts` may import the deep paths at the end.
 */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export type JsonObject = Record<string, unknown>

  /** Koa's context, as far as this room needs it. */
  export interface ProviderContext {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly method: string
    readonly path: string
    readonly query: Record<string, string | string[] | undefined>
    readonly request: object
    readonly headers: IncomingMessage['headers']
    readonly response: { readonly headers: Record<string, string | string[] | number | undefined> }
    readonly oidc: OidcContext
    _matchedRouteName?: string
    state: Record<string, unknown>
    status: number
    body: unknown
    type: string
    ip: string
    get(name: string): string
    set(name: string, value: string): void
    remove(name: string): void
    vary(name: string): void
    redirect(url: string): void
    accepts(...types: string[]): string | false
  }

  export interface OidcContext {
    readonly provider: Provider
    readonly route: string
    readonly issuer: string
    readonly client: ClientInstance
    readonly account: AccountInstance | undefined
    readonly grant: GrantInstance | undefined
    readonly session: SessionInstance | undefined
    readonly params: Record<string, string | undefined> | undefined
    readonly prompts: Set<string>
    readonly entities: Record<string, unknown>
    readonly requestParamScopes: Set<string>
    readonly requestParamOIDCScopes: Set<string>
    readonly requestParamClaims: Set<string>
    readonly resourceServers: Record<string, { readonly scopes: Set<string> }>
    readonly result: JsonObject | undefined
    claims: ClaimsRequest
    urlFor(name: string, options?: JsonObject): string
    promptPending(name: string): boolean
    isFapi(...oneOf: string[]): string | undefined
    entity(name: string, value: unknown): void
  }

  export interface ClaimsRequest {
    id_token?: Record<string, JsonObject | null>
    userinfo?: Record<string, JsonObject | null>
  }

  export interface AccountInstance {
    accountId: string
    claims(use: string, scope: string, claims: Record<string, JsonObject | null>, rejected: string[]): Promise<JsonObject>
  }

  export interface ClientInstance {
    readonly clientId: string
    readonly clientName?: string
    readonly clientAuthMethod: string
    readonly applicationType: string
    readonly subjectType: string
    readonly sectorIdentifier?: string
    readonly redirectUris: string[]
    readonly postLogoutRedirectUris: string[]
    readonly backchannelLogoutUri?: string
    readonly grantTypes: string[]
    readonly responseTypes: string[]
    readonly logoUri?: string
    readonly policyUri?: string
    readonly tosUri?: string
    readonly clientUri?: string
    readonly dpopBoundAccessTokens?: boolean
    readonly tlsClientCertificateBoundAccessTokens?: boolean
    clientSecret?: string
    grantTypeAllowed(name: string): boolean
    redirectUriAllowed(uri: string): boolean
    metadata(): JsonObject
    backchannelLogout(accountId: string, sid: string | undefined): Promise<void>
    compareClientSecret(actual: string): boolean | Promise<boolean>
  }

  export interface ClientModel {
    new (metadata: JsonObject, ctx?: ProviderContext): ClientInstance
    readonly prototype: ClientInstance
    find(id: unknown): Promise<ClientInstance | undefined>
    validate(metadata: JsonObject): Promise<void>
    needsSecret(metadata: JsonObject): boolean
    readonly adapter: Adapter
  }

  /** What codes, tokens and grants have in common. */
  export interface TokenInstance {
    readonly kind: string
    jti: string
    iat?: number
    exp?: number
    accountId?: string
    clientId?: string
    grantId?: string
    sessionUid?: string
    scope?: string
    readonly scopes: Set<string>
    claims?: ClaimsRequest
    expiresWithSession?: boolean
    sid?: string
    gty?: string
    /** What `extraTokenClaims` gave it. */
    extra?: JsonObject
    readonly expiration: number
    acr?: string | undefined
    amr?: string[] | undefined
    authTime?: number | undefined
    aud?: string
    consumed?: number
    iiat?: number
    resourceServer?: { readonly accessTokenTTL?: number; readonly accessTokenFormat?: string }
    readonly isExpired: boolean
    readonly isValid: boolean
    isSenderConstrained?(): boolean
    format?: string
    generateTokenId(): string
    save(): Promise<string>
    destroy(): Promise<void>
  }

  export interface TokenModel<Instance> {
    new (properties: JsonObject): Instance
    readonly name: string
    readonly prototype: Instance
    find(value: string, options?: { ignoreExpiration?: boolean; ignoreSessionBinding?: boolean }): Promise<Instance | undefined>
    readonly adapter: Adapter
  }

  export interface GrantInstance extends TokenInstance {
    getOIDCScope(): string
    getOIDCScopeEncountered(): string
    getRejectedOIDCScope(): string
    rejectOIDCScope(scope: string): void
    rejected?: { openid?: { scope?: string } } | undefined
    getOIDCClaimsEncountered(): string[]
    getResourceScopeEncountered(resource: string): string
    addOIDCScope(scope: string): void
    addOIDCClaims(claims: string[]): void
    addResourceScope(resource: string, scope: string): void
    openid?: { scope?: string; claims?: string[] }
    resources?: Record<string, string>
  }

  export interface SessionInstance {
    uid: string
    jti: string
    accountId?: string
    amr?: string[]
    loginTs?: number
    authorizations?: Record<string, { sid?: string; grantId?: string; persistsLogout?: boolean }>
    state?: JsonObject
    oldId?: string
    readonly adapter: Adapter
    save(ttl: number): Promise<string>
    past(maxAge: number | string): boolean
    authTime(): number | undefined
    grantIdFor(clientId: string, value?: string): string | undefined
    sidFor(clientId: string, value?: string): string | undefined
  }

  export interface InteractionInstance {
    readonly uid: string
    readonly exp: number
    readonly prompt: { readonly name: string; readonly reasons: string[]; readonly details: JsonObject }
    readonly params: Record<string, string | undefined>
    readonly session?: { readonly uid?: string; readonly accountId?: string; readonly amr?: string[] }
    readonly lastSubmission?: JsonObject
    readonly grantId?: string
    readonly deviceCode?: string
    readonly returnTo: string
    result?: JsonObject
    save(ttl: number): Promise<string>
  }

  export interface Adapter {
    upsert(id: string, payload: JsonObject, expiresIn?: number): Promise<void>
    find(id: string): Promise<JsonObject | undefined>
    findByUid(uid: string): Promise<JsonObject | undefined>
    findByUserCode(userCode: string): Promise<JsonObject | undefined>
    consume(id: string): Promise<void>
    destroy(id: string): Promise<void>
    revokeByGrantId(grantId: string): Promise<void>
  }

  export type Next = () => Promise<void>
  export type ProviderMiddleware = (ctx: ProviderContext, next: Next) => Promise<unknown> | unknown

  export class Provider {
    constructor(issuer: string, setup: JsonObject)
    static readonly ctx: ProviderContext | undefined
    readonly issuer: string
    readonly request: object
    /** What keygrip is: koa takes any signer of this shape. */
    keys: { sign(data: string): string; verify(data: string, signature: string): boolean; index(data: string, signature: string): number }
    readonly Client: ClientModel
    readonly Grant: TokenModel<GrantInstance>
    readonly Session: {
      readonly prototype: SessionInstance
      findByUid(uid: string): Promise<SessionInstance | undefined>
      find(id: string): Promise<SessionInstance | undefined>
    }
    readonly AccessToken: TokenModel<TokenInstance>
    readonly ResourceServer: new (indicator: string, info: JsonObject) => object
    readonly ClientCredentials: TokenModel<TokenInstance>
    readonly RefreshToken: TokenModel<TokenInstance>
    readonly AuthorizationCode: TokenModel<TokenInstance>
    readonly ReplayDetection: { unique(issuer: string, jti: string, exp: number): Promise<boolean> }
    readonly InitialAccessToken: TokenModel<TokenInstance>
    use(middleware: ProviderMiddleware): this
    callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>
    on(event: string, listener: (...args: never[]) => void): this
    registerGrantType(
      name: string,
      handler: (ctx: ProviderContext) => Promise<void>,
      params?: string[] | Set<string>,
      dupes?: string[],
    ): void
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<InteractionInstance>
    interactionResult(
      req: IncomingMessage,
      res: ServerResponse,
      result: JsonObject,
      options?: { mergeWithLastSubmission?: boolean },
    ): Promise<string>
    pathFor(name: string, options?: JsonObject): string
    cookieName(type: string): string
  }

  export class Check {
    constructor(
      reason: string,
      description: string,
      error: string,
      check: (ctx: ProviderContext) => boolean | Promise<boolean>,
      details?: (ctx: ProviderContext) => JsonObject | Promise<JsonObject>,
    )
    reason: string
    check: (ctx: ProviderContext) => boolean | Promise<boolean>
  }

  export class Prompt {
    constructor(
      info: { name: string; requestable?: boolean },
      details: (ctx: ProviderContext) => JsonObject | Promise<JsonObject>,
      ...checks: Check[]
    )
    readonly name: string
    readonly checks: Check[] & {
      get(reason: string): Check | undefined
      remove(reason: string): void
      add(check: Check, index?: number): void
    }
  }

  export const interactionPolicy: {
    Check: typeof Check
    Prompt: typeof Prompt
    base(): Prompt[] & { get(name: string): Prompt; add(prompt: Prompt, index?: number): void; remove(name: string): void }
  }

  class ProviderError extends Error {
    readonly error: string
    readonly status: number
    readonly statusCode: number
    error_description?: string
    allow_redirect: boolean
  }
  type Described = new (description?: string, detail?: string) => ProviderError
  type Detailed = new (detail?: string) => ProviderError

  export const errors: {
    readonly OIDCProviderError: new (status: number, message: string, options?: string | { cause?: unknown }) => ProviderError
    readonly AccessDenied: Described
    readonly InvalidClientAuth: Detailed
    readonly InvalidClientMetadata: Described
    readonly InvalidGrant: Detailed
    readonly InvalidRequest: Described
    readonly InvalidRequestUri: Described
    readonly InvalidScope: new (description: string, scope?: string) => ProviderError
    readonly InvalidTarget: Described
    readonly InvalidToken: Detailed
    readonly UnauthorizedClient: Described
    readonly UnmetAuthenticationRequirements: Described
  }
}

declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  import type { ClientInstance, JsonObject, Provider, ProviderContext } from 'oidc-provider'

  interface Internals {
    readonly configuration: JsonObject
    readonly grantTypeHandlers: Map<string, (ctx: ProviderContext) => Promise<void>>
    readonly grantTypeParams: Map<string | undefined, Set<string>>
    readonly grantTypeDupes: Map<string, Set<string>>
    readonly dynamicClients: Map<string, ClientInstance>
    readonly jwks: { readonly keys: readonly JsonObject[] }
  }
  // biome-ignore lint/style/noDefaultExport: this is how the package exports it
  export default function instance(provider: Provider): Internals
}

declare module 'oidc-provider/lib/helpers/initialize_keystore.js' {
  import type { JsonObject, Provider } from 'oidc-provider'
  // biome-ignore lint/style/noDefaultExport: this is how the package exports it
  export default function initialize(this: Provider, jwks: { keys: readonly JsonObject[] }): void
}

declare module 'oidc-provider/lib/helpers/add_client.js' {
  import type { ClientInstance, JsonObject, Provider } from 'oidc-provider'
  // biome-ignore lint/style/noDefaultExport: this is how the package exports it
  export default function addClient(provider: Provider, metadata: JsonObject): Promise<ClientInstance>
}
