import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { eraseClosedAccounts } from '../../src/app/closed-accounts.ts'
import type { Page } from '../support/browser-client.ts'
import { until } from '../support/until.ts'
import { assertHeading, enterPortal, openArea, PASSWORD, type TestArea, type TestCitizen } from './support/area.ts'

const DAY_MS = 86_400_000

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

const erased = (): Promise<number> => eraseClosedAccounts(area.app.foundation, area.app.rooms)
const levelOf = ({ accountId }: TestCitizen) => area.app.rooms.assurance.levelOf(accountId)
const typesOf = async ({ accountId }: TestCitizen) =>
  (await area.app.rooms.audit.ledger(accountId, { limit: 50 })).map(({ type }) => type)

async function open(citizen: TestCitizen) {
  const { browser } = await area.signIn(citizen)
  return { browser, page: await area.open(browser, '/conta/encerrar') }
}

async function close(citizen: TestCitizen): Promise<Page> {
  const { browser, page } = await open(citizen)
  return browser.submit(page, { word: 'encerrar ' }, { action: '/conta/encerrar' })
}

async function registerAgain({ cpf, email }: TestCitizen): Promise<void> {
  const { registration } = area.app.rooms.accounts
  const form = { cpf, name: 'Rosa Maria dos Santos', birthDate: '1990-05-04', email, password: PASSWORD }
  const facts = { ip: '10.8.99.1', userAgent: 'test', deviceCookie: undefined }
  const started = await registration.start({ form, locale: 'pt-BR', binding: cpf, facts })
  assert.equal(started.kind, 'started')
  if (started.kind === 'started') await registration.confirm({ id: started.id, binding: cpf, code: await area.app.lastCode(email) })
}

test('the page says what ends, what stays and when the images go, and closes nothing without the word', async () => {
  const citizen = await area.citizen()
  const { browser, page } = await open(citizen)
  assertHeading(page, /Encerrar minha conta/)
  assert.match(page.text, /apagadas em 30 dias/)
  assert.match(page.text, /fica guardado como prova/)
  for (const word of ['', 'sim', 'CLOSE']) {
    const again = await browser.submit(page, { word }, { action: '/conta/encerrar' })
    assert.equal(again.status, 422, word)
  }
  assert.equal((await area.app.rooms.accounts.get(citizen.accountId)).status, 'active')
})

test('an old sign-in is renewed before the page opens', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  area.clock.advance(21 * 60_000)
  const page = await area.open(browser, '/conta/encerrar')
  assert.ok(page.forms.some(({ fields }) => fields.has('password')), page.url.pathname)
})

test('closing ends sessions, agreements and seals at once, is told, and stands in the record', async () => {
  const citizen = await area.citizen()
  const other = area.browser()
  await enterPortal(area, other, citizen)
  const closed = await close(citizen)
  assertHeading(closed, /Sua conta foi encerrada/)
  assert.equal((await area.app.rooms.accounts.get(citizen.accountId)).status, 'closed')
  assert.deepEqual(await area.app.oidc.consents.list(citizen.accountId), [])
  const { evidence } = await area.app.rooms.assurance.standingOf(citizen.accountId)
  assert.ok(evidence.length > 0 && evidence.every(({ withdrawnAt }) => withdrawnAt !== undefined))
  await until(async () => !(await other.get(area.portalUrl)).text.includes('Olá, Rosa'))
  assert.ok((await area.mailsTo(citizen.email)).some(({ subject, text }) => /encerrada/.test(subject) && /30 dias/.test(text)))
  const types = await typesOf(citizen)
  for (const type of ['accounts/closed', 'oidc/consent-withdrawn', 'assurance/evidence-withdrawn']) assert.ok(types.includes(type), type)
  const { page } = await area.signIn(citizen)
  assert.match(page.text, /não confere/)
})

test('whoever registers the CPF again begins at bronze: no seal of the closed account comes back', async () => {
  const citizen = await area.citizen()
  const { db } = area.app.foundation
  const { assurance } = area.app.rooms
  const face = { method: 'face-match', livenessClass: 'active', referenceTrusted: true, source: 'mt', ...citizen, actor: { kind: 'system' } } as const
  await db.transaction((tx) => assurance.add(tx, face))
  assert.equal(await levelOf(citizen), 'prata')
  await close(citizen)
  await registerAgain(citizen)
  assert.equal(await levelOf(citizen), 'bronze')
  area.clock.advance(31 * DAY_MS)
  await erased()
  assert.ok(!(await typesOf(citizen)).includes('biometrics/images-erased'), 'an account that was opened again keeps its images')
})

test('the images go after thirty days, once, and not while a legal hold stands', async () => {
  const citizen = await area.citizen()
  const held = await area.citizen()
  const operator = { kind: 'operator', id: randomUUID() } as const
  await area.app.rooms.imageCare.custody.hold(held.personId, { reason: 'processo' }, operator)
  await close(citizen)
  await close(held)
  await erased()
  assert.ok(!(await typesOf(citizen)).includes('biometrics/images-erased'), 'not before its time')
  area.clock.advance(31 * DAY_MS)
  assert.ok((await erased()) >= 1)
  assert.equal(await erased(), 0)
  assert.ok((await typesOf(citizen)).includes('biometrics/images-erased'))
  assert.ok(!(await typesOf(held)).includes('biometrics/images-erased'))
  await area.app.rooms.imageCare.custody.release(held.personId, operator)
  assert.equal(await erased(), 1)
})

test('a forgotten device is out at once and new at its next sign-in; nobody forgets another’s', async () => {
  const citizen = await area.citizen()
  const stranger = await area.citizen()
  const phone = area.browser({ 'User-Agent': 'Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36' })
  await area.signIn(citizen, { browser: phone })
  const { browser: laptop } = await area.signIn(citizen)
  const page = await area.open(laptop, '/conta/aparelhos')
  const devices = await area.app.rooms.accounts.listDevices(citizen.accountId)
  const known = devices.find(({ label }) => label.includes('Android')) ?? assert.fail('the phone is not known')
  const form = page.forms.find(({ fields }) => fields.get('device')?.[0] === known.id) ?? assert.fail('no form to forget it')

  const { browser: thief } = await area.signIn(stranger)
  const own = await area.open(thief, '/conta/aparelhos')
  const forged = own.forms.find(({ fields }) => fields.has('device')) ?? assert.fail()
  await thief.submit({ ...own, forms: [{ ...forged, fields: new Map([...forged.fields, ['device', [known.id]]]) }] }, {}, { action: '/esquecer' })
  assert.equal((await area.app.rooms.accounts.listDevices(citizen.accountId)).length, devices.length)

  const done = await laptop.submit({ ...page, forms: [form] }, {}, { action: '/aparelhos/esquecer' })
  assert.match(done.text, /Aparelho esquecido/)
  assert.ok(!(await area.open(phone, '/conta/dados')).text.includes(citizen.email), 'out at once')
  // The provider's own session ends in the background, and takes along a sign-in page that was opened in it.
  await until(async () => (await typesOf(citizen)).includes('oidc/sessions-ended'))
  const before = (await area.mailsTo(citizen.email)).length
  await area.signIn(citizen, { browser: phone })
  assert.ok((await area.mailsTo(citizen.email)).length > before, 'told of a new device')
})
