import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import * as client from 'openid-client'
import { authorizationUrl, Browser, type Harness, OPERATOR, type RelyingParty, registerClient, signIn, startHarness } from '../harness.ts'

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
})
after(() => harness.close())
beforeEach(async () => {
  rp = await registerClient(harness)
  harness.world.prompts.length = 0
  harness.world.atConsent = () => 'agree'
})

const asked = () => harness.world.prompts.filter((prompt) => prompt === 'consent').length
const offline = { scope: 'openid email offline_access', prompt: 'consent' }

test('consent is asked once and remembered across browsers', async () => {
  await signIn(rp, new Browser())
  await signIn(rp, new Browser())
  assert.equal(asked(), 1)
})

test('a new scope or claim is asked for again, and only that', async () => {
  await signIn(rp, new Browser(), { scope: 'openid email' })
  await signIn(rp, new Browser(), { scope: 'openid email phone' })
  assert.equal(asked(), 2)
  assert.deepEqual(harness.world.details.at(-1)?.['missingOIDCScope'], ['openid', 'email', 'phone'])
  await signIn(rp, new Browser(), { scope: 'openid email', claims: JSON.stringify({ userinfo: { birthdate: null } }) })
  assert.equal(asked(), 3)
  await signIn(rp, new Browser(), { scope: 'openid email phone', claims: JSON.stringify({ userinfo: { birthdate: null } }) })
  assert.equal(asked(), 3)
})

test('refusing gives access_denied and nothing is remembered', async () => {
  harness.world.atConsent = () => 'refuse'
  const { url } = await new Browser().go((await authorizationUrl(rp)).url)
  assert.equal(url.searchParams.get('error'), 'access_denied')
  assert.ok((await harness.oidc.consents.list(harness.world.accountId)).every(({ clientId }) => clientId !== rp.id))
})

test('withdrawing kills every token of that client and asks again; others are untouched', async () => {
  const other = await registerClient(harness)
  const mine = await signIn(rp, new Browser(), offline)
  const theirs = await signIn(other, new Browser(), offline)
  await harness.oidc.consents.withdraw(harness.world.accountId, rp.id)
  await assert.rejects(client.fetchUserInfo(rp.config, mine.access_token, client.skipSubjectCheck))
  await assert.rejects(client.refreshTokenGrant(rp.config, mine.refresh_token ?? ''))
  assert.ok((await client.refreshTokenGrant(other.config, theirs.refresh_token ?? '')).access_token)
  harness.world.prompts.length = 0
  await signIn(rp, new Browser())
  assert.equal(asked(), 1)
  assert.ok(harness.world.events.some(({ type, clientId }) => type === 'oidc/consent-withdrawn' && clientId === rp.id))
})

test('the state’s own clients never ask, even for offline access', async () => {
  const own = await registerClient(harness, {}, { firstParty: true })
  assert.ok((await signIn(own, new Browser(), offline)).refresh_token)
  assert.equal(asked(), 0)
})

test('a replayed code ends that session at that client and not the remembered consent', async () => {
  await signIn(rp, new Browser())
  const start = await authorizationUrl(rp)
  const browser = new Browser()
  const { url } = await browser.go(start.url)
  const checks = { pkceCodeVerifier: start.verifier, expectedState: start.state, expectedNonce: start.nonce }
  await client.authorizationCodeGrant(rp.config, url, checks)
  await assert.rejects(client.authorizationCodeGrant(rp.config, url, checks))
  await signIn(rp, browser)
  assert.equal(asked(), 1)
})

test('scopes of an API are part of the consent', async () => {
  const api = 'https://api.consent.test/'
  await harness.oidc.resources.put(
    { indicator: api, name: 'A', scopes: ['read', 'write'], tokenFormat: 'opaque', tokenSeconds: 300 },
    OPERATOR,
  )
  const party = await registerClient(harness, {}, { resources: [api] })
  await signIn(party, new Browser(), { scope: 'openid read', resource: api })
  await signIn(party, new Browser(), { scope: 'openid read', resource: api })
  assert.equal(asked(), 1)
  await signIn(party, new Browser(), { scope: 'openid read write', resource: api })
  assert.equal(asked(), 2)
})
