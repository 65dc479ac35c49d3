import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import {
  authorizationUrl,
  Browser,
  type Harness,
  REDIRECT,
  type RelyingParty,
  redeem,
  registerClient,
  signIn,
  startHarness,
} from '../harness.ts'

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
  rp = await registerClient(harness, { response_modes: undefined })
})
after(() => harness.close())

/** Asks as given and returns where the browser ends. */
async function ask(parameters: Record<string, string | undefined>, browser = new Browser()): Promise<{ url: URL; response: Response }> {
  const { url } = await authorizationUrl(rp)
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return browser.go(url)
}

for (const mutation of [
  'http://127.0.0.1:9/cb/extra',
  'http://127.0.0.1:9/cb?a=b',
  'http://127.0.0.1:9/cb#f',
  'http://user@127.0.0.1:9/cb',
  'http://127.0.0.1.evil.test:9/cb',
  'https://127.0.0.1:9/cb',
  'http://127.0.0.1:9/CB',
  'http://127.0.0.1:9/./cb',
  'http://127.0.0.1:9/%63b',
  'http://127.0.0.1:10/cb',
  'http://evil.test/cb',
  'javascript:alert(1)',
]) {
  test(`redirect_uri ${mutation} is never followed`, async () => {
    const { url, response } = await ask({ redirect_uri: mutation })
    assert.equal(url.origin, harness.issuer)
    assert.equal(response.status, 400)
    assert.match(await response.text(), /oidc\/error.*redirect_uri/)
  })
}

test('an unknown client gets a page, and nothing is redirected', async () => {
  const { url, response } = await ask({ client_id: 'nobody' })
  assert.equal(url.origin, harness.issuer)
  assert.equal(response.status, 400)
})

for (const [name, parameters, error] of [
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a challenge without its method', { code_challenge_method: undefined }, 'invalid_request'],
  ['an unknown response_type', { response_type: 'token' }, 'unsupported_response_type'],
  ['a hybrid response_type', { response_type: 'code id_token' }, 'unsupported_response_type'],
  ['a scope that the client may not have', { scope: 'openid cpf' }, 'invalid_scope'],
  ['prompt none with another', { prompt: 'none login' }, 'invalid_request'],
  ['a negative max_age', { max_age: '-1' }, 'invalid_request'],
  ['claims that are not JSON', { claims: '{' }, 'invalid_request'],
  ['a request_uri that was not pushed', { request_uri: 'https://evil.test/r' }, 'request_uri_not_supported'],
  ['a registration parameter', { registration: '{}' }, 'registration_not_supported'],
] as const) {
  test(`${name} is refused at the redirect_uri, with iss and state`, async () => {
    const { url } = await ask({ state: 's-1', ...parameters })
    const answer = new URLSearchParams(url.search || url.hash.slice(1))
    assert.equal(url.origin + url.pathname, REDIRECT)
    assert.equal(answer.get('error'), error)
    assert.equal(answer.get('iss'), harness.issuer)
    assert.equal(answer.get('state'), 's-1')
    assert.equal(answer.get('code'), null)
  })
}

test('a success carries iss too, and the metadata says so', async () => {
  const { url } = await ask({})
  assert.equal(url.searchParams.get('iss'), harness.issuer)
  assert.equal(rp.config.serverMetadata().authorization_response_iss_parameter_supported, true)
})

test('prompt=none never shows a page', async () => {
  const browser = new Browser()
  const before = harness.world.prompts.length
  assert.equal((await ask({ prompt: 'none' }, browser)).url.searchParams.get('error'), 'login_required')
  assert.equal(harness.world.prompts.length, before)
  await signIn(rp, browser)
  const silent = await ask({ prompt: 'none' }, browser)
  assert.ok(silent.url.searchParams.get('code'))
})

test('a second sign-in in the same browser asks nothing', async () => {
  const browser = new Browser()
  await signIn(rp, browser)
  const before = harness.world.prompts.length
  await signIn(rp, browser)
  assert.equal(harness.world.prompts.length, before)
})

test('prompt=login and max_age ask again and the token says when', async () => {
  const browser = new Browser()
  await signIn(rp, browser)
  const before = harness.world.prompts.length
  await signIn(rp, browser, { prompt: 'login' })
  assert.equal(harness.world.prompts.length, before + 1)
  const tokens = await signIn(rp, browser, { max_age: '1000' }, { maxAge: 1000 })
  assert.ok(Math.abs((tokens.claims()?.auth_time ?? 0) - Date.now() / 1000) < 30)
  assert.equal(harness.world.prompts.length, before + 1)
})

test('POST to the authorization endpoint works like GET', async () => {
  const asked = await authorizationUrl(rp)
  const { url } = await new Browser().go(`${harness.issuer}/authorize`, {
    method: 'POST',
    body: asked.url.searchParams,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const tokens = await redeem(rp, asked, url)
  assert.ok(tokens.id_token)
})

test('form_post answers with a form that the policy lets go to the relying party only', async () => {
  const { url, response } = await ask({ response_mode: 'form_post' })
  assert.equal(url.origin, harness.issuer)
  const page = await response.text()
  const { action, inputs } = JSON.parse(/<pre>(.*)<\/pre>/s.exec(page)?.[1] ?? '{}')
  assert.equal(new URL(action).origin, 'http://127.0.0.1:9')
  assert.ok(inputs.some(({ name, value }: { name: string; value: string }) => name === 'code' && value.length > 20))
  assert.match(response.headers.get('content-security-policy') ?? '', /form-action 'self' http:\/\/127\.0\.0\.1:9[;\s]/)
  assert.match(response.headers.get('content-security-policy') ?? '', /script-src 'self'[;\s]/)
  assert.doesNotMatch(response.headers.get('content-security-policy') ?? '', /sha256-/, 'nothing inline')
})

test('JARM: the answer is a signed JWT', async () => {
  const asked = await authorizationUrl(rp, { response_mode: 'jwt' })
  const { url } = await new Browser().go(asked.url)
  client.useJwtResponseMode(rp.config)
  const tokens = await client.authorizationCodeGrant(rp.config, url, {
    pkceCodeVerifier: asked.verifier,
    expectedState: asked.state,
    expectedNonce: asked.nonce,
  })
  assert.ok(tokens.access_token)
})

test('addresses never come from the Host header', async () => {
  const response = await fetch(`${harness.issuer}/.well-known/openid-configuration`, {
    headers: { host: 'evil.test', 'x-forwarded-host': 'evil.test' },
  })
  assert.doesNotMatch(await response.text(), /evil/)
})

test('discovery says what is offered and no more', async () => {
  const metadata = await (await fetch(`${harness.issuer}/.well-known/openid-configuration`)).json()
  assert.deepEqual(metadata.code_challenge_methods_supported, ['S256'])
  assert.deepEqual(metadata.response_types_supported, ['code'])
  assert.deepEqual(metadata.subject_types_supported, ['public', 'pairwise'])
  assert.ok(metadata.acr_values_supported.includes('urn:mt-login:nivel:prata'))
  assert.ok(metadata.claims_supported.includes('verified_claims'))
  assert.ok(!JSON.stringify(metadata).includes('"HS256"'))
  assert.equal(metadata.authorization_endpoint, `${harness.issuer}/authorize`)
  assert.equal(metadata.jwks_uri, `${harness.issuer}/jwk`)
})
