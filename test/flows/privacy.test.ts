/**
 * Every flow with one invented citizen; then a search of everything that the server wrote for a trace of them.
 *
 * Only columns labelled `sensitive: yes` may hold one (DESIGN 5, STYLE 2.6).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import { generateSync } from 'otplib'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { agree, begin, type Journey, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import { showPictures } from '../support/face-check-client.ts'
import { FAKE, tracesIn } from '../support/fake-citizen.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addRelyingParty, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const SCOPE = 'openid profile cpf email phone offline_access'

let app: WatchedApp
let rp: TestRelyingParty
let views: FaceViews
let moment = 0
/** Everything that must not be found either: codes, links, cookies, tokens. */
const secrets = new Set<string>()
/** Addresses that browsers were sent to; they end up in other people's logs. */
const addresses: URL[] = []
let totpSecret = ''
let recoveryCodes: string[] = []
/** The browser of the citizen's area. */
let area: BrowserClient

before(async () => {
  app = await startWatchedApp()
  ;[rp, views] = await Promise.all([addRelyingParty(app), loadFaceViews(SAMPLE_FACES.one)])
})
after(() => app.stop())

const at = (path: string): URL => new URL(path, app.publicUrl)
const totp = (): string => {
  app.clock.advance(31_000)
  const code = generateSync({ secret: totpSecret, epoch: Math.floor(app.clock.now().getTime() / 1000) })
  secrets.add(code)
  return code
}
const camera = () => ({
  clock: app.clock,
  capture: ({ yaw = 0, colour }: { yaw?: number; colour?: { red: number; green: number; blue: number } | undefined }) => {
    moment += 1
    return views.jpeg({ yawDegrees: yaw, colour, moment })
  },
})

async function codeSentTo(address: string): Promise<string> {
  const code = await app.lastCode(address)
  secrets.add(code)
  for (const { text } of await app.messages()) for (const [, token = ''] of text.matchAll(/\?t=([\w-]+)/g)) secrets.add(token)
  return code
}

function keep(page: Page, browser: BrowserClient): Page {
  addresses.push(...page.trail)
  for (const name of ['mt_session', 'mt_conta', 'mt_device', 'mt_csrf', 'mt_recuperar', 'mt_interaction']) {
    const value = browser.cookie(name)
    if (value !== undefined) secrets.add(value)
  }
  return page
}

function kept<T extends Journey>(journey: T): T {
  keep(journey.page, journey.browser)
  return journey
}

/** A second step that is asked for now. */
async function secondFactor(journey: Journey): Promise<Journey> {
  return kept({ ...journey, page: await journey.browser.submit(journey.page, { code: totp() }, { action: '/codigo' }) })
}

async function enterArea(password: string): Promise<BrowserClient> {
  const browser = newBrowser()
  browser.stopAt = () => false
  let page = await browser.get(at('/conta/entrar'))
  page = keep(await browser.submit(page, { cpf: FAKE.cpfTyped, password }, { action: '/entrar' }), browser)
  if (page.forms.some(({ action }) => action.pathname.endsWith('/segundo-passo/codigo'))) page = await browser.submit(page, { code: totp() }, { action: '/codigo' })
  assert.match(keep(page, browser).text, /Zulmira|Ezequias/, page.text.slice(0, 300))
  return browser
}

async function inArea(path: string, values: Record<string, string> = {}, form: { action?: string; button?: string } = {}): Promise<Page> {
  const page = keep(await area.get(at(path)), area)
  return keep(await area.submit(page, values, form), area)
}

