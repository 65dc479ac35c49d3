/**
 * `kill -9` while a citizen registers, a portal redeems codes and another citizen shows their face, again and again on the same data.
 *
 * Each kill meets all three at a random moment. `MT_LONG=1` kills 24 times on each database; the ordinary run a few times.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Started } from '../../src/biometrics/index.ts'
import { signFrame } from '../../src/biometrics/liveness/frame-proof.ts'
import type { StepAnswer } from '../../src/biometrics/liveness/step-view.ts'
import { openDatabase, type Database } from '../../src/platform/db.ts'
import { recentDemoMessages } from '../../src/platform/outbox.ts'
import type { Sensitive } from '../../src/platform/sensitive.ts'
import { startTestApp } from '../support/app.ts'
import { BrowserClient, type Page } from '../support/browser-client.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { movableClock } from '../support/clock.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { faceEndpoints, showPictures } from '../support/face-check-client.ts'
import { findPostgresBinaries } from '../support/postgres.ts'
import { type Capture, parseColour, willingYaw } from '../support/reactive-camera/browser-driver.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import { createTestRelyingParty, type PendingRequest, type TestRelyingParty } from '../support/relying-party.ts'
import { type ServerProcess, serverProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const LONG = process.env['MT_LONG'] === '1'
const PASSWORD = 'jaburu-sucuri-piquizeiro-8'
/** Of the demonstration: one who redeems, one who has a face. */
const MARIA = { cpf: '529.982.247-25', password: 'boi-tuiuiu-pantanal-7' }
const JOAO = { cpf: '111.444.777-35', password: 'arara-azul-cerrado-3' }
const HOUSEHOLD = ['52998224725,Maria Aparecida da Silva,,1985-03-12,regular', '11144477735,João Batista Pereira,,1978-11-02,regular']

let browsers = 0

interface Rig {
  readonly dataDir: string
  readonly databaseUrl: Sensitive<string> | undefined
  readonly env: Readonly<Record<string, string>>
  readonly server: ServerProcess
  readonly views: FaceViews
  rp: TestRelyingParty
}

/** What a citizen was told of their registration before the server died. */
interface Registrant {
  readonly cpf: string
  readonly email: string
  readonly browser: BrowserClient
  page: Page | undefined
  told: 'nothing' | 'sent' | 'confirmed' | 'signed-in'
}

interface Exchange {
  readonly code: string
  readonly verifier: string
  accessToken: string | undefined
}

function newBrowser({ server }: Pick<Rig, 'server'>): BrowserClient {
  browsers += 1
  const browser = new BrowserClient({ 'X-Forwarded-For': `10.77.${browsers >> 8}.${browsers & 255}` })
  browser.stopAt = (url) => url.origin === server.portalUrl
  return browser
}

async function rigOn(kind: 'PGlite' | 'PostgreSQL', kills: number): Promise<Rig & { clean: () => Promise<void> }> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'mt-login-kill-'))
  const register = path.join(dataDir, 'register.csv')
  const people = Array.from({ length: kills + 1 }, (_, index) => `${cpfOfNobody(index)},Pessoa Inventada Numero,,1970-01-01,regular`)
  writeFileSync(register, ['cpf,name,social_name,birth_date,situation', ...HOUSEHOLD, ...people, ''].join('\n'))
  const postgres = kind === 'PostgreSQL' ? await createPostgresDatabase() : undefined
  const env = {
    DATA_DIR: dataDir, BASE_REGISTER_FILE: register, TRUSTED_PROXIES: '127.0.0.1', ...(postgres && { DATABASE_URL: postgres.url.reveal() }),
  }
  const server = await serverProcess(env)
  await server.start()
  const rig = { dataDir, env, server, databaseUrl: postgres?.url, views: await loadFaceViews(SAMPLE_FACES.two), rp: await relyingParty(server, dataDir) }
  const clean = async () => {
    await server.kill()
    await postgres?.drop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { ...rig, clean }
}

/** The demonstration's portal, spoken for by the test. */
function relyingParty(server: ServerProcess, dataDir: string): Promise<TestRelyingParty> {
  const { clientId, clientSecret } = JSON.parse(readFileSync(path.join(dataDir, 'demo-portal.json'), 'utf8'))
  return createTestRelyingParty({ issuer: server.url, clientId, clientSecret, redirectUri: `${server.portalUrl}/retorno`, scope: 'openid profile cpf' })
}

/** The newest code that was mailed; `undefined` when none comes, or when the server that would send it is gone. */
async function codeFor({ dataDir, server }: Rig, email: string, deadlineMs = 20_000): Promise<string | undefined> {
  for (const end = Date.now() + deadlineMs; Date.now() < end && server.isRunning(); await sleep(20)) {
    const mail = (await recentDemoMessages(dataDir)).find(({ to, text }) => to === email && /\b\d{6}\b/.test(text))
    const code = /\b\d{6}\b/.exec(mail?.text ?? '')?.[0]
    if (code !== undefined) return code
  }
  return undefined
}

