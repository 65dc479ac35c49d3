import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pageOf, safeReturn, sectionOf } from '../../src/portal/area.ts'
import { until } from '../support/until.ts'
import { assertHeading, openArea, PASSWORD, type TestArea, type TestCitizen, typePassword } from './support/area.ts'

let area: TestArea
let rosa: TestCitizen

before(async () => {
  area = await openArea()
  rosa = await area.citizen()
})
after(() => area.close())

test('a stranger at /conta sees what it is for and one button; the address of the server leads there', async () => {
  const page = await area.open(area.browser(), '/')
  assert.equal(page.url.pathname, '/conta')
  assertHeading(page, /Sua conta MT Login/)
  assert.ok(page.links.some(({ href, text }) => href.pathname === '/conta/entrar' && text.includes('Entrar')))
})

test('a stranger at any page signs in by code flow and is back at that page', async () => {
  for (const [path, heading] of [
    ['/conta/dados', /Meus dados/],
    ['/conta/aparelhos', /Aparelhos/],
    ['/conta/seguranca/senha', /Mudar a senha/],
  ] as const) {
    const browser = area.browser()
    const before = await area.open(browser, path)
    assert.ok(before.url.pathname.startsWith('/interacao/'), before.url.pathname)
    const authorize = before.trail.find(({ pathname }) => pathname === '/authorize')?.searchParams
    assert.equal(authorize?.get('code_challenge_method'), 'S256')
    assert.ok(authorize.get('nonce') && authorize.get('state'))
    const page = await typePassword(browser, before, rosa.cpf)
    assert.equal(page.url.pathname, path)
    assertHeading(page, heading)
    assert.equal(page.headers.get('Cache-Control'), 'no-store')
    assert.match(page.headers.get('Content-Security-Policy') ?? '', /frame-ancestors 'none'/)
  }
})

test('only pages of the area are come back to', async () => {
  const inside = ['/conta', '/conta/dados', '/conta/seguranca/senha', '/demo/foto']
  for (const path of inside) assert.equal(safeReturn(path), path)
  const outside = [
    undefined,
    '',
    '//evil.example',
    'https://evil.example/conta',
    '/conta//evil.example',
    '/conta/../logout',
    '/conta\\evil',
    '/conta?x=1',
    '/authorize?client_id=x',
    '/conta/%2e%2e/x',
    '/contas',
    '/conta/dados#x',
    '\t/conta',
    'javascript:alert(1)',
    '/conta/dados\n',
  ]
  for (const path of outside) assert.equal(safeReturn(path), '/conta', String(path))
  const { page } = await area.signIn(rosa, { path: '/conta/entrar?para=https%3A%2F%2Fevil.example%2Fconta' })
  assert.equal(page.url.href, `${area.url}/conta`)
})

test('what a form posts to leads back to its page', () => {
  const posted = { method: 'POST' }
  assert.equal(pageOf({ ...posted, path: '/conta/aparelhos/sair' }), '/conta/aparelhos')
  assert.equal(pageOf({ ...posted, path: '/conta/seguranca/chaves/x/remover' }), '/conta/seguranca')
  assert.equal(pageOf({ ...posted, path: '/conta/dados/email/codigo' }), '/conta/dados/email')
  assert.equal(pageOf({ ...posted, path: '/conta/seguranca/chaves/opcoes' }), '/conta/seguranca/chaves')
  for (const step of ['permitir', 'negar', 'pronto']) assert.equal(pageOf({ ...posted, path: `/conta/autorizar/7f3b/${step}` }), '/conta/autorizar/7f3b', 'a question of a system is a page to come back to')
  assert.equal(pageOf({ method: 'GET', path: '/conta/dados/email/codigo' }), '/conta/dados/email/codigo')
  assert.equal(sectionOf('/conta/dados/email'), '/conta/dados')
  assert.equal(sectionOf('/demo/foto'), '/conta')
})

test('signing in gives a new session; the one before it is dead', async () => {
  const browser = area.browser()
  const start = await area.open(browser, '/conta/dados')
  const before = browser.cookie('mt_conta')
  await typePassword(browser, start, rosa.cpf)
  const after = browser.cookie('mt_conta')
  assert.ok(before && after && before !== after)
  const planted = await area.browser().fetch(`${area.url}/conta/dados`, { headers: { Cookie: `mt_conta=${before}` } })
  assert.equal(planted.status, 303)
})