test('registers, refused first, then agrees; the portal reads userinfo, refreshes and asks about its token', async () => {
  const journey = kept(await begin(rp, { scope: SCOPE, prompt: 'consent', login_hint: 'nobody', ui_locales: 'pt-BR' }))
  const { browser } = journey
  const form = await browser.get(journey.page.links.find(({ text }) => text === 'Criar conta')?.href ?? '')
  const typed = { cpf: FAKE.cpfTyped, name: FAKE.name, birthDate: FAKE.birthDate, email: FAKE.email, password: FAKE.password }
  for (const wrong of [{ birthDate: '18/07/1961' }, { email: 'zulmira.quixada' }, { password: FAKE.name }, { cpf: `${FAKE.cpf.slice(0, 10)}X` }]) {
    assert.equal(keep(await browser.submit(form, { ...typed, ...wrong }, { action: '/cadastro' }), browser).status, 422)
  }
  const sent = keep(await browser.submit(form, typed, { action: '/cadastro' }), browser)
  const wrongCode = await browser.submit(sent, { code: '000000' }, { action: '/confirmar' })
  const page = keep(await browser.submit(wrongCode, { code: await codeSentTo(FAKE.email) }, { action: '/confirmar' }), browser)
  const tokens = await redeem(kept(await agree({ ...journey, page })))
  const userinfo = await oidc.fetchUserInfo(rp.config, tokens.access_token, tokens.claims()?.sub ?? '')
  assert.equal(userinfo['cpf'], FAKE.cpf)
  const renewed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')
  assert.equal((await oidc.tokenIntrospection(rp.config, renewed.access_token)).active, true)
  for (const token of [tokens.access_token, tokens.refresh_token, tokens.id_token, renewed.access_token, renewed.refresh_token]) if (token) secrets.add(token)
  await oidc.tokenRevocation(rp.config, renewed.refresh_token ?? '')
  const again = await rp.begin({ scope: SCOPE, login_hint: FAKE.cpf })
  const done = await browser.get(again.url)
  secrets.add(done.url.searchParams.get('code') ?? 'no code')
  await rp.finish(done.url, again)
})

test('registers once more, which tells the owner only', async () => {
  const { browser, page } = await begin(rp)
  const form = await browser.get(page.links.find(({ text }) => text === 'Criar conta')?.href ?? '')
  const typed = { cpf: FAKE.cpf, name: FAKE.name, birthDate: FAKE.birthDate, email: `outra.${FAKE.email}`, password: FAKE.nextPassword }
  assert.equal(keep(await browser.submit(form, typed, { action: '/cadastro' }), browser).status, 200)
})

test('signs in with wrong and right passwords, and to the citizen’s area', async () => {
  const wrong = await typePassword(await begin(rp), { cpf: FAKE.cpfTyped, password: FAKE.nextPassword })
  assert.equal(wrong.page.status, 422)
  kept(await typePassword(wrong, { cpf: FAKE.cpfTyped, password: FAKE.password }))
  area = await enterArea(FAKE.password)
  for (const path of ['/conta/dados', '/conta/nivel', '/conta/seguranca', '/conta/aparelhos', '/conta/sistemas', '/conta/historico', '/demo/mensagens']) {
    assert.equal(keep(await area.get(at(path)), area).status, 200, path)
  }
})

test('takes a reference photo, and raises the level by a face check', async () => {
  const token = /name="csrf-token" content="([^"]+)"/.exec((await area.get(at('/demo/foto'))).html)?.[1] ?? ''
  const photo = new Uint8Array(await views.jpeg({ yawDegrees: 0, moment: 7000 }))
  const stored = await area.fetch(at('/demo/foto'), { method: 'POST', body: photo, headers: { 'Content-Type': 'image/jpeg', 'X-CSRF-Token': token } })
  assert.equal(stored.status, 201, await stored.text())
  const asked = kept(await typePassword(await begin(rp, { scope: SCOPE, acr_values: 'urn:mt-login:nivel:prata urn:mt-login:face', max_age: '300' }), { cpf: FAKE.cpf, password: FAKE.password }))
  const { browser } = asked
  const page = keep(await browser.submit(asked.page, { agree: 'sim' }, { action: '/concordo' }), browser)
  const outcome = await showPictures(browser, page, camera())
  assert.deepEqual(outcome.reasons, [])
  const passed = await browser.get(at(outcome.next))
  const claims = (await redeem(kept(await agree({ ...asked, page: await browser.submit(passed, {}, { action: '/seguir' }) })))).claims()
  assert.equal(claims?.['acr'], 'urn:mt-login:nivel:prata')
})