const isConsent = (page: Page) => page.forms.some(({ action }) => action.pathname.endsWith('/consentir'))
const agree = async (browser: BrowserClient, page: Page) => (isConsent(page) ? browser.submit(page, {}, { button: 'Autorizar' }) : page)

/** Registers; notes after each answer what the citizen has been told. */
async function register(rig: Rig, person: Registrant): Promise<void> {
  const { browser } = person
  const pending = await rig.rp.begin()
  const first = await browser.get(pending.url)
  const form = await browser.get(first.links.find(({ text }) => text === 'Criar conta')?.href ?? '')
  const typed = { cpf: person.cpf, name: 'Pessoa Inventada Numero', birthDate: '01/01/1970', email: person.email, password: PASSWORD }
  const sent = await browser.submit(form, typed, { action: '/cadastro' })
  assert.equal(sent.status, 200, sent.text)
  Object.assign(person, { told: 'sent', page: sent })
  const code = await codeFor(rig, person.email)
  if (code === undefined) throw new Error('the server is gone, and its mail with it')
  const confirmed = await browser.submit(sent, { code }, { action: '/confirmar' })
  assert.ok(isConsent(confirmed), confirmed.text)
  person.told = 'confirmed'
  const back = await agree(browser, confirmed)
  await rig.rp.finish(back.url, pending)
  person.told = 'signed-in'
}

/** Signs in and back at the portal; the page where it ended otherwise. */
async function signIn(rig: Pick<Rig, 'server' | 'rp'>, { cpf, password }: { cpf: string; password: string }, extra: Record<string, string> = {}, browser = newBrowser(rig)) {
  const pending = await rig.rp.begin(extra)
  const page = await browser.submit(await browser.get(pending.url), { cpf, password }, { action: '/entrar' })
  return { browser, pending, page: await agree(browser, page) }
}

/** Codes of one signed-in browser, redeemed one after the other; the last may be under way when the server dies. */
async function redeemOnAndOn(rig: Rig, browser: BrowserClient, exchanges: Exchange[]): Promise<void> {
  for (;;) {
    const pending = await rig.rp.begin()
    const back = await browser.get(pending.url)
    const exchange: Exchange = { code: back.url.searchParams.get('code') ?? '', verifier: pending.verifier, accessToken: undefined }
    assert.notEqual(exchange.code, '', back.text.slice(0, 200))
    exchanges.push(exchange)
    const answer = await redeemRaw(rig, exchange)
    if (answer.status === 200) exchange.accessToken = String(answer.body['access_token'])
  }
}

