/** `camera.js` in a real Chromium against the real protocol and nets, before a camera that reacts to what the page asks. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { checkPage, findChromium, launchBrowser } from '../support/browser.ts'
import { type CameraSite, openCameraSite } from '../support/camera-site.ts'

const skip = findChromium() ? false : 'no Chromium installed'

let site: CameraSite
let browser: Browser

before(async () => {
  if (skip) return
  ;[site, browser] = await Promise.all([openCameraSite(), launchBrowser()])
})

after(async () => {
  if (skip) return
  await browser.close()
  await site.close()
})

test('the capture client is small', { skip }, () => {
  assert.ok(gzipSync(readFileSync(new URL('../../views/assets/camera.js', import.meta.url))).length < 8192)
})

test('the page passes axe before it begins and asks for nothing unasked', { skip }, async () => {
  const { page, context, complaints } = await site.open(browser, 'reactive')
  await checkPage(page, 'camera')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('who does as the page asks passes, at the class that the installed nets bear', { skip }, async () => {
  const result = await site.attempt(browser, 'reactive', { slowMotion: true })
  assert.ok(result.passed, JSON.stringify([result.advice, result.row]))
  assert.deepEqual(result.complaints, [])
  assert.ok((result.row?.frame_count ?? 99) <= 40, `${result.row?.frame_count} frames`)
  const verdict = result.row?.verdict
  assert.deepEqual(
    [verdict?.class, verdict?.padModel, verdict?.modelId],
    site.standard ? ['active', 'minifasnet-v2+minifasnet-v1se', 'standard-256-v1'] : ['basic', undefined, 'builtin-128-v1'],
  )
  if (site.standard) assert.ok((verdict?.scores['pad.frames'] ?? 0) >= 10, JSON.stringify(verdict?.scores))
  await result.context.close()
})

test('without flashes the screen keeps its colour, and the person passes; on a slow link too', { skip }, async () => {
  const result = await site.attempt(browser, 'reactive', { options: { noFlash: true, slow: true }, slowMotion: true })
  assert.ok(result.passed, JSON.stringify([result.advice, result.row]))
  assert.equal(result.row?.verdict.class, site.standard ? 'active' : 'basic')
  await result.context.close()
})

test('another person is refused, with what to do now and another try', { skip }, async () => {
  const result = await site.attempt(browser, 'reactive', { who: 'two', slowMotion: true })
  assert.ok(!result.passed)
  assert.match(result.advice.join(), /não conferiu/)
  assert.ok(await result.page.isVisible('[data-face-again]'))
  await checkPage(result.page, 'camera refused')
  await result.context.close()
})

test('a turner whom no colour reaches passes after one turn more', { skip }, async () => {
  const result = await site.attempt(browser, 'no-flash', { slowMotion: true })
  assert.ok(result.passed, JSON.stringify([result.advice, result.row]))
  assert.ok((result.row?.verdict.scores['pose.turns'] ?? 0) >= 3)
  await result.context.close()
})

// Frozen, swept and replayed pictures: liveness-camera.test.ts, where no step has to be waited out.
for (const mode of ['still', 'wrong-order', 'swap'] as const) {
  test(`refused: ${mode}`, { skip }, async () => {
    const result = await site.attempt(browser, mode)
    assert.ok(!result.passed)
    assert.match(result.advice.join(), /Não deu para ter certeza|outro lado/)
    await result.context.close()
  })
}

test('two faces are told while they are there, shown and spoken, and leaving the page ends the check', { skip }, async () => {
  const { page, context } = await site.open(browser, 'two-faces')
  await page.click('[data-face-start]')
  await page.locator('[data-say]', { hasText: 'Há mais de um rosto' }).waitFor()
  assert.equal(await page.getAttribute('[data-face-check]', 'data-index'), '0')
  assert.equal(await page.getAttribute('[data-say]', 'aria-hidden'), 'true')
  assert.match((await page.textContent('.camera [aria-live=assertive]')) ?? '', /Olhe para a câmera/)
  await page.locator('.camera [aria-live=polite]', { hasText: 'Há mais de um rosto' }).waitFor({ state: 'attached' })
  await checkPage(page, 'camera at work')
  await page.goto(`${site.url}/passou`)
  const ended = async () =>
    (await site.db.query<{ state: string }>('SELECT state FROM liveness_session WHERE account_id = $1', [site.state.caller.accountId]))[0]
      ?.state
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
    const { page, context } = await site.open(browser, 'reactive', { script })
    await page.click('[data-face-start]')
    await page.getByText(words).waitFor()
    assert.equal(site.state.attempts, 3)
    assert.ok(await page.isVisible('[data-face-again]'))
    await context.close()
  })
}

test('a connection that fails for a moment is tried again', { skip }, async () => {
  const { page, context } = await site.open(browser, 'reactive', { slowMotion: true })
  let failures = 3
  await page.route('**/rosto/**', (route) => {
    failures -= 1
    return failures >= 0 ? route.abort() : route.continue()
  })
  await page.click('[data-face-start]')
  await page.waitForURL('**/passou', { timeout: 150_000 })
  await context.close()
})
