/** Pages used without a mouse, and the way into the counter, for tests in a real browser. */
import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { codeOf, type TestOperator } from '../admin/support/operator-entrance.ts'
import { PASSWORD, type TestArea } from '../portal/support/area.ts'

/** Tab by tab to an element, as somebody without a mouse. */
export async function reach(page: Page, target: Locator): Promise<void> {
  for (let pressed = 0; pressed < 120; pressed += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`no way to ${target} by keyboard on ${page.url()}`)
}

export async function press(page: Page, name: string | RegExp, role: 'button' | 'link' = 'button'): Promise<void> {
  const target = page.locator('main').getByRole(role, { name }).first()
  await reach(page, target)
  await page.keyboard.press('Enter')
}

export async function type(page: Page, field: string, text: string): Promise<void> {
  await reach(page, page.locator(field))
  await page.keyboard.type(text)
}

/** A code is worth one sign-in, so each comes a minute later. */
export async function enterCounter(area: TestArea, page: Page, person: TestOperator, where: string): Promise<void> {
  area.clock.advance(60_000)
  await page.goto(`${area.url}${where}`)
  await page.fill('#cpf', person.cpf)
  await page.fill('#password', PASSWORD)
  await page.locator('main').getByRole('button', { name: 'Entrar', exact: true }).click()
  await page.fill('#code', codeOf(person.secret, area))
  await page.locator('main form:has(#code) button[type=submit]').first().click()
  await page.waitForURL(`**${where}`)
}
