/** A whole case without a face by two people in two browsers, by keyboard; and the screens for citizens, at 360 px and with a camera. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { parseCpf } from '../../src/accounts/index.ts'
import { bringToApproval, openCase, openStaffedDesk, shotsOf, type StaffedDesk, upload } from '../helpdesk/support/attendance-scene.ts'
import { enterDesk } from '../helpdesk/support/counter.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { frameOf } from '../support/face-samples.ts'
import { browserCameraScript } from '../support/reactive-camera/browser-camera.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import { enterCounter, press, reach, type } from '../support/keyboard.ts'

const DESK_SCREEN = { viewport: { width: 1366, height: 768 }, locale: 'pt-BR' }
/** Of a register office before the matrícula. */
const CERTIFICATE = 'Livro C-12, folha 45, termo 678'

/** In the base register, without an account until the counter makes one. */
const NEWCOMER = cpfOfNobody(40)

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

/** With letters twice as large nothing is beside the window. */
async function checkLarge(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const set = (standard: number) => session.send('Page.setFontSizes', { fontSizes: { standard, fixed: standard } })
  await set(32)
  const [letters, wide, window] = await page.evaluate(() => [Number.parseFloat(getComputedStyle(document.body).fontSize), document.documentElement.scrollWidth, document.documentElement.clientWidth])
  await set(16)
  assert.ok((letters ?? 0) >= 28, `the letters of ${page.url()} are ${letters} px`)
  assert.ok((wide ?? 0) <= (window ?? 0), `${page.url()} is ${wide} px wide in ${window} px with large letters`)
}

/** A device of the unit that a camera's owner stands before. */
async function openKiosk() {
  const manager = area.browser()
  const page = await enterDesk(area, manager, desk.manager, '/balcao/aparelhos')
  const code = /<code>([\w-]{9})<\/code>/.exec((await manager.submit(page, { name: 'Mesa 4' }, { action: '/balcao/aparelhos' })).html)?.[1] ?? assert.fail()
  const kiosk = await openProfile(browser, { ...PHONE, permissions: ['camera'] })
  await kiosk.page.addInitScript({ content: await browserCameraScript({ mode: 'reactive', views: await loadFaceViews(SAMPLE_FACES.one) }) })
  await kiosk.page.goto(`${area.url}/aparelho`)
  await type(kiosk.page, '#code', code)
  await press(kiosk.page, 'Ligar')
  await press(kiosk.page, /Criar o meu acesso/, 'link')
  return kiosk
}

/** Tried again as often as a person may: on a busy machine the camera gives too few frames. What is refused and why is the subject of `face-check`. */
async function passAtCamera(page: Page): Promise<void> {
  const again = page.locator('[data-face-again]')
  await page.locator('[data-face-start]').click()
  for (let left = 2; ; left -= 1) {
    await page.locator('form[action$="/pronto"]').or(again).filter({ visible: true }).waitFor({ timeout: 150_000 })
    if (new URL(page.url()).pathname === '/aparelho/pronto') return
    assert.ok(left > 0, await page.innerText('main'))
    await again.click()
    await again.waitFor({ state: 'hidden' })
  }
}

