import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'

/** What a relying party asks of MT Login for one sign-in. */
export interface SignInDemand {
  readonly acrValues?: string | undefined
  readonly maxAgeSeconds?: number | undefined
  /** Asked of the server and not held against the answer, where what comes of it is judged elsewhere. */
  readonly freshSeconds?: number | undefined
  /** Of what the id_token shall be a proof; random without. */
  readonly nonce?: string | undefined
  readonly prompt?: 'login' | 'select_account' | undefined
  /** Beyond what is asked of every sign-in. */
  readonly scope?: string | undefined
  readonly locale?: string | undefined
}

/** What the browser's session must remember between leaving for MT Login and coming back. */
export interface PendingSignIn {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly maxAgeSeconds?: number | undefined
}

/** The citizen as the relying party knows them from the id_token and userinfo. */
export interface SignedIn {
  readonly subject: string
  readonly sid: string | undefined
  readonly idToken: string
  readonly claims: Readonly<Record<string, unknown>>
}

export interface RelyingParty {
  begin(demand: SignInDemand): Promise<{ url: URL; pending: PendingSignIn }>
  /** @throws openid-client's errors when anything about the answer does not hold. */
  finish(currentUrl: URL, pending: PendingSignIn): Promise<SignedIn>
  signOutUrl(idToken: string): Promise<URL>
  /** Checks a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6) and says whose session ends. */
  readLogoutToken(token: string): Promise<{ sid?: string; subject?: string }>
}

export interface RelyingPartyOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string
  /** The `claims` parameter of every request (OpenID Connect Core 5.5). */
  readonly claims?: { readonly id_token: Readonly<Record<string, { readonly essential: true }>> } | undefined
  /** How to reach the server from here, where that is not by its public address. */
  readonly fetch?: oidc.CustomFetch | undefined
}

const BACKCHANNEL_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * The relying party's side of OpenID Connect by a certified library and nothing of ours: code flow, PKCE, state, nonce.
 *
 * Discovery happens at the first use and is kept; a failure is not kept, so a relying party may start before the server.
 */
export function createRelyingParty(options: RelyingPartyOptions): RelyingParty {
  let discovered: Promise<oidc.Configuration> | undefined
  const configuration = (): Promise<oidc.Configuration> => {
    discovered ??= discover(options).catch((error: unknown) => {
      discovered = undefined
      throw error
    })
    return discovered
  }

  return {
    begin: async (demand) => beginSignIn(await configuration(), options, demand),
    finish: async (currentUrl, pending) => finishSignIn(await configuration(), currentUrl, pending),
    async signOutUrl(idToken) {
      return oidc.buildEndSessionUrl(await configuration(), {
        id_token_hint: idToken,
        post_logout_redirect_uri: options.postLogoutRedirectUri,
      })
    },
    readLogoutToken: async (token) => readLogoutToken(await configuration(), options, token),
  }
}

async function discover({ issuer, clientId, clientSecret, fetch }: RelyingPartyOptions): Promise<oidc.Configuration> {
  const server = new URL(issuer)
  return oidc.discovery(server, clientId, clientSecret, oidc.ClientSecretBasic(clientSecret), {
    ...(server.protocol === 'http:' && { execute: [oidc.allowInsecureRequests] }),
    ...(fetch && { [oidc.customFetch]: fetch }),
  })
}

async function beginSignIn(
  config: oidc.Configuration,
  options: RelyingPartyOptions,
  demand: SignInDemand,
): Promise<{ url: URL; pending: PendingSignIn }> {
  const pending: PendingSignIn = {
    state: oidc.randomState(),
    nonce: demand.nonce ?? oidc.randomNonce(),
    codeVerifier: oidc.randomPKCECodeVerifier(),
    maxAgeSeconds: demand.maxAgeSeconds,
  }
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: options.redirectUri,
    scope: [options.scope, demand.scope].filter(Boolean).join(' '),
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: 'S256',
    ...(options.claims && { claims: JSON.stringify(options.claims) }),
    ...(demand.acrValues && { acr_values: demand.acrValues }),
    ...maxAgeOf(demand),
    ...(demand.prompt && { prompt: demand.prompt }),
    ...(demand.locale && { ui_locales: demand.locale }),
  })
  return { url, pending }
}

function maxAgeOf({ maxAgeSeconds, freshSeconds }: SignInDemand): { max_age?: string } {
  const seconds = maxAgeSeconds ?? freshSeconds
  return seconds === undefined ? {} : { max_age: String(seconds) }
}

async function finishSignIn(config: oidc.Configuration, currentUrl: URL, pending: PendingSignIn): Promise<SignedIn> {
  const tokens = await oidc.authorizationCodeGrant(config, currentUrl, {
    expectedState: pending.state,
    expectedNonce: pending.nonce,
    pkceCodeVerifier: pending.codeVerifier,
    idTokenExpected: true,
    ...(pending.maxAgeSeconds !== undefined && { maxAge: pending.maxAgeSeconds }),
  })
  const idClaims = tokens.claims()
  if (idClaims === undefined || tokens.id_token === undefined) throw new Error('the token answer holds no id_token')
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, idClaims.sub)
  const sid = typeof idClaims['sid'] === 'string' ? idClaims['sid'] : undefined
  return { subject: idClaims.sub, sid, idToken: tokens.id_token, claims: { ...userinfo, ...idClaims } }
}

async function readLogoutToken(
  config: oidc.Configuration,
  options: RelyingPartyOptions,
  token: string,
): Promise<{ sid?: string; subject?: string }> {
  const metadata = config.serverMetadata()
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
}