test('an answer that was used, or that nobody asked for, signs nobody in', async () => {
  const { browser, page } = await area.signIn(rosa)
  const answer = page.trail.findLast(({ pathname }) => pathname === '/conta/retorno')
  assert.ok(answer)
  const again = await area.open(browser, answer.href)
  assert.equal(again.url.pathname, '/conta')
  assertHeading(again, /Olá/)
  const stolen = await area.open(area.browser(), answer.href)
  assertHeading(stolen, /Sua conta MT Login/)
})

test('the answer to a sign-in that another tab has begun anew leads on without a second password', async () => {
  const browser = area.browser()
  const first = await area.open(browser, '/conta/dados')
  await area.open(browser, '/conta/nivel')
  const page = await typePassword(browser, first, rosa.cpf)
  assert.equal(page.url.pathname, '/conta/nivel')
})

test('a code that came too late is refused with a way to try again', async () => {
  const browser = area.browser()
  const start = await area.open(browser, '/conta/dados')
  let answer: URL | undefined
  browser.stopAt = (url) => {
    if (url.pathname === '/conta/retorno') answer = url
    return url.pathname === '/conta/retorno'
  }
  await typePassword(browser, start, rosa.cpf)
  assert.ok(answer)
  browser.stopAt = () => false
  answer.searchParams.set('code', 'mtc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
  const page = await browser.get(answer)
  assert.match(page.text, /A entrada não foi concluída/)
  assert.ok(page.links.some(({ href }) => href.pathname === '/conta/entrar'))
})

test('who gives up at the sign-in is told so, and may try again', async () => {
  const browser = area.browser()
  const start = await area.open(browser, '/conta/dados')
  const page = await browser.submit(start, {}, { action: '/desistir' })
  assert.equal(page.url.pathname, '/conta/retorno')
  assert.match(page.text, /A entrada não foi concluída/)
})

test('“sair” ends the session here and the sign-in itself', async () => {
  const { browser, page } = await area.signIn(rosa)
  const cookie = browser.cookie('mt_conta')
  const left = await leave(browser, await browser.submit(page, {}, { action: '/conta/sair' }))
  assert.equal(left.url.pathname, '/conta/saiu')
  assert.match(left.text, /Você saiu da sua conta/)
  assert.equal(browser.cookie('mt_conta'), undefined)
  const replayed = await area.browser().fetch(`${area.url}/conta/dados`, { headers: { Cookie: `mt_conta=${cookie}` } })
  assert.equal(replayed.status, 303)
  const again = await area.open(browser, '/conta/dados')
  assert.ok(
    again.forms.some(({ fields }) => fields.has('password')),
    'the password is asked for again',
  )
  await until(async () => (await area.app.rooms.accounts.sessions.list(rosa.accountId)).every(({ id }) => id !== cookie))
})

test('“sair” without a session says that you are out', async () => {
  const browser = area.browser()
  const page = await area.open(browser, '/conta/saiu')
  assert.match(page.text, /Você saiu da sua conta/)
})

test('a session ends after an hour without use and after a day at most', async () => {
  const idle = await area.signIn(rosa)
  area.clock.advance(61 * 60_000)
  assert.ok((await area.open(idle.browser, '/conta/dados')).url.pathname.startsWith('/interacao/'))
  area.clock.set(new Date())
  const busy = await area.signIn(rosa)
  for (let minutes = 0; minutes < 23 * 60; minutes += 50) {
    area.clock.advance(50 * 60_000)
    assert.equal((await area.open(busy.browser, '/conta/dados')).url.pathname, '/conta/dados', `after ${minutes} minutes`)
  }
  area.clock.advance(59 * 60_000)
  assert.ok((await area.open(busy.browser, '/conta/dados')).url.pathname.startsWith('/interacao/'))
  area.clock.set(new Date())
})

test('an account that was closed or suspended has no area any more', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  await area.app.rooms.accounts.safety.suspend(citizen.accountId, { reason: 'operator', actor: { kind: 'system' } })
  // The protocol's side ends a moment later; who comes in between is told to begin again.
  let page = await area.open(browser, '/conta/dados')
  if (page.status === 410) page = await area.open(browser, '/conta/dados')
  assert.ok(page.url.pathname.startsWith('/interacao/'))
  assert.doesNotMatch(page.text, /Rosa/)
  assert.equal((await typePassword(browser, page, citizen.cpf, PASSWORD)).status, 422)
})

/** Confirms the server's own question, where it asks one. */
async function leave(browser: Parameters<typeof typePassword>[0], page: Awaited<ReturnType<typeof typePassword>>) {
  return page.forms.some(({ action }) => action.pathname.startsWith('/logout'))
    ? browser.submit(page, {}, { action: '/logout/confirm' })
    : page
}