test('without a phone: the offer, the camera of the unit’s device, the way in, and codes that are on paper and nowhere else', async () => {
  const { path: casePath } = await bringToApproval(area, desk, NEWCOMER, 'one')
  const supervisor = area.browser()
  const id = casePath.split('/').at(-1)
  await supervisor.submit(await enterDesk(area, supervisor, desk.supervisor, `/balcao/aprovacoes/${id}`), {}, { action: '/aprovar' })
  const attendant = await openProfile(browser, DESK_SCREEN)
  await enterCounter(area, attendant.page, desk.attendant, '/balcao/atendimentos')
  await attendant.page.goto(`${area.url}${casePath}/acesso`)
  await checkPage(attendant.page, 'before the offer')
  await press(attendant.page, 'Mostrar os números')
  const digits = await attendant.page.locator('main code').innerText()
  await checkPage(attendant.page, 'the offer of a way in')
  await checkLarge(attendant.page)

  const kiosk = await openKiosk()
  const { page } = kiosk
  await type(page, '#cpf', NEWCOMER)
  await type(page, '#code', digits)
  await page.check('#agree')
  await press(page, 'Continuar para a câmera')
  await page.waitForSelector('[data-face-check][data-ready]')
  await checkPage(page, 'the camera of a device')
  await passAtCamera(page)
  await checkPage(page, 'the face passed at a device')
  await press(page, 'Continuar')
  await page.getByRole('heading', { name: 'Seu acesso' }).waitFor()
  await checkPage(page, 'the way in')
  await checkLarge(page)
  const csrf = await page.locator('form[action$="/folha"] input[name=_csrf]').inputValue()
  const printed = await kiosk.context.request.post(`${area.url}/conta/balcao/acesso/folha`, { form: { _csrf: csrf } })
  const sheet = path.join(folder, 'sheet.pdf')
  writeFileSync(sheet, await printed.body())
  const codes = checkPrinted(sheet)
  for (const address of ['/conta/balcao/acesso', '/aparelho', '/aparelho/pronto']) {
    await page.goto(`${area.url}${address}`)
    const shown = await page.content()
    assert.deepEqual(codes.filter((code) => shown.includes(code)), [], address)
  }
  await page.goBack()
  assert.equal(await page.getByRole('heading', { name: 'Seu acesso' }).count(), 0, 'the way back shows nothing of it')
  for (const { complaints, context } of [attendant, kiosk]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})

/** Every word of a PDF lies on its page; answers the recovery codes. */
function checkPrinted(file: string): string[] {
  const { stdout } = spawnSync('pdftotext', ['-bbox', file, '-'], { encoding: 'utf8' })
  const [, width = '0', height = '0'] = /<page width="([\d.]+)" height="([\d.]+)"/.exec(stdout) ?? []
  const words = [...stdout.matchAll(/<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">([^<]*)</g)]
  assert.ok(words.length > 40, stdout.slice(0, 300))
  for (const [, xMin = '', yMin = '', xMax = '', yMax = '', word] of words) {
    const lies = Number(xMin) >= 0 && Number(yMin) >= 0 && Number(xMax) <= Number(width) && Number(yMax) <= Number(height)
    assert.ok(lies, `${word} is cut off`)
  }
  const codes = words.map(([, , , , , word = '']) => word).filter((word) => /^[0-9A-Z]{4}(-[0-9A-Z]{4})+$/i.test(word) && /\d/.test(word))
  assert.equal(new Set(codes).size, 10, words.map(([, , , , , word]) => word).join(' '))
  return codes
}

test('a lost phone and a blocked account: the request, the question and the choice on the citizen’s screen, in large letters and by name', async () => {
  const { accounts } = area.app.rooms
  const account = (await accounts.findByCpf(parseCpf(NEWCOMER) ?? assert.fail())) ?? assert.fail('the counter made no account')
  const client = area.browser()
  await enterDesk(area, client, desk.attendant)
  const lost = (await openCase(area, client, NEWCOMER, 'lost-phone')).url.pathname
  const attendant = await openProfile(browser, DESK_SCREEN)
  const { page } = attendant
  await enterCounter(area, page, desk.attendant, '/balcao/atendimentos')
  await checkLarge(page)
  await page.goto(`${area.url}${lost}/pedido`)
  await page.getByRole('group', { name: 'Termina com o aparelho perdido' }).waitFor()
  await checkPage(page, 'what was on the device')
  await checkLarge(page)
  await client.submit(await area.open(client, lost), {}, { action: '/desistir' })
  await accounts.safety.suspend(account.id, { reason: 'not-me', actor: { kind: 'operator', id: 'test' } })

  const blocked = (await openCase(area, client, NEWCOMER, 'blocked-account')).url.pathname
  await page.goto(`${area.url}${blocked}/rosto`)
  await page.getByRole('heading', { name: 'Concordância em outra tela' }).waitFor()
  // The answer is slow: meanwhile the page asks, and sees that a code was made. It must not go away from the one that comes.
  await page.route(/\/concordancia$/, async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    const answer = await route.fetch()
    await page.waitForResponse(/\/concordancia\/estado$/, { timeout: 4000 }).catch(() => undefined)
    await route.fulfill({ response: answer })
  })
  await press(page, 'Mostrar o código para a outra tela')
  const code = await page.locator('main code').innerText()
  const screen = await openProfile(browser, PHONE)
  await screen.page.goto(`${area.url}/tela`)
  await screen.page.fill('#code', code)
  await screen.page.keyboard.press('Enter')
  await screen.page.getByRole('heading', { name: 'O que comparamos e para quê' }).waitFor()
  await checkPage(screen.page, 'what is only compared')
  await press(screen.page, 'Sim, concordo')
  await screen.page.getByText('você escolhe o que fica na sua conta').waitFor()
  const document = await area.open(client, `${blocked}/documento`)
  await client.submit(document, { type: 'rg', number: '1234567-8', issuer: 'SESP/MT', issuedOn: '2020-05-04' }, { action: '/documento' })
  const shots = await shotsOf('one')
  await upload(area, client, `${blocked}/arquivo`, { kind: 'document-front' }, shots[0] ?? assert.fail())
  for (const shot of shots) await upload(area, client, `${blocked}/rosto`, {}, shot)
  await page.goto(`${area.url}${blocked}`)
  await checkPage(page, 'a blocked account’s case')
  await checkLarge(page)
  await press(page, 'Conferir')
  await page.getByText('Falta escolher').waitFor()
  await checkPage(page, 'the choice is owed')
  await screen.page.getByRole('heading', { name: 'O que é seu nesta conta?' }).waitFor()
  await checkPage(screen.page, 'the ways in on the citizen’s screen')
  await checkLarge(screen.page)
  const box = screen.page.getByRole('group', { name: 'Como se entra na conta' }).getByRole('checkbox', { name: 'Folha de códigos de recuperação' })
  assert.equal(await box.isChecked(), false, 'made today: doubted')
  await reach(screen.page, box)
  await screen.page.keyboard.press('Space')
  await press(screen.page, 'Manter só o que marquei')
  await screen.page.getByText('Escolha guardada').waitFor()
  assert.equal(await box.isChecked(), true)
  await checkPage(screen.page, 'chosen')
  await press(page, 'Enviar para aprovação')
  await page.getByText('Esperando a supervisão').first().waitFor()
  await screen.page.getByText('O atendimento seguiu').waitFor()
  for (const { complaints, context } of [attendant, screen]) {
    assert.deepEqual(complaints, [])
    await context.close()
  }
})
