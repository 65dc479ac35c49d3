import type { ClientInstance, ProviderContext, SessionInstance, TokenInstance } from 'oidc-provider'
import type { ClientPolicy } from '../clients/client.ts'
import { TOKEN_EXCHANGE } from '../representation/token-exchange.ts'

export interface Lifetimes {
  readonly accessTokenSeconds: number
  readonly idTokenSeconds: number
  readonly refreshTokenSeconds: number
  readonly sessionIdleSeconds: number
  readonly sessionAbsoluteSeconds: number
}

/** An unused refresh token lives at most this long, however long its chain may become. */
const REFRESH_IDLE_SECONDS = 30 * 86_400
const CODE_SECONDS = 60
/** Longest life of a token whose subject is somebody else than who signed in. */
const REPRESENTED_SECONDS = 300
const INTERACTION_SECONDS = 1800
const DEVICE_CODE_SECONDS = 600

/** Lives of everything that the provider issues; a client's policy may shorten or, for opaque tokens, lengthen them. */
export function createTtl(lifetimes: Lifetimes, policyOf: (client: ClientInstance) => ClientPolicy): Record<string, unknown> {
  const sessionSeconds = (session: SessionInstance): number => {
    if (session.accountId === undefined) return Math.min(INTERACTION_SECONDS, lifetimes.sessionIdleSeconds)
    const end = (session.loginTs ?? epoch()) + lifetimes.sessionAbsoluteSeconds
    return Math.max(1, Math.min(lifetimes.sessionIdleSeconds, end - epoch()))
  }
  return {
    AuthorizationCode: CODE_SECONDS,
    Interaction: INTERACTION_SECONDS,
    DeviceCode: DEVICE_CODE_SECONDS,
    InitialAccessToken: 86_400,
    RegistrationAccessToken: undefined,
    AccessToken(_ctx: ProviderContext, token: TokenInstance, client: ClientInstance) {
      const own = policyOf(client).accessTokenSeconds ?? lifetimes.accessTokenSeconds
      return Math.min(own, longestFor(token, lifetimes, own), token.gty === TOKEN_EXCHANGE ? REPRESENTED_SECONDS : own)
    },
    ClientCredentials(_ctx: ProviderContext, token: TokenInstance, client: ClientInstance) {
      const own = policyOf(client).accessTokenSeconds ?? lifetimes.accessTokenSeconds
      return Math.min(own, longestFor(token, lifetimes, own))
    },
    IdToken(_ctx: ProviderContext, _token: TokenInstance, client: ClientInstance) {
      return policyOf(client).idTokenSeconds ?? lifetimes.idTokenSeconds
    },
    RefreshToken(_ctx: ProviderContext, token: TokenInstance, client: ClientInstance) {
      const chainEnd = (token.iiat ?? epoch()) + (policyOf(client).refreshTokenSeconds ?? lifetimes.refreshTokenSeconds)
      return Math.max(1, Math.min(REFRESH_IDLE_SECONDS, chainEnd - epoch()))
    },
    Session: (_ctx: ProviderContext, session: SessionInstance) => sessionSeconds(session),
    Grant(_ctx: ProviderContext, grant: TokenInstance & { openid?: { scope?: string } }, client: ClientInstance | undefined) {
      const isOffline = grant.openid?.scope?.split(' ').includes('offline_access') ?? false
      const refresh = (client && policyOf(client).refreshTokenSeconds) ?? lifetimes.refreshTokenSeconds
      return Math.max(lifetimes.sessionAbsoluteSeconds, isOffline ? refresh : 0) + 3600
    },
  }
}

/** A JWT can't be called back, so it lives no longer than revocation may take (5 minutes), whatever a policy says. */
function longestFor(token: TokenInstance, { accessTokenSeconds }: Lifetimes, own: number): number {
  const resource = token.resourceServer
  if (!resource) return own
  const asked = resource.accessTokenTTL ?? own
  return resource.accessTokenFormat === 'jwt' ? Math.min(asked, accessTokenSeconds, 300) : asked
}

function epoch(): number {
  return Math.floor(Date.now() / 1000)
}
