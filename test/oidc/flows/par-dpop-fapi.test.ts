import assert from 'node:assert/strict'
import { after, before, mock, test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { authorizationUrl, Browser, type Harness, type RelyingParty, redeem, registerClient, signIn, startHarness } from '../harness.ts'

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
  rp = await registerClient(harness)
})
after(() => harness.close())

async function pushed(party = rp, parameters: Record<string, string> = {}, options?: client.DPoPOptions) {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const url = await client.buildAuthorizationUrlWithPAR(
    party.config,
    {
      redirect_uri: 'http://127.0.0.1:9/cb',
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...parameters,
    },
    options,
  )
  return { url, verifier, state, nonce }
}

test('PAR: pushed once, used once, within a minute, by its client', async () => {
  const asked = await pushed()
  const { url } = await new Browser().go(asked.url)
  assert.ok((await redeem(rp, asked, url)).id_token)
  const again = await new Browser().go(asked.url)
  assert.ok(again.response.status >= 400 || again.url.searchParams.get('error'))

  const other = await registerClient(harness)
  const stolen = new URL((await pushed()).url)
  stolen.searchParams.set('client_id', other.id)
  const result = await new Browser().go(stolen)
  assert.equal(result.url.searchParams.get('code'), null)

  const late = await pushed()
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
  try {
    const expired = await new Browser().go(late.url)
    assert.equal(expired.url.searchParams.get('code'), null)
    assert.match(await expired.response.text(), /invalid_request_uri/)
  } finally {
    mock.timers.reset()
  }
})

test('PAR needs the client’s authentication', async () => {
  const response = await fetch(`${harness.issuer}/par`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: rp.id, response_type: 'code' }),
  })
  assert.equal(response.status, 401)
})

async function dpop(party: RelyingParty): Promise<client.DPoPHandle> {
  return client.getDPoPHandle(party.config, await client.randomDPoPKeyPair('ES256'))
}

test('DPoP: the token opens userinfo only with its key, and a proof is good once', async () => {
  const bound = await registerClient(harness, { dpop_bound_access_tokens: true })
  const DPoP = await dpop(bound)
  const asked = await authorizationUrl(bound)
  const { url } = await new Browser().go(asked.url)
  const checks = { pkceCodeVerifier: asked.verifier, expectedState: asked.state, expectedNonce: asked.nonce }
  const tokens = await client.authorizationCodeGrant(bound.config, url, checks, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  assert.ok((await client.fetchUserInfo(bound.config, tokens.access_token, harness.world.accountId, { DPoP })).sub)
  const bearer = await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  assert.equal(bearer.status, 401)
  await assert.rejects(client.fetchUserInfo(bound.config, tokens.access_token, harness.world.accountId, { DPoP: await dpop(bound) }))
})

test('DPoP: a replayed proof is refused', async () => {
  const bound = await registerClient(harness, { dpop_bound_access_tokens: true })
  const DPoP = await dpop(bound)
  const asked = await authorizationUrl(bound)
  const { url } = await new Browser().go(asked.url)
  let proof: string | null = null
  bound.config[client.customFetch] = (target, options) => {
    proof = new Headers(options.headers as HeadersInit).get('dpop') ?? proof
    return fetch(target, options as RequestInit)
  }
  const checks = { pkceCodeVerifier: asked.verifier, expectedState: asked.state, expectedNonce: asked.nonce }
  const tokens = await client.authorizationCodeGrant(bound.config, url, checks, undefined, { DPoP })
  await client.fetchUserInfo(bound.config, tokens.access_token, harness.world.accountId, { DPoP })
  const replay = await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `DPoP ${tokens.access_token}`, dpop: proof ?? '' } })
  assert.equal(replay.status, 401)
})

async function fapiClient(): Promise<RelyingParty> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'f1', use: 'sig', alg: 'ES256', kty: 'EC' }
  return registerClient(
    harness,
    {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'ES256',
    },
    { fapi2: true },
    client.PrivateKeyJwt(
      { key: privateKey, kid: 'f1' },
      {
        [client.modifyAssertion]: (_header, payload) => {
          payload['aud'] = harness.issuer
        },
      },
    ),
  )
}

test('FAPI 2.0: PAR, DPoP, a key; refresh tokens are not rotated', async () => {
  const party = await fapiClient()
  const DPoP = await dpop(party)
  const asked = await pushed(party, { scope: 'openid offline_access', prompt: 'consent' }, { DPoP })
  const { url } = await new Browser().go(asked.url)
  const checks = { pkceCodeVerifier: asked.verifier, expectedState: asked.state, expectedNonce: asked.nonce }
  const tokens = await client.authorizationCodeGrant(party.config, url, checks, undefined, { DPoP })
  const next = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '', undefined, { DPoP })
  assert.equal(next.refresh_token, tokens.refresh_token)
})

test('FAPI 2.0: without PAR, without DPoP, or with another audience: refused', async () => {
  const party = await fapiClient()
  const plain = await new Browser().go((await authorizationUrl(party)).url)
  assert.equal(plain.url.searchParams.get('error'), 'invalid_request')
  const asked = await pushed(party)
  const { url } = await new Browser().go(asked.url)
  await assert.rejects(redeem(party, asked, url))
  const lax = await registerClient(harness, {}, {})
  assert.ok(await signIn(lax, new Browser()))
})

test('JAR: a signed request object is taken, an unsigned or foreign one refused', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'j1', use: 'sig', alg: 'ES256', kty: 'EC' }
  const party = await registerClient(harness, {
    request_object_signing_alg: 'ES256',
    require_signed_request_object: true,
    jwks: { keys: [jwk] },
  })
  const verifier = client.randomPKCECodeVerifier()
  const parameters = {
    redirect_uri: 'http://127.0.0.1:9/cb',
    scope: 'openid',
    state: 's',
    nonce: 'n',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  const signed = await client.buildAuthorizationUrlWithJAR(party.config, parameters, { key: privateKey, kid: 'j1' })
  const { url } = await new Browser().go(signed)
  assert.ok((await redeem(party, { url: signed, verifier, state: 's', nonce: 'n' }, url)).id_token)
  const foreign = await client.buildAuthorizationUrlWithJAR(party.config, parameters, {
    key: (await generateKeyPair('ES256')).privateKey,
    kid: 'j1',
  })
  assert.equal((await new Browser().go(foreign)).url.searchParams.get('code'), null)
  const bare = await authorizationUrl(party)
  assert.equal((await new Browser().go(bare.url)).url.searchParams.get('error'), 'invalid_request')
})
