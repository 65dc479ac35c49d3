import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { assertHeading, openArea, type TestArea, type TestCitizen, typePassword } from './support/area.ts'

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

async function visit(path = '/conta/dados', citizen?: TestCitizen): Promise<{ citizen: TestCitizen; browser: BrowserClient; page: Page }> {
  const someone = citizen ?? (await area.citizen())
  return { citizen: someone, ...(await area.signIn(someone, { path })) }
}

test('my data: name, masked CPF, birth date, confirmed address, and how to change each', async () => {
  const { citizen, page } = await visit()
  assertHeading(page, /Meus dados/)
  assert.match(page.text, /Rosa Maria dos Santos/)
  assert.match(page.text, /\*\*\*\.\d{3}\.\d{3}-\*\*/)
  assert.ok(!page.html.includes(citizen.cpf), 'the CPF is not on the page in full')
  assert.match(page.text, /04\/05\/1990/)
  assert.match(page.text, new RegExp(citizen.email))
  assert.ok(page.links.some(({ href }) => href.pathname === '/conta/dados/email'))
  assert.ok(page.links.some(({ href }) => href.pathname === '/conta/dados/telefone'))
})

test('a new e-mail counts once its code is typed; the old one is told', async () => {
  const { citizen, browser, page } = await visit('/conta/dados/email')
  const next = `novo-${citizen.email}`
  const asked = await browser.submit(page, { value: next }, { action: '/conta/dados/email' })
  assert.equal(asked.url.pathname, '/conta/dados/email/codigo')
  assert.match(asked.text, new RegExp(`Mandamos um código para ${next}`))
  assert.match((await area.open(browser, '/conta/dados')).text, new RegExp(`(?<!-)${citizen.email}`), 'nothing has changed yet')
  const done = await browser.submit(asked, { code: await area.app.lastCode(next) }, { action: '/codigo' })
  assert.equal(done.url.pathname + done.url.search, '/conta/dados?feito=email')
  assert.match(done.text, /E-mail mudado/)
  assert.match(done.text, new RegExp(next))
  const [told] = await area.mailsTo(citizen.email)
  assert.match(`${told?.subject} ${told?.text}`, /e-mail|contato|endereço/i)
  const code = await area.open(browser, '/conta/dados/email/codigo')
  assert.equal(code.url.pathname, '/conta/dados/email', 'the code page is over')
})

test('a wrong code is refused at its field; ten wrong ones spend the right one; another code can be asked for', async () => {
  const { citizen, browser, page } = await visit('/conta/dados/email')
  const next = `outro-${citizen.email}`
  let asked = await browser.submit(page, { value: next }, { action: '/conta/dados/email' })
  const right = await area.app.lastCode(next)
  const wrong = right === '000000' ? '000001' : '000000'
  asked = await browser.submit(asked, { code: wrong }, { action: '/codigo' })
  assert.equal(asked.status, 422)
  assert.match(asked.text, /O código não confere/)
  assert.match(asked.html, /id="code-error"/)
  const empty = await browser.submit(asked, { code: ' ' }, { action: '/codigo' })
  assert.equal(empty.status, 422)
  for (let tries = 0; tries < 12; tries += 1) asked = await browser.submit(asked, { code: wrong }, { action: '/codigo' })
  asked = await browser.submit(asked, { code: right }, { action: '/codigo' })
  assert.equal(asked.status, 422, 'the right one no longer works')
  assert.match((await area.open(browser, '/conta/dados')).text, new RegExp(`(?<!-)${citizen.email}`))
})

test('“mandar outro código” sends a new one and the first is dead', async () => {
  const { citizen, browser, page } = await visit('/conta/dados/email')
  const next = `terceiro-${citizen.email}`
  const asked = await browser.submit(page, { value: next }, { action: '/conta/dados/email' })
  const first = await area.app.lastCode(next)
  const again = await browser.submit(asked, {}, { button: 'Mandar outro código' })
  assert.equal(again.url.pathname, '/conta/dados/email/codigo')
  const second = await area.app.lastCode(next)
  if (first !== second) assert.equal((await browser.submit(again, { code: first }, { action: '/codigo' })).status, 422)
  assert.match((await browser.submit(again, { code: second }, { action: '/codigo' })).text, /E-mail mudado/)
})

test('an address that is none stays as typed, with what is wrong', async () => {
  const { browser, page } = await visit('/conta/dados/email')
  for (const value of ['rosa', 'rosa@', `${'r'.repeat(260)}@example.org`, '"><b>@example.org']) {
    const refused = await browser.submit(page, { value }, { action: '/conta/dados/email' })
    assert.equal(refused.status, 422, value)
    assert.match(refused.text, /Confira o e-mail|longo|grande/i)
    assert.equal(
      refused.forms.find(({ action }) => action.pathname === '/conta/dados/email')?.fields.get('value')?.[0],
      value.slice(0, 500),
    )
  }
})

