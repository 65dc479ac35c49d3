import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Account } from '../../src/accounts/index.ts'
import { addFingerprintReader, launchBrowser, openProfile, type Watched } from '../support/browser.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { CITIZEN, openScene, PASSWORD, type Scene } from '../support/sign-in-scene.ts'

let scene: Scene
let rp: TestRelyingParty
let browser: Browser
let maria: Account
let portal: Server
let redirectUri: string

before(async () => {
  scene = await openScene({ host: 'localhost' })
  portal = createServer((_request, response) => void response.setHeader('Content-Type', 'text/html').end('<title>portal</title>'))
  await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve))
  const address = portal.address()
  redirectUri = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/retorno`
  rp = await scene.relyingParty({ redirectUri })
  browser = await launchBrowser()
  maria = await scene.addCitizen()
})
after(async () => {
  await browser?.close()
  await scene?.close()
  portal?.close()
})

/** A browser on a machine with a fingerprint reader. */
async function openMachine(): Promise<Watched> {
  const watched = await openProfile(browser)
  await addFingerprintReader(watched.page)
  return watched
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
  await page.waitForLoadState()
}

/** Puts a passkey of Maria's into the machine, as the citizen's area would. */
async function addPasskey(page: Page): Promise<void> {
  const changer = { accountId: maria.id, authenticatedAt: new Date(), facts: { ip: '10.0.0.1', userAgent: 'x', deviceCookie: undefined } }
  const { id, options } = await scene.accounts.factors.passkeys.startRegistration(changer)
  await page.goto(`${scene.url}/recuperar`)
  const response = await page.evaluate(async (json) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json as PublicKeyCredentialCreationOptionsJSON)
    return JSON.parse(JSON.stringify(await navigator.credentials.create({ publicKey })))
  }, options as unknown)
  await scene.accounts.factors.passkeys.finishRegistration(changer, { ceremonyId: id, response, label: 'Celular' })
}

test('a passkey signs in without CPF and password, at aal2, and confirms as a second step', async () => {
  const { page, context, complaints } = await openMachine()
  await addPasskey(page)
  const asked = await rp.begin()
  await page.goto(asked.url.href)
  await press(page, 'Entrar com chave de acesso')
  await page.waitForSelector('h1:has-text("quer usar estes dados seus")')
  await press(page, 'Autorizar e continuar')
  await page.waitForURL(`${redirectUri}**`)
  const claims = (await rp.finish(new URL(page.url()), asked)).claims()
  assert.equal(claims?.['aal'], 'aal2')
  assert.ok([claims?.['amr'] ?? []].flat().includes('pop'))

  await context.clearCookies()
  const again = await rp.begin({ acr_values: 'urn:mt-login:aal:2' })
  await page.goto(again.url.href)
  await page.fill('#cpf', CITIZEN.cpf)
  await page.fill('#password', PASSWORD)
  await press(page, 'Entrar')
  await press(page, 'Confirmar com chave de acesso')
  await page.waitForURL(`${redirectUri}**`)
  assert.equal((await rp.finish(new URL(page.url()), again)).claims()?.['aal'], 'aal2')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a machine without that passkey says so and the page stays usable', async () => {
  const { page, context } = await openMachine()
  await page.goto((await rp.begin()).url.href)
  await page.getByRole('button', { name: 'Entrar com chave de acesso' }).click()
  await page.waitForSelector('[data-passkey-says]:not([hidden])')
  assert.match(await page.innerText('[data-passkey-says]'), /Tente de novo ou entre com CPF e senha/)
  assert.ok(await page.getByRole('button', { name: 'Entrar com chave de acesso' }).isEnabled())
  await context.close()
})

test('without scripts there is no passkey button at all', async () => {
  const { page, context } = await openProfile(browser, { javaScriptEnabled: false })
  await page.goto((await rp.begin()).url.href)
  assert.ok(!(await page.getByRole('button', { name: 'Entrar com chave de acesso' }).isVisible()))
  await context.close()
})
