import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Where a Chromium may be installed; `MT_TEST_CHROMIUM` names another one. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium']

/** The Chromium to test with, or `undefined` where there is none. */
export function findChromium(): string | undefined {
  return [process.env['MT_TEST_CHROMIUM'] ?? '', ...PLACES].find((place) => place !== '' && existsSync(place))
}

/** A real browser, without a sandbox (tests run as root in containers) and with a camera that asks nobody. */
export async function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium: install one (Debian: apt-get install chromium) or set MT_TEST_CHROMIUM')
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', ...args],
  })
}

/** The narrowest phone that the pages promise to fit. */
export const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, locale: 'pt-BR', isMobile: true, hasTouch: true }

export interface Watched {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors that the page wrote to its console, blocked content included. */
  readonly complaints: readonly string[]
}

/** A fresh browser profile whose complaints are kept. */
export async function openProfile(browser: Browser, options: BrowserContextOptions = PHONE): Promise<Watched> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text())
  })
  return { context, page, complaints }
}

/** Gives the page's machine a fingerprint reader that always knows its owner. */
export async function addFingerprintReader(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** The page passes axe (WCAG 2.2 AA), fits its window, has one h1 and a title. */
export async function checkPage(page: Page, name: string): Promise<void> {
  await page.waitForLoadState()
  // Legacy mode runs the same rules without a second page for gathering what frames found: our pages have no frames.
  assert.equal(page.frames().length, 1, `${name} has no frames`)
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).setLegacyMode(true).analyze()
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)
  assert.deepEqual(faults, [], `axe on ${name}`)
  await checkFits(page, name)
}

/** Needs no scripts in the page's world, so that it also works with JavaScript off. */
async function checkFits(page: Page, name: string): Promise<void> {
  const body = await page.locator('body').boundingBox()
  const width = page.viewportSize()?.width ?? 0
  assert.ok(body !== null && body.width <= width, `${name} is ${body?.width} px wide in a window of ${width} px`)
  assert.equal(await page.locator('h1').count(), 1, `${name} has one h1`)
  assert.match(await page.title(), /\S · MT Login$/, `${name} has a title`)
}
