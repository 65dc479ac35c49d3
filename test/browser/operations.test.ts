/** The operators' pages in a real browser: axe, 360 px, dark and light, no scripts needed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { fillPoints } from '../admin/support/metered-points.ts'
import { addOperator, codeOf, fillOutcomes, setRoles, type TestOperator } from '../admin/support/operator-entrance.ts'
import { monthOf } from '../../src/biometrics/index.ts'
import { LOCALES } from '../../src/platform/http/locale.ts'
import { openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, openProfile, PHONE, type Watched } from '../support/browser.ts'
import { beginDay } from '../support/clock.ts'

const PAGE = '/operacao/biometria'
const WIDE = { viewport: { width: 1280, height: 800 }, locale: 'pt-BR' }

let area: TestArea
let browser: Browser
let operator: TestOperator

before(async () => {
  area = await openArea()
  beginDay(area.clock)
  browser = await launchBrowser()
  operator = await addOperator(area)
  await fillOutcomes(area)
  await fillPoints(area)
  await area.app.rooms.outcomes.watch()
})
after(async () => {
  await browser?.close()
  await area?.close()
})

/** A code is worth one sign-in, so each comes a minute later. */
async function enter({ page }: Watched): Promise<void> {
  area.clock.advance(60_000)
  await page.goto(`${area.url}/operacao/saiu`)
  await checkPage(page, 'the way in')
  await page.goto(area.url + PAGE)
  await page.fill('#cpf', operator.cpf)
  await page.fill('#password', PASSWORD)
  await page.locator('main').getByRole('button', { name: 'Entrar', exact: true }).click()
  await page.fill('#code', codeOf(operator.secret, area))
  await page.locator('main form:has(#code) button[type=submit]').first().click()
  await page.waitForURL(`**${PAGE}`)
}

for (const [name, options] of [
  ['a phone', PHONE],
  ['a wide screen', { ...WIDE, colorScheme: 'dark' as const }],
] as const) {
  test(`trends, groups and alarms, capture points and statements pass axe on ${name}, and fit`, async () => {
    const watched = await openProfile(browser, options)
    await enter(watched)
    await checkPage(watched.page, `the page (${name})`)
    assert.equal(await watched.page.locator('svg.trend polyline').count(), 2)
    await watched.page.locator('main summary').first().click()
    await checkPage(watched.page, `the days, open (${name})`)
    await watched.page.goto(`${area.url}${PAGE}?dias=7`)
    await checkPage(watched.page, `a week (${name})`)
    for (const path of ['/operacao/pontos', '/operacao/pontos/cba-01', '/operacao/medicao', `/operacao/medicao/contrato-1/${monthOf(area.clock.now())}`]) {
      for (const language of LOCALES) {
        await watched.page.goto(`${area.url}${path}?lang=${language}`)
        await checkPage(watched.page, `${path} in ${language} (${name})`)
      }
    }
    await watched.page.goto(`${area.url}/operacao/pontos/cba-01?lang=pt-BR`)
    await watched.page.locator('main summary').first().click()
    await checkPage(watched.page, `a question before the state changes (${name})`)
    if (options === PHONE) {
      await setRoles(area, operator, [])
      await watched.page.goto(area.url + PAGE)
      await checkPage(watched.page, 'no role')
      await setRoles(area, operator, ['operator'])
    }
    assert.deepEqual(watched.complaints, [])
    await watched.context.close()
  })
}
