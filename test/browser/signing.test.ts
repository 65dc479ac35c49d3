/** Two people sign a document on their phones, one by the face and one by a code; anybody checks it; every page is accessible. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { generateSync } from 'otplib'
import type { Browser, Page } from 'playwright-core'
import type { Account, Cpf } from '../../src/accounts/index.ts'
import { pdf } from '../portal/support/signing.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { checkPage, launchBrowser, openProfile, PHONE, type Watched } from '../support/browser.ts'
import { leaveEndOfStep, movableClock } from '../support/clock.ts'
import { SIGNING_PASSWORD } from '../support/signing-scene.ts'
import { browserCameraScript } from '../support/reactive-camera/browser-camera.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'

/** Known by her social name. */
const JOAO = { cpf: '11144477735', password: 'arara-azul-cerrado-3' }
const MARIA = { cpf: '52998224725', password: 'boi-tuiuiu-pantanal-7' }
const clock = movableClock()

let app: TestApp
let browser: Browser
let folder: string
let secret = ''

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mt-signing-'))
  app = await startTestApp({ clock })
  browser = await launchBrowser()
  const { accounts, assurance } = app.rooms
  for (const { cpf } of [JOAO, MARIA]) {
    const { id: accountId, personId } = await find(cpf)
    await app.foundation.db.transaction(async (tx) => void (await assurance.add(tx, { method: 'govbr', federalLevel: 'prata', personId, accountId, source: 'govbr', actor: { kind: 'system' } })))
  }
  const changer = { accountId: (await find(MARIA.cpf)).id, authenticatedAt: clock.now(), facts: { ip: '10.0.0.9', userAgent: 'x', deviceCookie: undefined } }
  const started = await accounts.factors.totp.start(changer)
  secret = started.secret
  leaveEndOfStep(clock)
  await accounts.factors.totp.confirm(changer, { factorId: started.factorId, code: code() })
})
after(async () => {
  await browser?.close()
  await app?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function find(cpf: string): Promise<Account> {
  const account = await app.rooms.accounts.findByCpf(cpf as Cpf)
  assert.ok(account)
  return account
}

function code(): string {
  return generateSync({ secret, epoch: Math.floor(clock.now().getTime() / 1000) })
}

/** Each code is good once. */
async function typeCode(page: Page): Promise<void> {
  clock.advance(30_000)
  await page.fill('#code', code())
  await press(page, 'Confirmar')
}

async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.locator('main').getByRole('button', { name, exact: typeof name === 'string' }).first().click()
  await page.waitForLoadState()
}

async function follow(page: Page, name: string | RegExp): Promise<void> {
  await page.locator('main').getByRole('link', { name }).first().click()
  await page.waitForLoadState()
}

async function signIn({ page }: Watched, { cpf, password }: { cpf: string; password: string }, to: string): Promise<void> {
  await page.goto(`${app.publicUrl}/conta/entrar?para=${to}`)
  await page.fill('#cpf', cpf)
  await page.fill('#password', password)
  await press(page, 'Entrar')
}

async function downloaded(page: Page): Promise<Buffer> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('a[href$="/arquivo"]').first().click()])
  const to = path.join(folder, file.suggestedFilename())
  await file.saveAs(to)
  return readFileSync(to)
}

async function judged(bytes: Buffer): Promise<string> {
  const { page, context } = await openProfile(browser)
  const file = path.join(folder, 'conferir.pdf')
  writeFileSync(file, bytes)
  await page.goto(`${app.publicUrl}/verificar`)
  await page.setInputFiles('input[type="file"]', file)
  await page.locator('main button[type="submit"]').first().click()
  await page.waitForLoadState()
  const text = await page.innerText('main')
  await context.close()
  return text
}