test('changes e-mail, phone and password, sets up an authenticator and recovery codes', async () => {
  await inArea('/conta/dados/email', { value: FAKE.nextEmail }, { action: '/email' })
  await inArea('/conta/dados/email/codigo', { code: '000000' }, { action: '/codigo' })
  assert.equal((await inArea('/conta/dados/email/codigo', { code: await codeSentTo(FAKE.nextEmail) }, { action: '/codigo' })).status, 200)
  assert.equal((await inArea('/conta/dados/telefone', { value: FAKE.phone }, { action: '/telefone' })).status, 200)
  const sms = (await app.messages()).find(({ channel }) => channel === 'sms')
  const code = /\b\d{6}\b/.exec(sms?.text ?? '')?.[0] ?? ''
  assert.match((await inArea('/conta/dados/telefone/codigo', { code }, { action: '/codigo' })).text, /99871/)
  secrets.add(code)
  totpSecret = /(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}/.exec((await area.get(at('/conta/seguranca/aplicativo'))).text)?.[0].replaceAll(' ', '') ?? ''
  secrets.add(totpSecret)
  assert.match((await inArea('/conta/seguranca/aplicativo', { code: totp() }, { action: '/aplicativo' })).url.href, /feito=totp/)
  const codes = await inArea('/conta/seguranca/codigos', {}, { action: '/codigos' })
  recoveryCodes = [...codes.html.matchAll(/<code>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})<\/code>/g)].map(([, text = '']) => text)
  assert.equal(recoveryCodes.length, 10)
  for (const one of recoveryCodes) secrets.add(one).add(one.replaceAll('-', ''))
  const values = { current: FAKE.password, password: FAKE.nextPassword }
  assert.match((await inArea('/conta/seguranca/senha', values, { action: '/senha' })).url.href, /feito=password/)
})

test('signs in with password and second factor', async () => {
  const owed = await typePassword(await begin(rp, { scope: SCOPE }), { cpf: FAKE.cpf, password: FAKE.nextPassword })
  const wrong = { ...owed, page: await owed.browser.submit(owed.page, { code: '000000' }, { action: '/codigo' }) }
  await redeem(await agree(await secondFactor(wrong)))
})

async function recover(way: string, prove: (browser: BrowserClient, page: Page) => Promise<Page>, password: string): Promise<void> {
  const browser = newBrowser()
  const start = await browser.submit(await browser.get(at('/recuperar')), { cpf: FAKE.cpfTyped, way }, { action: '/recuperar' })
  let page = keep(await prove(browser, keep(start, browser)), browser)
  if (page.forms.some(({ action }) => action.pathname === '/recuperar/segundo-passo')) page = await browser.submit(page, { code: totp() }, { action: '/segundo-passo' })
  const end = keep(await browser.submit(page, { password }, { action: '/senha' }), browser)
  assert.match(end.text, /Senha nova salva/, end.text.slice(0, 300))
}

test('recovers the password by mail, by a code on paper and by face', async () => {
  await recover('email', async (browser, page) => browser.submit(page, { code: await codeSentTo(FAKE.nextEmail) }, { action: '/codigo' }), FAKE.lastPassword)
  await recover('recovery-code', (browser, page) => browser.submit(page, { code: recoveryCodes[0] ?? '' }, { action: '/codigo' }), FAKE.password)
  await recover('face', async (browser, page) => {
    const live = await browser.submit(page, { agree: 'sim' }, { action: '/concordo' })
    const outcome = await showPictures(browser, live, camera())
    assert.deepEqual(outcome.reasons, [])
    return browser.get(at(outcome.next))
  }, FAKE.lastPassword)
  const nobody = newBrowser()
  await nobody.submit(await nobody.get(at('/recuperar')), { cpf: FAKE.cpf.slice(0, 10), way: 'email' }, { action: '/recuperar' })
  // What ends the sessions of before runs beside the requests, and goes by whole seconds.
  app.clock.advance(1000)
})

