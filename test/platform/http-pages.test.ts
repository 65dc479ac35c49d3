import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Router from '@koa/router'
import { inRoom } from '../../src/platform/http/app.ts'
import { guard } from '../../src/platform/http/guard.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { createPlatformPages } from '../../src/platform/http/pages.ts'
import { clientAddress, createCookies, proxyList, requestFacts, scopeOf } from '../../src/platform/http/request-facts.ts'
import { allowFormAction } from '../../src/platform/http/security-headers.ts'
import { escapeHtml } from '../../src/platform/http/views.ts'
import { Problem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { startSite, type TestSite } from '../support/http-app.ts'
import { until } from '../support/until.ts'

const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const TEAPOT = { code: 'platform/teapot', status: 418, title: 'I am a teapot' } as const
const messages = loadMessages({ folder: new URL('../../views/messages', import.meta.url).pathname, strict: true })
let site: TestSite

before(async () => {
  site = await startSite(({ views, app }) => {
    const router = new Router()
    router.use(inRoom('portal'))
    router.get(
      '/teapot',
      guard({}, () => {
        throw new Problem(TEAPOT, { detail: 'redirect_uri is not registered', retryAfterSeconds: 61 })
      }),
    )
    router.get(
      '/busy',
      guard({}, () => {
        throw new Problem(PLATFORM_PROBLEMS.busy, { detail: 'queue of 12', cause: 'inside', retryAfterSeconds: 2 })
      }),
    )
    router.get(
      '/crash',
      guard({}, () => {
        throw new TypeError('the password of 529.982.247-25 is undefined')
      }),
    )
    router.get(
      '/facts',
      guard({}, (ctx) => {
        ctx.body = requestFacts(ctx)
      }),
    )
    router.get(
      '/person/:cpf',
      guard({}, (ctx) => {
        ctx.body = 'ok'
      }),
    )
    router.get(
      '/interaction',
      guard({}, (ctx) => {
        allowFormAction(ctx, [
          'https://rp.example/cb?x=1',
          'http://127.0.0.1:3001/cb',
          'br.gov.mt.app:/cb',
          'javascript:alert(1)',
          'not a url; script-src *',
        ])
        views.render(ctx, 'platform/accessibility')
      }),
    )
    router.get(
      '/asked',
      guard({}, (ctx) => {
        ctx.state.uiLocales = 'fr es-419'
        views.render(ctx, 'platform/accessibility')
      }),
    )
    app.use(router.routes())
    return [createPlatformPages({ views, messages }).routes()]
  })
})
after(() => site.stop())

const get = (path: string, headers: Record<string, string> = HTML, options: RequestInit = {}) =>
  fetch(site.url + path, { headers, ...options })

test('a problem is JSON after RFC 9457 for whoever does not ask for HTML', async () => {
  const answer = await get('/teapot', { Accept: '*/*' })
  const id = answer.headers.get('x-request-id')
  assert.equal(answer.status, 418)
  assert.equal(answer.headers.get('retry-after'), '61')
  assert.deepEqual(await answer.json(), {
    type: `${site.url}/problems/platform/teapot`,
    title: 'I am a teapot',
    status: 418,
    detail: 'redirect_uri is not registered',
    instance: `urn:uuid:${id}`,
  })
})

test("a problem is a page in plain Portuguese with a way on, its code and the request's number for a browser", async () => {
  const answer = await get('/teapot')
  const html = await answer.text()
  assert.match(html, /Não foi possível continuar/)
  assert.match(html, /comece de novo/)
  assert.match(html, /redirect_uri is not registered/)
  assert.match(html, /Espere 2 minutos/)
  assert.match(html, new RegExp(answer.headers.get('x-request-id') ?? 'no id'))
})

test("a failure says only its title and the request's number; the cause goes to the log", async () => {
  for (const accept of ['text/html', 'application/json']) {
    const busy = await get('/busy', { Accept: accept })
    assert.equal(busy.status, 503)
    assert.equal(busy.headers.get('retry-after'), '2')
    assert.doesNotMatch(await busy.text(), /queue of 12|inside/)
    const crash = await get('/crash', { Accept: accept })
    assert.equal(crash.status, 500)
    assert.doesNotMatch(await crash.text(), /529\.982|TypeError|password|at .*\.ts/)
  }
  assert.match(site.logged(), /platform\/unexpected/)
})

test('an address that does not exist is 404, with a page or a problem', async () => {
  assert.match(await (await get('/nothing')).text(), /Não encontramos esta página/)
  assert.equal((await (await get('/nothing', {})).json()).type, `${site.url}/problems/platform/not-found`)
  assert.equal((await get('/%E0%A4%A')).status, 404)
})

test('what a public code means can be read at its type address', async () => {
  assert.match(await (await get('/problems/platform/forged-request')).text(), /confirmar que o pedido é seu/)
  assert.equal((await get('/problems/platform/no-such-code')).status, 404)
  assert.equal((await get('/problems/platform/..%2f..')).status, 404)
})

test('every answer has the headers that close the usual doors', async () => {
  for (const path of ['/acessibilidade', '/nothing', '/crash']) {
    const { headers } = await get(path)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
    assert.match(policy, /frame-ancestors 'none'; base-uri 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.equal(headers.get('referrer-policy'), 'same-origin')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-powered-by'), null)
    assert.equal(headers.get('strict-transport-security'), null)
  }
})

test('on https: HSTS for two years, and cookies are __Host- and Secure', async () => {
  const secure = await startSite(() => [], { publicUrl: 'https://login.example' })
  assert.match((await fetch(`${secure.url}/x`)).headers.get('strict-transport-security') ?? '', /max-age=63072000/)
  await secure.stop()
  assert.equal(createCookies({ secure: true }).nameOf('csrf'), '__Host-mt_csrf')
})

test("form-action is opened for the client's redirect addresses only, and for nothing that could end the directive", async () => {
  const policy = (await get('/interaction')).headers.get('content-security-policy') ?? ''
  assert.match(policy, /form-action 'self' https:\/\/rp\.example http:\/\/127\.0\.0\.1:3001 br\.gov\.mt\.app:; frame-ancestors/)
  assert.doesNotMatch(policy, /javascript|script-src \*/)
})

test("language: the citizen's choice, then the relying party's wish, then the browser's, then Portuguese", async () => {
  const titleOf = async (path: string, headers: Record<string, string>) =>
    /<html lang="([^"]+)"/.exec(await (await get(path, { ...HTML, ...headers })).text())?.[1]
  assert.equal(await titleOf('/acessibilidade', {}), 'pt-BR')
  assert.equal(await titleOf('/acessibilidade', { 'Accept-Language': 'de, en;q=0.8' }), 'en')
  assert.equal(await titleOf('/asked', { 'Accept-Language': 'en' }), 'es')
  assert.equal(await titleOf('/asked', { 'Accept-Language': 'en', cookie: 'mt_lang=pt-BR' }), 'pt-BR')
  assert.equal(await titleOf('/acessibilidade', { cookie: 'mt_lang=xx' }), 'pt-BR')
})

