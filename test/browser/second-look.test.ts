/** Rules of a unit and a second look at an approval in a real browser: by keyboard, on a phone of 360 px, and by axe. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { bringToApproval, openStaffedDesk, type StaffedDesk } from '../helpdesk/support/attendance-scene.ts'
import { enterDesk, hire } from '../helpdesk/support/counter.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { enterCounter, press } from '../support/keyboard.ts'

let area: TestArea
let desk: StaffedDesk
let browser: Browser

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
  browser = await launchBrowser()
})
after(async () => {
  await browser?.close()
  await area?.close()
})

test('a manager makes the rules stricter, and a supervisor looks again at an approval, each by keyboard on a phone', async () => {
  const rules = { faceProfile: 'reference', matchPoint: 'fmr1e-4', sampleShare: 100 } as const
  await area.app.rooms.staff.setRules(desk.unit.code, rules, { actorId: 'cli:test' })
  const { path } = await bringToApproval(area, desk, (await area.citizen()).cpf, 'third')
  const client = area.browser()
  const sheet = await enterDesk(area, client, desk.supervisor, path.replace('atendimentos', 'aprovacoes'))
  await client.submit(sheet, {}, { action: '/aprovar' })

  const manager = await openProfile(browser, PHONE)
  await enterCounter(area, manager.page, desk.manager, '/balcao/regras')
  await checkPage(manager.page, 'rules of the unit')
  await press(manager.page, 'Guardar as regras')
  await manager.page.getByText('Regras guardadas').waitFor()
  await checkPage(manager.page, 'rules, saved')

  const third = await openProfile(browser, PHONE)
  await enterCounter(area, third.page, await hire(area, desk, 'supervisor'), '/balcao/conferencias')
  await checkPage(third.page, 'drawn approvals')
  await press(third.page, /^\d{4}-/, 'link')
  await third.page.waitForSelector('.pictures img')
  await third.page.locator('main summary', { hasText: 'Não confere' }).click()
  await checkPage(third.page, 'a second look')
  await press(third.page, /^Confere/)
  await third.page.getByText('a aprovação confere').waitFor()
  for (const { complaints, context } of [manager, third]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})
