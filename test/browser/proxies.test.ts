import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openArea, PASSWORD, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import { citizenAtPrata, proveNow } from '../portal/support/proxies.ts'
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
