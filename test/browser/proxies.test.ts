import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openArea, PASSWORD, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import { parsePartyRef } from '../../src/proxies/index.ts'
import { citizenAtPrata, proveNow, raise } from '../portal/support/proxies.ts'
import { checkPage, launchBrowser, openProfile, PHONE, type Watched } from '../support/browser.ts'
import { beginDay } from '../support/clock.ts'

const BASE = '/conta/procuracoes'
const NAME = 'Rosa Maria dos Santos'

let area: TestArea
let browser: Browser
let giver: TestCitizen
let taker: TestCitizen
before(async () => {
  area = await openArea()
  beginDay(area.clock)
  browser = await launchBrowser()
  giver = await citizenAtPrata(area)
  taker = await citizenAtPrata(area)
})
after(async () => {
  await browser?.close()
  await area?.close()
})

async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.locator('main').getByRole('button', { name }).first().click()
  await page.waitForLoadState()
}

async function signIn(citizen: TestCitizen): Promise<Watched> {
  const watched = await openProfile(browser, PHONE)
  const { page } = watched
  await page.goto(`${area.url}/conta/entrar?para=${BASE}`)
  await page.fill('#cpf', citizen.cpf)
  await page.fill('#password', PASSWORD)
  await press(page, 'Entrar')
  await page.waitForURL(`**${BASE}`)
  return watched
}

