import assert from 'node:assert/strict'
import { after, afterEach, before, mock, test } from 'node:test'
import * as client from 'openid-client'
import { Browser, type Harness, type RelyingParty, registerClient, signIn, startHarness, type Tokens } from '../harness.ts'

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
  rp = await registerClient(harness)
})
after(() => harness.close())
afterEach(() => mock.timers.reset())

const offline = { scope: 'openid offline_access', prompt: 'consent' }

async function family(): Promise<Tokens & { refresh_token: string }> {
  const tokens = await signIn(rp, new Browser(), offline)
  assert.ok(tokens.refresh_token)
  return Object.assign(tokens, { refresh_token: tokens.refresh_token })
}

const refresh = (token: string | undefined) => client.refreshTokenGrant(rp.config, token ?? '')
const isRefused = (fault: client.ResponseBodyError) => fault.error === 'invalid_grant'
const later = (seconds: number) => mock.timers.enable({ apis: ['Date'], now: Date.now() + seconds * 1000 })

test('a refresh token of a confidential client is rotated', async () => {
  const tokens = await family()
  const next = await refresh(tokens.refresh_token)
  assert.notEqual(next.refresh_token, tokens.refresh_token)
  assert.ok(next.id_token)
  await client.fetchUserInfo(rp.config, next.access_token, harness.world.accountId)
})

test('a used refresh token kills its family at once, and that is on record', async () => {
  const tokens = await family()
  const next = await refresh(tokens.refresh_token)
  await new Promise((resolve) => setTimeout(resolve, 5))
  await assert.rejects(refresh(tokens.refresh_token), isRefused)
  await assert.rejects(refresh(next.refresh_token), isRefused)
  await assert.rejects(client.fetchUserInfo(rp.config, next.access_token, client.skipSubjectCheck))
  assert.ok(harness.world.events.some(({ type, subject }) => type === 'oidc/refresh-token-reused' && subject === harness.world.accountId))
})

test('a lost answer can be asked for again: the same one, no new family member', async () => {
  const tokens = await family()
  const lost = await refresh(tokens.refresh_token)
  later(5)
  const again = await refresh(tokens.refresh_token)
  assert.equal(again.refresh_token, lost.refresh_token)
  assert.equal(again.access_token, lost.access_token)
  assert.ok((await refresh(lost.refresh_token)).refresh_token)
})

test('an answer that was used was not lost: the old token kills the family', async () => {
  const tokens = await family()
  const second = await refresh(tokens.refresh_token)
  const third = await refresh(second.refresh_token)
  later(5)
  await assert.rejects(refresh(tokens.refresh_token), isRefused)
  await assert.rejects(refresh(third.refresh_token), isRefused)
})

test('after the window a lost answer stays lost', async () => {
  const tokens = await family()
  const next = await refresh(tokens.refresh_token)
  later(31)
  await assert.rejects(refresh(tokens.refresh_token), isRefused)
  await assert.rejects(refresh(next.refresh_token), isRefused)
})

test('another client can not ask for a lost answer', async () => {
  const other = await registerClient(harness)
  const tokens = await family()
  await refresh(tokens.refresh_token)
  later(5)
  await assert.rejects(client.refreshTokenGrant(other.config, tokens.refresh_token), isRefused)
})

test('20 parallel refreshes: exactly one succeeds, and its family lives', async () => {
  for (let round = 0; round < 3; round += 1) {
    const tokens = await family()
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => refresh(tokens.refresh_token)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  }
})

test('rotation does not lengthen the chain’s absolute life', async () => {
  const short = await registerClient(harness, {}, { refreshTokenSeconds: 600 })
  const tokens = await signIn(short, new Browser(), offline)
  later(500)
  const next = await client.refreshTokenGrant(short.config, tokens.refresh_token ?? '')
  mock.timers.reset()
  later(601)
  await assert.rejects(client.refreshTokenGrant(short.config, next.refresh_token ?? ''), isRefused)
})

test('without offline_access there is no refresh token, unless policy binds one to the session', async () => {
  assert.equal((await signIn(rp, new Browser())).refresh_token, undefined)
  const portal = await registerClient(harness, {}, { sessionRefresh: true })
  const tokens = await signIn(portal, new Browser())
  assert.ok((await client.refreshTokenGrant(portal.config, tokens.refresh_token ?? '')).access_token)
  await harness.oidc.sessions.end({ accountId: harness.world.accountId, reason: 'test', actor: { kind: 'system' } })
  await assert.rejects(client.refreshTokenGrant(portal.config, tokens.refresh_token ?? ''), isRefused)
})

test('a recovery ends what began before it, offline access too, and nothing that began after it', async () => {
  const [before, other] = [await family(), await family()]
  const until = new Date(Date.now() + 60_000)
  later(120)
  const after = await family()
  const ended = { accountId: harness.world.accountId, reason: 'recovered', actor: { kind: 'system' }, offlineToo: true } as const
  await harness.oidc.sessions.end({ ...ended, sessionUids: [], until })
  for (const { refresh_token } of [before, other]) await assert.rejects(refresh(refresh_token), isRefused)
  const next = await refresh(after.refresh_token)
  const info = await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${next.access_token}` } })
  assert.equal(info.status, 200)
})

test('a refresh can not widen its scopes', async () => {
  const tokens = await family()
  await assert.rejects(client.refreshTokenGrant(rp.config, tokens.refresh_token, { scope: 'openid cpf' }))
})

test('a suspended account’s refresh and access tokens are dead at the next request', async () => {
  const tokens = await family()
  harness.world.active = false
  try {
    await assert.rejects(refresh(tokens.refresh_token), isRefused)
    const info = await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    assert.equal(info.status, 401)
  } finally {
    harness.world.active = true
  }
})
