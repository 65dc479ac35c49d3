/** Operators on their way in, for tests of their pages. */
import { generateSync } from 'otplib'
import { ROLES, type Role } from '../../../src/admin/index.ts'
import { addDays, localDay } from '../../../src/platform/clock.ts'
import { addOutcome, type Outcome } from '../../../src/biometrics/outcomes/outcome.store.ts'
import type { OutcomeResult } from '../../../src/biometrics/outcomes/tally.ts'
import { type TestArea, type TestCitizen, typePassword } from '../../portal/support/area.ts'
import type { BrowserClient, Page } from '../../support/browser-client.ts'
import { leaveEndOfStep } from '../../support/clock.ts'

export interface TestOperator extends TestCitizen {
  readonly secret: string
}

/** Somebody with these staff roles and an authenticator app. */
export async function addOperator(area: TestArea, roles: readonly Role[] = [ROLES[0]]): Promise<TestOperator> {
  const citizen = await area.citizen()
  const { accounts } = area.app.rooms
  leaveEndOfStep(area.clock)
  const { factorId, secret } = await accounts.factors.totp.start({
    accountId: citizen.accountId,
    authenticatedAt: area.clock.now(),
    facts: { ip: '10.9.0.1', userAgent: 'test', deviceCookie: undefined },
  })
  await accounts.factors.totp.confirm(
    {
      accountId: citizen.accountId,
      authenticatedAt: area.clock.now(),
      facts: { ip: '10.9.0.1', userAgent: 'test', deviceCookie: undefined },
    },
    { factorId, code: codeOf(secret, area, -1) },
  )
  await setRoles(area, citizen, roles)
  return { ...citizen, secret }
}

export async function setRoles(area: TestArea, { accountId }: Pick<TestCitizen, 'accountId'>, roles: readonly Role[]): Promise<void> {
  await area.app.foundation.db.execute('UPDATE account SET roles = $2 WHERE id = $1', [accountId, [...roles]])
}

export function codeOf(secret: string, area: TestArea, steps = 0): string {
  return generateSync({ secret, epoch: Math.floor(area.clock.now().getTime() / 1000) + 30 * steps })
}

/** Opens a page of the area and does what it asks: password, then the code. */
export async function enter(area: TestArea, browser: BrowserClient, operator: TestOperator, path = '/operacao/biometria'): Promise<Page> {
  let page = await area.open(browser, path)
  if (page.forms.some(({ fields }) => fields.has('password'))) page = await typePassword(browser, page, operator.cpf)
  if (page.forms.some(({ fields }) => fields.has('code')))
    page = await browser.submit(page, { code: codeOf(operator.secret, area) }, { action: '/segundo-passo/codigo' })
  return page
}

/** Four weeks of checks: many phones, few tablets, the old refused more. */
export async function fillOutcomes(area: TestArea): Promise<void> {
  const { db } = area.app.foundation
  const today = localDay(area.clock.now())
  const add = (day: string, result: OutcomeResult, checks: number, change: Partial<Outcome> = {}) =>
    addOutcome(
      db,
      {
        day,
        result,
        reason: '',
        device: 'phone-android',
        light: 'even',
        age: '30-44',
        livenessClass: '',
        modelSet: 'standard-256-v1+pad',
        ...change,
      },
      0,
      checks,
    )
  for (let back = 0; back < 28; back += 1) {
    const day = addDays(today, -back)
    await add(day, 'passed', 60, { livenessClass: 'active' })
    await add(day, 'passed-after-refusal', 2, { livenessClass: 'active' })
    await add(day, 'refused', 5, { reason: 'face/too-dark', light: 'dark' })
    await add(day, 'passed', 15, { age: '75+', device: 'phone-ios', livenessClass: 'basic' })
    await add(day, 'not-acquired', 8, { age: '75+', device: 'phone-ios', reason: 'face/too-slow' })
    await add(day, 'given-up', 3, { reason: 'left-midway', light: 'unknown', modelSet: 'none' })
  }
  await add(today, 'refused', 2, { device: 'tablet-android', reason: 'face/two-faces' })
}
