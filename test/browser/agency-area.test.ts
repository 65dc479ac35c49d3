/** The agencies' pages in a real browser: axe and 360 px, from the first draft to its end. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { parseCpf } from '../../src/accounts/index.ts'
import { AGENCY_ROLES } from '../../src/proxies/index.ts'
import { addOperator, codeOf, type TestOperator } from '../admin/support/operator-entrance.ts'
import { openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { citizenAtPrata, raise } from '../portal/support/proxies.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { beginDay } from '../support/clock.ts'

let area: TestArea
let browser: Browser
let official: TestOperator
before(async () => {
  area = await openArea()
  beginDay(area.clock)
  browser = await launchBrowser()
  official = await addOperator(area, [])
  await raise(area, official)
  for (const role of AGENCY_ROLES) await area.app.rooms.proxies.team.add({ namespace: 'sefaz-demo', cpf: parseCpf(official.cpf) ?? assert.fail(), role }, { actorId: 'cli:test' })
})
after(async () => {
  await browser?.close()
  await area?.close()
})

test('powers, their form and preview, entries and the team pass axe and fit a phone', async () => {
  const watched = await openProfile(browser, PHONE)
  const { page } = watched
  const press = async (name: string) => {
    await page.locator('main').getByRole('button', { name, exact: true }).first().click()
    await page.waitForLoadState()
  }
  area.clock.advance(60_000)
  await page.goto(`${area.url}/orgao/saiu`)
  await checkPage(page, 'the way in')
  await page.goto(`${area.url}/orgao/poderes`)
  await page.fill('#cpf', official.cpf)
  await page.fill('#password', PASSWORD)
  await press('Entrar')
  await page.fill('#code', codeOf(official.secret, area))
  await page.locator('main form:has(#code) button[type=submit]').first().click()
  await page.waitForURL('**/orgao/poderes')
  await checkPage(page, 'powers')

  await page.getByRole('link', { name: /Novo poder/ }).first().click()
  await checkPage(page, 'a new power')
  await press('Salvar rascunho')
  await checkPage(page, 'a new power with faults')
  await page.fill('#codigo', 'nota.pedir')
  for (const language of ['pt', 'en', 'es']) {
    await page.fill(`#titulo_${language}`, `Pedir a nota ${language}`)
    await page.fill(`#texto_${language}`, `pedir a nota fiscal das suas compras ${language}`)
  }
  await press('Salvar rascunho')
  await page.getByText('Rascunho salvo').waitFor()
  await checkPage(page, 'a draft of one\'s own')
  await page.getByRole('link', { name: 'Ver como o cidadão lê' }).click()
  await checkPage(page, 'the preview')
  for (const path of [
    '/orgao/poderes/sefaz-demo/ipva.pagar', '/orgao/poderes/sefaz-demo/nota.pedir/rascunho?lang=en', '/orgao/equipe/sefaz-demo?lang=es', '/orgao/representacoes?lang=pt-BR',
    '/orgao/representacoes/sefaz-demo/nova',
  ]) {
    await page.goto(`${area.url}${path}`)
    await checkPage(page, path)
  }
  const [ward, guardian] = [await citizenAtPrata(area), await citizenAtPrata(area)]
  await page.locator('label', { hasText: /^Curatela$/ }).click()
  await page.fill('#representado', ward.cpf)
  await page.fill('#representado_nome', 'Rosa Maria dos Santos')
  await page.fill('#representante', guardian.cpf)
  await page.fill('#representante_nome', 'Rosa Maria dos Santos')
  await page.locator('#poder').check()
  await page.fill('#documento', 'Processo 1000123-45.2026.8.11.0041')
  await press('Registrar')
  await page.getByText('Registrada. Falta outra pessoa aprovar.').waitFor()
  await checkPage(page, 'an entry that waits for a second person')
  assert.deepEqual(watched.complaints, [])
  await watched.context.close()
})