test('a document for two: the first signs by the face, the second by a code, a stranger checks it, a changed one is refused', async () => {
  const first = await openProfile(browser, { ...PHONE, permissions: ['camera'], acceptDownloads: true })
  const { page } = first
  await page.addInitScript({ content: await browserCameraScript({ mode: 'reactive', views: await loadFaceViews(SAMPLE_FACES.two) }) })
  await signIn(first, JOAO, '/conta/assinaturas')
  const original = await pdf('Contrato de aluguel', { pages: 3 })
  const file = path.join(folder, 'contrato.pdf')
  writeFileSync(file, original)
  await follow(page, 'Assinar um documento')
  const broken = path.join(folder, 'quebrado.pdf')
  writeFileSync(broken, original.subarray(0, 400))
  await page.setInputFiles('#arquivos', broken)
  await page.getByRole('button', { name: 'Continuar' }).click()
  await page.getByText('Este PDF não pode ser assinado').waitFor()
  await checkPage(page, 'refused, shown where it was sent')
  await page.setInputFiles('#arquivos', file)
  await page.getByRole('button', { name: 'Continuar' }).click()
  await page.waitForURL(/\/assinaturas\/[0-9a-f-]{36}$/)
  await page.getByText('Por quanto tempo a assinatura').click()
  await checkPage(page, 'draft')
  await page.getByText('Acrescentar uma pessoa').click()
  await page.fill('#cpf', MARIA.cpf)
  await page.fill('#nome', 'Maria Aparecida da Silva')
  await page.locator('form[action$="/pessoas"] button[type="submit"]').click()
  await page.waitForLoadState()
  await page.getByText('Ordem e prazo').click()
  await checkPage(page, 'draft for two')
  await press(page, 'Enviar para assinatura')
  await checkPage(page, 'waiting')
  const envelope = page.url().replace(/\?.*/, '')

  await follow(page, 'contrato.pdf')
  await checkPage(page, 'the document')
  await page.waitForFunction(() => [...document.querySelectorAll('.paper img')].some((image) => image instanceof HTMLImageElement && image.complete && image.naturalWidth === 800))
  await follow(page, 'Aumentar')
  await checkPage(page, 'the document, larger')
  await page.goto(page.url().replace(/\?.*/, '/texto'))
  assert.match(await page.innerText('main'), /Contrato de aluguel 1[\s\S]*Contrato de aluguel 3/)
  await checkPage(page, 'the document as text')

  await page.goto(envelope)
  await follow(page, 'Ver e assinar')
  await page.getByText('Mudar o lugar do carimbo').click()
  await checkPage(page, 'choices')
  await drag(page)
  await press(page, 'Continuar')
  await checkPage(page, 'confirmation')
  await press(page, 'Assinar com o rosto')
  await page.check('#agree')
  await press(page, 'Abrir a câmera')
  await page.waitForSelector('[data-face-check][data-ready]')
  await page.locator('[data-face-start]').click()
  await page.locator('[data-face-check][data-result=refused], [data-face-wrong]:visible, h1:has-text("É você mesmo")').first().waitFor({ timeout: 150_000 })
  assert.match(await page.innerText('main'), /É você mesmo/)
  await press(page, /Continuar/)
  await page.waitForURL(/feito=document-signed/)
  await checkPage(page, 'signed by one')
  assert.match(await page.innerText('main'), /Joana Batista Pereira[\s\S]*Assinou/)
  assert.deepEqual(first.complaints, [])

  const second = await openProfile(browser, { ...PHONE, colorScheme: 'dark', acceptDownloads: true })
  await signIn(second, MARIA, '/conta/assinaturas')
  await typeCode(second.page)
  await checkPage(second.page, 'list')
  await keepCertificate(second.page)
  await second.page.goto(`${envelope}/assinar`)
  await second.page.locator('label', { hasText: /^Meu certificado$/ }).click()
  await checkPage(second.page, 'choices in the dark')
  await press(second.page, 'Continuar')
  assert.match(await second.page.innerText('main'), /Com o seu certificado/)
  await press(second.page, /código ou chave/)
  await proveByCode(second.page)
  await second.page.fill('#senha', 'outra coisa')
  await second.page.keyboard.press('Enter')
  await second.page.getByText('Esta não é a senha de assinatura').first().waitFor()
  await checkPage(second.page, 'the password for signing')
  await second.page.fill('#senha', SIGNING_PASSWORD)
  await second.page.keyboard.press('Enter')
  await second.page.waitForURL(/feito=document-signed/)
  await second.page.getByText('Ver cada assinatura').click()
  await checkPage(second.page, 'signed by both')
  const signed = await downloaded(second.page)
  assert.ok(signed.subarray(0, original.length).equals(original))
  await second.page.goto(`${app.publicUrl}/conta/assinaturas/historico`)
  await checkPage(second.page, 'history')
  await second.page.goto(`${app.publicUrl}/conta/assinaturas`)
  await second.page.fill('#busca', 'CONTRATO')
  await second.page.keyboard.press('Enter')
  await second.page.waitForURL(/busca=CONTRATO/)
  await second.page.getByRole('link', { name: 'contrato.pdf' }).waitFor()
  await checkPage(second.page, 'found')
  assert.deepEqual(second.complaints, [])

  const { verdict, signatures } = await app.rooms.signatures.verifier.verify(signed)
  assert.deepEqual([verdict, signatures.length], ['valid', 2])
  assert.match(await judged(signed), /Joana Batista Pereira[\s\S]*Maria Aparecida da Silva/)
  const changed = Buffer.from(signed)
  const at = changed.indexOf('/MediaBox')
  changed.write('/MediaBux', at, 'latin1')
  assert.doesNotMatch(await judged(changed), /^[\s\S]{0,80}(Assinatura válida|As assinaturas valem)/)
  assert.notEqual((await app.rooms.signatures.verifier.verify(changed).catch(() => ({ verdict: 'refused' }))).verdict, 'valid')

  const record = (await app.rooms.documents.records.ofEnvelope({ accountId: (await find(JOAO.cpf)).id, cpf: JOAO.cpf as Cpf, name: '' }, envelope.split('/').at(-1) ?? ''))[0]
  const stranger = await openProfile(browser)
  await stranger.page.goto(`${app.publicUrl}/verificar/${record?.code}`)
  await checkPage(stranger.page, 'a stamp’s code')
  assert.match(await stranger.page.innerText('main'), /Joana B\. P\. assinou/)
  for (const { context } of [first, second, stranger]) await context.close()
})

