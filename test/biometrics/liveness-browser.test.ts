/** `camera.js` in a real Chromium against the real protocol and nets, before a camera that reacts to what the page asks. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import Router from '@koa/router'
import type { Browser } from 'playwright-core'
import type { Faces } from '../../src/biometrics/faces.ts'
import { createFaces } from '../../src/biometrics/faces.ts'
import type { LivenessCaller } from '../../src/biometrics/liveness/session.ts'
import { createLiveness } from '../../src/biometrics/liveness/session.ts'
import { createFaceCheckRoutes } from '../../src/oidc/interactions/step-up/face-check.routes.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { Database } from '../../src/platform/db.ts'
import { guard } from '../../src/platform/http/guard.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { openWith, sealWith } from '../../src/platform/keyring.ts'
import { checkPage, findChromium, launchBrowser, openProfile, PHONE } from '../support/browser.ts'
import { openPgliteTestDatabase } from '../support/database.ts'
import type { TestSite } from '../support/http-app.ts'
import { startSite } from '../support/http-app.ts'
import type { CameraMode } from '../support/reactive-camera/browser-camera.ts'
import { browserCameraScript } from '../support/reactive-camera/browser-camera.ts'
import type { FaceViews } from '../support/reactive-camera/face-views.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'

const VIEWS = new URL('../../views', import.meta.url).pathname
const PAGE = `<% layout('/layout', { title: 'Câmera', scripts: ['camera.js'] }) -%>
<h1>Câmera</h1>
<%= ui['face-check']({ base: '/rosto' }) %>`
const KEY = randomBytes(32)
const skip = findChromium() ? false : 'no Chromium installed'

let folder: string
let faces: Faces
let db: Database
let site: TestSite
let browser: Browser
let people: Record<'one' | 'two', FaceViews>
/** What the next check finds; a test sets it before it begins. */
let state: { caller: LivenessCaller; template: readonly number[]; attempts: number }

before(async () => {
  if (skip) return
  folder = mkdtempSync(path.join(tmpdir(), 'mt-camera-'))
  cpSync(VIEWS, folder, { recursive: true })
  writeFileSync(path.join(folder, 'camera-page.eta'), PAGE)
  faces = createFaces({ modelsDir: path.join(folder, 'models'), workers: 1, maxQueue: 20 })
  const [one, two, database] = await Promise.all([
    loadFaceViews(SAMPLE_FACES.one),
    loadFaceViews(SAMPLE_FACES.two),
    openPgliteTestDatabase(),
    faces.ready(),
  ])
  people = { one, two }
  db = database
  site = await startSite(
    (http) => {
      const liveness = createLiveness({
        db,
        clock: systemClock,
        keyring: { seal: (plain, context) => sealWith(KEY, plain, context), open: (sealed, context) => openWith(KEY, sealed, context) },
        engine: faces,
        people: {
          findReference: async (_, modelId) => ({ modelId, template: state.template, inPerson: false }),
          claimAttempt: async () => {
            state.attempts -= 1
          },
          attemptsLeft: async () => state.attempts,
        },
      })
      const open = async () => ({
        caller: state.caller,
        prepare: async () => ({ occasion: { boundDevice: false, attended: false }, settle: async () => {} }),
        conclude: async () => '/passou',
      })
      const messages = loadMessages({ folder: `${VIEWS}/messages`, strict: true })
      const pages = new Router()
      pages.get(
        '/camera',
        guard({}, (ctx) => http.views.render(ctx, 'camera-page')),
      )
      pages.get(
        '/passou',
        guard({}, (ctx) => {
          ctx.body = 'passou'
        }),
      )
      const routes = createFaceCheckRoutes({ liveness, messages, base: '/rosto', open })
      return [pages.routes(), routes.routes()]
    },
    { viewsFolder: folder },
  )
  browser = await launchBrowser()
})

after(async () => {
  if (skip) return
  await browser.close()
  await site.stop()
  await Promise.all([faces.close(), db.close()])
  rmSync(folder, { recursive: true, force: true })
})

async function openCamera(mode: CameraMode, who: 'one' | 'two' = 'one', script?: string) {
  const template = (await faces.observe(await people.one.jpeg({ yawDegrees: 0, moment: 77 }))).faces[0]?.descriptor ?? []
  state = { caller: { accountId: randomUUID(), bindingHash: 'b', purpose: 'p' }, template, attempts: 3 }
  const watched = await openProfile(browser, PHONE)
  await watched.page.addInitScript(
    script ?? (await browserCameraScript({ mode, views: people[who], other: people[who === 'one' ? 'two' : 'one'] })),
  )
  await watched.page.goto(`${site.url}/camera`)
  await watched.page.waitForSelector('[data-face-check][data-ready]')
  return watched
}

