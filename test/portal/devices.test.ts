import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { until } from '../support/until.ts'
import { assertHeading, enterPortal, openArea, type TestArea, type TestCitizen } from './support/area.ts'

const PHONE = { 'User-Agent': 'Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36' }
const LAPTOP = { 'User-Agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0' }
/** DESIGN.md 5: the relying parties are told within this time. */
const TOLD_MS = 30_000

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

const isInPortal = async (browser: BrowserClient): Promise<boolean> => (await browser.get(area.portalUrl)).text.includes('Olá, Rosa')

/** Where the account is open, in the page's order: label, whether it is this device. */
const listed = ({ html }: Page): string[] =>
  [...(/<ul class="rows" id="sessoes">[\s\S]*?<\/ul>/.exec(html)?.[0] ?? '').matchAll(/<p class="row-title">([\s\S]*?)<\/p>/g)].map(([, title = '']) =>
    title
      .replace(/<[^>]+>/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
  )

async function twoDevices(): Promise<{ citizen: TestCitizen; phone: BrowserClient; laptop: BrowserClient }> {
  const citizen = await area.citizen()
  const [phone, laptop] = [area.browser(PHONE), area.browser(LAPTOP)]
  await area.signIn(citizen, { browser: phone })
  await area.signIn(citizen, { browser: laptop })
  return { citizen, phone, laptop }
}

test('each device is named, this one first and marked', async () => {
  const { phone, laptop } = await twoDevices()
  const seenByPhone = await area.open(phone, '/conta/aparelhos')
  assertHeading(seenByPhone, /Aparelhos/)
  assert.deepEqual(listed(seenByPhone), ['Chrome · Android este aparelho', 'Firefox · Windows'])
  assert.deepEqual(listed(await area.open(laptop, '/conta/aparelhos')), ['Firefox · Windows este aparelho', 'Chrome · Android'])
  assert.match(seenByPhone.text, /Entrou em \d{2}\/\d{2}\/\d{4} \d{2}:\d{2}/)
})

test('ending another device: out of /conta and of MT Login at once, and of the portal within 5 seconds', async () => {
  const { citizen, phone, laptop } = await twoDevices()
  await enterPortal(area, phone, citizen)
  const page = await area.open(laptop, '/conta/aparelhos')
  const other = page.forms.find(
    ({ fields, action }) =>
      action.pathname.endsWith('/sair') && action.pathname !== '/conta/sair' && fields.has('session') && fields !== firstSession(page),
  )
  assert.ok(other)
  const done = await laptop.submit({ ...page, forms: [other] }, {}, { action: '/aparelhos/sair' })
  assert.match(done.text, /O aparelho saiu da conta/)
  assert.deepEqual(listed(done), ['Firefox · Windows este aparelho'])
  assert.ok(!(await area.open(phone, '/conta/dados')).text.includes(citizen.email))
  await until(async () => !(await isInPortal(phone)), TOLD_MS)
  const again = await phone.get(`${area.portalUrl}/entrar`)
  assert.ok(
    again.forms.some(({ fields }) => fields.has('password')),
    'the sign-in asks for the password',
  )
  assert.equal((await area.open(laptop, '/conta/dados')).url.pathname, '/conta/dados')
})

test('ending this device is signing out: here, at MT Login, and at the portal within 5 seconds', async () => {
  const { citizen, phone, laptop } = await twoDevices()
  await enterPortal(area, phone, citizen)
  const page = await area.open(phone, '/conta/aparelhos')
  const own = page.forms.find(({ fields }) => fields === firstSession(page))
  assert.ok(own)
  let left = await phone.submit({ ...page, forms: [own] }, {}, { action: '/aparelhos/sair' })
  if (left.forms.some(({ action }) => action.pathname === '/logout/confirm'))
    left = await phone.submit(left, {}, { action: '/logout/confirm' })
  assert.match(left.text, /Você saiu da sua conta/)
  await until(async () => !(await isInPortal(phone)), TOLD_MS)
  assert.ok((await area.open(phone, '/conta/dados')).forms.some(({ fields }) => fields.has('password')))
  assert.deepEqual(listed(await area.open(laptop, '/conta/aparelhos')), ['Firefox · Windows este aparelho'])
})

test('“sair de todos os outros” leaves only this one', async () => {
  const { citizen, phone, laptop } = await twoDevices()
  const third = await area.signIn(citizen, { browser: area.browser() })
  await enterPortal(area, third.browser, citizen)
  const page = await area.open(phone, '/conta/aparelhos')
  assert.equal(listed(page).length, 3)
  const done = await phone.submit(page, {}, { action: '/sair-dos-outros' })
  assert.match(done.text, /Os outros aparelhos saíram da conta/)
  assert.deepEqual(listed(done), ['Chrome · Android este aparelho'])
  for (const browser of [laptop, third.browser]) assert.ok(!(await area.open(browser, '/conta/dados')).text.includes(citizen.email))
  await until(async () => !(await isInPortal(third.browser)), TOLD_MS)
  assert.equal((await area.open(phone, '/conta/dados')).url.pathname, '/conta/dados')
})

test('somebody else’s session cannot be ended', async () => {
  const { phone } = await twoDevices()
  const victim = await area.citizen()
  const signedIn = await area.signIn(victim)
  const [session] = await area.app.rooms.accounts.sessions.list(victim.accountId)
  const page = await area.open(phone, '/conta/aparelhos')
  const csrf = page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  for (const id of [session?.id ?? '', 'nobody', '../x']) {
    const answer = await phone.post(`${area.url}/conta/aparelhos/sair`, new URLSearchParams({ _csrf: csrf, session: id }), page.url)
    assert.equal(answer.url.pathname, '/conta/aparelhos')
  }
  assert.equal((await area.open(signedIn.browser, '/conta/dados')).url.pathname, '/conta/dados')
})

test('a sign-out at the portal ends the visit here too', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  const page = await enterPortal(area, browser, citizen)
  let left = await browser.submit(page, {}, { action: '/sair' })
  if (left.url.origin === area.url) left = await browser.submit(left, {}, { action: '/logout/confirm' })
  assert.equal(left.url.origin, area.portalUrl)
  await until(async () => !(await area.open(browser, '/conta/dados')).text.includes(citizen.email), TOLD_MS)
})

function firstSession(page: Page): ReadonlyMap<string, readonly string[]> | undefined {
  return page.forms.find(({ action }) => action.pathname === '/conta/aparelhos/sair')?.fields
}
