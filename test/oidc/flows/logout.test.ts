import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { Browser, type Harness, type RelyingParty, registerClient, signIn, startHarness } from '../harness.ts'

const AFTER = 'http://127.0.0.1:9/bye'

let harness: Harness
before(async () => {
  harness = await startHarness()
})
after(() => harness.close())

interface Listener {
  readonly url: string
  readonly host: string
  readonly tokens: string[]
  answer: (() => Promise<number>) | undefined
  readonly server: Server
}

/** A relying party's back-channel address. */
async function listener(): Promise<Listener> {
  const tokens: string[] = []
  const state: { answer: Listener['answer'] } = { answer: undefined }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const status = (await state.answer?.()) ?? 200
    if (status === 200) tokens.push(new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token') ?? '')
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(state, { url: `http://127.0.0.1:${port}/logout`, host: `127.0.0.1:${port}`, tokens, server })
}

async function party(listening?: Listener): Promise<RelyingParty> {
  const back = listening && { backchannel_logout_uri: listening.url, backchannel_logout_session_required: true }
  return registerClient(harness, { post_logout_redirect_uris: [AFTER], ...back }, listening ? { allowInternalHosts: [listening.host] } : {})
}

/** Presses the button of the sign-out page. */
async function press(browser: Browser, page: string, everything = true): Promise<{ url: URL; response: Response }> {
  const { action, xsrf } = JSON.parse(/<pre>(.*)<\/pre>/.exec(page)?.[1] ?? '{}')
  const body = new URLSearchParams({ xsrf, ...(everything && { logout: 'yes' }) })
  return browser.go(`${harness.issuer}${action}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
}

async function signOut(rp: RelyingParty, browser: Browser, idToken: string | undefined): Promise<URL> {
  const url = client.buildEndSessionUrl(rp.config, { post_logout_redirect_uri: AFTER, id_token_hint: idToken ?? '', state: 'z' })
  const { response } = await browser.go(url)
  return (await press(browser, await response.text())).url
}

async function until(condition: () => boolean, milliseconds = 30_000): Promise<void> {
  const end = Date.now() + milliseconds
  while (!condition() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(condition(), 'in time')
}

test('signing out ends session, access and refresh tokens, and goes only where it is registered', async () => {
  const rp = await party()
  const browser = new Browser()
  const tokens = await signIn(rp, browser)
  const cookies = browser.cookies()
  const target = await signOut(rp, browser, tokens.id_token)
  assert.equal(target.href, `${AFTER}?state=z`)
  const info = await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  assert.equal(info.status, 401)
  browser.restore(cookies)
  const { url } = await browser.go(
    client.buildAuthorizationUrl(rp.config, {
      redirect_uri: 'http://127.0.0.1:9/cb',
      scope: 'openid',
      prompt: 'none',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    }),
  )
  assert.equal(url.searchParams.get('error'), 'login_required', 'an old cookie is dead')
  assert.equal(harness.world.endedSessions.length, 1)
})

test('offline access outlives a plain sign-out and not a “não fui eu”', async () => {
  const rp = await party()
  const browser = new Browser()
  const tokens = await signIn(rp, browser, { scope: 'openid offline_access', prompt: 'consent' })
  await signOut(rp, browser, tokens.id_token)
  const next = await client.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')
  await harness.oidc.sessions.end({ accountId: harness.world.accountId, reason: 'not-me', actor: { kind: 'citizen' }, offlineToo: true })
  await assert.rejects(client.refreshTokenGrant(rp.config, next.refresh_token ?? ''))
})

for (const [name, query] of [
  ['an unregistered address', (rp: RelyingParty) => `client_id=${rp.id}&post_logout_redirect_uri=https://evil.test/`],
  [
    'a forged hint',
    () =>
      `id_token_hint=${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"aud":"x"}').toString('base64url')}.&post_logout_redirect_uri=${AFTER}`,
  ],
] as const) {
  test(`signing out with ${name} redirects nowhere`, async () => {
    const rp = await party()
    const { url, response } = await new Browser().go(`${harness.issuer}/logout?${query(rp)}`)
    assert.equal(url.origin, harness.issuer)
    assert.ok(response.status >= 400)
  })
}

test('a sign-out form from elsewhere changes nothing', async () => {
  const rp = await party()
  const browser = new Browser()
  const tokens = await signIn(rp, browser)
  const body = new URLSearchParams({ xsrf: 'guess', logout: 'yes' })
  const { response } = await browser.go(`${harness.issuer}/logout/confirm`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  assert.ok(response.status >= 400)
  assert.equal((await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })).status, 200)
})

test('back-channel logout: a logout token for each relying party of the session', async () => {
  const [one, two] = [await listener(), await listener()]
  const [first, second] = [await party(one), await party(two)]
  const browser = new Browser()
  const tokens = await signIn(first, browser)
  await signIn(second, browser)
  await signOut(first, browser, tokens.id_token)
  await until(() => one.tokens.length === 1 && two.tokens.length === 1)
  const keys = createRemoteJWKSet(new URL(`${harness.issuer}/jwk`))
  const { payload, protectedHeader } = await jwtVerify(one.tokens[0] ?? '', keys, { issuer: harness.issuer, audience: first.id })
  assert.equal(protectedHeader.typ, 'logout+jwt')
  assert.equal(payload['nonce'], undefined)
  assert.deepEqual(payload['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} })
  assert.equal(payload['sid'], tokens.claims()?.['sid'])
  assert.ok(payload['sid'] && payload.sub === harness.world.accountId && payload.jti)
  for (const { server } of [one, two]) server.close()
})

test('a slow relying party keeps nobody waiting, and is told again later', async () => {
  const slow = await listener()
  const rp = await party(slow)
  const never = Promise.withResolvers<number>()
  slow.answer = () => never.promise
  const browser = new Browser()
  const tokens = await signIn(rp, browser)
  // Waiting for it would be waiting for ever.
  await signOut(rp, browser, tokens.id_token)
  const attempts = async () =>
    (
      await harness.db.query<{ attempts: number; delivered: boolean }>(
        'SELECT attempts, delivered_at IS NOT NULL AS delivered FROM oidc_logout_notice WHERE client_id = $1',
        [rp.id],
      )
    )[0]
  const end = Date.now() + 30_000
  while ((await attempts())?.attempts !== 1 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(await attempts(), { attempts: 1, delivered: false })
  slow.answer = undefined
  await harness.db.execute('UPDATE oidc_logout_notice SET next_attempt_at = now() WHERE client_id = $1', [rp.id])
  assert.equal(await harness.oidc.deliverLogouts(), 1)
  assert.equal(slow.tokens.length, 1)
  slow.server.closeAllConnections()
  slow.server.close()
})

test('ending one session from outside leaves the other', async () => {
  const rp = await party()
  const [here, there] = [new Browser(), new Browser()]
  const one = await signIn(rp, here)
  const two = await signIn(rp, there)
  const all = await harness.db.query<{ uid: string }>(
    "SELECT uid FROM oidc_artifact WHERE model = 'Session' AND account_id = $1 ORDER BY payload->>'loginTs' DESC",
    [harness.world.accountId],
  )
  const uid = all.map((row) => row.uid).at(0)
  assert.ok(uid)
  assert.equal(
    await harness.oidc.sessions.end({ accountId: harness.world.accountId, sessionUids: [uid], reason: 'device', actor: { kind: 'citizen' } }),
    1,
  )
  const statuses = await Promise.all(
    [one, two].map(
      async ({ access_token }) =>
        (await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${access_token}` } })).status,
    ),
  )
  assert.deepEqual(statuses.sort(), [200, 401])
})