async function attempt(mode: CameraMode, who: 'one' | 'two' = 'one', options: { noFlash?: boolean } = {}) {
  const { page, context, complaints } = await openCamera(mode, who)
  if (options.noFlash) await page.check('[name=no-flash]')
  await page.click('[data-face-start]')
  const longest = { timeout: 150_000 }
  const passed = await Promise.any([
    page.waitForURL('**/passou', longest).then(() => true),
    page.waitForSelector('[data-result]:not([data-result=passed]) [data-face-wrong]', longest).then(() => false),
  ])
  const advice = passed ? [] : await page.locator('[data-face-wrong] li').allTextContents()
  const [row] = await db.query<{ verdict: { scores: Record<string, number> }; frame_count: number; extended: boolean }>(
    'SELECT verdict, frame_count, extended FROM liveness_session WHERE account_id = $1',
    [state.caller.accountId],
  )
  assert.doesNotMatch(advice.join(), /Algo deu errado/, site.logged().slice(-2000))
  return { passed, advice, row, complaints, close: () => context.close(), page }
}

test('the capture client is small', { skip }, () => {
  assert.ok(gzipSync(readFileSync(new URL('../../views/assets/camera.js', import.meta.url))).length < 8192)
})

test('the page passes axe before it begins and asks for nothing unasked', { skip }, async () => {
  const { page, context, complaints } = await openCamera('reactive')
  await checkPage(page, 'camera')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('who does as the page asks passes', { skip }, async () => {
  const result = await attempt('reactive')
  assert.ok(result.passed, JSON.stringify([result.advice, result.row]))
  assert.deepEqual(result.complaints, [])
  assert.ok((result.row?.frame_count ?? 99) <= 40, `${result.row?.frame_count} frames`)
  await result.close()
})

test('without flashes the screen keeps its colour, and the person passes', { skip }, async () => {
  const result = await attempt('reactive', 'one', { noFlash: true })
  assert.ok(result.passed, JSON.stringify([result.advice, result.row]))
  await result.close()
})

test('another person is refused, with what to do now and another try', { skip }, async () => {
  const result = await attempt('reactive', 'two')
  assert.ok(!result.passed)
  assert.match(result.advice.join(), /não conferiu/)
  assert.ok(await result.page.isVisible('[data-face-again]'))
  await checkPage(result.page, 'camera refused')
  await result.close()
})

test('a turner whom no colour reaches passes after one turn more', { skip }, async () => {
  const result = await attempt('no-flash')
  assert.ok(result.passed, JSON.stringify([result.advice, result.row]))
  assert.ok((result.row?.verdict.scores['pose.turns'] ?? 0) >= 3)
  await result.close()
})

// Frozen, swept and replayed pictures: liveness-camera.test.ts, where no step has to be waited out.
for (const mode of ['still', 'wrong-order', 'swap'] as const) {
  test(`refused: ${mode}`, { skip }, async () => {
    const result = await attempt(mode)
    assert.ok(!result.passed)
    assert.match(result.advice.join(), /Não deu para ter certeza|outro lado/)
    await result.close()
  })
}

test('two faces are told while they are there, and leaving the page ends the check', { skip }, async () => {
  const { page, context } = await openCamera('two-faces')
  await page.click('[data-face-start]')
  await page.getByText('Há mais de um rosto').waitFor()
  assert.equal(await page.getAttribute('[data-face-check]', 'data-index'), '0')
  await checkPage(page, 'camera at work')
  await page.goto(`${site.url}/passou`)
  const ended = async () =>
    (await db.query<{ state: string }>('SELECT state FROM liveness_session WHERE account_id = $1', [state.caller.accountId]))[0]?.state
  for (let i = 0; i < 50 && (await ended()) !== 'abandoned'; i += 1) await page.waitForTimeout(100)
  assert.equal(await ended(), 'abandoned')
  await context.close()
})

const BROKEN = [
  ['NotAllowedError', 'O navegador não deixou'],
  ['NotFoundError', 'Não achamos uma câmera'],
  ['NotReadableError', 'Outro programa'],
] as const

for (const [name, words] of BROKEN) {
  test(`a camera that answers ${name} is explained, and costs no try`, { skip }, async () => {
    const script = `Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia: () => Promise.reject(new DOMException('', '${name}')) } })`
    const { page, context } = await openCamera('reactive', 'one', script)
    await page.click('[data-face-start]')
    await page.getByText(words).waitFor()
    assert.equal(state.attempts, 3)
    assert.ok(await page.isVisible('[data-face-again]'))
    await context.close()
  })
}

test('a connection that fails for a moment is tried again', { skip }, async () => {
  const { page, context } = await openCamera('reactive')
  let failures = 3
  await page.route('**/rosto/**', (route) => {
    failures -= 1
    return failures >= 0 ? route.abort() : route.continue()
  })
  await page.click('[data-face-start]')
  await page.waitForURL('**/passou', { timeout: 60_000 })
  await context.close()
})