test('a mobile number is confirmed by SMS, shown with its punctuation, changed and removed', async () => {
  const { citizen, browser, page } = await visit('/conta/dados/telefone')
  const bad = await browser.submit(page, { value: '123' }, { action: '/conta/dados/telefone' })
  assert.equal(bad.status, 422)
  assert.match(bad.text, /Confira o número com DDD/)
  const asked = await browser.submit(page, { value: '65 99871 2346' }, { action: '/conta/dados/telefone' })
  assert.match(asked.text, /\(65\) 99871-2346/)
  const done = await browser.submit(asked, { code: await area.app.lastCode('+5565998712346') }, { action: '/codigo' })
  assert.match(done.text, /Celular confirmado.*\(65\) 99871-2346/)
  const removed = await browser.submit(done, {}, { action: '/telefone/retirar' })
  assert.match(removed.text, /Celular retirado/)
  assert.doesNotMatch(removed.text, /99871/)
  const sms = await area.mailsTo('+5565998712346')
  assert.ok(sms.length >= 2, 'the number was told that it is gone')
  assert.ok((await area.mailsTo(citizen.email)).length > 0)
})

test('the code of one kind does not confirm the other', async () => {
  const { citizen, browser, page } = await visit('/conta/dados/email')
  await browser.submit(page, { value: `x-${citizen.email}` }, { action: '/conta/dados/email' })
  const phone = await area.open(browser, '/conta/dados/telefone/codigo')
  assert.equal(phone.url.pathname, '/conta/dados/telefone')
})

test('a change wants a sign-in of the last 20 minutes: renewed first, then back at the page', async () => {
  const { citizen, browser } = await visit()
  area.clock.advance(21 * 60_000)
  const asked = await area.open(browser, '/conta/dados/email')
  assert.match(asked.text, /Confirme que é você/)
  const page = await typePassword(browser, asked, citizen.cpf)
  assert.equal(page.url.pathname, '/conta/dados/email')
  const sent = await browser.submit(page, { value: `y-${citizen.email}` }, { action: '/conta/dados/email' })
  assert.equal(sent.url.pathname, '/conta/dados/email/codigo')
})

test('a form that was open for more than 20 minutes changes nothing and leads to the sign-in', async () => {
  const { citizen, browser, page } = await visit('/conta/dados/email')
  area.clock.advance(21 * 60_000)
  const asked = await browser.submit(page, { value: `z-${citizen.email}` }, { action: '/conta/dados/email' })
  assert.match(asked.text, /Confirme que é você/)
  assert.equal((await area.mailsTo(`z-${citizen.email}`)).length, 0)
  assert.equal((await typePassword(browser, asked, citizen.cpf)).url.pathname, '/conta/dados/email')
})

test('who does not confirm is back at the section, told that nothing changed, and still signed in', async () => {
  const { browser } = await visit()
  area.clock.advance(21 * 60_000)
  const asked = await area.open(browser, '/conta/dados/email')
  const page = await browser.submit(asked, {}, { action: '/desistir' })
  assert.equal(page.url.pathname, '/conta/dados')
  assert.match(page.text, /Você não confirmou a entrada, por isso nada mudou/)
})

test('for 24 hours after a recovery nothing can be changed: the page says until when', async () => {
  const citizen = await area.citizen()
  await area.app.foundation.db.execute('UPDATE account SET recovered_at = $2 WHERE id = $1', [citizen.accountId, area.clock.now()])
  const { browser, page } = await area.signIn(citizen)
  assert.match(page.text, /Mudanças importantes estão pausadas.*só podem mudar a partir de \d{2}\/\d{2}\/\d{4} \d{2}:\d{2}/)
  for (const path of [
    '/conta/dados/email',
    '/conta/dados/telefone',
    '/conta/seguranca/senha',
    '/conta/seguranca/aplicativo',
    '/conta/seguranca/chaves',
    '/conta/seguranca/codigos',
  ]) {
    const refused = await area.open(browser, path)
    assert.equal(refused.url.pathname, '/conta/seguranca', path)
    assert.match(refused.text, /Mudanças importantes estão pausadas/)
  }
  area.clock.advance(24 * 3_600_000 + 60_000)
  const later = await area.signIn(citizen, { browser, path: '/conta/dados/email' })
  assertHeading(later.page, /Mudar o e-mail/)
})
