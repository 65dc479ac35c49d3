/** What strangers can make the server remember: bounded by address and by time, before the database fills. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import { purgeEndedPageSessions } from '../../src/platform/http/page-session.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { begin, type Journey, redeem } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { REDIRECT_URI } from '../support/sign-in-scene.ts'
import { addCitizen, addRelyingParty, people, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const BURST = 30
const { register, all } = people(1)

let app: WatchedApp
let rp: TestRelyingParty

before(async () => {
  app = await startWatchedApp({
    register,
    accounts: (settings) => ({
      ...settings,
      password: { ...settings.password, cost: { memoryKib: 64, passes: 1, parallelism: 1 } },
      throttle: { ...settings.throttle, visitsPerAddress: { burst: BURST, perSecond: 0.5 } },
    }),
  })
  rp = await addRelyingParty(app)
})
after(() => app.stop())

const at = (path: string): URL => new URL(path, app.publicUrl)
const from = (address: string) => ({ 'X-Forwarded-For': address, Accept: 'text/html' })
const ask = (url: URL, address: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { redirect: 'manual', headers: { ...from(address), ...headers } })

async function rows(): Promise<number> {
  const tables = ['oidc_volatile', 'oidc_artifact', 'page_session']
  const counts = await Promise.all(tables.map((table) => app.foundation.db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)))
  return counts.reduce((sum, [row]) => sum + Number(row?.n), 0)
}

/** Many requests of browsers that keep no cookies; the statuses, and how many rows they left. */
async function flood(count: number, address: string, url: () => Promise<URL> | URL): Promise<{ statuses: number[]; left: number }> {
  const before = await rows()
  const statuses: number[] = []
  for (let batch = 0; batch < count; batch += 10) {
    const answers = await Promise.all(Array.from({ length: 10 }, async () => ask(await url(), address)))
    for (const answer of answers) {
      statuses.push(answer.status)
      await answer.arrayBuffer()
    }
  }
  return { statuses, left: (await rows()) - before }
}

async function pushPublicly(clientId: string, address: string): Promise<Response> {
  const body = new URLSearchParams({
    client_id: clientId, response_type: 'code', scope: 'openid', redirect_uri: REDIRECT_URI, code_challenge_method: 'S256',
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
  })
  return fetch(at('/par'), { method: 'POST', body, headers: from(address) })
}

test('a flood of authorization requests from one address leaves no more rows than its allowance', async () => {
  const { statuses, left } = await flood(150, '10.50.0.1', async () => (await rp.begin()).url)
  const refused = statuses.filter((status) => status === 429).length
  assert.ok(refused >= 100, `${refused} of 150 were refused`)
  // A session and an interaction each; ten at a time may be under way when the allowance ends.
  assert.ok(left <= 2 * (BURST + 15), `${left} rows were left`)
})

test('the refusal is a page that says when to come back, or a problem for programs', async () => {
  const { url } = await rp.begin()
  const page = await ask(url, '10.50.0.1', { 'Accept-Language': 'pt-BR' })
  assert.equal(page.status, 429)
  assert.match(page.headers.get('Retry-After') ?? '', /^\d+$/)
  assert.match(await page.text(), /<h1>/)
  const problem = await ask(url, '10.50.0.1', { Accept: 'application/json' })
  assert.equal(problem.headers.get('Content-Type'), 'application/problem+json')
  assert.deepEqual(new URL((await problem.json()).type).pathname, '/problems/platform/too-many')
  assert.match(await app.foundation.metrics.text(), /mtlogin_visits_refused\{path="\/authorize"\} \d+/)
})

test('no header of the sender moves it to another address, and its neighbours come in', async () => {
  const { url } = await rp.begin()
  const forged = await ask(url, '1.2.3.4, 10.50.0.1')
  assert.equal(forged.status, 429, 'only what the trusted proxy appended counts')
  assert.equal((await ask(url, '10.50.0.2')).status, 303)
  const inOneNetwork = await flood(60, '2001:db8:7:7::1', async () => (await rp.begin()).url)
  assert.ok(inOneNetwork.statuses.includes(429))
  assert.equal((await ask(url, '2001:db8:7:7:ffff::9')).status, 429, 'the /64 of a subscriber counts as one')
})

test('every other door that remembers a stranger is bounded alike', async () => {
  const { client } = await app.oidc.clients.create({
    metadata: {
      client_name: 'Aplicativo', redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    policy: {},
    actor: { kind: 'operator', id: 'test' },
  })
  for (const [index, path] of ['/conta/entrar', '/device', '/logout'].entries()) {
    const { statuses, left } = await flood(80, `10.51.${index}.1`, () => at(path))
    assert.ok(statuses.includes(429), path)
    assert.ok(left <= BURST + 15, `${path} left ${left} rows`)
  }
  const pushed: number[] = []
  for (let index = 0; index < BURST + 10; index += 1) pushed.push((await pushPublicly(client.id, '10.52.0.1')).status)
  assert.deepEqual([...new Set(pushed)], [201, 429])
})

test('whoever is signed in goes from portal to portal as often as they like', async () => {
  await addCitizen(app, all[0] ?? assert.fail())
  const { cpf, password } = all[0] ?? assert.fail()
  const browser = new BrowserClient({ 'X-Forwarded-For': '10.53.0.1' })
  browser.stopAt = (url) => url.href.startsWith(REDIRECT_URI)
  const first = await begin(rp, {}, browser)
  const page = await browser.submit(first.page, { cpf, password }, { action: '/entrar' })
  await redeem({ ...first, page: await browser.submit(page, {}, { button: 'Autorizar' }) })
  let last: Journey = first
  for (let index = 0; index < BURST + 20; index += 1) last = await begin(rp, {}, browser)
  assert.ok((await redeem(last)).id_token)
})

test('what was remembered for strangers is gone within the hour', async () => {
  app.clock.advance(3_660_000)
  await app.oidc.purgeExpired()
  await purgeEndedPageSessions(app.foundation.db, app.clock.now())
  const [sessions] = await app.foundation.db.query<{ n: number }>('SELECT count(*)::int AS n FROM page_session WHERE account_id IS NULL')
  assert.equal(Number(sessions?.n), 0)
  const strangers = "SELECT count(*)::int AS n FROM oidc_artifact WHERE model = 'Interaction' OR (model = 'Session' AND account_id IS NULL)"
  const [kept] = await app.foundation.db.query<{ n: number }>(strangers)
  assert.equal(Number(kept?.n), 0)
})