test('meets a database that fails in the middle', async () => {
  const { db } = app.foundation
  for (const table of ['sign_in_session', 'person', 'throttle', 'one_time_token']) {
    await db.execute(`ALTER TABLE ${table} RENAME TO ${table}_away`)
    try {
      const journey = await begin(rp)
      const failed = await typePassword(journey, { cpf: FAKE.cpf, password: FAKE.lastPassword })
      assert.ok(failed.page.status === 500 || failed.page.forms.length > 0, `${table}: ${failed.page.status}`)
      const browser = newBrowser()
      await browser.submit(await browser.get(at('/recuperar')), { cpf: FAKE.cpfTyped, way: 'email' }, { action: '/recuperar' }).catch(() => {})
    } finally {
      await db.execute(`ALTER TABLE ${table}_away RENAME TO ${table}`)
    }
  }
})

test('puts the data where they do not belong: addresses, headers, unknown pages', async () => {
  const browser = newBrowser()
  for (const path of [`/interacao/${FAKE.cpf}00000`, `/conta/${FAKE.cpf}`, `/conta/entrar?para=${FAKE.cpf}`, `/recuperar?cpf=${FAKE.cpfTyped}`, `/problems/accounts/${FAKE.cpf}`]) {
    await browser.get(at(path))
  }
  const headers = { 'User-Agent': FAKE.email, Referer: `https://x.example/${FAKE.cpf}`, 'X-Request-Id': FAKE.cpf, 'X-Forwarded-For': FAKE.cpf, Cookie: `mt_conta=${FAKE.cpf}` }
  for (const path of ['/conta', `/authorize?client_id=${FAKE.cpf}`, '/userinfo', '/logout?id_token_hint=a.b.c']) await fetch(at(path), { headers })
  await fetch(at('/token'), { method: 'POST', headers: { ...headers, Authorization: `Basic ${btoa(`${FAKE.cpf}:${FAKE.password}`)}` }, body: new URLSearchParams({ grant_type: 'password', username: FAKE.cpf, password: FAKE.password }) })
  await fetch(at('/reg'), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ client_name: FAKE.name, redirect_uris: [`https://${FAKE.cpf}.example`] }) })
})

test('signs out, then says “não fui eu”, and is refused', async () => {
  const signedIn = await secondFactor(await typePassword(await begin(rp, { scope: SCOPE }), { cpf: FAKE.cpf, password: FAKE.lastPassword }))
  const tokens = await redeem(await agree(signedIn))
  const out = await signedIn.browser.get(oidc.buildEndSessionUrl(rp.config, { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: 'http://127.0.0.1:9/saiu' }))
  signedIn.browser.stopAt = (url) => url.port === '9'
  await signedIn.browser.submit(out, {}, { action: '/logout/confirm' })
  area = await enterArea(FAKE.lastPassword)
  assert.match((await inArea('/conta/nao-fui-eu', {}, { action: '/nao-fui-eu' })).text, /suspensa|parada|bloqueada/i)
  const refused = await typePassword(await begin(rp), { cpf: FAKE.cpf, password: FAKE.lastPassword })
  assert.equal(refused.page.status, 422)
})

