import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Account, Changer } from '../../src/accounts/index.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { CITIZEN, codeIn, linkIn, openScene, PASSWORD, REDIRECT_URI, type Scene } from '../support/sign-in-scene.ts'

const JOAO = { cpf: '11144477735', name: 'João Batista Pereira', birthDate: '02/11/1978', email: 'joao@example.org' }

let scene: Scene
let rp: TestRelyingParty
let browser: Browser
let maria: Account
let joao: Account

before(async () => {
  scene = await openScene()
  rp = await scene.relyingParty()
  browser = await launchBrowser()
  maria = await scene.addCitizen()
  joao = await scene.addCitizen(JOAO)
})
after(async () => {
  await browser?.close()
  await scene?.close()
})

/** Half of the pages in the light, half in the dark: both have every colour of the pages. */
const DARK: BrowserContextOptions = { ...PHONE, colorScheme: 'dark' }

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
  await page.waitForLoadState()
}

async function signInTo(page: Page, extra: Record<string, string>, cpf = CITIZEN.cpf): Promise<void> {
  await page.goto((await rp.begin(extra)).url.href)
  await page.fill('#cpf', cpf)
  await page.fill('#password', PASSWORD)
  await press(page, 'Entrar')
}

const changerOf = (account: Account): Changer => ({
  accountId: account.id,
  authenticatedAt: new Date(),
  facts: { ip: '10.0.0.1', userAgent: 'x', deviceCookie: undefined },
})

test('consent with a choice, and an answer that posts itself: by its script, and by its button', async () => {
  const { page, context, complaints } = await openProfile(browser)
  const posted: string[] = []
  await context.route(`${REDIRECT_URI}**`, (route) => {
    posted.push(route.request().postData() ?? '')
    return route.fulfill({ contentType: 'text/html', body: '<title>portal</title>' })
  })
  const asked = { scope: 'openid profile phone', response_mode: 'form_post' }
  const portal = await scene.relyingParty()
  await page.goto((await portal.begin(asked)).url.href)
  await page.fill('#cpf', JOAO.cpf)
  await page.fill('#password', PASSWORD)
  await press(page, 'Entrar')
  await checkPage(page, 'consent with a choice')
  await page.getByLabel('Telefone').uncheck()
  await page.getByRole('button', { name: 'Autorizar e continuar' }).click()
  await page.waitForURL(`${REDIRECT_URI}**`)
  assert.match(posted[0] ?? '', /(^|&)code=[\w-]{20,}/)

  await context.route('**/self-post.*.js', (route) => route.abort())
  await page.goto((await portal.begin(asked)).url.href)
  await checkPage(page, 'self-posting')
  await page.getByRole('button', { name: 'Continuar' }).click()
  await page.waitForURL(`${REDIRECT_URI}**`)
  assert.equal(posted.length, 2)
  assert.deepEqual(complaints.filter((text) => !/ERR_FAILED/.test(text)), [])
  await context.close()
})

