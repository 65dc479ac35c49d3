import assert from 'node:assert/strict'
import { after, before, mock, test } from 'node:test'
import * as client from 'openid-client'
import { type Asked, authorizationUrl, Browser, type Harness, type RelyingParty, redeem, registerClient, startHarness } from '../harness.ts'

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
  rp = await registerClient(harness)
})
after(() => harness.close())

async function code(parameters: Record<string, string> = {}): Promise<{ asked: Asked; callback: URL }> {
  const asked = await authorizationUrl(rp, parameters)
  const { url } = await new Browser().go(asked.url)
  return { asked, callback: url }
}

async function refused(work: Promise<unknown>, error = 'invalid_grant'): Promise<void> {
  await assert.rejects(work, (fault: client.ResponseBodyError) => fault.error === error)
}

/** A token request with exactly these parameters. */
function token(parameters: Record<string, string>, party = rp): Promise<Response> {
  return fetch(`${harness.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    headers: { authorization: `Basic ${Buffer.from(`${party.id}:${party.secret}`).toString('base64')}` },
  })
}

test('a code is dead after 60 seconds', async () => {
  const { asked, callback } = await code()
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
  try {
    await refused(redeem(rp, asked, callback))
  } finally {
    mock.timers.reset()
  }
})

test('a code redeemed twice revokes the tokens it gave', async () => {
  const { asked, callback } = await code({ scope: 'openid offline_access', prompt: 'consent' })
  const tokens = await redeem(rp, asked, callback)
  await refused(redeem(rp, asked, callback))
  await assert.rejects(client.fetchUserInfo(rp.config, tokens.access_token, client.skipSubjectCheck))
  await refused(client.refreshTokenGrant(rp.config, tokens.refresh_token ?? ''))
})

for (const [name, change] of [
  ['a wrong verifier', { code_verifier: client.randomPKCECodeVerifier() }],
  ['no verifier', { code_verifier: undefined }],
  ['another redirect_uri', { redirect_uri: 'http://127.0.0.1:9/other' }],
  ['no redirect_uri', { redirect_uri: undefined }],
] as const) {
  test(`a code with ${name} is refused`, async () => {
    const { asked, callback } = await code()
    const parameters = {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: 'http://127.0.0.1:9/cb',
      code_verifier: asked.verifier,
      ...change,
    }
    const response = await token(
      Object.fromEntries(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    )
    assert.equal(response.status, 400)
  })
}

test('a code belongs to its client', async () => {
  const other = await registerClient(harness)
  const { asked, callback } = await code()
  const parameters = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: 'http://127.0.0.1:9/cb',
    code_verifier: asked.verifier,
  }
  assert.equal((await token(parameters, other)).status, 400)
})

test('a verifier without a challenge is refused', async () => {
  const lax = await registerClient(harness, {}, { pkce: 'optional' })
  const url = client.buildAuthorizationUrl(lax.config, { redirect_uri: 'http://127.0.0.1:9/cb', scope: 'openid' })
  const { url: callback } = await new Browser().go(url)
  const parameters = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: 'http://127.0.0.1:9/cb',
  }
  assert.equal((await token({ ...parameters, code_verifier: client.randomPKCECodeVerifier() }, lax)).status, 400)
  assert.equal((await token(parameters, lax)).status, 200)
})

for (const [grant, error] of [
  ['password', 'unsupported_grant_type'],
  ['implicit', 'unsupported_grant_type'],
  ['client_credentials', 'unauthorized_client'],
  ['urn:ietf:params:oauth:grant-type:device_code', 'unauthorized_client'],
] as const) {
  test(`the grant ${grant} is ${error}`, async () => {
    const response = await token({ grant_type: grant, username: 'x', password: 'y' })
    assert.equal(response.status, 400)
    assert.equal((await response.json()).error, error)
  })
}

test('each token grant is in the person’s ledger with client, level and scopes', async () => {
  const { asked, callback } = await code()
  harness.world.events.length = 0
  await redeem(rp, asked, callback)
  const [event] = harness.world.events
  assert.deepEqual(event, {
    type: 'oidc/authorized',
    actor: { kind: 'client', id: rp.id },
    subject: harness.world.accountId,
    clientId: rp.id,
    data: { grant: 'code', level: 'bronze', aal: 1, scopes: ['openid', 'profile', 'email'] },
  })
})

test('no token is sent when the ledger can not be written', async () => {
  const { asked, callback } = await code()
  harness.world.ledgerDown = true
  await assert.rejects(redeem(rp, asked, callback))
  harness.world.ledgerDown = false
})
