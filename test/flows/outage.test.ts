/** PostgreSQL and Redis go away under a running server and come back; a dump is restored into an empty cluster (lines 5, 59, 61, 62). */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { agree, begin, cpfOfNobody, type Journey, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import { findPostgresBinaries, type PostgresServer, startPostgres } from '../support/postgres.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { until } from '../support/until.ts'
import { addCitizen, addRelyingParty, addTotp, people, type Person, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'
import { hasRedis, startRedis, type TestRedis } from '../oidc/redis.ts'

const { register, all: citizens } = people(4)
const person = (index: number): Person => citizens[index] ?? assert.fail()
const WRONG = 'errada-mesmo-99'
const ANSWER_MS = 3000
const READY_MS = 10_000
const skip = findPostgresBinaries() === undefined ? 'no PostgreSQL here' : false

const statusOf = (url: string | URL): Promise<number> => fetch(url, { redirect: 'manual' }).then(({ status }) => status, () => 0)

async function signInAs(rp: TestRelyingParty, who: Person, extra: Record<string, string> = {}, browser = newBrowser()): Promise<Journey> {
  return agree(await typePassword(await begin(rp, extra, browser), { cpf: who.cpf, password: who.password }))
}

describe('PostgreSQL stops and starts again', { skip }, () => {
  let postgres: PostgresServer
  let app: WatchedApp
  let rp: TestRelyingParty
  before(async () => {
    postgres = await startPostgres()
    app = await startWatchedApp({ register, env: { DATABASE_URL: postgres.url } })
    rp = await addRelyingParty(app)
    await addCitizen(app, person(0))
  })
  after(async () => {
    await app.stop()
    await postgres.stop()
  })

  const at = (where: string): URL => new URL(where, app.publicUrl)

  /** Every kind of address, each answered in time and without a word about the inside. */
  async function checkAway(journey: Journey, token: string): Promise<void> {
    const { browser, page } = journey
    const csrf = /name="_csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
    const form = new URLSearchParams({ _csrf: csrf, cpf: person(0).cpf, password: person(0).password })
    const { client_id: id = '', client_secret: secret = '' } = rp.config.clientMetadata() as Record<string, string>
    const basic = { Authorization: `Basic ${btoa(`${id}:${secret}`)}` }
    const calls: [string, () => Promise<Response>][] = [
      ['pronto', () => fetch(at('/pronto'))],
      ['sign-in', () => browser.fetch(new URL(`${page.url.pathname}/entrar`, app.publicUrl), { method: 'POST', body: form, headers: { Accept: 'text/html' } })],
      ['sign-in as JSON', () => browser.fetch(new URL(`${page.url.pathname}/entrar`, app.publicUrl), { method: 'POST', body: form, headers: { Accept: 'application/json' } })],
      ['recovery', () => browser.fetch(at('/recuperar'), { method: 'POST', body: new URLSearchParams({ _csrf: csrf, cpf: person(0).cpf, way: 'email' }) })],
      ['token', () => fetch(at('/token'), { method: 'POST', headers: basic, body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'mtr_x' }) })],
      ['userinfo', () => fetch(at('/userinfo'), { headers: { Authorization: `Bearer ${token}` } })],
      ['introspection', () => fetch(at('/introspect'), { method: 'POST', headers: basic, body: new URLSearchParams({ token }) })],
    ]
    for (const [name, call] of calls) {
      const begun = performance.now()
      const response = await call()
      const text = await response.text()
      assert.equal(response.status, 503, `${name}: ${response.status} ${text.slice(0, 200)}`)
      assert.ok(performance.now() - begun < ANSWER_MS, `${name}: ${Math.round(performance.now() - begun)} ms`)
      assert.doesNotMatch(text, /ECONN|at .*\.ts|postgres|SELECT|127\.0\.0\.1:\d+\/(?!$)[^"'\s<]*sql/i, name)
      assert.ok(!text.includes('"active":true'), name)
    }
    const authorize = await fetch((await rp.begin()).url, { redirect: 'manual' })
    const location = authorize.headers.get('Location') ?? ''
    assert.ok(authorize.status === 503 || /error=(server_error|temporarily_unavailable)/.test(location), `authorize: ${authorize.status} ${location}`)
    assert.equal(await statusOf(at('/saude')), 200, 'alive')
    assert.equal(await statusOf(at('/jwk')), 200, 'the keys need no database')
  }

  test('503 in time while it is away, ready soon after, nothing acknowledged lost, the limiter never open', async () => {
    const tokens = await redeem(await signInAs(rp, person(0), { scope: 'openid offline_access', prompt: 'consent' }))
    for (let tries = 0; tries < 4; tries += 1) await typePassword(await begin(rp, {}, newBrowser()), { cpf: person(0).cpf, password: WRONG })
    const [before] = await app.foundation.db.query<{ points: number }>("SELECT max(points) AS points FROM throttle WHERE key LIKE 'account:%'")
    const waiting = await begin(rp)
    const load = { isOn: true, statuses: new Map<number, number>() }
    const running = Promise.all(Array.from({ length: 4 }, () => pressOn(load)))
    await sleep(500)
    try {
      postgres.signal('SIGINT')
      await until(async () => (await statusOf(at('/pronto'))) === 503, 5000)
      await checkAway(waiting, tokens.access_token)
    } finally {
      await postgres.restart()
      load.isOn = false
      await running
    }
    const begun = performance.now()
    await until(async () => (await statusOf(at('/pronto'))) === 200, READY_MS)
    assert.ok(performance.now() - begun < READY_MS)
    for (const status of load.statuses.keys()) assert.ok([0, 200, 410, 422, 429, 503].includes(status), `${status} while the database was away: ${JSON.stringify([...load.statuses])}`)
    const [now] = await app.foundation.db.query<{ points: number }>("SELECT max(points) AS points FROM throttle WHERE key LIKE 'account:%'")
    assert.ok((now?.points ?? 0) >= (before?.points ?? 1), 'counters live on')
    assert.ok((await oidc.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')).access_token, 'a refresh token that was handed out lives on')
    assert.ok((await redeem(await signInAs(rp, person(0)))).access_token)
    assert.doesNotMatch(app.logged(), /password authentication|SELECT |mt:[0-9a-f]{32}@/)
  })

  /** Wrong passwords of people who are nobody, from addresses of their own, as long as told. */
  async function pressOn(load: { isOn: boolean; statuses: Map<number, number> }): Promise<void> {
    for (let index = 0; load.isOn; index += 1) {
      const status = await begin(rp).then((journey) => typePassword(journey, { cpf: cpfOfNobody(30_000 + index), password: WRONG })).then(({ page }) => page.status, () => 503)
      load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1)
      await sleep(20)
    }
  }

  test('after a crash of PostgreSQL people only sign in again', async () => {
    const journey = await signInAs(rp, person(0))
    await redeem(journey)
    postgres.signal('SIGQUIT')
    await until(async () => (await statusOf(at('/pronto'))) === 503, 5000)
    await postgres.restart()
    await until(async () => (await statusOf(at('/pronto'))) === 200, READY_MS)
    const again = await begin(rp, {}, journey.browser)
    assert.ok(again.page.status === 0 || again.page.forms.some(({ action }) => action.pathname.endsWith('/entrar')), again.page.text.slice(0, 200))
    assert.ok((await redeem(await signInAs(rp, person(0)))).access_token)
    await app.rooms.audit.seal()
    assert.equal((await app.rooms.audit.verify()).ok, true)
  })
})

describe('Redis stops, forgets and starts again', { skip: skip || (hasRedis() ? false : 'no Redis here') }, () => {
  let postgres: PostgresServer
  let redis: TestRedis
  let app: WatchedApp
  let rp: TestRelyingParty
  before(async () => {
    ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
    app = await startWatchedApp({ register, env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url.reveal() } })
    rp = await addRelyingParty(app)
    await addCitizen(app, person(1))
  })
  after(async () => {
    await app.stop()
    await Promise.all([postgres.stop(), redis.stop()])
  })

  const at = (where: string): URL => new URL(where, app.publicUrl)

  test('FLUSHALL: no code comes back, no counter is reset, people sign in again', async () => {
    const journey = await signInAs(rp, person(1))
    const code = journey.page.url.searchParams.get('code') ?? ''
    const area = newBrowser()
    area.stopAt = () => false
    await area.submit(await area.get(at('/conta/entrar')), { cpf: person(1).cpf, password: person(1).password }, { action: '/entrar' })
    for (let tries = 0; tries < 11; tries += 1) await typePassword(await begin(rp, {}, newBrowser()), { cpf: person(2).cpf, password: WRONG })
    await addCitizen(app, person(2))
    await redis.flush()
    await assert.rejects(rp.finish(journey.page.url, journey.pending))
    assert.ok(code !== '')
    const locked = await typePassword(await begin(rp, {}, newBrowser()), { cpf: person(2).cpf, password: person(2).password })
    assert.equal(locked.page.status, 422, 'the limiter does not live in Redis')
    assert.ok((await begin(rp, {}, journey.browser)).page.forms.some(({ action }) => action.pathname.endsWith('/entrar')))
    assert.ok((await redeem(await signInAs(rp, person(1)))).access_token)
  })

  test('while it is away nothing is let through; /pronto says so; back again all is well', async () => {
    const tokens = await redeem(await signInAs(rp, person(1)))
    const waiting = await begin(rp)
    await redis.stop()
    const begun = performance.now()
    const userinfo = await fetch(at('/userinfo'), { headers: { Authorization: `Bearer ${tokens.access_token}` } })
    assert.equal(userinfo.status, 503)
    const page = await waiting.browser.fetch(waiting.page.url, { headers: { Accept: 'text/html' } })
    assert.equal(page.status, 503, (await page.text()).slice(0, 200))
    assert.ok(performance.now() - begun < 2 * ANSWER_MS)
    await until(async () => (await statusOf(at('/pronto'))) === 503, 6000)
    await redis.start()
    await until(async () => (await statusOf(at('/pronto'))) === 200, READY_MS)
    assert.ok((await redeem(await signInAs(rp, person(1)))).access_token)
  })
})

describe('a dump restored into an empty cluster', { skip }, () => {
  test('sign-in, second factor, agreement, keys, tokens and the audit record are all there', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-restore-'))
    const [one, two] = await Promise.all([startPostgres(), startPostgres()])
    t.after(async () => {
      await Promise.all([one.stop(), two.stop()])
      rmSync(folder, { recursive: true, force: true })
    })
    const first = await startWatchedApp({ register, dataDir: folder, env: { DATABASE_URL: one.url } })
    const rp = await addRelyingParty(first)
    const account = await addCitizen(first, person(3))
    await redeem(await signInAs(rp, person(3)))
    const { recoveryCodes } = await addTotp(first, account)
    const owed = await typePassword(await begin(rp, { scope: 'openid profile offline_access', prompt: 'consent' }), { cpf: person(3).cpf, password: person(3).password })
    const proved = { ...owed, page: await owed.browser.submit(owed.page, { recovery: recoveryCodes[0] ?? '' }, { action: '/codigo-de-recuperacao' }) }
    const tokens = await redeem(await agree(proved))
    const kids = await kidsOf(first)
    await first.rooms.audit.seal()
    await first.rooms.audit.checkpoint()
    await first.stop()

    const bin = findPostgresBinaries() ?? ''
    const dump = execFileSync(path.join(bin, 'pg_dump'), ['--no-owner', one.url], { encoding: 'buffer', maxBuffer: 1 << 30 })
    const { username, password } = new URL(one.url)
    assert.ok(!dump.includes(person(3).password) && username !== '' && !dump.includes(password))
    execFileSync(path.join(bin, 'psql'), ['-v', 'ON_ERROR_STOP=1', '-q', '-d', two.url], { input: dump, stdio: ['pipe', 'ignore', 'pipe'] })

    const second = await startWatchedApp({ register, dataDir: folder, env: { DATABASE_URL: two.url, PORT: new URL(first.publicUrl).port } })
    t.after(() => second.stop())
    assert.equal(second.publicUrl, first.publicUrl)
    assert.deepEqual(await kidsOf(second), kids)
    await jwtVerify(tokens.id_token ?? '', createRemoteJWKSet(new URL('/jwk', second.publicUrl)), { issuer: second.publicUrl })
    const renewed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')
    assert.ok(renewed.access_token, 'the secret of the relying party and the refresh token are known')
    const again = await typePassword(await begin(rp), { cpf: person(3).cpf, password: person(3).password })
    const end = await again.browser.submit(again.page, { recovery: recoveryCodes[1] ?? '' }, { action: '/codigo-de-recuperacao' })
    assert.ok((await redeem({ ...again, page: end })).access_token, 'the agreement is remembered')
    const used = await typePassword(await begin(rp), { cpf: person(3).cpf, password: person(3).password })
    assert.equal((await used.browser.submit(used.page, { recovery: recoveryCodes[0] ?? '' }, { action: '/codigo-de-recuperacao' })).status, 422, 'a used code stays used')
    await second.rooms.audit.seal()
    const verdict = await second.rooms.audit.verify()
    assert.ok(verdict.ok, JSON.stringify(verdict))
  })

  async function kidsOf(app: WatchedApp): Promise<string[]> {
    const { keys } = await (await fetch(new URL('/jwk', app.publicUrl))).json()
    return keys.map(({ kid }: { kid: string }) => kid)
  }
})
