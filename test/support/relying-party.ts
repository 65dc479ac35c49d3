import * as oidc from 'openid-client'

/** A relying party of the tests: openid-client 6 as anyone would use it, nothing of ours. */
export interface TestRelyingParty {
  readonly config: oidc.Configuration
  /** An authorization request; extra parameters replace or add. */
  begin(extra?: Record<string, string>): Promise<PendingRequest>
  /** Redeems the code of the answer; throws what openid-client throws when anything does not hold. */
  finish(answer: URL, pending: PendingRequest): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>
}

export interface PendingRequest {
  readonly url: URL
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly maxAge: number | undefined
}

export interface TestRelyingPartyOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly scope?: string
}

export async function createTestRelyingParty(options: TestRelyingPartyOptions): Promise<TestRelyingParty> {
  const { issuer, clientId, clientSecret, redirectUri, scope = 'openid profile cpf email' } = options
  const config = await oidc.discovery(new URL(issuer), clientId, clientSecret, oidc.ClientSecretBasic(clientSecret), {
    execute: [oidc.allowInsecureRequests],
  })
  return {
    config,
    async begin(extra = {}) {
      const verifier = oidc.randomPKCECodeVerifier()
      const state = oidc.randomState()
      const nonce = oidc.randomNonce()
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...extra,
      })
      return { url, state, nonce, verifier, maxAge: extra['max_age'] === undefined ? undefined : Number(extra['max_age']) }
    },
    finish: (answer, pending) =>
      oidc.authorizationCodeGrant(config, answer, {
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.verifier,
        idTokenExpected: true,
        ...(pending.maxAge !== undefined && { maxAge: pending.maxAge }),
      }),
  }
}