test('?lang= remembers the choice and comes back to the page, never to another site', async () => {
  const answer = await get('/acessibilidade?a=1&lang=en', HTML, { redirect: 'manual' })
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), '/acessibilidade?a=1')
  assert.match(answer.headers.get('set-cookie') ?? '', /^mt_lang=en; .*Max-Age=31536000$/)
  const evil = await get('//evil.example/x?lang=en', HTML, { redirect: 'manual' })
  assert.equal(evil.headers.get('location'), '/evil.example/x')
  assert.match(await (await get('/acessibilidade?a=1')).text(), /href="\/acessibilidade\?a=1&#38;lang=es"/)
})

test('another name of this machine leads to the name that cookies are bound to', async () => {
  const other = site.url.replace('127.0.0.1', 'localhost')
  const answer = await fetch(`${other}/acessibilidade?a=1`, { headers: HTML, redirect: 'manual' })
  assert.equal(answer.status, 307)
  assert.equal(answer.headers.get('location'), `${site.url}/acessibilidade?a=1`)
  assert.equal((await fetch(`${other}/facts`)).status, 200)
})

test('assets: named by content, kept for a year, compressed, unknown names are 404', async () => {
  const html = await (await get('/acessibilidade')).text()
  const style = /href="(\/assets\/app\.[0-9a-f]{12}\.css)"/.exec(html)?.[1] ?? 'none'
  const answer = await get(style, { 'Accept-Encoding': 'br' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/css; charset=utf-8')
  assert.equal(answer.headers.get('content-encoding'), 'br')
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.match(answer.headers.get('vary') ?? '', /Accept-Encoding/)
  const text = await answer.text()
  assert.match(text, /--accent:#1351b4|--accent: #1351b4/)
  assert.equal(await (await get(style, { 'Accept-Encoding': 'identity' })).text(), text)
  assert.equal((await get(style, { 'If-None-Match': answer.headers.get('etag') ?? '', 'Cache-Control': 'max-age=0' })).status, 304)
  assert.equal((await get('/assets/app.000000000000.css')).status, 404)
  assert.equal((await get('/assets/..%2flayout.eta')).status, 404)
  assert.equal((await get('/favicon.ico', {})).headers.get('content-type'), 'image/svg+xml')
})

test('the demonstration banner is on every page of a demonstration and on none otherwise', async () => {
  assert.doesNotMatch(await (await get('/acessibilidade')).text(), /DEMONSTRAÇÃO/)
  const demo = await startSite(({ views }) => [createPlatformPages({ views, messages }).routes()], { demo: true })
  for (const path of ['/privacidade', '/nothing']) {
    assert.match(await (await fetch(demo.url + path, { headers: HTML })).text(), /DEMONSTRAÇÃO<\/strong> <span>– não use dados reais/)
  }
  await demo.stop()
})

test('one log line a request: route pattern, room, status, time; never the path, the query or the address', async () => {
  const before = site.lines.length
  await get('/person/529.982.247-25?email=maria@example.com', { ...HTML, 'User-Agent': 'secret-agent' })
  await get('/nothing/529.982.247-25')
  await until(() => site.lines.length >= before + 2)
  const [line, missing] = site.lines.slice(before)
  assert.deepEqual({ ...line, requestId: '', ms: 0 }, { requestId: '', room: 'portal', route: '/person/:cpf', status: 200, ms: 0 })
  assert.equal(missing?.route, 'none')
  const requests = site
    .logged()
    .split('\n')
    .filter((text) => text.startsWith('request{'))
  assert.ok(requests.length >= 2)
  assert.doesNotMatch(requests.join(), /529\.982|52998224725|maria|secret-agent|127\.0\.0\.1/)
})

test('X-Forwarded-For is believed only from a trusted proxy, and only what that proxy added', () => {
  const trusted = proxyList(['10.0.0.0/8', '127.0.0.1', 'fd00::/8'])
  assert.equal(clientAddress('203.0.113.9', '1.2.3.4', trusted), '203.0.113.9')
  assert.equal(clientAddress('::ffff:127.0.0.1', '1.2.3.4, 198.51.100.7', trusted), '198.51.100.7')
  assert.equal(clientAddress('127.0.0.1', '1.2.3.4, 198.51.100.7, 10.1.2.3', trusted), '198.51.100.7')
  assert.equal(clientAddress('fd00::1', '2001:db8::5', trusted), '2001:db8::5')
  assert.equal(clientAddress('127.0.0.1', 'unknown', trusted), '127.0.0.1')
  assert.equal(clientAddress('127.0.0.1', undefined, trusted), '127.0.0.1')
  assert.equal(clientAddress('127.0.0.1', ['9.9.9.9', '198.51.100.7:5000'], trusted), '198.51.100.7')
  assert.throws(() => proxyList(['example.com']), /not an address/)
})

test("facts: a new id for each request, the peer's address, at most 300 characters of the browser's name, the device cookie", async () => {
  const first = await (await get('/facts', { 'User-Agent': 'x'.repeat(999), cookie: 'a=1; mt_device=abc; b=2' })).json()
  const second = await (await get('/facts', {})).json()
  assert.equal(first.ip, '127.0.0.1')
  assert.equal(first.userAgent.length, 300)
  assert.equal(first.deviceCookie, 'abc')
  assert.notEqual(first.requestId, second.requestId)
})

test('cookies hold opaque values only', async () => {
  const cookies = createCookies({ secure: false })
  const probe = await startSite(({ app }) => {
    app.use(async (ctx) => {
      assert.throws(() => cookies.write(ctx, 'x', 'a; Domain=evil'), /opaque/)
      scopeOf(ctx).cookies.clear(ctx, 'x')
      ctx.body = 'ok'
    })
    return []
  })
  assert.equal((await fetch(probe.url)).headers.get('set-cookie'), 'mt_x=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0')
  await probe.stop()
})

test('text is harmless in HTML and in attributes', () => {
  assert.equal(escapeHtml(`<a href="x" title='y'>&`), '&#60;a href=&#34;x&#34; title=&#39;y&#39;&#62;&#38;')
})
