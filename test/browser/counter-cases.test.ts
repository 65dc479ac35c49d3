/** A whole case without a face by two people in two browsers, by keyboard; and the screens for citizens without a phone, at 360 px. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openStaffedDesk, type StaffedDesk } from '../helpdesk/support/attendance-scene.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { frameOf } from '../support/face-samples.ts'
import { enterCounter, press, reach, type } from '../support/keyboard.ts'

const DESK_SCREEN = { viewport: { width: 1366, height: 768 }, locale: 'pt-BR' }
/** Of a register office before the matrícula. */
const CERTIFICATE = 'Livro C-12, folha 45, termo 678'

let area: TestArea
let desk: StaffedDesk
let browser: Browser
let folder: string
let picture: string

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
  folder = mkdtempSync(path.join(tmpdir(), 'mt-login-cases-'))
  picture = path.join(folder, 'certificate.jpg')
  writeFileSync(picture, await frameOf({ sample: 5, x: 464, y: 1054, side: 343 }, { quality: 95 }))
  browser = await launchBrowser()
})
after(async () => {
  await browser?.close()
  await area?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a death from open to approved by keyboard, two people; the account stops', async () => {
  const citizen = await area.citizen()
  const attendant = await openProfile(browser, DESK_SCREEN)
  const { page } = attendant
  await enterCounter(area, page, desk.attendant, '/balcao/atendimentos')
  await type(page, '#cpf', citizen.cpf)
  await reach(page, page.locator('#reason'))
  await page.keyboard.press('Space')
  while (!(await page.locator('input[name=reason][value=death]').isChecked())) await page.keyboard.press('ArrowDown')
  await press(page, 'Abrir')
  await page.waitForURL(/atendimentos\/[0-9a-f-]{36}$/)
  const casePage = page.url()
  await checkPage(page, 'a case without a face')
  await press(page, 'Documento', 'link')
  await page.waitForSelector('#type')
  await reach(page, page.locator('#type'))
  await page.keyboard.press('Space')
  await type(page, '#number', CERTIFICATE)
  await type(page, '#issuer', '1º Ofício de Cuiabá')
  await type(page, '#issuedOn', '02102026')
  await press(page, 'Salvar os dados')
  await page.getByText('Os dados do documento estão guardados').waitFor()
  await page.setInputFiles('#file-front', picture)
  await press(page, 'Guardar a imagem')
  await page.getByAltText('Frente do documento').waitFor()
  await checkPage(page, 'certificate')
  await press(page, 'Voltar ao atendimento', 'link')
  await page.waitForURL(casePage)
  await press(page, 'Conferir')
  await press(page, 'Enviar para aprovação')
  await page.getByText('Esperando a supervisão').first().waitFor()

  const second = await openProfile(browser, DESK_SCREEN)
  await enterCounter(area, second.page, desk.supervisor, '/balcao/aprovacoes')
  await press(second.page, /^\d{4}-/, 'link')
  await second.page.getByText(CERTIFICATE).waitFor()
  await checkPage(second.page, 'approval of a death')
  await press(second.page, 'Aprovar')
  await second.page.getByText('Aprovado e feito').waitFor()
  assert.equal((await area.app.rooms.accounts.get(citizen.accountId)).status, 'suspended')
  await page.reload()
  await page.getByText('A conta parou').waitFor()
  for (const { complaints, context } of [attendant, second]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})

test('the citizen’s screen, from the code of its manager on, at 360 px; the manager’s list', async () => {
  const manager = await openProfile(browser, DESK_SCREEN)
  await enterCounter(area, manager.page, desk.manager, '/balcao/aparelhos')
  await checkPage(manager.page, 'no devices yet')
  await type(manager.page, '#name', 'Mesa 3')
  await press(manager.page, 'Registrar')
  const code = (await manager.page.locator('main code').textContent()) ?? ''
  await checkPage(manager.page, 'the code of a device')
  const kiosk = await openProfile(browser, PHONE)
  await kiosk.page.goto(`${area.url}/aparelho`)
  await checkPage(kiosk.page, 'a device of nobody yet')
  await type(kiosk.page, '#code', code)
  await press(kiosk.page, 'Ligar')
  await kiosk.page.getByRole('heading', { name: 'Tela do cidadão' }).waitFor()
  await checkPage(kiosk.page, 'the citizen’s screen')
  for (const [name, heading] of [[/Criar o meu acesso/, 'Criar o meu acesso'], [/Entrar com o rosto/, 'Entrar com o rosto']] as const) {
    await press(kiosk.page, name, 'link')
    await kiosk.page.getByRole('heading', { name: heading }).waitFor()
    await checkPage(kiosk.page, heading)
    await kiosk.page.goto(`${area.url}/aparelho`)
  }
  await kiosk.page.goto(`${area.url}/aparelho/acesso/${'x'.repeat(43)}`)
  await checkPage(kiosk.page, 'the page of a link')
  await manager.page.goto(`${area.url}/aparelho`)
  await checkPage(manager.page, 'a browser of the staff')
  for (const { complaints, context } of [manager, kiosk]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})