test('setting up a second factor', async () => {
  const { page, context, complaints } = await openProfile(browser)
  await signInTo(page, { acr_values: 'urn:mt-login:aal:2' }, JOAO.cpf)
  await checkPage(page, 'factor set-up')
  assert.ok(((await page.locator('.qr img').boundingBox())?.width ?? 0) > 150, 'the QR code is shown')
  await page.fill('#code', '000000')
  await press(page, 'Ligar o segundo passo')
  await checkPage(page, 'factor set-up refused')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('the second step', async () => {
  const changer = changerOf(joao)
  const { factorId, secret } = await scene.accounts.factors.totp.start(changer)
  const { generateSync } = await import('otplib')
  await scene.accounts.factors.totp.confirm(changer, { factorId, code: generateSync({ secret }) })
  await scene.accounts.factors.recoveryCodes.make(changer)
  const { page, context } = await openProfile(browser, DARK)
  await signInTo(page, {}, JOAO.cpf)
  await page.getByText('Não estou com o celular').click()
  await checkPage(page, 'second factor')
  await page.fill('#recovery', 'AAAA-AAAA-AAAA-AAAA')
  await press(page, 'Usar este código')
  await checkPage(page, 'second factor refused')
  await context.close()
})

test('every way that a step-up can go', async () => {
  const { page, context } = await openProfile(browser)
  await signInTo(page, { acr_values: 'urn:mt-login:nivel:prata' })
  assert.match(await page.innerText('main'), /ainda não tem uma foto sua/)
  await checkPage(page, 'step-up without a reference')
  const open = async (acr: string) => page.goto((await rp.begin({ acr_values: acr })).url.href)
  await open('urn:mt-login:nivel:ouro')
  await checkPage(page, 'step-up that the camera cannot meet')
  await open('urn:mt-login:aal:3')
  await checkPage(page, 'step-up that is not offered')
  scene.setReference(maria.id, 1)
  scene.takeAttempts(maria.id)
  await open('urn:mt-login:face')
  await checkPage(page, 'step-up without attempts')
  scene.giveAttempts(maria.id)
  await page.reload()
  await press(page, 'Abrir a câmera')
  await checkPage(page, 'step-up without agreement')
  await page.goto((await rp.begin({ prompt: 'login' })).url.href)
  await checkPage(page, 'confirming an account')
  await context.close()
})

test('recovery, from the CPF to the new password', async () => {
  const { page, context } = await openProfile(browser, DARK)
  await page.goto((await rp.begin()).url.href)
  await page.getByRole('link', { name: 'Esqueci minha senha' }).click()
  await page.waitForURL(/recuperar/)
  await checkPage(page, 'recovery')
  await page.fill('#cpf', '529.982.247-26')
  await press(page, 'Continuar')
  await checkPage(page, 'recovery with a wrong CPF')
  await page.fill('#cpf', CITIZEN.cpf)
  await press(page, 'Continuar')
  await checkPage(page, 'recovery by mail')
  const other = await openProfile(browser)
  await other.page.goto(linkIn(scene.mailsTo(CITIZEN.email).at(-1)))
  await checkPage(other.page, 'recovery link')
  await other.context.close()
  await page.fill('#code', codeIn(scene.mailsTo(CITIZEN.email).at(-1)))
  await press(page, 'Continuar')
  await page.fill('#password', '12345678')
  await press(page, 'Salvar a senha nova')
  await checkPage(page, 'new password refused')
  await page.fill('#password', 'ipe-amarelo-chapada-31')
  await press(page, 'Salvar a senha nova')
  await checkPage(page, 'recovery done')
  await page.goto(`${scene.url}/recuperar/passo`)
  await checkPage(page, 'recovery over')
  await context.close()
})

test('recovery by face and by a code on paper', async () => {
  const { page, context } = await openProfile(browser)
  for (const [way, name] of [
    ['Mostrar o rosto para a câmera', 'recovery by face'],
    ['Usar um código de recuperação que guardei', 'recovery by code'],
  ] as const) {
    await page.goto(`${scene.url}/recuperar`)
    await page.fill('#cpf', JOAO.cpf)
    await page.getByText(way, { exact: true }).click()
    await press(page, 'Continuar')
    await checkPage(page, name)
    if (!(await page.locator('#agree').isVisible())) continue
    await page.check('#agree')
    await press(page, 'Abrir a câmera')
    await checkPage(page, 'recovery camera')
  }
  await context.close()
})

test('links of mails, and pages that are over', async () => {
  const { page, context } = await openProfile(browser, DARK)
  await page.goto(`${scene.url}/cadastro/confirmar?t=nothing`)
  await checkPage(page, 'mail link')
  await press(page, 'Confirmar este e-mail')
  await checkPage(page, 'mail link that is over')
  await page.goto((await rp.begin()).url.href)
  await page.goto(`${scene.url}/interacao/abcdefghijklmnopqrstu`)
  await checkPage(page, 'lost interaction')
  await page.getByRole('link', { name: 'Voltar para Portal de Teste' }).waitFor()
  await context.close()
})
