import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTestApp, type TestApp } from '../support/app.ts'
import { checkPage, launchBrowser, openProfile, PHONE, type Watched } from '../support/browser.ts'
import { browserCameraScript, type CameraMode } from '../support/reactive-camera/browser-camera.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'

const JOAO = { cpf: '111.444.777-35', password: 'arara-azul-cerrado-3' }

const PASSED = 'É você mesmo. Obrigado!'

let app: TestApp
let browser: Browser
let joao: FaceViews
let stranger: FaceViews

before(async () => {
  app = await startTestApp()
  browser = await launchBrowser()
  ;[joao, stranger] = await Promise.all([loadFaceViews(SAMPLE_FACES.two), loadFaceViews(SAMPLE_FACES.one)])
})
after(async () => {
  await browser?.close()
  await app?.stop()
})

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
  await page.waitForLoadState()
}

/** Joana at the step-up page of the service that wants prata, in a browser with this camera. */
async function atStepUp(views: FaceViews | undefined, mode: CameraMode = 'reactive', options: object = PHONE): Promise<Watched> {
  await app.foundation.db.execute('DELETE FROM throttle')
  const watched = await openProfile(browser, { ...options, permissions: ['camera'] })
  const { page } = watched
  if (views) await page.addInitScript({ content: await browserCameraScript({ mode, views, other: views === joao ? stranger : joao }) })
  await page.goto(`${app.demo?.portalUrl}/servicos/carteira`)
  await page.fill('#cpf', JOAO.cpf)
  await page.fill('#password', JOAO.password)
  await press(page, 'Entrar')
  return watched
}

async function openCamera({ page }: Watched): Promise<void> {
  await page.check('#agree')
  await press(page, 'Abrir a câmera')
  await page.waitForSelector('[data-face-check][data-ready]')
}

/** Runs the check to its end; answers `passed`, `refused` or the code of what went wrong. */
async function runCheck(page: Page, button = '[data-face-start]'): Promise<string> {
  await page.locator(button).click()
  const end = page.locator('[data-face-wrong], h1:has-text("É você mesmo")').filter({ visible: true }).first()
  await end.waitFor({ timeout: 150_000 })
  return (await page.textContent('h1')) === PASSED ? 'passed' : ((await page.getAttribute('[data-face-check]', 'data-result')) ?? '')
}

const levelOf = async (): Promise<string> => {
  const [row] = await app.foundation.db.query<{ id: string }>(
    "SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.cpf = '11144477735'",
  )
  return app.rooms.assurance.levelOf(row?.id ?? '')
}

test('the pages around the camera are accessible, and without scripts the page says what to do', async () => {
  const watched = await atStepUp(joao)
  await checkPage(watched.page, 'step-up')
  await openCamera(watched)
  await checkPage(watched.page, 'camera')
  await watched.context.close()
  const plain = await atStepUp(undefined, 'reactive', { ...PHONE, javaScriptEnabled: false })
  await plain.page.check('#agree')
  await press(plain.page, 'Abrir a câmera')
  assert.match((await plain.page.innerText('main')) ?? '', /A câmera só funciona com JavaScript ligado/)
  assert.ok(!(await plain.page.locator('[data-face-start]').isVisible()))
  await press(plain.page, 'Desistir da câmera')
  assert.match((await plain.page.innerText('main')) ?? '', /balcão do Ganha Tempo/)
  await plain.context.close()
})

const ATTACKS: readonly (readonly [string, () => FaceViews, CameraMode])[] = [
  ['another person', () => stranger, 'reactive'],
  ['a still photograph', () => joao, 'still'],
  ['turns to the wrong side', () => joao, 'wrong-order'],
  ['one frozen frame', () => joao, 'frozen'],
  ['another person who takes over for the turns', () => joao, 'swap'],
]
for (const [label, views, mode] of ATTACKS) {
  test(`refused: ${label}, with advice and the way without a camera`, async () => {
    const watched = await atStepUp(views(), mode)
    await openCamera(watched)
    assert.notEqual(await runCheck(watched.page), 'passed')
    const advice = await watched.page.innerText('[data-face-wrong]')
    assert.ok(advice.length > 30, advice)
    await checkPage(watched.page, `camera refused: ${label}`)
    assert.equal(await levelOf(), 'bronze')
    await press(watched.page, 'Desistir da câmera')
    await press(watched.page, 'Voltar para Portal de Serviços (demonstração) sem isso')
    assert.equal(new URL(watched.page.url()).origin, app.demo?.portalUrl)
    await watched.context.close()
  })
}

test('the right face, alive, raises the level within three seconds of the last frame, and the portal opens its service', async () => {
  const watched = await atStepUp(joao)
  await openCamera(watched)
  let judgedMs = 0
  watched.page.on('requestfinished', (request) => {
    if (request.url().endsWith('/fim')) judgedMs = request.timing().responseEnd
  })
  // In real time a machine that stops for a moment looks like a face that does not follow: once more, as the page offers.
  const first = await runCheck(watched.page)
  assert.equal(first === 'passed' ? first : await runCheck(watched.page, '[data-face-again]'), 'passed', await watched.page.innerText('main'))
  assert.ok(judgedMs > 0 && judgedMs < 3000, `${judgedMs} ms`)
  await checkPage(watched.page, 'face passed')
  assert.equal(await levelOf(), 'prata')
  await press(watched.page, 'Continuar para Portal de Serviços (demonstração)')
  // She administers a company, so the portal that registered for representation is told for whom she comes.
  assert.match((await watched.page.textContent('h1')) ?? '', /Por quem você vai agir/)
  await watched.page.getByText('Por mim, eu mesmo').click()
  await press(watched.page, 'Continuar')
  await press(watched.page, 'Autorizar e continuar')
  assert.match((await watched.page.textContent('main')) ?? '', /Seu pedido de carteira foi aberto/)
  assert.deepEqual(watched.complaints, [])
  await watched.context.close()
})