async function redeemRaw({ server, rp, dataDir }: Rig, { code, verifier }: Exchange): Promise<{ status: number; body: Record<string, unknown> }> {
  const { clientId, clientSecret } = JSON.parse(readFileSync(path.join(dataDir, 'demo-portal.json'), 'utf8'))
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: `${server.portalUrl}/retorno` })
  const headers = { Authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}` }
  const answer = await fetch(rp.config.serverMetadata().token_endpoint ?? '', { method: 'POST', headers, body })
  return { status: answer.status, body: await answer.json() }
}

/** Shows João's face in real time, as far as it goes. */
async function showFace(rig: Rig, browser: BrowserClient, page: Page): Promise<void> {
  const { call, read } = faceEndpoints(browser, page)
  const begun = performance.now()
  const started = await read<Started>(call('POST', '/sessao', { json: { flashes: true, slowLink: false } }))
  const nonce = Buffer.from(started.nonce, 'hex')
  let current = await read<StepAnswer>(call('GET', `/sessao/${started.id}/passo?depois=-1`))
  let yaw = 0
  for (let sequence = 1; current.state === 'going' && current.step; sequence += 1) {
    const { step } = current
    const goal = willingYaw(step)
    yaw = Math.abs(goal - yaw) > 13 ? yaw + Math.sign(goal - yaw) * 12 : goal
    await sleep(Math.max(350, step.holdMs))
    const capturedMs = Math.round(performance.now() - begun)
    const jpeg = await rig.views.jpeg({ yawDegrees: yaw, colour: parseColour(step.colour), moment: sequence * 31 + browsers })
    const headers = {
      'Content-Type': 'image/jpeg', 'X-Step': String(step.index), 'X-Sequence': String(sequence), 'X-Captured-At': String(capturedMs),
      'X-Signature': signFrame(nonce, sequence, jpeg),
    }
    current = await read<StepAnswer>(call('POST', `/sessao/${started.id}/quadro`, { body: new Uint8Array(jpeg), headers }))
  }
  if (current.state === 'complete') await call('POST', `/sessao/${started.id}/fim`)
}

async function atCamera(rig: Pick<Rig, 'server' | 'rp'>): Promise<{ browser: BrowserClient; page: Page; pending: PendingRequest }> {
  const asked = await signIn(rig, JOAO, { acr_values: 'urn:mt-login:face', max_age: '0' })
  return { ...asked, page: await asked.browser.submit(asked.page, { agree: 'sim' }, { action: '/concordo' }) }
}

/** The tables while no server runs: nothing is half there. */
async function inspect(rig: Rig): Promise<void> {
  const db = await openDatabase({ url: rig.databaseUrl, dataDir: rig.dataDir, poolSize: 2 })
  try {
    assert.deepEqual(await halfAccounts(db), [], 'an account is whole or not there')
    const [twice] = await db.query<{ n: number }>('SELECT count(*) - count(DISTINCT cpf) AS n FROM person')
    assert.equal(twice?.n, 0)
    assert.deepEqual(await db.query("SELECT id FROM liveness_session s WHERE state = 'passed' AND verdict IS NULL"), [])
    const orphans = await db.query(
      "SELECT 1 FROM liveness_frame f JOIN liveness_session s ON s.id = f.session_id WHERE s.state IN ('passed', 'refused', 'abandoned', 'expired')")
    assert.deepEqual(orphans, [], 'frames go with the verdict')
    // Three face checks an hour are João's; the next kill needs his again.
    await db.execute("DELETE FROM throttle WHERE key LIKE 'face%'")
  } finally {
    await db.close()
  }
}

/** Accounts without exactly one confirmed address, one registration on record and one bronze seal. */
function halfAccounts(db: Database): Promise<object[]> {
  return db.query(`SELECT p.id FROM person p LEFT JOIN account a ON a.person_id = p.id WHERE a.id IS NULL
      OR (SELECT count(*) FROM contact c WHERE c.account_id = a.id AND c.verified_at IS NOT NULL) <> 1
      OR (SELECT count(*) FROM audit_event e WHERE e.subject_id = a.id AND e.type = 'accounts/registered') <> 1
      OR (SELECT count(*) FROM evidence v WHERE v.person_id = p.id AND v.method = 'registration') <> 1`)
}

/** The registration goes on where the citizen was told that it stands, or begins anew; it ends at the portal in any case. */
async function completeRegistration(rig: Rig, person: Registrant): Promise<void> {
  const { cpf } = person
  if (person.told === 'sent' && person.page) {
    // A mail that was on its way when the server died is sent again after its lease; whoever does not wait asks for another.
    const sent = await codeFor(rig, person.email, 3000)
    const shown = sent === undefined ? await person.browser.submit(person.page, {}, { action: '/reenviar' }) : person.page
    const code = sent ?? (await codeFor(rig, person.email)) ?? assert.fail('no code was sent again')
    const page = await person.browser.submit(shown, { code }, { action: '/confirmar' })
    const isBehind = [422, 410].includes(page.status) || page.forms.some(({ action }) => action.pathname.endsWith('/entrar'))
    // If not confirmed now, then before without an answer: the code is used or the page is behind, and the password below signs in.
    assert.ok(isBehind || isConsent(page), `${page.status} ${page.text.slice(0, 300)}`)
    person.told = 'confirmed'
  }
  const { page } = await signIn(rig, { cpf, password: PASSWORD })
  if (page.status === 0) return
  assert.equal(person.told, 'nothing', `${person.told}, yet the password does not sign in: ${page.text.slice(0, 300)}`)
  const again: Registrant = { ...person, browser: newBrowser(rig), page: undefined, email: `de-novo-${person.email}` }
  await register(rig, again)
}

async function checkExchange(rig: Rig, exchange: Exchange): Promise<void> {
  const userinfo = async (token: string) => (await fetch(`${rig.server.url}/userinfo`, { headers: { Authorization: `Bearer ${token}` } })).status
  const { accessToken } = exchange
  if (accessToken !== undefined) assert.equal(await userinfo(accessToken), 200, 'a token that was handed out lives on')
  const first = await redeemRaw(rig, exchange)
  const second = await redeemRaw(rig, exchange)
  assert.equal(second.status, 400, 'a code is redeemed once')
  assert.equal(second.body['error'], 'invalid_grant')
  assert.ok(first.status === 400 || accessToken === undefined, 'a used code is used after the restart too')
}

for (const kind of ['PGlite', 'PostgreSQL'] as const) {
  const kills = LONG ? 24 : kind === 'PGlite' ? 3 : 4
  const skip = kind === 'PostgreSQL' && !process.env['MT_TEST_POSTGRES_URL'] && !findPostgresBinaries() ? 'no PostgreSQL here' : false
  test(`${kind}: ${kills} kills while registering, redeeming and uploading faces lose nothing and halve nothing`, { skip, timeout: LONG ? 3_600_000 : 600_000 }, async (t) => {
    const rig = await rigOn(kind, kills)
    after(rig.clean)
    const begun = performance.now()
    await register(rig, registrant(rig, kills))
    const windowMs = Math.max(500, performance.now() - begun)
    const maria = await signIn(rig, MARIA)
    await rig.rp.finish(maria.page.url, maria.pending)
    const seen = new Map<string, number>()
    for (let kill = 0; kill < kills; kill += 1) {
      await killOnce(rig, { stage: STAGES[kill % 3] ?? 'nothing', person: registrant(rig, kill), maria: maria.browser, windowMs, seen })
    }
    t.diagnostic(`${kind}: ${kills} kills in a window of ${Math.round(windowMs)} ms; ${[...seen].map(([what, count]) => `${what} ${count}`).join(', ')}`)
    assert.doesNotMatch(rig.server.output(), /start failed/)
    assert.equal(await rig.server.stop(), 0, 'it stops cleanly')
    await checkWhole(rig)
  })
}

function registrant(rig: Rig, index: number): Registrant {
  return { cpf: cpfOfNobody(index), email: `pessoa-${index}@example.org`, browser: newBrowser(rig), page: undefined, told: 'nothing' }
}

const STAGES: readonly Registrant['told'][] = ['nothing', 'sent', 'confirmed', 'signed-in']

interface Kill {
  readonly stage: Registrant['told']
  readonly person: Registrant
  readonly maria: BrowserClient
  readonly windowMs: number
  readonly seen: Map<string, number>
}

async function killOnce(rig: Rig, { stage, person, maria, windowMs, seen }: Kill): Promise<void> {
  const exchanges: Exchange[] = []
  const note = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const camera = await atCamera(rig)
  const running = Promise.allSettled([register(rig, person), redeemOnAndOn(rig, maria, exchanges), showFace(rig, camera.browser, camera.page)])
  await moment(person, stage, windowMs)
  await rig.server.kill()
  for (const outcome of await running) if (outcome.status === 'rejected') assert.ok(!isAssertion(outcome.reason), String(outcome.reason))
  note(`told ${person.told}`)
  note(exchanges.at(-1)?.accessToken === undefined ? 'code in flight' : 'code redeemed')
  await inspect(rig)
  await rig.server.start()
  await completeRegistration(rig, person)
  for (const exchange of exchanges.slice(-1)) await checkExchange(rig, exchange)
  const { call } = faceEndpoints(camera.browser, camera.page)
  assert.equal((await call('POST', '/sessao', { json: { flashes: true, slowLink: false } })).status, 201, 'the camera page may begin anew')
}

/** A random moment after the citizen was told this much, so that few kills still meet every part of the way. */
async function moment(person: Registrant, stage: Registrant['told'], windowMs: number): Promise<void> {
  await until(() => STAGES.indexOf(person.told) >= STAGES.indexOf(stage), 60_000)
  await sleep(Math.random() * windowMs * (stage === 'nothing' ? 1 : 0.2))
}

/** A test's own finding in a flow that should only have lost its server. */
function isAssertion(error: unknown): boolean {
  return error instanceof assert.AssertionError
}

/** The same data under a server in this process: the record is whole, and João's face check goes through after all. */
async function checkWhole(rig: Rig): Promise<void> {
  const clock = movableClock()
  const app = await startTestApp({ dataDir: rig.dataDir, env: rig.env, clock })
  try {
    await app.rooms.audit.seal()
    const verdict = await app.rooms.audit.verify()
    assert.ok(verdict.ok, JSON.stringify(verdict))
    const { db } = app.foundation
    assert.deepEqual(await halfAccounts(db), [])
    await db.execute("DELETE FROM throttle WHERE key LIKE 'face%'")
    const { portalUrl = '', clientId = '', clientSecret = '' } = app.demo ?? {}
    const rp = await createTestRelyingParty({ issuer: app.publicUrl, clientId, clientSecret, redirectUri: `${portalUrl}/retorno`, scope: 'openid' })
    const { browser, page } = await atCamera({ server: { ...rig.server, portalUrl }, rp })
    let frames = 0
    const capture: Capture = ({ yaw = 0, colour }) => {
      frames += 1
      return rig.views.jpeg({ yawDegrees: yaw, colour, moment: 50_000 + frames })
    }
    const outcome = await showPictures(browser, page, { clock, capture })
    assert.deepEqual([outcome.passed, outcome.reasons], [true, []])
  } finally {
    await app.stop()
  }
}
