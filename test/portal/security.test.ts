import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { generateSync } from 'otplib'
import { Authenticator } from '../accounts/support/authenticator.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { assertHeading, openArea, PASSWORD, type TestArea, type TestCitizen, typePassword } from './support/area.ts'

const NEXT = 'jacare-pacu-piraputanga-4'
const STEP_MS = 30_000

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

async function visit(path: string): Promise<{ citizen: TestCitizen; browser: BrowserClient; page: Page }> {
  const citizen = await area.citizen()
  return { citizen, ...(await area.signIn(citizen, { path })) }
}

const secretOn = (page: Page): string => /<code id="segredo">([^<]+)/.exec(page.html)?.[1]?.replaceAll(' ', '') ?? ''
const codeFor = (secret: string, aheadMs = 0): string =>
  generateSync({ secret, epoch: Math.floor((area.clock.now().getTime() + aheadMs) / 1000) })

test('the page says how things stand and where to change each', async () => {
  const { page } = await visit('/conta/seguranca')
  assertHeading(page, /Senha e segurança/)
  assert.match(page.text, /vale desde \d{2}\/\d{2}\/\d{4}.*Desligado.*Chaves de acesso.*ainda não tem códigos/)
})

test('a new password: the others are signed out, this one stays, the old password is dead, everybody is told', async () => {
  const { citizen, browser, page } = await visit('/conta/seguranca/senha')
  const other = await area.signIn(citizen)
  const done = await browser.submit(page, { current: PASSWORD, password: NEXT }, { action: '/senha' })
  assert.equal(done.url.pathname, '/conta/seguranca')
  assert.match(done.text, /Senha mudada\. Os outros aparelhos saíram/)
  assert.match(done.text, /A senha atual vale desde/)
  assert.equal((await area.open(browser, '/conta/dados')).url.pathname, '/conta/dados')
  assert.ok((await area.open(other.browser, '/conta/dados')).url.pathname.startsWith('/interacao/'), 'the other browser is out at once')
  assert.equal((await area.signIn(citizen)).page.status, 422)
  assert.equal((await area.signIn(citizen, { password: NEXT })).page.url.pathname, '/conta')
  assert.match((await area.mailsTo(citizen.email))[0]?.text ?? '', /senha/i)
})

