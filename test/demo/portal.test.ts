import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { enterPortal, openArea, type TestArea, type TestCitizen, typePassword } from '../portal/support/area.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { until } from '../support/until.ts'

let area: TestArea
let rosa: TestCitizen

before(async () => {
  area = await openArea()
  rosa = await area.citizen()
})
after(() => area.close())

const openService = (browser: BrowserClient, id: string): Promise<Page> => browser.get(`${area.portalUrl}/servicos/${id}`)

test('the portal says that it is a demonstration, what each service demands, and offers one way in', async () => {
  const page = await area.browser().get(area.portalUrl)
  assert.match(page.text, /Demonstração\. Este portal não é um site do governo/)
  for (const demand of [/Basta entrar/, /Pede conta prata/, /Pede conta prata e seu rosto, na hora/]) assert.match(page.text, demand)
  assert.ok(page.links.some(({ text }) => text === 'Entrar com MT Login'))
  assert.match(page.headers.get('Content-Security-Policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
})

test('signing in: the name, the level, what was received, under a new session id', async () => {
  const browser = area.browser()
  await browser.get(area.portalUrl)
  const before = browser.cookie('portal_demo')
  const page = await enterPortal(area, browser, rosa)
  assert.match(page.text, /Você entrou com a conta bronze/)
  assert.match(page.text, /cpf \d{11}/)
  assert.doesNotMatch(page.text, new RegExp(rosa.accountId), 'its subject is pairwise')
  assert.notEqual(browser.cookie('portal_demo'), before)
})

test('the simple service opens for whoever signed in, without another question', async () => {
  const browser = area.browser()
  await enterPortal(area, browser, rosa)
  const page = await openService(browser, 'segunda-via')
  assert.equal(page.url.origin, area.portalUrl)
  assert.match(page.text, /Sua guia está pronta.*Nível da conta bronze.*Como você entrou senha/)
})

test('prata is asked for by the step-up; who gives up is back with a sentence, still signed in', async () => {
  const browser = area.browser()
  await enterPortal(area, browser, rosa)
  const asked = await openService(browser, 'carteira')
  assert.match(asked.text, /pede o nível prata para este serviço/)
  const back = await browser.submit(asked, {}, { action: '/desistir' })
  assert.equal(back.url.href, `${area.portalUrl}/`)
  assert.match(back.text, /pede uma conferência que não foi feita.*Olá, Rosa/)
  assert.doesNotMatch((await browser.get(area.portalUrl)).text, /conferência que não foi feita/, 'said once')
})

test('a citizen at prata opens the prata service at once', async () => {
  const citizen = await area.citizen()
  const { personId, accountId } = citizen
  const proof = { personId, accountId, method: 'counter-documents', source: 'test', actor: { kind: 'system' } } as const
  await area.app.foundation.db.transaction((tx) => area.app.rooms.assurance.add(tx, proof))
  const browser = area.browser()
  await enterPortal(area, browser, citizen)
  assert.match((await openService(browser, 'carteira')).text, /Seu pedido de carteira foi aberto.*prata/)
  const face = await openService(browser, 'conta-bancaria')
  assert.equal(face.url.origin, area.url)
  assert.match(face.text, /mostre o rosto|ainda não tem uma foto/i)
})

test('who prefers not to sign in is told how to later; an unknown service and an unknown page are 404', async () => {
  const browser = area.browser()
  const page = await browser.get(`${area.portalUrl}/entrar`)
  const back = await browser.submit(page, {}, { action: '/desistir' })
  assert.match(back.text, /Você preferiu não entrar/)
  for (const path of ['/servicos/nenhum', '/nada', '/../../etc/passwd']) {
    const missing = await browser.get(`${area.portalUrl}${path}`)
    assert.equal(missing.status, 404)
    assert.match(missing.text, /Esta página não existe/)
  }
})

test('an answer that nobody asked for signs nobody in', async () => {
  const browser = area.browser()
  const page = await browser.get(`${area.portalUrl}/retorno?code=x&state=y`)
  assert.match(page.text, /começou em outra janela/)
  await browser.get(`${area.portalUrl}/entrar`)
  const forged = await browser.get(`${area.portalUrl}/retorno?code=x&state=y`)
  assert.match(forged.text, /começou em outra janela/)
  assert.doesNotMatch(forged.text, /Olá/)
})

test('“sair” ends the portal’s session and the sign-in: the next sign-in asks for the password', async () => {
  const browser = area.browser()
  const page = await enterPortal(area, browser, rosa)
  let left = await browser.submit(page, {}, { action: '/sair' })
  if (left.url.origin === area.url) left = await browser.submit(left, {}, { action: '/logout/confirm' })
  assert.equal(left.url.href.split('?')[0], `${area.portalUrl}/`)
  assert.doesNotMatch(left.text, /Olá, Rosa/)
  const again = await browser.get(`${area.portalUrl}/entrar`)
  assert.ok(again.forms.some(({ fields }) => fields.has('password')))
})

test('another site cannot sign the citizen out', async () => {
  const browser = area.browser()
  await enterPortal(area, browser, rosa)
  const answer = await browser.fetch(`${area.portalUrl}/sair`, { method: 'POST', headers: { Origin: 'https://evil.example' } })
  assert.equal(answer.status, 403)
  assert.match((await browser.get(area.portalUrl)).text, /Olá, Rosa/)
})

test('a sign-out at MT Login ends the portal’s session by the back channel', async () => {
  const browser = area.browser()
  await enterPortal(area, browser, rosa)
  let left = await browser.submit(await area.open(browser, '/conta').then(enterArea(browser)), {}, { action: '/conta/sair' })
  if (left.forms.some(({ action }) => action.pathname === '/logout/confirm'))
    left = await browser.submit(left, {}, { action: '/logout/confirm' })
  await until(async () => !(await browser.get(area.portalUrl)).text.includes('Olá, Rosa'))
})

test('a logout token that MT Login did not sign ends nothing', async () => {
  const browser = area.browser()
  await enterPortal(area, browser, rosa)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const forged = await new SignJWT({ sid: 'x', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
    .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt' })
    .setIssuer(area.url)
    .setAudience('portal-demonstracao')
    .setIssuedAt()
    .setJti('1')
    .sign(privateKey)
  for (const token of [forged, 'x', '', 'a.b.c', 'x'.repeat(20_000)]) {
    const answer = await fetch(`${area.portalUrl}/sair-por-tras`, { method: 'POST', body: new URLSearchParams({ logout_token: token }) })
    assert.ok([400, 413].includes(answer.status), String(answer.status))
  }
  assert.match((await browser.get(area.portalUrl)).text, /Olá, Rosa/)
})

/** From the stranger's page of the area into it; the sign-in of the portal is enough. */
function enterArea(browser: BrowserClient) {
  return async (page: Page): Promise<Page> => {
    const entered = await browser.get(page.links.find(({ href }) => href.pathname === '/conta/entrar')?.href ?? page.url)
    return entered.forms.some(({ fields }) => fields.has('password')) ? typePassword(browser, entered, rosa.cpf) : entered
  }
}
