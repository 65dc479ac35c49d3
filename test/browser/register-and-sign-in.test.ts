import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTestApp, type TestApp } from '../support/app.ts'
import { checkPage, launchBrowser, openProfile, PHONE, type Watched } from '../support/browser.ts'

const ANA = {
  cpf: '168.995.350-09',
  name: 'Ana Clara Souza',
  birthDate: '23/07/1999',
  email: 'ana.clara@example.org',
  password: 'jacare-pacu-piraputanga-4',
}
const LUANA = {
  cpf: '862.883.667-57',
  name: 'Luana de Oliveira',
  birthDate: '15/09/2001',
  email: 'luana@example.org',
  password: 'tamandua-buriti-cerrado-6',
}

let app: TestApp
let browser: Browser
let portal: string

before(async () => {
  app = await startTestApp()
  browser = await launchBrowser()
  portal = app.demo?.portalUrl ?? ''
})
after(async () => {
  await browser?.close()
  await app?.stop()
})

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
  await page.waitForLoadState()
}

async function openSignIn(page: Page): Promise<void> {
  await page.goto(portal)
  await page.getByRole('link', { name: 'Entrar com MT Login' }).click()
  await page.waitForURL(/\/interacao\//)
}

/** From the portal's door to the portal signed in, each page checked on the way. */
async function register({ page, complaints }: Watched, person: typeof ANA, label: string, checks: boolean): Promise<void> {
  const check = (name: string) => (checks ? checkPage(page, `${name} (${label})`) : Promise.resolve())
  await openSignIn(page)
  await check('sign-in')
  await page.getByRole('link', { name: 'Criar conta' }).click()
  await page.waitForURL(/cadastro$/)
  await check('register')
  for (const [name, value] of Object.entries({ ...person, cpf: person.cpf.replace(/.$/, '0') })) await page.fill(`#${name}`, value)
  await press(page, 'Continuar')
  assert.match((await page.textContent('main')) ?? '', /Veja se digitou os 11 números/)
  assert.equal(await page.inputValue('#email'), person.email)
  assert.equal(await page.inputValue('#password'), '')
  await check('register with a wrong field')
  await page.fill('#cpf', person.cpf)
  await page.fill('#password', person.password)
  await press(page, 'Continuar')
  await check('confirm e-mail')
  await page.fill('#code', await app.lastCode(person.email))
  await press(page, 'Confirmar e criar a conta')
  assert.match((await page.textContent('h1')) ?? '', /quer usar estes dados seus/)
  await check('consent')
  await press(page, 'Autorizar e continuar')
  assert.equal(new URL(page.url()).origin, portal)
  assert.match((await page.textContent('main')) ?? '', /bronze/i)
  assert.deepEqual(complaints, [])
}

test('on a phone a citizen registers from the portal and is back in it, signed in at bronze', async () => {
  const watched = await openProfile(browser)
  await register(watched, ANA, 'light', true)
  await watched.context.close()
})

test('the same without any script', async () => {
  const watched = await openProfile(browser, { ...PHONE, javaScriptEnabled: false })
  await register(watched, LUANA, 'no scripts', false)
  await watched.context.close()
})

test('a wrong password is refused in words, the eye shows what is typed, and the right one signs in', async () => {
  const { page, complaints, context } = await openProfile(browser, { ...PHONE, colorScheme: 'dark' })
  await openSignIn(page)
  await page.locator('#cpf').pressSequentially('52998224725')
  assert.equal(await page.inputValue('#cpf'), '529.982.247-25', 'punctuated while typing')
  await page.fill('#password', 'errada-mesmo-99')
  await page.getByRole('button', { name: 'Mostrar senha' }).click()
  assert.equal(await page.getAttribute('#password', 'type'), 'text')
  await press(page, 'Entrar')
  assert.match((await page.textContent('[role=alert]')) ?? '', /O CPF ou a senha não confere/)
  await checkPage(page, 'sign-in refused (dark)')
  await page.fill('#password', 'boi-tuiuiu-pantanal-7')
  await press(page, 'Entrar')
  await checkPage(page, 'consent (dark)')
  await press(page, 'Autorizar e continuar')
  assert.match((await page.textContent('main')) ?? '', /Olá, Maria/)
  assert.deepEqual(complaints, [])
  await context.close()
})