/** What may be read by whom it does not concern: the log, the numbers, the addresses. */
test('the log, the metrics and the addresses hold nothing of the citizen', async () => {
  const log = app.logged()
  assert.ok(log.split('\n').length > 100, `the log was kept: ${log.length}`)
  assert.match(log, /"level":"error"/, 'failures were logged too')
  for (const line of log.split('\n')) assert.deepEqual(tracesIn(line), [], line)
  assert.deepEqual(tracesIn(await app.foundation.metrics.text()), [])
  const typedByOthers = (url: URL) => url.pathname === '/authorize' && url.searchParams.has('login_hint')
  for (const url of addresses) if (!typedByOthers(url)) assert.deepEqual(tracesIn(url.href), [], url.href)
})

test('no code, link, cookie or token is in the log or in the audit record', async () => {
  const events = await app.foundation.db.query<{ row: string }>("SELECT to_jsonb(e) - 'salt' || '{}' AS row FROM audit_event e")
  const jobs = await app.foundation.db.query('SELECT to_jsonb(j) AS row FROM jobs.job j')
  const text = `${app.logged()}\n${JSON.stringify(events.map(({ row }) => row))}\n${JSON.stringify(jobs)}`
  // Six digits are found by chance in times and ids; whole words only.
  for (const secret of secrets) if (secret.length > 6) assert.ok(!text.includes(secret), `${secret} was written down`)
  for (const secret of secrets) if (/^\d{6}$/.test(secret)) assert.doesNotMatch(app.logged(), new RegExp(`(?<![\\d.])${secret}(?![\\d.])`))
  assert.ok(secrets.size > 40)
})

interface Column {
  readonly schema: string
  readonly table: string
  readonly name: string
  readonly label: string | null
}

/** Tables, the queue's too; in the queue nothing is labelled and nothing may be there. */
const COLUMNS = `SELECT n.nspname AS schema, c.relname AS table, a.attname AS name, col_description(c.oid, a.attnum) AS label
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'jobs') AND a.attnum > 0 AND NOT a.attisdropped`

test('only columns labelled sensitive hold anything of the citizen, and what is sealed holds nothing readable', async () => {
  const { db } = app.foundation
  const columns = await db.query<Column>(COLUMNS)
  const found = new Map<string, string[]>()
  for (const { schema, table, name } of columns) {
    const rows = await db.query<{ value: unknown }>(`SELECT DISTINCT "${name}"::text AS value FROM "${schema}"."${table}" WHERE "${name}" IS NOT NULL`)
    const traces = new Set(rows.flatMap(({ value }) => tracesIn(readable(String(value)))))
    if (traces.size > 0) found.set(`${table}.${name}`, [...traces])
  }
  const open = columns.filter(({ label }) => label !== 'sensitive: yes').map(({ table, name }) => `${table}.${name}`)
  assert.deepEqual([...found].filter(([column]) => open.includes(column)), [])
  // Where a trace may be, by the design: the person and their addresses. Protocol state holds ids; what is sealed cannot be read.
  assert.deepEqual([...found.keys()].filter((column) => !/^(person|contact)\./.test(column)).sort(), [])
  assert.ok(found.has('person.cpf') && found.has('contact.value'), 'the search finds what is there')
})

/** bytea comes as hex. */
function readable(value: string): string {
  return value.startsWith('\\x') ? Buffer.from(value.slice(2), 'hex').toString('utf8') : value
}

test('the audit record tells the whole story and is whole', async () => {
  const events = await app.foundation.db.query<{ type: string }>('SELECT DISTINCT type FROM audit_event')
  const types = new Set(events.map(({ type }) => type))
  for (const type of [
    'accounts/registered', 'accounts/registration-repeated', 'accounts/signed-in', 'accounts/sign-in-refused', 'accounts/contact-added', 'accounts/totp-enabled',
    'accounts/recovery-codes-made', 'accounts/password-changed', 'accounts/recovered', 'accounts/suspended', 'oidc/consent-given', 'oidc/authorized',
    'oidc/face-check-passed', 'assurance/evidence-added',
  ]) assert.ok(types.has(type), type)
  await app.rooms.audit.seal()
  assert.equal((await app.rooms.audit.verify()).ok, true)
})
