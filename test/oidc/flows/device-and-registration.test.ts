import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { Browser, type Harness, OPERATOR, REDIRECT, registerClient, signIn, startHarness } from '../harness.ts'

let harness: Harness
before(async () => {
  harness = await startHarness()
})
after(() => harness.close())

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** What a page shows, from the harness's rendering. */
function data(page: string): Record<string, string> {
  return JSON.parse((/<pre>(.*)<\/pre>/.exec(page)?.[1] ?? '{}').replaceAll('&lt;', '<'))
}

async function post(browser: Browser, address: string, fields: Record<string, string>): Promise<Response> {
  const body = new URLSearchParams(fields)
  return (
    await browser.go(harness.issuer + address, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  ).response
}

test('a device signs in with a code typed on another', async () => {
  const tv = await registerClient(harness, {
    grant_types: [DEVICE_GRANT],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'none',
  })
  const started = await client.initiateDeviceAuthorization(tv.config, { scope: 'openid email' })
  await assert.rejects(
    client.genericGrantRequest(tv.config, DEVICE_GRANT, { device_code: started.device_code }),
    (fault: client.ResponseBodyError) => fault.error === 'authorization_pending',
  )
  const browser = new Browser()
  const form = data(await (await browser.go(started.verification_uri)).response.text())
  const wrong = data(await (await post(browser, form['action'] ?? '', { xsrf: form['xsrf'] ?? '', user_code: 'BBBB-BBBB' })).text())
  assert.equal(wrong['problem'], 'code')
  const confirm = data(
    await (await post(browser, form['action'] ?? '', { xsrf: wrong['xsrf'] ?? '', user_code: started.user_code })).text(),
  )
  assert.equal(confirm['userCode'], started.user_code)
  assert.equal(confirm['clientName'], 'Portal')
  const done = await post(browser, form['action'] ?? '', { xsrf: confirm['xsrf'] ?? '', user_code: started.user_code, confirm: 'yes' })
  assert.match(await done.text(), /device-done/)
  const tokens = await client.pollDeviceAuthorizationGrant(tv.config, started)
  assert.equal(tokens.claims()?.['acr'], 'urn:mt-login:nivel:bronze')
  await assert.rejects(client.genericGrantRequest(tv.config, DEVICE_GRANT, { device_code: started.device_code }))
  assert.ok(harness.world.events.some(({ type, data: event }) => type === 'oidc/authorized' && event['grant'] === 'device'))
})

test('registration is closed without an initial access token', async () => {
  const body = JSON.stringify({ redirect_uris: [REDIRECT] })
  for (const headers of [{}, { authorization: 'Bearer nothing' }]) {
    const response = await fetch(`${harness.issuer}/reg`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
    assert.ok([400, 401].includes(response.status))
  }
})

async function register(
  metadata: object,
  preset: 'strict' | 'legacy' = 'strict',
): Promise<{ status: number; body: Record<string, string> }> {
  const token = await harness.oidc.createRegistrationToken(preset, OPERATOR)
  const response = await fetch(`${harness.issuer}/reg`, {
    method: 'POST',
    body: JSON.stringify(metadata),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  })
  return { status: response.status, body: await response.json() }
}

test('a client registers itself, signs people in, and reads its record without its secret', async () => {
  const { status, body } = await register({ client_name: 'Self', redirect_uris: [REDIRECT] })
  assert.equal(status, 201)
  const config = await client.discovery(
    new URL(harness.issuer),
    body['client_id'] ?? '',
    {},
    client.ClientSecretBasic(body['client_secret'] ?? ''),
    { execute: [client.allowInsecureRequests] },
  )
  const tokens = await signIn({ id: body['client_id'] ?? '', secret: body['client_secret'], config }, new Browser())
  assert.ok(tokens.id_token)
  const record = await (
    await fetch(body['registration_client_uri'] ?? '', { headers: { authorization: `Bearer ${body['registration_access_token']}` } })
  ).json()
  assert.equal(record.client_name, 'Self')
  assert.equal(record.client_secret, undefined)
  const stored = await harness.oidc.clients.find(body['client_id'] ?? '')
  assert.equal(stored?.policy.pkce, 'required')
  assert.equal(stored?.policy.firstParty, false)
})

test('what a client may do is the state’s decision: the token’s preset, never the request', async () => {
  const legacy = await register(
    { client_name: 'Old', redirect_uris: [REDIRECT], policy: { firstParty: true }, scope: 'openid cpf' },
    'legacy',
  )
  const stored = await harness.oidc.clients.find(legacy.body['client_id'] ?? '')
  assert.equal(stored?.policy.pkce, 'optional')
  assert.equal(stored?.policy.firstParty, false)
  assert.ok(!stored?.policy.allowedScopes.includes('cpf'))
})

test('a bad registration is refused by its members', async () => {
  assert.equal((await register({ redirect_uris: ['http://portal.test/cb'], client_name: 'X' })).status, 400)
  assert.equal(
    (await register({ redirect_uris: [REDIRECT], client_name: 'X', id_token_signed_response_alg: 'none' })).body['error'],
    'invalid_client_metadata',
  )
})
