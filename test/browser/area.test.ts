import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { enterPortal, openArea, PASSWORD, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import { AREA_PAGES } from '../portal/support/pages.ts'
import { addFingerprintReader, checkPage, launchBrowser, openProfile, PHONE, type Watched } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'

const PAGES = ['/conta', ...AREA_PAGES, '/conta/encerrada', '/demo/mensagens']
const MOST_BYTES = 50 * 1024
const WIDE = { viewport: { width: 1280, height: 800 }, locale: 'pt-BR' }

let area: TestArea
let browser: Browser
let rosa: TestCitizen

before(async () => {
  // A passkey needs a name: browsers make none for an address.
  const port = await freePort()
  area = await openArea({ PORT: String(port), PUBLIC_URL: `http://localhost:${port}` })
  browser = await launchBrowser()
  rosa = await area.citizen()
  await enterPortal(area, area.browser(), rosa)
  await area.signIn(rosa, { password: 'errada-mesmo-99' })
})
after(async () => {
  await browser?.close()
  await area?.close()
})

async function press(page: Page, name: string): Promise<void> {
  await page.locator('main').getByRole('button', { name, exact: true }).click()
  await page.waitForLoadState()
}

async function signIn({ page }: Watched, path = '/conta', citizen = rosa): Promise<void> {
  await page.goto(`${area.url}/conta/entrar?para=${path}`)
  await page.fill('#cpf', citizen.cpf)
  await page.fill('#password', PASSWORD)
  await press(page, 'Entrar')
  await page.waitForURL(`**${path}`)
}

for (const [name, options] of [
  ['a phone', PHONE],
  ['a wide screen', WIDE],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`every page of the area passes axe on ${name}, ${colorScheme}, and fits`, async () => {
      const watched = await openProfile(browser, { ...options, colorScheme })
      const { page, complaints, context } = watched
      await page.goto(`${area.url}/conta`)
      await checkPage(page, 'the way in')
      await signIn(watched)
      for (const path of PAGES) {
        await page.goto(area.url + path)
        await checkPage(page, `${path} (${name}, ${colorScheme})`)
      }
      assert.deepEqual(complaints, [])
      await context.close()
    })
  }
}

test('what opens on a press, a refused form, and fresh recovery codes pass too', async () => {
  const watched = await openProfile(browser)
  const { page, complaints, context } = watched
  await signIn(watched, '/conta/sistemas')
  await page.locator('main summary').first().click()
  await checkPage(page, 'withdrawal, open')
  await page.goto(`${area.url}/conta/dados/email`)
  await page.fill('#value', 'rosa')
  await press(page, 'Mandar código')
  await checkPage(page, 'e-mail refused')
  await page.fill('#value', 'nova@example.org')
  await press(page, 'Mandar código')
  await page.waitForURL('**/codigo')
  await checkPage(page, 'code')
  await page.goto(`${area.url}/conta/seguranca/codigos`)
  await press(page, 'Criar códigos')
  await page.waitForSelector('#codigos')
  await checkPage(page, 'recovery codes')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a page weighs at most 50 KB gzipped, with its style and scripts', async () => {
  for (const path of ['/conta', '/conta/historico', '/conta/seguranca/aplicativo', '/demo/mensagens']) {
    const watched = await openProfile(browser)
    await signIn(watched)
    const cookies = await watched.context.cookies()
    const fresh = await openProfile(browser)
    await fresh.context.addCookies(cookies)
    const sizes: Promise<number>[] = []
    fresh.page.on('response', (response) => {
      if (response.url().startsWith('http') && response.status() === 200)
        sizes.push(
          response.body().then(
            (body) => gzipSync(body).length,
            () => 0,
          ),
        )
    })
    await fresh.page.goto(area.url + path, { waitUntil: 'networkidle' })
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    assert.ok(bytes > 5000 && bytes <= MOST_BYTES, `${path}: ${bytes} bytes`)
    await fresh.context.close()
    await watched.context.close()
  }
})

test('without scripts: the password is changed, a device ended, an agreement withdrawn', async () => {
  const citizen = await area.citizen()
  await enterPortal(area, area.browser(), citizen)
  const watched = await openProfile(browser, { ...PHONE, javaScriptEnabled: false })
  const { page, context } = watched
  await signIn(watched, '/conta/seguranca/senha', citizen)
  await page.fill('#current', PASSWORD)
  await page.fill('#password', 'jacare-pacu-piraputanga-4')
  await press(page, 'Salvar a senha nova')
  assert.match((await page.textContent('main')) ?? '', /Senha mudada/)
  await page.goto(`${area.url}/conta/sistemas`)
  await page.locator('main summary').click()
  await press(page, 'Sim, retirar')
  assert.match((await page.textContent('main')) ?? '', /Autorização retirada/)
  await page.goto(`${area.url}/conta/aparelhos`)
  await page.locator('main summary').first().click()
  await page.locator('main details[open] button').click()
  await page.waitForLoadState()
  assert.match((await page.textContent('main')) ?? '', /saiu da sua conta|Sair/)
  await page.goto(`${area.url}/conta/seguranca/chaves`)
  await context.close()
})

test('a passkey made here signs in from now on, and no longer once it is removed', async () => {
  const watched = await openProfile(browser)
  const { page, context, complaints } = watched
  await addFingerprintReader(page)
  await signIn(watched, '/conta/seguranca/chaves')
  await page.fill('#label', 'Celular da Rosa')
  await press(page, 'Criar chave neste aparelho')
  await page.waitForURL('**/conta/seguranca?feito=passkey')
  assert.match((await page.textContent('main')) ?? '', /Chave de acesso criada[\s\S]*Celular da Rosa/)
  await checkPage(page, 'security with a passkey')

  await page.locator('header').getByRole('button', { name: 'Sair' }).click()
  await page.waitForLoadState()
  const confirm = page.getByRole('button', { name: /^Sair|^Sim/ })
  if (await confirm.count()) await confirm.first().click()
  await page.goto(`${area.url}/conta/entrar`)
  await press(page, 'Entrar com chave de acesso')
  await page.waitForURL('**/conta')
  assert.match((await page.textContent('h1')) ?? '', /Olá, Rosa/)

  await page.goto(`${area.url}/conta/seguranca`)
  await page.locator('summary', { hasText: 'Apagar' }).click()
  await press(page, 'Sim, apagar')
  assert.match((await page.textContent('main')) ?? '', /Chave de acesso apagada/)
  await context.clearCookies()
  await page.goto(`${area.url}/conta/entrar`)
  await page.getByRole('button', { name: 'Entrar com chave de acesso' }).click()
  await page.waitForURL('**/passkey')
  await page.getByRole('alert').first().waitFor()
  assert.ok(new URL(page.url()).pathname.startsWith('/interacao/'), 'it opens nothing any more')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a device that declines says so and the page stays usable', async () => {
  const watched = await openProfile(browser)
  const { page, context } = watched
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  await signIn(watched, '/conta/seguranca/chaves')
  await page.evaluate(() => {
    navigator.credentials.create = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
  })
  await page.getByRole('button', { name: 'Criar chave neste aparelho' }).click()
  await page.waitForSelector('[data-passkey-says]:not([hidden])')
  assert.match(await page.innerText('[data-passkey-says]'), /O aparelho não criou a chave/)
  assert.ok(await page.getByRole('button', { name: 'Criar chave neste aparelho' }).isEnabled())
  await context.close()
})
