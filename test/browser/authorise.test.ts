/** A citizen answers a system that wants to sign with their key: by keyboard, on a phone, in three languages; refused, late, twice, and asked of somebody else. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { PASSWORD } from '../portal/support/area.ts'
import { codeFor, signer } from '../portal/support/signing.ts'
import { checkPage, launchBrowser, openProfile, PHONE, type Watched } from '../support/browser.ts'
import { BACK, type CscScene, digestOf, ES_256, openCscScene, SHA_256, SIGNING_PASSWORD } from '../support/csc-scene.ts'
import { press, type as typeInto } from '../support/keyboard.ts'

let scene: CscScene
let browser: Browser
before(async () => {
  scene = await openCscScene()
  browser = await launchBrowser()
})
after(async () => {
  await browser?.close()
  await scene?.area.close()
})

const heading = (page: Page) => page.innerText('main h1')
const asked = (what: Record<string, string>) => `${scene.base}/oauth2/authorize?${new URLSearchParams({ response_type: 'code', client_id: 'sigadoc', redirect_uri: BACK, state: 's', ...what })}`
const hashes = (text: string, credentialID = scene.credentialID) =>
  asked({ authorization_details: JSON.stringify([{ type: 'credential', credentialID, hashAlgorithmOID: SHA_256, documentDigests: [{ hash: digestOf(text).toString('base64'), label: `${text}.pdf` }] }]) })

/** A profile in which the system's own site answers, as its page would. */
async function profile(options: object = {}): Promise<Watched> {
  const watched = await openProfile(browser, { ...PHONE, ...options })
  await watched.context.route(`${new URL(BACK).origin}/**`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Sigadoc</title><h1>Sigadoc</h1>' }))
  return watched
}

async function typeCode(page: Page, { secret } = scene.rosa): Promise<void> {
  scene.area.clock.advance(30_000)
  await typeInto(page, '#code', codeFor(scene.area, secret))
  await page.keyboard.press('Enter')
}

/** From the system's link, through the sign-in, to the question. */
async function arrive({ page }: Watched, address: string, who = scene.rosa): Promise<void> {
  await page.goto(address)
  await page.fill('#cpf', who.cpf)
  await page.fill('#password', PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#code')
  await typeCode(page, who)
  await page.waitForURL('**/conta/autorizar/**')
}

/** By keyboard: the proof by a code, and then the page that wants the password of the certificate. */
async function proveByCode(page: Page): Promise<void> {
  await press(page, /código|code/)
  await page.waitForURL('**/interacao/**')
  if ((await page.locator('#password').count()) > 0) {
    await typeInto(page, '#password', PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForSelector('#code')
  }
  await typeCode(page)
  await page.waitForURL('**/pronto')
}

// Each code moves the clock on: what wants a proof comes first (see the last).
test('a system that waits: the list, the number, the signature without leaving, and a refusal', async () => {
  await scene.system('espera', ['--sem-redirecionar'])
  const token = await scene.serviceToken('espera')
  const watched = await profile()
  const { page, complaints, context } = watched
  const authorize = async (text: string) =>
    (await scene.post('credentials/authorize', { credentialID: scene.credentialID, numSignatures: 1, hashes: [digestOf(text).toString('base64')], hashAlgorithmOID: SHA_256, authData: [{ id: 'conta' }], description: `${text}.pdf` }, token)).json
  const { handle, challenge } = await authorize('acordo')
  await page.goto(`${scene.area.url}/conta/entrar?para=/conta/autorizar`)
  await page.fill('#cpf', scene.rosa.cpf)
  await page.fill('#password', PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#code')
  await typeCode(page)
  await page.waitForURL('**/conta/autorizar')
  await checkPage(page, 'waiting')
  await press(page, /Sigadoc/, 'link')
  await page.waitForURL('**/conta/autorizar/**')
  assert.match(await page.innerText('main'), new RegExp(`O número deste pedido é ${challenge}`))
  await checkPage(page, 'question with a number')
  await proveByCode(page)
  await typeInto(page, '#senha', SIGNING_PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Você assinou' }).waitFor()
  await checkPage(page, 'done')
  const { json } = await scene.post('credentials/authorizeCheck', { handle }, token)
  const { status } = await scene.post('signatures/signHash', { credentialID: scene.credentialID, SAD: json['SAD'], hashes: [digestOf('acordo').toString('base64')], signAlgo: ES_256 }, token)
  assert.equal(status, 200)

  await authorize('recusado')
  await page.goto(`${scene.area.url}/conta/autorizar`)
  await press(page, /Sigadoc/, 'link')
  await press(page, /Não assinar/)
  await page.getByRole('heading', { name: 'Pedido recusado' }).waitFor()
  await checkPage(page, 'refused')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('on a phone, without a mouse: the question, the proof, the password, and back to the system with a code that is good once', async () => {
  const watched = await profile()
  const { page, complaints, context } = watched
  await arrive(watched, hashes('contrato'))
  await checkPage(page, 'question')
  const question = page.url()
  assert.match(await page.innerText('main'), new RegExp(`contrato\\.pdf[\\s\\S]*${digestOf('contrato').toString('hex')}`))
  await proveByCode(page)
  await checkPage(page, 'password')
  await typeInto(page, '#senha', 'errada-mesmo')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[aria-invalid=true]')
  await checkPage(page, 'wrong password')
  await typeInto(page, '#senha', SIGNING_PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${BACK}**`)
  const back = new URL(page.url())
  assert.equal(back.searchParams.get('state'), 's')
  assert.equal((await scene.exchange(back.searchParams.get('code') ?? ''))['scope'], 'credential')
  assert.equal((await scene.exchange(back.searchParams.get('code') ?? ''))['error'], 'invalid_grant', 'replayed')
  await page.goto(question)
  assert.match(await heading(page), /Este pedido não vale mais/)
  await checkPage(page, 'over')

  await page.goto(asked({ scope: 'service' }))
  await checkPage(page, 'certificates')
  await press(page, /Não mostrar e voltar para Sigadoc/)
  await page.waitForURL(`${BACK}**`)
  assert.equal(new URL(page.url()).searchParams.get('error'), 'access_denied')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('in English and Spanish, and for somebody whose certificate it is not', async () => {
  const other = await signer(scene.area)
  for (const [locale, question, stopped] of [['en', /Confirm a signature/, /cannot be used/], ['es', /Confirmar (una )?firma/, /no se puede usar/]] as const) {
    const watched = await profile({ locale })
    const { page, complaints, context } = watched
    await arrive(watched, hashes(`contrato ${locale}`))
    assert.match(await heading(page), question)
    await checkPage(page, `question (${locale})`)
    await context.clearCookies()
    await arrive(watched, hashes(`outro ${locale}`), other)
    assert.match(await heading(page), stopped)
    await checkPage(page, `another's certificate (${locale})`)
    await press(page, /Go back|Volver/)
    await page.waitForURL(`${BACK}**`)
    assert.deepEqual(complaints, [])
    await context.close()
  }
})

test('late: a quarter of an hour is over', async () => {
  const watched = await profile()
  const { page, complaints, context } = watched
  await arrive(watched, hashes('tarde'))
  // Last: the provider's tokens have the machine's time, and no proof is good any more once ours has gone on so far.
  scene.area.clock.advance(901_000)
  await page.locator('main').getByRole('button', { name: /rosto/ }).click()
  await page.waitForLoadState()
  assert.match(await heading(page), /Este pedido não vale mais/)
  assert.deepEqual(complaints, [])
  await context.close()
})