const inAMonth = () => new Date(area.clock.now().getTime() + 30 * 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('/')

test('given, accepted, used in the portal, seen within a second and stopped; every page passes axe and fits a phone', async () => {
  const mine = await signIn(giver)
  const theirs = await signIn(taker)
  await proveNow(area, giver)

  const { page } = mine
  await page.goto(`${area.url}${BASE}`)
  await page.getByRole('link', { name: /Dar uma procuração/ }).click()
  await page.fill('#document', taker.cpf)
  await page.fill('#name', NAME)
  await checkPage(page, 'who')
  await press(page, 'Continuar')
  await page.getByLabel('Consultar o IPVA').check()
  await checkPage(page, 'what')
  await press(page, 'Continuar')
  await page.fill('#ate', inAMonth())
  await checkPage(page, 'until when')
  await press(page, 'Continuar')
  await page.getByText(`${NAME} poderá consultar o IPVA dos seus veículos até ${inAMonth()}.`).waitFor()
  await checkPage(page, 'summary')
  await press(page, 'Assinar e dar a procuração')
  await page.getByText('Procuração assinada').waitFor()
  await checkPage(page, 'overview')

  await theirs.page.goto(`${area.url}${BASE}`)
  await theirs.page.locator('.row-link').first().click()
  await checkPage(theirs.page, 'to accept')
  await press(theirs.page, 'Aceitar e poder agir')
  await theirs.page.getByText('Procuração aceita').waitFor()

  // In the portal, with the sign-in that is there already.
  await theirs.page.goto(`${area.portalUrl}/servicos/em-nome-de`)
  await theirs.page.getByLabel('Por mim, eu mesmo').waitFor()
  await checkPage(theirs.page, 'party picker')
  await theirs.page.locator('label', { hasText: NAME }).click()
  await press(theirs.page, 'Continuar')
  await checkPage(theirs.page, 'consent in representation')
  await press(theirs.page, 'Autorizar')
  await theirs.page.waitForURL(`${area.portalUrl}/**`)
  await theirs.page.getByText(/está agindo por/).waitFor()

  await page.goto(`${area.url}${BASE}/usos`)
  assert.notEqual(await page.getByText(/agiu em nome de/).count(), 0, 'it is there at the first look')
  await checkPage(page, 'history of use')
  await page.getByRole('link', { name: /Não fui eu/ }).first().click()
  await checkPage(page, 'not me')
  await press(page, 'Parar agora')
  await page.getByText('Parada. Ninguém age mais com ela.').waitFor()
  await checkPage(page, 'a stopped mandate')
  for (const { complaints } of [mine, theirs]) assert.deepEqual(complaints, [])
  for (const { context } of [mine, theirs]) await context.close()
})

test('the company area passes axe and fits a phone', async () => {
  const watched = await openProfile(browser, PHONE)
  const { page } = watched
  await page.goto(`${area.url}/conta/entrar?para=/conta/empresas`)
  await page.fill('#cpf', '11144477735')
  await page.fill('#password', 'arara-azul-cerrado-3')
  await press(page, 'Entrar')
  await page.waitForURL('**/conta/empresas')
  await checkPage(page, 'companies')
  await page.goto(`${area.url}/conta/empresas/12ABC345`)
  await checkPage(page, 'a company')
  await page.goto(`${area.url}${BASE}?empresa=12ABC345`)
  await checkPage(page, 'mandates of a company')
  assert.deepEqual(watched.complaints, [])
  await watched.context.close()
})

test('as a company: its clerk acts in the portal, the company sees it at the first look and stops it', async () => {
  const { accounts, proxies } = area.app.rooms
  const joana = await accounts.findByCpf('11144477735' as never)
  assert.ok(joana)
  const admin = { cpf: '11144477735', email: '', accountId: joana.id, personId: joana.personId }
  await raise(area, admin)
  const mine = await openProfile(browser, PHONE)
  const { page } = mine
  await page.goto(`${area.url}/conta/entrar?para=/conta/empresas`)
  await page.fill('#cpf', admin.cpf)
  await page.fill('#password', 'arara-azul-cerrado-3')
  await press(page, 'Entrar')
  await page.waitForURL('**/conta/empresas')
  await proveNow(area, admin)
  await page.goto(`${area.url}/conta/empresas/12ABC345`)
  await page.getByRole('link', { name: /Dar uma procuração pela empresa/ }).click()
  await page.fill('#document', taker.cpf)
  await page.fill('#name', NAME)
  await press(page, 'Continuar')
  await page.getByLabel('Consultar o IPVA').check()
  await press(page, 'Continuar')
  await page.fill('#ate', inAMonth())
  await press(page, 'Continuar')
  await page.getByText('Em nome de Pantanal Sementes Ltda').waitFor()
  await press(page, 'Assinar e dar a procuração')
  await page.getByText('Procuração assinada').waitFor()

  const theirs = await signIn(taker)
  const [given] = await proxies.mandates.listReceived({ accountId: taker.accountId })
  assert.ok(given)
  await proxies.mandates.accept({ accountId: taker.accountId }, given.id)
  await theirs.page.goto(`${area.portalUrl}/servicos/em-nome-de`)
  await theirs.page.locator('label', { hasText: 'Pantanal Sementes' }).click()
  await press(theirs.page, 'Continuar')
  if (await theirs.page.getByRole('button', { name: 'Autorizar' }).count()) await press(theirs.page, 'Autorizar')
  await theirs.page.getByText(/está agindo por Pantanal Sementes Ltda/).waitFor()

  await page.goto(`${area.url}/conta/empresas/12ABC345`)
  await page.getByText('Dada por').first().waitFor()
  await checkPage(page, 'a company with people')
  await page.goto(`${area.url}${BASE}/usos?empresa=12ABC345`)
  await page.getByRole('link', { name: /Não fui eu/ }).first().click()
  await press(page, 'Parar agora')
  await page.getByText('Parada. Ninguém age mais com ela.').waitFor()
  for (const { complaints } of [mine, theirs]) assert.deepEqual(complaints, [])
  for (const { context } of [mine, theirs]) await context.close()
})

test('passing on, several people, an act that several approve, and the page that checks a paper pass axe and fit a phone', async () => {
  const { roles, mandates, acts, instruments } = area.app.rooms.proxies
  const [first, second] = [await citizenAtPrata(area), await citizenAtPrata(area)]
  const mine = await signIn(giver)
  await proveNow(area, giver)
  const [session] = await area.app.foundation.db.query<{ id: string }>('SELECT id FROM sign_in_session WHERE account_id = $1 AND ended_at IS NULL', [giver.accountId])
  const spoken = (text: string) => ({ 'pt-BR': text, en: text, es: text })
  const definition = { title: spoken('Vender o imóvel'), description: spoken('vender o imóvel'), representedKinds: ['person'], delegateKinds: ['person'], longestDays: 365, joint: 'required', acceptance: false }
  await roles.draft({ namespace: 'sefaz-demo', code: 'imovel.vender', definition }, { kind: 'system' })
  await roles.publish({ namespace: 'sefaz-demo', code: 'imovel.vender' }, { kind: 'system' })
  const published = await roles.list({ namespace: 'sefaz-demo' })
  const power = (code: string) => published.filter((role) => role.code === code)
  const by = { accountId: giver.accountId, sessionId: session?.id }
  const refOf = ({ cpf }: TestCitizen) => parsePartyRef(cpf) ?? assert.fail(cpf)
  const validThrough = new Date(area.clock.now().getTime() + 30 * 86_400_000).toISOString().slice(0, 10) as never
  const to = (one: TestCitizen) => ({ ref: refOf(one), name: NAME })
  const [held] = await mandates.grant(by, { delegates: [to(first)], powers: power('ipva.consultar'), validThrough, subDepth: 1 })
  assert.ok(held)
  await mandates.accept({ accountId: first.accountId }, held.id)
  await mandates.grant(by, { delegates: [to(first), to(second)], powers: power('imovel.vender'), validThrough, quorum: 2 })
  const { act } = await acts.open({ id: 'portal-demonstracao', namespaces: ['sefaz-demo'] }, {
    actor: refOf(first), represented: refOf(giver), role: { namespace: 'sefaz-demo', code: 'imovel.vender' }, about: 'Vender o lote 7 da Fazenda Boa Vista por R$ 50.000,00',
  })

  const theirs = await signIn(first)
  await proveNow(area, first)
  const { page } = theirs
  await page.goto(`${area.url}${BASE}`)
  await page.getByText('1 ato espera a sua aprovação.').waitFor()
  await checkPage(page, 'overview with an act that waits')
  await page.getByRole('link', { name: 'Ver e decidir' }).click()
  await checkPage(page, 'acts')
  await page.locator('.row-link').first().click()
  await checkPage(page, 'an act')
  await page.locator('main summary').first().click()
  await checkPage(page, 'an act, asked once more')
  await press(page, 'Sim, aprovar')
  await page.getByText('1 de 2 aprovações').waitFor()
  await checkPage(page, 'an act that one approved')
  assert.equal((await acts.get({ accountId: first.accountId }, act.id)).mine, 'approved')

  await page.goto(`${area.url}${BASE}/${held.id}`)
  await checkPage(page, 'what may be passed on')
  await page.getByRole('link', { name: 'Passar adiante uma parte' }).click()
  await page.fill('#document', taker.cpf)
  await page.fill('#name', NAME)
  await checkPage(page, 'passing on: who')
  await press(page, 'Continuar')
  await page.getByLabel('Consultar o IPVA').check()
  await checkPage(page, 'passing on: what')
  await press(page, 'Continuar')
  await page.fill('#ate', new Date(area.clock.now().getTime() + 5 * 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('/'))
  await checkPage(page, 'passing on: until when')
  await press(page, 'Continuar')
  await checkPage(page, 'passing on: summary')
  await press(page, 'Assinar e passar adiante')
  await page.getByText('Passada adiante').waitFor()

  await mine.page.goto(`${area.url}${BASE}/${held.id}`)
  await mine.page.getByText('O que foi passado adiante').waitFor()
  await checkPage(mine.page, 'the tree of what was passed on')
  await mine.page.goto(`${area.url}${BASE}/nova`)
  await mine.page.fill('#document', taker.cpf)
  await mine.page.fill('#name', NAME)
  await press(mine.page, 'Continuar')
  await mine.page.getByLabel('Vender o imóvel').check()
  await press(mine.page, 'Continuar')
  await mine.page.fill('#ate', inAMonth())
  await press(mine.page, 'Continuar')
  await mine.page.getByRole('link', { name: /Acrescentar mais pessoas/ }).click()
  await checkPage(mine.page, 'more people: the first')
  await mine.page.fill('#document', second.cpf)
  await mine.page.fill('#name', NAME)
  await press(mine.page, 'Acrescentar')
  await checkPage(mine.page, 'more people: how')
  await mine.page.locator('label', { hasText: 'Só juntas' }).click()
  await press(mine.page, 'Voltar ao resumo')
  await mine.page.getByText('Só juntas: cada ato precisa da aprovação de 2 das 2').waitFor()
  await checkPage(mine.page, 'summary of several')

  const { code } = await instruments.get(by, held.id)
  const stranger = await openProfile(browser, PHONE)
  await stranger.page.goto(`${area.url}/procuracoes/verificar`)
  await checkPage(stranger.page, 'where a paper is checked')
  await stranger.page.goto(`${area.url}/procuracoes/verificar/${code}`)
  await stranger.page.getByText('Esta procuração vale agora').waitFor()
  await checkPage(stranger.page, 'a paper that counts')
  await mandates.revoke(by, held.id)
  await stranger.page.reload()
  await stranger.page.getByText('Esta procuração não vale mais').waitFor()
  await checkPage(stranger.page, 'a paper that counts no more')
  for (const { complaints } of [mine, theirs, stranger]) assert.deepEqual(complaints, [])
  for (const { context } of [mine, theirs, stranger]) await context.close()
})

test('a power that wants an advanced signature leads to its document, which is read before it is signed', async () => {
  const { page } = await signIn(giver)
  await page.goto(`${area.url}${BASE}/nova`)
  await page.fill('#document', taker.cpf)
  await page.fill('#name', NAME)
  await press(page, 'Continuar')
  await page.getByLabel('Vender veículo').check()
  await press(page, 'Continuar')
  await page.fill('#ate', inAMonth())
  await press(page, 'Continuar')
  await page.getByText('Este poder pede uma assinatura com certificado').waitFor()
  await press(page, 'Ler o documento')
  await page.getByRole('heading', { name: 'Leia e assine a procuração' }).waitFor()
  await page.getByRole('button', { name: 'Assinar com o rosto' }).waitFor()
  await checkPage(page, 'read and sign')
  await page.context().close()
})
