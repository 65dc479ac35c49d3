import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, chromium } from 'playwright-core'
import type { TestSite } from '../support/http-app.ts'
import { KITCHEN_PAGES, startKitchen } from './look/kitchen.ts'

const CHROMIUM = '/usr/bin/chromium'
const hasBrowser = existsSync(CHROMIUM) ? {} : { skip: 'no Chromium on this machine' }
const PAGES = [...KITCHEN_PAGES, 'acessibilidade', 'privacidade', 'endereco-que-nao-existe']
let site: TestSite
let browser: Browser | undefined

before(async () => {
  site = await startKitchen()
  if (!('skip' in hasBrowser)) {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
  }
})
after(async () => {
  await browser?.close()
  await site.stop()
})

async function open(path: string, options: object) {
  assert.ok(browser)
  const context = await browser.newContext({ locale: 'pt-BR', ...options })
  const page = await context.newPage()
  await page.goto(`${site.url}/${path}`)
  return { page, close: () => context.close() }
}

for (const path of PAGES) {
  test(`/${path}: axe finds nothing, in light and in dark, and nothing is wider than a 360 px screen`, hasBrowser, async () => {
    for (const colorScheme of ['light', 'dark']) {
      const { page, close } = await open(path, { colorScheme, viewport: { width: 360, height: 740 } })
      const { violations } = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
        .analyze()
      assert.deepEqual(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
      )
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
      await close()
    }
  })
}

test('a page with its style and script stays under 50 KB gzipped, the style under 15 KB', async () => {
  for (const path of KITCHEN_PAGES) {
    const html = await (await fetch(`${site.url}/${path}`, { headers: { Accept: 'text/html' } })).text()
    const urls = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, url = '']) => url)
    assert.ok(urls.length >= 3)
    let total = gzipSync(html).length
    for (const url of urls) {
      const size = gzipSync(Buffer.from(await (await fetch(site.url + url)).arrayBuffer())).length
      if (url.endsWith('.css')) assert.ok(size < 15_000, `style is ${size}`)
      total += size
    }
    assert.ok(total < 50_000, `${path} is ${total}`)
  }
})

test('no page has inline script, inline style or a script that blocks rendering', async () => {
  for (const path of PAGES) {
    const html = await (await fetch(`${site.url}/${path}`, { headers: { Accept: 'text/html' } })).text()
    assert.doesNotMatch(html, /\sstyle=|\son[a-z]+=|<style/)
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) assert.match(tag, /type="module" src="\/assets\//)
  }
})

test('the browser reports nothing: no policy violation, no script error', hasBrowser, async () => {
  for (const path of KITCHEN_PAGES) {
    const { page, close } = await open('form', {})
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(`${site.url}/${path}`)
    assert.deepEqual(complaints, [])
    await close()
  }
})

test('typing a CPF adds its punctuation, never in the middle of a correction, and letters stay', hasBrowser, async () => {
  const { page, close } = await open('form', {})
  const field = page.getByLabel('CPF', { exact: true })
  await field.pressSequentially('52998224725')
  assert.equal(await field.inputValue(), '529.982.247-25')
  await field.press('Home')
  await field.press('Delete')
  await field.pressSequentially('1')
  assert.equal(await field.inputValue(), '129.982.247-25')
  await field.fill('')
  await field.pressSequentially('12a4567')
  assert.equal(await field.inputValue(), '12a4567')
  await close()
})

test('the password can be shown and hidden again by keyboard, and says so', hasBrowser, async () => {
  const { page, close } = await open('form', {})
  const field = page.locator('#password')
  await field.fill('segredo')
  const button = page.getByRole('button', { name: 'Mostrar senha' })
  await button.focus()
  await page.keyboard.press('Enter')
  assert.equal(await field.getAttribute('type'), 'text')
  await page.getByRole('button', { name: 'Esconder senha' }).press('Enter')
  assert.equal(await field.getAttribute('type'), 'password')
  await close()
})

test('a form is sent with and without JavaScript', hasBrowser, async () => {
  for (const javaScriptEnabled of [true, false]) {
    const { page, close } = await open('form', { javaScriptEnabled })
    assert.equal(await page.getByRole('button', { name: 'Mostrar senha' }).isVisible(), javaScriptEnabled)
    await page.getByLabel('CPF', { exact: true }).fill('52998224725')
    await page.locator('#password').fill('segredo')
    await page.getByRole('button', { name: 'Entrar', exact: true }).click()
    await page.getByRole('heading', { name: 'Digite o código que enviamos' }).waitFor()
    await close()
  }
})

test('two quick presses send one request', hasBrowser, async () => {
  const { page, close } = await open('form', {})
  let sent = 0
  page.on('request', (request) => {
    if (request.method() === 'POST') sent += 1
  })
  await page.route('**/form', async (route) => {
    if (route.request().method() === 'POST') await new Promise((resolve) => setTimeout(resolve, 300))
    await route.continue()
  })
  await page.getByRole('button', { name: 'Entrar', exact: true }).dblclick()
  await page.getByRole('heading', { name: 'Digite o código que enviamos' }).waitFor()
  assert.equal(sent, 1)
  await close()
})

test('after a refused form the list of what is wrong has the focus, and its links lead to the fields', hasBrowser, async () => {
  const { page, close } = await open('form-wrong', {})
  assert.equal(await page.evaluate('document.activeElement.id'), 'erros')
  assert.match(await page.title(), /^Erro: /)
  await page.getByRole('link', { name: /^CPF:/ }).click()
  assert.equal(await page.evaluate('document.activeElement.id'), 'cpf')
  assert.equal(await page.getByLabel('CPF', { exact: true }).inputValue(), '529.982.247-26')
  await close()
})

test('everything that can be pressed is at least 44 px high, or a link within text', hasBrowser, async () => {
  for (const path of KITCHEN_PAGES) {
    const { page, close } = await open(path, { viewport: { width: 360, height: 740 } })
    const small =
      await page.evaluate(`[...document.querySelectorAll('button, summary, .button, nav a, input:not([type=hidden], [type=checkbox], [type=radio])')]
      .filter((element) => element.offsetParent !== null && element.getBoundingClientRect().height < 44).map((element) => element.outerHTML)`)
    assert.deepEqual(small, [])
    await close()
  }
})

test('the first Tab reaches the skip link, which leads to the content', hasBrowser, async () => {
  const { page, close } = await open('area', {})
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Ir para o conteúdo')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate('document.activeElement.id'), 'conteudo')
  await close()
})
