/** What a face check from home is worth outside the demonstration, and how often it may be tried. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Account } from '../../src/accounts/index.ts'
import { agree, begin, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { faceEndpoints, showPictures } from '../support/face-check-client.ts'
import { findPostgresBinaries } from '../support/postgres.ts'
import type { Capture } from '../support/reactive-camera/browser-driver.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { until } from '../support/until.ts'
import { addCitizen, addRelyingParty, people, setReferenceFace, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all: citizens } = people(2)
const [who = assert.fail(), other = assert.fail()] = citizens
const FACE = { acr_values: 'urn:mt-login:face', max_age: '0' }

let app: WatchedApp
let rp: TestRelyingParty
let account: Account
let views: FaceViews
let moment = 0
let drop: () => Promise<void> = async () => {}

before(async () => {
  const postgres = process.env['MT_TEST_POSTGRES_URL'] || findPostgresBinaries() ? await createPostgresDatabase() : undefined
  drop = postgres?.drop ?? drop
  app = await startWatchedApp({ register, env: { DEMO: 'false', ...(postgres && { DATABASE_URL: postgres.url.reveal() }) } })
  ;[rp, views, account] = [await addRelyingParty(app), await loadFaceViews(SAMPLE_FACES.one), await addCitizen(app, who)]
  await addCitizen(app, other)
  await setReferenceFace(app, account, await views.jpeg({ yawDegrees: 0, moment: 7000 }))
})
after(async () => {
  await app.stop()
  await drop()
})

const at = (path: string): URL => new URL(path, app.publicUrl)
const camera = (): { clock: WatchedApp['clock']; capture: Capture } => ({
  clock: app.clock,
  capture: ({ yaw = 0, colour }) => {
    moment += 1
    return views.jpeg({ yawDegrees: yaw, colour, moment })
  },
})

test('nothing of the demonstration is there', async () => {
  for (const path of ['/demo/foto', '/demo/mensagens']) assert.equal((await fetch(at(path), { headers: { Accept: 'text/html' } })).status, 404)
  const { page } = await begin(rp)
  assert.doesNotMatch(page.text, /DEMONSTRAÇÃO|boi-tuiuiu|Contas da demonstração/i)
  const asked = await typePassword(await begin(rp, FACE), { cpf: other.cpf, password: other.password })
  assert.ok(!asked.page.links.some(({ href }) => href.pathname.startsWith('/demo')))
})

test('prata by a web camera is not offered: the page names the other ways, and the token keeps to bronze', async () => {
  const asked = await typePassword(await begin(rp, { acr_values: 'urn:mt-login:nivel:prata' }), { cpf: who.cpf, password: who.password })
  assert.match(asked.page.text, /não chega ao nível/)
  assert.ok(!asked.page.forms.some(({ action }) => action.pathname.endsWith('/concordo')))
  const csrf = /name="_csrf" value="([^"]+)"/.exec(asked.page.html)?.[1] ?? ''
  await asked.browser.post(new URL(`${asked.page.url.pathname}/rosto/concordo`, app.publicUrl), new URLSearchParams({ _csrf: csrf, agree: 'sim' }), asked.page.url)
  const camera = await asked.browser.get(asked.page.url)
  assert.doesNotMatch(camera.html, /data-face-check/, 'the camera cannot be reached by its address either')
})

test('a passed check confirms the person and raises nothing; it gives the tries back', async () => {
  const { faceAttempts } = app.rooms.accounts
  for (let tries = 0; tries < 2; tries += 1) await faceAttempts.claim(account.id)
  const asked = await typePassword(await begin(rp, FACE), { cpf: who.cpf, password: who.password })
  const page = await asked.browser.submit(asked.page, { agree: 'sim' }, { action: '/concordo' })
  const outcome = await showPictures(asked.browser, page, camera())
  assert.deepEqual([outcome.passed, outcome.reasons], [true, []])
  const passed = await asked.browser.get(at(outcome.next))
  const claims = (await redeem(await agree({ ...asked, page: await asked.browser.submit(passed, {}, { action: '/seguir' }) }))).claims()
  assert.equal(claims?.['acr'], 'urn:mt-login:nivel:bronze')
  assert.equal(await app.rooms.assurance.levelOf(account.id), 'bronze')
  assert.equal(await faceAttempts.left(account.id), 3)
})

test('a recovery by face is not to be had where a program could pass the check', async () => {
  const browser = newBrowser()
  const start = await browser.get(at('/recuperar'))
  assert.ok(!start.forms.some(({ choices }) => choices.get('way')?.includes('face')))
  const csrf = start.forms.find(({ action }) => action.pathname === '/recuperar')?.fields.get('_csrf')?.[0] ?? ''
  const forced = await browser.post(at('/recuperar'), new URLSearchParams({ _csrf: csrf, cpf: who.cpf, way: 'face' }), start.url)
  assert.equal(forced.status, 422)
  assert.deepEqual(await app.foundation.db.query("SELECT 1 FROM audit_event WHERE type = 'accounts/recovery-started'"), [])
})

test('of many long polls of one check only the latest waits', async () => {
  await app.foundation.db.execute("DELETE FROM throttle WHERE key LIKE 'face%'")
  const asked = await typePassword(await begin(rp, FACE), { cpf: who.cpf, password: who.password })
  const page = await asked.browser.submit(asked.page, { agree: 'sim' }, { action: '/concordo' })
  const { call, read } = faceEndpoints(asked.browser, page)
  const { id } = await read<{ id: string }>(call('POST', '/sessao', { json: { flashes: true } }))
  await call('GET', `/sessao/${id}/passo?depois=-1`)
  let answered = 0
  const polls = Array.from({ length: 20 }, async () => {
    await call('GET', `/sessao/${id}/passo?depois=0`)
    answered += 1
  })
  await until(() => answered >= 19, 8000)
  assert.equal(answered, 19)
  await call('POST', `/sessao/${id}/cancelar`)
  await Promise.all(polls)
})

test('three tries an hour, whatever the browser', async () => {
  const open = async () => {
    const asked = await typePassword(await begin(rp, FACE), { cpf: who.cpf, password: who.password })
    const page = await asked.browser.submit(asked.page, { agree: 'sim' }, { action: '/concordo' })
    return faceEndpoints(asked.browser, page)
  }
  await app.foundation.db.execute("DELETE FROM throttle WHERE key LIKE 'face%'")
  const endpoints = await open()
  const statuses: number[] = []
  for (let tries = 0; tries < 5; tries += 1) statuses.push((await endpoints.call('POST', '/sessao', { json: { flashes: true } })).status)
  assert.deepEqual(statuses, [201, 201, 201, 429, 429])
  const asked = await typePassword(await begin(rp, FACE), { cpf: who.cpf, password: who.password })
  assert.match(asked.page.text, /volta a funcionar para você em até uma hora/)
})

test('whoever goes on without a passed check waits longer each time, and a passed one ends it', async () => {
  const { faceAttempts } = app.rooms.accounts
  const someone = other.cpf
  const allowed = () => faceAttempts.claim(someone).then(() => true, () => false)
  const waited: number[] = []
  for (let tries = 0; tries < 7; tries += 1) {
    let minutes = 0
    while (!(await allowed())) {
      assert.equal(await faceAttempts.left(someone), 0)
      app.clock.advance(5 * 60_000)
      minutes += 5
    }
    waited.push(minutes)
  }
  assert.deepEqual(waited, [0, 0, 0, 60, 40, 60, 60])
  await faceAttempts.clear(someone, app.foundation.db)
  assert.equal(await faceAttempts.left(someone), 3)
})

test('each agency has a person’s tries of its own, and whoever spreads guesses over many meets a bound for the day', async () => {
  const { faceAttempts } = app.rooms.accounts
  const person = account.personId
  const tries = async (door?: string) => {
    let allowed = 0
    while (allowed < 40 && (await faceAttempts.claim(person, door).then(() => true, () => false))) allowed += 1
    return allowed
  }
  assert.equal(await tries('agency/one'), 3)
  assert.equal(await faceAttempts.left(person, 'agency/one'), 0)
  assert.equal(await faceAttempts.left(person, 'agency/two'), 3, 'nobody waits at one for what was tried at another')
  await faceAttempts.claim(person, 'agency/two')
  await faceAttempts.clear(person, app.foundation.db, 'agency/two')
  assert.equal(await faceAttempts.left(person, 'agency/two'), 3)
  // 23 hours of one agency that never gives up: it reaches its own bound, not everybody's.
  let spent = 3
  for (let hour = 0; hour < 22; hour += 1) {
    app.clock.advance(3_600_000)
    spent += await tries('agency/one')
  }
  assert.equal(spent, 8)
  let others = 0
  for (let agency = 0; agency < 12; agency += 1) others += await tries(`agency/other-${agency}`)
  assert.equal(others, 24 - spent, 'the passed check gave its own try back and no other')
  assert.equal(await faceAttempts.left(person, 'agency/fresh'), 0)
  assert.equal(await faceAttempts.left(person), 3, 'the citizen’s own tries are never theirs to spend')
})