async function proveByCode(page: Page): Promise<void> {
  await page.fill('#password', MARIA.password)
  await press(page, 'Entrar')
  await typeCode(page)
}

async function keepCertificate(page: Page): Promise<void> {
  await page.goto(`${app.publicUrl}/conta/certificados/novo`)
  await page.getByText('Com a senha e o segundo fator').click()
  await press(page, 'Continuar')
  await proveByCode(page)
  await page.fill('#password', SIGNING_PASSWORD)
  await page.fill('#again', SIGNING_PASSWORD)
  await press(page, 'Criar o certificado')
  await page.waitForURL(/feito=certificate-issued/)
}

/** With a finger's place for the stamp: the box goes where it is dragged, and the form says so. */
async function drag(page: Page): Promise<void> {
  await page.locator('[data-stamp] img').scrollIntoViewIfNeeded()
  await page.waitForFunction(() => document.querySelector<HTMLImageElement>('[data-stamp] img')?.naturalWidth === 800)
  const box = page.locator('[data-stamp-box]')
  await box.scrollIntoViewIfNeeded()
  const from = await box.boundingBox()
  assert.ok(from)
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2)
  await page.mouse.down()
  await page.mouse.move(from.x + from.width / 2 - 60, from.y + from.height / 2 - 40, { steps: 4 })
  await page.mouse.up()
  const [x, y] = [Number(await page.inputValue('input[name="x"]')), Number(await page.inputValue('input[name="y"]'))]
  assert.ok(x > 0 && x < 1 && y > 0 && y < 1, `${x} ${y}`)
}
