import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { ProviderContext } from 'oidc-provider'
import { createProviderPages, type ProviderPages } from '../../src/oidc/pages.ts'
import { createHttpApp } from '../../src/platform/http/app.ts'
import { createAssets } from '../../src/platform/http/assets.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'

const views = new URL('../../views/', import.meta.url).pathname

/** Renders one of the provider's pages through the real look, in a language. */
async function render(
  show: (pages: ProviderPages, ctx: ProviderContext) => void,
  language = 'pt-BR',
): Promise<Response & { page: string }> {
  const messages = loadMessages({ folder: `${views}messages`, strict: true })
  const { app, views: look } = createHttpApp({
    settings: { publicUrl: 'http://127.0.0.1:3000', trustedProxies: [], demo: false, viewsFolder: views },
    keyring: { hash: () => Buffer.alloc(32) },
    messages,
    assets: createAssets({ folder: `${views}assets` }),
    log: { info() {}, warn() {}, error: (fields) => assert.fail(JSON.stringify(fields)) },
  })
  const pages = createProviderPages(look.html)
  app.use((ctx) => {
    ctx.status = 200
    const client = { clientId: 'rp', clientName: 'Portal <b>', clientUri: 'https://portal.test/' }
    const session = { state: { secret: 'xsrf-secret', postLogoutRedirectUri: 'https://portal.test/bye' } }
    Object.defineProperty(ctx, 'oidc', { value: { client, session, urlFor: (name: string) => `http://127.0.0.1:3000/${name}` } })
    show(pages, ctx as unknown as ProviderContext)
  })
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers: { 'accept-language': language } })
  const page = await response.text()
  server.close()
  return Object.assign(response, { page })
}

for (const language of ['pt-BR', 'en', 'es']) {
  test(`${language}: a malformed request names the parameter for the developer and a plain sentence for the citizen`, async () => {
    const { page } = await render(
      (pages, ctx) =>
        pages.error(ctx, { error: 'invalid_request', error_description: "missing required parameter 'response_type' <script>" }),
      language,
    )
    assert.match(page, /response_type/)
    assert.match(page, /invalid_request/)
    assert.match(page, /href="https:\/\/portal\.test\/"/)
    assert.doesNotMatch(page, /<script>|<b>/)
    assert.match(page, new RegExp(`<html lang="${language}"`))
  })
}

test('an expired request is not called the site’s mistake', async () => {
  const { page } = await render((pages, ctx) =>
    pages.error(ctx, { error: 'invalid_request', error_description: 'authorization request has expired' }),
  )
  assert.match(page, /não vale mais/)
})

test('a failure of ours says so and to try again', async () => {
  const { page } = await render((pages, ctx) => {
    ctx.status = 503
    pages.error(ctx, { error: 'server_error', error_description: 'oops! something went wrong' })
  })
  assert.match(page, /do nosso lado/)
})

test('signing out: one form for all, one for this site only, and the redirect is allowed', async () => {
  const { page, headers } = await render((pages, ctx) => pages.logout(ctx))
  assert.equal(page.match(/name="xsrf" value="xsrf-secret"/g)?.length, 2)
  assert.match(page, /name="logout" value="yes"/)
  assert.match(page, /Portal &#60;b&#62;/)
  assert.match(headers.get('content-security-policy') ?? '', /form-action 'self' https:\/\/portal\.test/)
})

test('signed out, and the pages of a device code', async () => {
  assert.match((await render((pages, ctx) => pages.loggedOut(ctx))).page, /Você saiu/)
  const input = await render((pages, ctx) => pages.deviceInput(ctx, { userCode: 'BAD<>' }))
  assert.match(input.page, /name="user_code"/)
  assert.match(input.page, /já foi usado ou passou do tempo/)
  assert.doesNotMatch(input.page, /BAD<>/)
  const client = { clientId: 'tv', clientName: 'TV' } as never
  assert.match((await render((pages, ctx) => pages.deviceConfirm(ctx, client, 'BCDF-GHJK'))).page, /BCDF-GHJK/)
  assert.match((await render((pages, ctx) => pages.deviceDone(ctx))).page, /Pronto/)
})