test('a wrong current password, a weak new one, and empty fields are named at their fields; nothing typed comes back', async () => {
  const { citizen, browser, page } = await visit('/conta/seguranca/senha')
  const wrong = await browser.submit(page, { current: 'errada-mesmo-99', password: NEXT }, { action: '/senha' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.html, /id="current-error"[^>]*>.*A senha atual não confere/s)
  for (const [weak, says] of [
    ['curta', /curta/],
    ['12345678', /adivinhar|muito usada/],
    [citizen.cpf, /seu nome, CPF ou e-mail|adivinhar/],
  ] as const) {
    const refused = await browser.submit(page, { current: PASSWORD, password: weak }, { action: '/senha' })
    assert.equal(refused.status, 422, weak)
    assert.match(refused.html, /id="password-error"/)
    assert.match(refused.text, says)
    assert.ok(!refused.html.includes(weak === citizen.cpf ? `value="${weak}` : `"${weak}"`))
  }
  const empty = await browser.submit(page, { current: '', password: '' }, { action: '/senha' })
  assert.equal(empty.status, 422)
  assert.match(empty.html, /id="current-error".*id="password-error"/s)
  assert.equal((await area.signIn(citizen)).page.url.pathname, '/conta', 'the password is still the old one')
})

test('guessing the current password stops after ten tries, the right one included', async () => {
  const { browser, page } = await visit('/conta/seguranca/senha')
  let refused = page
  for (let tries = 0; tries < 12; tries += 1)
    refused = await browser.submit(page, { current: `errada-mesmo-${tries}`, password: NEXT }, { action: '/senha' })
  assert.match(refused.text, /Muitas tentativas/)
  const right = await browser.submit(page, { current: PASSWORD, password: NEXT }, { action: '/senha' })
  assert.match(right.text, /Muitas tentativas/)
})

test('the authenticator app: a picture and its text, the same after a reload; on by a right code, asked for at the next sign-in, off again', async () => {
  const { citizen, browser, page } = await visit('/conta/seguranca/aplicativo')
  assert.match(page.html, /<img src="data:image\/png;base64,[^"]+" alt="[^"]{20,}"/)
  const secret = secretOn(page)
  assert.match(secret, /^[A-Z2-7]{32}$/)
  assert.equal(secretOn(await area.open(browser, '/conta/seguranca/aplicativo')), secret)

  const wrong = await browser.submit(page, { code: codeFor(secret, 3_600_000) }, { action: '/aplicativo' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.text, /O código não confere/)
  assert.equal(secretOn(wrong), secret)
  const done = await browser.submit(wrong, { code: codeFor(secret) }, { action: '/aplicativo' })
  assert.match(done.text, /Aplicativo de códigos ligado/)
  assert.equal((await area.open(browser, '/conta/seguranca/aplicativo')).url.pathname, '/conta/seguranca', 'on already')

  const again = await area.signIn(citizen)
  assert.match(again.page.text, /código/i)
  assert.ok(again.page.url.pathname.startsWith('/interacao/'))
  const inside = await again.browser.submit(again.page, { code: codeFor(secret, STEP_MS) }, { button: 'Confirmar' })
  assert.equal(inside.url.pathname, '/conta', inside.text.slice(0, 300))

  const off = await browser.submit(done, {}, { action: '/aplicativo/remover' })
  assert.match(off.text, /Aplicativo de códigos desligado/)
  const twice = await browser.submit(done, {}, { action: '/aplicativo/remover' })
  assert.equal(twice.status, 200)
  assert.equal((await area.signIn(citizen)).page.url.pathname, '/conta')
})

test('a secret that waited too long is replaced on the page', async () => {
  const { citizen, browser, page } = await visit('/conta/seguranca/aplicativo')
  area.clock.advance(31 * 60_000)
  await typePassword(browser, await area.open(browser, '/conta/seguranca/aplicativo'), citizen.cpf)
  const late = await area.open(browser, '/conta/seguranca/aplicativo')
  const refused = await browser.submit(late, { code: codeFor(secretOn(late)) }, { action: '/aplicativo' })
  if (refused.status === 422) assert.notEqual(secretOn(refused), secretOn(page))
  const done =
    refused.status === 422 ? await browser.submit(refused, { code: codeFor(secretOn(refused)) }, { action: '/aplicativo' }) : refused
  assert.match(done.text, /Aplicativo de códigos ligado/)
})

test('recovery codes are shown once; new ones replace them; one opens the account where the app is lost', async () => {
  const { citizen, browser, page } = await visit('/conta/seguranca/codigos')
  const made = await browser.submit(page, {}, { action: '/codigos' })
  const codes = [...made.html.matchAll(/<li><code>([^<]+)/g)].map(([, code = '']) => code)
  assert.equal(codes.length, 10)
  assert.equal(new Set(codes).size, 10)
  assert.match(made.text, /não vamos mostrar de novo/)
  assert.equal(made.headers.get('Cache-Control'), 'no-store')
  const after = await area.open(browser, '/conta/seguranca/codigos')
  assert.ok(!codes.some((code) => after.html.includes(code)))
  assert.match(after.text, /Os 10 códigos que restam deixam de valer/)
  assert.match((await area.open(browser, '/conta/seguranca')).text, /Restam 10 códigos/)
  const next = await browser.submit(after, {}, { action: '/codigos' })
  assert.ok(!codes.some((code) => next.html.includes(code)))
  assert.ok(!(await area.mailsTo(citizen.email)).some(({ text }) => codes.some((code) => text.includes(code))))
})

test('a passkey is added under a name and removed; its notice is sent', async () => {
  const { citizen, browser, page } = await visit('/conta/seguranca/chaves')
  const authenticator = new Authenticator({ origin: area.url })
  const token = /name="csrf-token" content="([^"]+)"/.exec(page.html)?.[1] ?? ''
  const { id, options } = await ceremony(browser, token)
  assert.equal(options.authenticatorSelection?.userVerification, 'required')
  const credential = JSON.stringify(authenticator.create(options, { rpId: '127.0.0.1' }))
  const done = await browser.submit(page, { label: 'Celular da Rosa', ceremony: id, credential }, { action: '/chaves' })
  assert.match(done.text, /Chave de acesso criada.*Celular da Rosa/, done.text.slice(0, 400))
  assert.match((await area.mailsTo(citizen.email))[0]?.text ?? '', /chave/i)

  const replayed = await browser.submit(page, { label: 'De novo', ceremony: id, credential }, { action: '/chaves' })
  assert.equal(replayed.status, 422)
  assert.match(replayed.text, /A chave não foi aceita/)
  assert.equal(replayed.forms.find(({ action }) => action.pathname.endsWith('/chaves'))?.fields.get('label')?.[0], 'De novo')
  const junk = await browser.submit(page, { label: 'x', ceremony: 'x', credential: '{' }, { action: '/chaves' })
  assert.equal(junk.status, 422)

  const removed = await browser.submit(done, {}, { action: '/remover' })
  assert.match(removed.text, /Chave de acesso apagada/)
  assert.doesNotMatch(removed.text, /Celular da Rosa/)
})

test('somebody else’s passkey cannot be removed', async () => {
  const owner = await visit('/conta/seguranca/chaves')
  const token = /name="csrf-token" content="([^"]+)"/.exec(owner.page.html)?.[1] ?? ''
  const { id, options } = await ceremony(owner.browser, token)
  const credential = JSON.stringify(new Authenticator({ origin: area.url }).create(options, { rpId: '127.0.0.1' }))
  const done = await owner.browser.submit(owner.page, { label: 'Minha', ceremony: id, credential }, { action: '/chaves' })
  const path = done.forms.find(({ action }) => action.pathname.endsWith('/remover'))?.action.pathname ?? ''
  const thief = await visit('/conta/seguranca')
  const csrf = thief.page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  await thief.browser.post(`${area.url}${path}`, new URLSearchParams({ _csrf: csrf }), thief.page.url)
  assert.equal((await area.app.rooms.accounts.factors.passkeys.list(owner.citizen.accountId)).length, 1)
})

test('a ceremony asked for by a script without the token is refused', async () => {
  const { browser } = await visit('/conta/seguranca/chaves')
  const response = await browser.fetch(`${area.url}/conta/seguranca/chaves/opcoes`, {
    method: 'POST',
    headers: { Accept: 'application/json' },
  })
  assert.equal(response.status, 403)
})

async function ceremony(browser: BrowserClient, token: string) {
  const response = await browser.fetch(`${area.url}/conta/seguranca/chaves/opcoes`, {
    method: 'POST',
    headers: { Accept: 'application/json', 'X-CSRF-Token': token },
  })
  assert.equal(response.status, 200)
  return response.json()
}
