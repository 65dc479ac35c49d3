import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'

/** What the demonstration portal asks of MT Login for one sign-in. */
export interface SignInDemand {
  readonly acrValues?: string
  readonly maxAgeSeconds?: number
}

/** What the browser's session must remember between leaving for MT Login and coming back. */
export interface PendingSignIn {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** The citizen as the portal knows them from the id_token and userinfo. */
export interface SignedInCitizen {
  readonly subject: string
  readonly sid: string | undefined
  readonly idToken: string
  readonly claims: Readonly<Record<string, unknown>>
}

export interface PortalClient {
  begin(demand: SignInDemand, locale?: string): Promise<{ url: URL; pending: PendingSignIn }>
  /** @throws openid-client's errors when anything about the answer does not hold. */
  finish(currentUrl: URL, pending: PendingSignIn): Promise<SignedInCitizen>
  signOutUrl(idToken: string): Promise<URL>
  /** Checks a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6) and says whose session ends. */
  readLogoutToken(token: string): Promise<{ sid?: string; subject?: string }>
}

export interface PortalClientOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly portalUrl: string
}

const SCOPE = 'openid profile email cpf'
const BACKCHANNEL_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * The portal's side of OpenID Connect, with a certified library and nothing of ours: code flow, PKCE, state and nonce.
 *
 * Discovery happens at the first use and is kept; a failure is not kept, so the portal may start before the server.
 */
export function createPortalClient(options: PortalClientOptions): PortalClient {
  const redirectUri = `${options.portalUrl}/retorno`
  let discovered: Promise<oidc.Configuration> | undefined
  const configuration = (): Promise<oidc.Configuration> => {
    discovered ??= discover(options).catch((error: unknown) => {
      discovered = undefined
      throw error
    })
    return discovered
  }

  return {
    async begin(demand, locale) {
      const pending = { state: oidc.randomState(), nonce: oidc.randomNonce(), codeVerifier: oidc.randomPKCECodeVerifier() }
      const url = oidc.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
        ...(demand.acrValues && { acr_values: demand.acrValues }),
        ...(demand.maxAgeSeconds !== undefined && { max_age: String(demand.maxAgeSeconds) }),
        ...(locale && { ui_locales: locale }),
      })
      return { url, pending }
    },

    async finish(currentUrl, pending) {
      const config = await configuration()
      const tokens = await oidc.authorizationCodeGrant(config, currentUrl, {
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.codeVerifier,
        idTokenExpected: true,
      })
      const idClaims = tokens.claims()
      if (idClaims === undefined || tokens.id_token === undefined) throw new Error('the token answer holds no id_token')
      const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, idClaims.sub)
      const sid = typeof idClaims['sid'] === 'string' ? idClaims['sid'] : undefined
      return { subject: idClaims.sub, sid, idToken: tokens.id_token, claims: { ...userinfo, ...idClaims } }
    },

    async signOutUrl(idToken) {
      return oidc.buildEndSessionUrl(await configuration(), { id_token_hint: idToken, post_logout_redirect_uri: `${options.portalUrl}/` })
    },

    async readLogoutToken(token) {
      const metadata = (await configuration()).serverMetadata()
      if (metadata.jwks_uri === undefined) throw new Error('the server publishes no keys')
      const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(metadata.jwks_uri)), {
        issuer: metadata.issuer,
        audience: options.clientId,
        typ: 'logout+jwt',
        maxTokenAge: '5 minutes',
      })
      const events = payload['events']
      const isLogout = typeof events === 'object' && events !== null && BACKCHANNEL_EVENT in events
      if (!isLogout || 'nonce' in payload) throw new Error('not a logout token')
      return { ...(typeof payload['sid'] === 'string' && { sid: payload['sid'] }), ...(payload.sub && { subject: payload.sub }) }
    },
  }
}

async function discover({ issuer, clientId, clientSecret }: PortalClientOptions): Promise<oidc.Configuration> {
  const insecure = new URL(issuer).protocol === 'http:' ? { execute: [oidc.allowInsecureRequests] } : {}
  return oidc.discovery(new URL(issuer), clientId, clientSecret, oidc.ClientSecretBasic(clientSecret), insecure)
}
