/** The page that an agency's link opens, on a phone: readable, with a way out, and a camera that ends back at the agency. */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import * as oidc from 'openid-client'
import { startTestApp, type TestApp } from '../support/app.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { browserCameraScript } from '../support/reactive-camera/browser-camera.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'

const JOANA = '111.444.777-35'

let app: TestApp
let browser: Browser
let views: FaceViews
let agency: Server
let returnUri: string
let token: string

before(async () => {
  agency = createServer((_request, response) => void response.end('<!doctype html><title>DETRAN</title><h1>De volta ao DETRAN</h1>'))
  await new Promise<void>((resolve) => agency.listen(0, '127.0.0.1', resolve))
  returnUri = `http://127.0.0.1:${(agency.address() as AddressInfo).port}/volta`
  app = await startTestApp()
  ;[browser, views] = await Promise.all([launchBrowser(), loadFaceViews(SAMPLE_FACES.two)])
  const { client, secret } = await app.oidc.clients.create({
    metadata: { client_name: 'DETRAN', grant_types: ['client_credentials'], response_types: [] },
    policy: { agency: { scopes: ['biometria.validar'], purposes: [{ code: 'habilitacao', name: 'Renovação da carteira de motorista', legalBasis: 'lgpd-11-ii-g' }], returnUris: [returnUri] } },
    actor: { kind: 'operator', id: 'test' },
  })
  const config = await oidc.discovery(new URL(app.publicUrl), client.id, secret, oidc.ClientSecretBasic(secret), { execute: [oidc.allowInsecureRequests] })
  token = (await oidc.clientCredentialsGrant(config, { scope: 'biometria.validar', resource: `${app.publicUrl}/api/biometria` })).access_token
})
after(async () => {
  await browser?.close()
  await app?.stop()
  agency.close()
})

async function ask(): Promise<{ id: string; link: string }> {
  const response = await fetch(`${app.publicUrl}/api/biometria/v1/validacoes`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ fluxo: 'pagina', cpf: JOANA, finalidade: 'habilitacao', retorno: returnUri }),
  })
  assert.equal(response.status, 201)
  return response.json() as Promise<{ id: string; link: string }>
}

async function resultAt(page: Page, id: string): Promise<Record<string, unknown>> {
  const code = new URL(page.url()).searchParams.get('codigo')
  const response = await fetch(`${app.publicUrl}/api/biometria/v1/validacoes/${id}?codigo=${code}`, { headers: { Authorization: `Bearer ${token}` } })
  return response.json() as Promise<Record<string, unknown>>
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
  await page.waitForLoadState()
}

test('the pages are accessible in light and dark and in three languages, and the way out leads back without a face', async () => {
  for (const [colorScheme, locale] of [['light', 'pt-BR'], ['dark', 'en'], ['light', 'es']] as const) {
    const { page, context, complaints } = await openProfile(browser, { ...PHONE, colorScheme, locale })
    const { link } = await ask()
    await page.goto(link)
    await checkPage(page, `link ${locale}`)
    assert.match(await page.innerText('main'), /DETRAN/)
    assert.deepEqual(complaints, [])
    await context.close()
  }
  const { page, context } = await openProfile(browser)
  const { id, link } = await ask()
  await page.goto(link)
  await press(page, 'Abrir a câmera')
  await checkPage(page, 'link without agreement')
  await page.check('#agree')
  await press(page, 'Abrir a câmera')
  await page.waitForSelector('[data-face-check][data-ready]')
  await checkPage(page, 'camera')
  await press(page, 'Voltar para DETRAN')
  assert.equal(await page.textContent('h1'), 'De volta ao DETRAN')
  assert.equal((await resultAt(page, id))['resultado'], 'desistiu')
  await page.goto(link)
  assert.match(await page.innerText('main'), /Este link já não vale/)
  await checkPage(page, 'link that was used')
  await context.close()
})

test('the camera: the right face leads back to the agency by itself, and the agency reads that it matched', async () => {
  await app.foundation.db.execute('DELETE FROM throttle')
  const { page, context, complaints } = await openProfile(browser, { ...PHONE, permissions: ['camera'] })
  await page.addInitScript({ content: await browserCameraScript({ mode: 'reactive', views, other: views }) })
  const { id, link } = await ask()
  await page.goto(link)
  await page.check('#agree')
  await press(page, 'Abrir a câmera')
  await page.waitForSelector('[data-face-check][data-ready]')
  await page.locator('[data-face-start]').click()
  await page.waitForURL(`${returnUri}?**`, { timeout: 150_000 })
  assert.equal((await resultAt(page, id))['resultado'], 'conferida')
  assert.deepEqual(complaints, [])
  await context.close()
})
