/** A whole attendance by two people in two browsers, by keyboard alone, with a camera; the citizen's side on a tablet and a phone. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { captureAll, openCase, openStaffedDesk, type StaffedDesk } from '../helpdesk/support/attendance-scene.ts'
import { enterDesk } from '../helpdesk/support/counter.ts'
import { openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { frameOf } from '../support/face-samples.ts'
import { enterCounter, press, reach, type } from '../support/keyboard.ts'

/** The counter's PCs (issue 4). */
const DESK_SCREEN = { viewport: { width: 1366, height: 768 }, locale: 'pt-BR', permissions: ['camera'] }
const FACE = { sample: 5, x: 464, y: 1054, side: 343 }

let area: TestArea
let desk: StaffedDesk
let browser: Browser
let folder: string
let picture: string

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
  folder = mkdtempSync(path.join(tmpdir(), 'mt-login-counter-'))
  const face = await frameOf(FACE, { quality: 95 })
  picture = path.join(folder, 'face.jpg')
  writeFileSync(picture, face)
  writeFileSync(path.join(folder, 'face.mjpeg'), Buffer.concat(Array.from({ length: 30 }, () => face)))
  browser = await launchBrowser([`--use-file-for-fake-video-capture=${path.join(folder, 'face.mjpeg')}`])
})
after(async () => {
  await browser?.close()
  await area?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function pick(page: Page, field: string): Promise<void> {
  await reach(page, page.locator(field))
  await page.keyboard.press('Space')
}

/** Opens the file chooser by keyboard, and chooses. Chromium drops a key now and then on a machine that is busy: pressed again, as anybody would. */
async function choose(page: Page, field: string): Promise<void> {
  const chooser = page.waitForEvent('filechooser')
  const isOpen = chooser.then(() => true)
  for (let isChosen = false; !isChosen; ) {
    await reach(page, page.locator(field))
    await page.keyboard.press('Space')
    isChosen = await Promise.race([isOpen, page.waitForTimeout(5000).then(() => false)])
  }
  await (await chooser).setFiles(picture)
}

test('from open to approved by keyboard, two people, the account bound on the citizen’s phone, to ouro', async () => {
  const citizen = await area.citizen()
  const attendant = await openProfile(browser, DESK_SCREEN)
  const { page } = attendant
  await enterCounter(area, page, desk.attendant, '/balcao/atendimentos')
  await checkPage(page, 'attendances')
  await type(page, '#cpf', citizen.cpf)
  await pick(page, '#reason')
  await press(page, 'Abrir')
  await page.waitForURL(/atendimentos\/[0-9a-f-]{36}$/)
  const casePage = page.url()
  await checkPage(page, 'a case')

  await press(page, 'Documento', 'link')
  await page.waitForSelector('#type')
  await pick(page, '#type')
  await type(page, '#number', '1234567-8')
  await type(page, '#issuer', 'SESP/MT')
  await type(page, '#issuedOn', '04052020')
  await press(page, 'Salvar os dados')
  await page.getByText('Os dados do documento estão guardados').waitFor()
  await choose(page, '#file-front')
  await press(page, 'Guardar a imagem')
  await page.getByAltText('Frente do documento').waitFor()
  await checkPage(page, 'document')

  await press(page, 'Voltar ao atendimento', 'link')
  await press(page, 'Rosto', 'link')
  await page.waitForSelector('[data-take]:not([disabled])')
  await page.waitForFunction(() => document.querySelector('[data-say]')?.textContent === 'Está bom. Tire a foto.')
  await checkPage(page, 'face')
  for (const shots of [1, 2, 3]) {
    await press(page, 'Tirar foto')
    await page.waitForSelector(`[data-counter-camera][data-shots="${shots}"]`)
    await page.waitForSelector('[data-take]:not([disabled])')
  }
  await press(page, 'Voltar ao atendimento', 'link')
  await page.waitForURL(casePage)

  await press(page, 'Assinatura', 'link')
  await page.waitForSelector('[data-speak]:not([hidden])')
  await checkPage(page, 'signature')
  await choose(page, '#file')
  await press(page, 'Guardar o arquivo')
  await page.getByAltText('Assinatura guardada').waitFor()
  await press(page, 'Voltar ao atendimento', 'link')
  await press(page, 'Impressões digitais', 'link')
  await page.waitForURL(/digitais$/)
  await checkPage(page, 'fingers')
  await press(page, 'Voltar ao atendimento', 'link')
  await page.waitForURL(casePage)

  await press(page, 'Concordância em outra tela', 'link')
  await press(page, 'Mostrar o código para a outra tela')
  const screenCode = await page.locator('code').innerText()
  await checkPage(page, 'the offer to another screen')
  const tablet = await openProfile(browser, PHONE)
  await tablet.page.goto(`${area.url}/tela`)
  await checkPage(tablet.page, 'a free screen')
  await tablet.page.fill('#code', screenCode)
  await tablet.page.keyboard.press('Enter')
  await tablet.page.getByRole('heading', { name: 'Olá, Rosa' }).waitFor()
  await checkPage(tablet.page, 'the question to the citizen')
  await tablet.page.waitForSelector('[data-speak]:not([hidden])')
  await page.getByText('A outra tela está ligada').waitFor()
  await tablet.page.reload()
  await tablet.page.getByRole('button', { name: 'Sim, concordo' }).click()
  await tablet.page.getByText('Você concordou').waitFor()
  await checkPage(tablet.page, 'agreed')
  await page.getByText('A pessoa aceitou em').waitFor()
  await checkPage(page, 'the answer')
  await press(page, 'Voltar ao atendimento', 'link')
  await page.waitForURL(casePage)

  await press(page, /Conta da pessoa/, 'link')
  await page.waitForURL(/\/conta$/)
  await press(page, 'Mostrar o código')
  const code = await page.locator('code').innerText()
  await checkPage(page, 'the offer')
  const phone = await openProfile(browser, PHONE)
  await phone.page.goto(`${area.url}/conta/entrar?para=/conta/balcao`)
  await phone.page.fill('#cpf', citizen.cpf)
  await phone.page.fill('#password', PASSWORD)
  await phone.page.locator('main').getByRole('button', { name: 'Entrar', exact: true }).click()
  await phone.page.waitForURL('**/conta/balcao')
  await checkPage(phone.page, 'the binding on a phone')
  await phone.page.fill('#code', code)
  await phone.page.getByRole('button', { name: 'Sim, ligar a minha conta' }).click()
  await phone.page.waitForSelector('[data-face-start]')
  await checkPage(phone.page, 'the face on the phone')
  await phone.page.getByRole('button', { name: 'Mostrar o número' }).click()
  const number = await phone.page.locator('code').innerText()
  await checkPage(phone.page, 'the number on the phone')
  const supervisor = await openProfile(browser, DESK_SCREEN)
  await enterCounter(area, supervisor.page, desk.supervisor, '/balcao/contas')
  await checkPage(supervisor.page, 'accounts to confirm')
  await press(supervisor.page, /^\d{4}-/, 'link')
  await supervisor.page.waitForSelector('.pictures img')
  await checkPage(supervisor.page, 'an account to confirm')
  await type(supervisor.page, '#code', number)
  await press(supervisor.page, 'É ela: ligar a conta')
  await supervisor.page.getByText('Conta ligada ao atendimento').waitFor()
  await phone.page.getByRole('link', { name: 'Já conferiram' }).click()
  await phone.page.getByText('Conta ligada ao atendimento').waitFor()
  await checkPage(phone.page, 'bound')

  await press(page, 'Voltar ao atendimento', 'link')
  await press(page, 'Conferir')
  await page.getByText('Ninguém mais com este rosto').waitFor()
  await checkPage(page, 'checked')
  await press(page, 'Ajuda por hoje, com assinatura', 'link')
  await page.waitForURL(/\/ajuda$/)
  await checkPage(page, 'help at the counter')
  await press(page, /Ajudar com o IPVA/, 'link')
  await page.waitForSelector('[data-speak]:not([hidden])')
  await checkPage(page, 'the words and the signature')
  await choose(page, '#file')
  await press(page, 'Enviar a foto')
  await page.getByText('A ajuda vale até a meia-noite').waitFor()
  await press(page, 'Anotar que vou usar agora')
  await page.getByText('Anotado no histórico da pessoa').waitFor()
  await checkPage(page, 'the journal of help')
  await page.goto(casePage)
  await press(page, 'Enviar para aprovação')
  await page.getByText('Esperando a supervisão').waitFor()
  await tablet.page.getByText('O atendimento seguiu').waitFor()
  await press(page, /^Mandar o comprovante/)
  await page.getByText('Comprovante enviado').waitFor()
  await checkPage(page, 'sent, with its receipt')
  const [mail] = (await area.mailsTo(citizen.email)).filter(({ text }) => text.includes('/comprovantes/'))
  await phone.page.goto(`${area.url}${/\/comprovantes\/[\w-]+/.exec(mail?.text ?? '')?.[0]}`)
  await checkPage(phone.page, 'the receipt’s link on a phone')

  await supervisor.page.goto(`${area.url}/balcao/aprovacoes`)
  await checkPage(supervisor.page, 'approvals')
  await press(supervisor.page, /^\d{4}-/, 'link')
  await supervisor.page.waitForSelector('.pictures img')
  await checkPage(supervisor.page, 'an approval')
  await press(supervisor.page, 'Aprovar')
  await supervisor.page.getByText('tem o nível ouro').waitFor()
  assert.equal(await area.app.rooms.assurance.levelOf(citizen.accountId), 'ouro')
  for (const { complaints, context } of [attendant, tablet, phone, supervisor]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})

test('the search stops a case; the attendant sees that it waits, the reviewer both sides', async () => {
  const citizen = await area.citizen()
  const client = area.browser()
  await enterDesk(area, client, desk.attendant)
  const casePath = (await openCase(area, client, citizen.cpf)).url.pathname
  await captureAll(area, client, casePath, 'joana')
  const attendant = await openProfile(browser, DESK_SCREEN)
  await enterCounter(area, attendant.page, desk.attendant, '/balcao/atendimentos')
  await attendant.page.goto(`${area.url}${casePath}`)
  await press(attendant.page, 'Conferir')
  await attendant.page.getByText('Parado para análise').first().waitFor()
  await checkPage(attendant.page, 'a stopped case')
  assert.equal(await attendant.page.getByText('Joana').count(), 0)
  const reviewer = await openProfile(browser, DESK_SCREEN)
  await enterCounter(area, reviewer.page, desk.supervisor, '/balcao/fraudes')
  await checkPage(reviewer.page, 'suspicions')
  await press(reviewer.page, /Rosto parecido/, 'link')
  await reviewer.page.getByText('Joana Batista Pereira').waitFor()
  assert.equal(await reviewer.page.locator('.pictures img').count(), 2)
  await checkPage(reviewer.page, 'both sides')
  await pick(reviewer.page, '#reason')
  await press(reviewer.page, 'Registrar a decisão')
  await reviewer.page.getByText('Suspeita confirmada: o atendimento foi recusado').waitFor()
  for (const { complaints, context } of [attendant, reviewer]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})
