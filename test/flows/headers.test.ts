/** What every answer carries, found by walking all routers: security headers, no inline code, few bytes, and no change without a token. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { BrowserClient } from '../support/browser-client.ts'
import { begin, newBrowser } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addressOf, type Route, routesOf } from '../support/route-list.ts'
import { addCitizen, addRelyingParty, people, type Person, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all: citizens } = people(2)
const MOST_GZIPPED = 50 * 1024
const EVIL = 'https://golpe.example'
/** They take no form: they answer to tokens alone. */
const TOKEN_API = /^\/(api\/|procuracoes\/(v\d+\/|decisao$)|assinatura\/(oauth2|externo|openapi)|csc\/v2\/)/

let app: WatchedApp
let rp: TestRelyingParty
let routes: Route[]
let apis: Route[]
/** Signed in to `/conta`. */
let area: BrowserClient

before(async () => {
  app = await startWatchedApp({ register })
  rp = await addRelyingParty(app, { name: 'Portal <b>de</b> Teste', metadata: { logo_uri: 'https://portal.example/logo.png' } })
  await addCitizen(app, person())
  const all = routesOf(app)
  routes = all.filter(({ pattern }) => !TOKEN_API.test(pattern))
  apis = all.filter(({ pattern }) => TOKEN_API.test(pattern))
  area = newBrowser()
  area.stopAt = () => false
  await area.submit(await area.get(at('/conta/entrar')), { cpf: person().cpf, password: person().password }, { action: '/entrar' })
  assert.equal((await area.get(at('/conta/dados'))).url.pathname, '/conta/dados')
})
after(() => app.stop())

const person = (): Person => citizens[0] ?? assert.fail()
const at = (path: string): URL => new URL(path, app.publicUrl)

/** A browser that stands before the sign-in page of an interaction. */
async function visitor(): Promise<{ browser: BrowserClient; uid: string; token: string }> {
  const { browser, page } = await begin(rp)
  return { browser, uid: page.url.pathname.split('/')[2] ?? '', token: tokenOf(page.html) }
}

function tokenOf(html: string): string {
  return /name="csrf-token" content="([^"]+)"/.exec(html)?.[1] ?? /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? assert.fail('no token on the page')
}

test('the walk finds the routes that there are', () => {
  const patterns = routes.map(({ method, pattern }) => `${method} ${pattern}`)
  for (const known of ['POST /interacao/:uid/entrar', 'POST /recuperar/senha', 'POST /conta/nao-fui-eu', 'POST /demo/foto', 'GET /conta', 'POST /conta/sair']) {
    assert.ok(patterns.includes(known), `${known} is not among\n${patterns.join('\n')}`)
  }
  assert.ok(routes.filter(({ method }) => method === 'POST').length >= 35, patterns.join('\n'))
  for (const { method } of routes) assert.ok(['GET', 'POST'].includes(method), `${method}: browsers' forms know GET and POST`)
})

function checkHtml(where: string, headers: Headers, html: string): void {
  const csp = headers.get('Content-Security-Policy') ?? ''
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) {
    assert.ok(csp.includes(part), `${where}: ${part} is missing in ${csp}`)
  }
  assert.doesNotMatch(csp, /unsafe|\*|https?:(?![/])/, `${where}: ${csp}`)
  assert.equal(headers.get('X-Content-Type-Options'), 'nosniff', where)
  assert.equal(headers.get('X-Frame-Options'), 'DENY', where)
  assert.equal(headers.get('Cache-Control'), 'no-store', where)
  assert.ok(['same-origin', 'no-referrer'].includes(headers.get('Referrer-Policy') ?? ''), where)
  assert.equal(headers.get('Cross-Origin-Opener-Policy'), 'same-origin', where)
  assert.match(headers.get('Permissions-Policy') ?? '', /camera=\(self\)/, where)
  for (const banned of ['Server', 'X-Powered-By']) assert.equal(headers.get(banned), null, where)
  assert.doesNotMatch(html, /<script(?![^>]*(?:\ssrc=|type="application\/json"))[^>]*>/i, `${where}: inline script`)
  assert.doesNotMatch(csp, /sha256-/, where)
  assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|javascript:/i, `${where}: inline style or handler`)
  assert.doesNotMatch(html, /(src|href)="(?!https:\/\/portal\.example\/logo\.png|http:\/\/127\.0\.0\.1)(https?:)?\/\/(?!www\.|)[^"]*\.(js|css|png|woff2)/i, `${where}: something from elsewhere`)
}

const weights = new Map<string, number>()

/** Bytes of a first view: the page with every style sheet, script, font and picture that it names. */
async function weightOf(html: string): Promise<number> {
  let total = gzipSync(html).length
  for (const [, address = ''] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    const known = weights.get(address) ?? (await compressed(address))
    weights.set(address, known)
    total += known
  }
  return total
}

async function compressed(address: string): Promise<number> {
  const response = await fetch(at(address), { headers: { 'Accept-Encoding': 'gzip' } })
  assert.equal(response.status, 200, address)
  assert.match(response.headers.get('Cache-Control') ?? '', /immutable/)
  const text = await response.text()
  if (address.endsWith('.css')) assert.doesNotMatch(text, /@import|url\(["']?(https?:)?\/\//)
  return gzipSync(text).length
}

test('every page: headers, nothing inline, at most 50 KB', async () => {
  const { browser, uid } = await visitor()
  const signedOut = newBrowser()
  signedOut.stopAt = browser.stopAt
  let pages = 0
  for (const route of routes.filter(({ method }) => method === 'GET')) {
    for (const who of [browser, area, signedOut]) {
      const page = await who.get(at(addressOf(route, { uid })))
      const where = `${route.pattern} → ${page.url.pathname} ${page.status}`
      assert.ok(page.status < 500, where)
      if (!(page.headers.get('Content-Type') ?? '').includes('text/html')) continue
      pages += 1
      checkHtml(where, page.headers, page.html)
      const weight = await weightOf(page.html)
      assert.ok(weight <= MOST_GZIPPED, `${where}: ${weight} bytes`)
    }
  }
  assert.ok(pages > 50, `${pages}`)
})

test('pages of refusals carry the same headers', async () => {
  const { browser } = await visitor()
  for (const path of [
    '/nada', '/interacao/nada', '/authorize?client_id=x', '/authorize?client_id=%00', '/logout?id_token_hint=x', '/device', '/device?user_code=ABCD',
    '/interacao/abcdefghijklmnopqrstu', '/cadastro/confirmar?t=x', '/recuperar/link?t=x', '/recuperar/passo', '/conta/historico?antes=x', '/conta/retorno?code=x&state=y',
    '/%', '/%ff', '/conta/..%2f..%2fetc/passwd', '/assets/../package.json', '/assets/%2e%2e/package.json', `/${'a'.repeat(3000)}`,
  ]) {
    const response = await browser.fetch(at(path), { headers: { Accept: 'text/html' } })
    const html = await response.text()
    assert.ok(response.status < 500, `${path}: ${response.status}`)
    if ((response.headers.get('Content-Type') ?? '').includes('text/html')) checkHtml(path, response.headers, html)
    assert.doesNotMatch(html, /node_modules|\bat .*\.ts:\d+|Error:/, path)
  }
})

test('a picture, a document and a page are only ever what they say', async () => {
  for (const [path, type] of [['/jwk', 'application/jwk-set+json'], ['/.well-known/openid-configuration', 'application/json'], ['/saude', 'application/json']] as const) {
    const response = await fetch(at(path))
    assert.match(response.headers.get('Content-Type') ?? '', new RegExp(type.replace('+', '\\+')), path)
    assert.equal(response.headers.get('X-Content-Type-Options'), 'nosniff', path)
  }
})

/** State of the database as far as a forged request could change it. */
async function fingerprint(): Promise<unknown> {
  const tables = ['person', 'account', 'contact', 'totp_factor', 'passkey', 'recovery_code', 'one_time_token', 'device', 'sign_in_session', 'stored_image', 'evidence', 'consent', 'liveness_session', 'audit_event', 'outbox_message']
  const rows = await Promise.all(tables.map(async (table) => {
    const [row] = await app.foundation.db.query<{ state: string }>(`SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') AS state FROM ${table} t`)
    return [table, row?.state]
  }))
  return Object.fromEntries(rows)
}

interface Forgery {
  readonly name: string
  readonly headers: (token: string) => Record<string, string>
  readonly token: (own: string, other: string) => string | undefined
}

const FORGERIES: readonly Forgery[] = [
  { name: 'without a token', headers: () => ({}), token: () => undefined },
  { name: 'from another site', headers: () => ({ Origin: EVIL, 'Sec-Fetch-Site': 'cross-site' }), token: (own) => own },
  { name: 'from another site, by Origin alone', headers: () => ({ Origin: EVIL, 'Sec-Fetch-Site': '' }), token: (own) => own },
  { name: 'from a sandboxed frame', headers: () => ({ Origin: 'null', 'Sec-Fetch-Site': '' }), token: (own) => own },
  { name: 'from a neighbour under the same domain', headers: () => ({ 'Sec-Fetch-Site': 'same-site' }), token: (own) => own },
  { name: 'with a token of another browser', headers: () => ({}), token: (_own, other) => other },
  { name: 'with a token without its signature', headers: () => ({}), token: (own) => own.split('.')[0] },
]

test('every POST of every router refuses a forged request, and nothing changes', async () => {
  const stranger = await visitor()
  const { browser, uid, token } = await visitor()
  const areaToken = tokenOf((await area.get(at('/conta/dados'))).html)
  await app.clock.stand(() => forgeAll({ browser, uid, token, areaToken, strangers: stranger.token }))
})

interface Targets {
  readonly browser: BrowserClient
  readonly uid: string
  readonly token: string
  readonly areaToken: string
  readonly strangers: string
}

/** While no time passes: a session notes the minute of its last use. */
async function forgeAll({ browser, uid, token, areaToken, strangers }: Targets): Promise<void> {
  const before = await fingerprint()
  let tried = 0
  for (const route of routes.filter(({ method }) => method === 'POST')) {
    const who = route.pattern.startsWith('/conta') || route.pattern.startsWith('/demo') ? { browser: area, own: areaToken } : { browser, own: token }
    for (const forgery of FORGERIES) {
      const sent = forgery.token(who.own, strangers)
      for (const form of bodiesOf(route, sent)) {
        const url = at(addressOf(route, { uid }))
        const headers: Record<string, string> = { ...form.headers, ...forgery.headers(who.own) }
        const response = await who.browser.fetch(url, { method: 'POST', headers, body: form.body })
        await response.arrayBuffer()
        assert.equal(response.status, 403, `${route.pattern}, ${forgery.name}, ${form.headers['Content-Type']}: ${response.status}`)
        tried += 1
      }
    }
  }
  assert.deepEqual(await fingerprint(), before)
  assert.ok(tried >= 35 * FORGERIES.length, `${tried}`)
}

/** What the route consumes; a form's token travels in the body, that of JSON and pictures in a header. */
function bodiesOf({ pattern }: Route, token: string | undefined): { headers: Record<string, string>; body: string | Uint8Array<ArrayBuffer> }[] {
  const header = token === undefined ? {} : { 'X-CSRF-Token': token }
  if (/\/(quadro|foto)$/.test(pattern)) return [{ headers: { 'Content-Type': 'image/jpeg', ...header }, body: new Uint8Array([0xff, 0xd8]) }]
  if (/\/sessao(\/:id\/(fim|mais-tempo|cancelar))?$/.test(pattern)) return [{ headers: { 'Content-Type': 'application/json', ...header }, body: '{}' }]
  return [{ headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(token === undefined ? {} : { _csrf: token }).toString() }]
}

test('the APIs of agencies and of capture software take no cookie: a signed-in browser is a stranger there', async () => {
  const writing = apis.filter(({ method }) => method !== 'GET')
  assert.ok(writing.length >= 15, `${writing.length}`)
  const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': tokenOf((await area.get(at('/conta/dados'))).html) }
  const before = await fingerprint()
  // When a session was last seen is written down once a minute: it would be now, if one of them took the cookie.
  app.clock.advance(61_000)
  const answers = new Map<string, number>()
  for (const route of writing) {
    const response = await area.fetch(at(addressOf(route, { uid: 'x' })), { method: route.method, headers, body: '{}' })
    await response.arrayBuffer()
    answers.set(`${route.method} ${route.pattern}`, response.status)
  }
  // The check of a receipt is open to whoever holds one; what takes another kind of body says so first.
  for (const open of ['POST /api/biometria/v1/recibos/verificacao', 'POST /api/verificar/v1/assinatura']) {
    assert.equal(answers.get(open), 422, open)
    answers.delete(open)
  }
  // What the service offers is for everybody to read (CSC v2).
  assert.equal(answers.get('POST /csc/v2/info'), 200)
  answers.delete('POST /csc/v2/info')
  assert.deepEqual([...answers].filter(([, status]) => ![401, 404, 415].includes(status)), [])
  assert.deepEqual(await fingerprint(), before)
})

test('no route can be reached by another method than its own', async () => {
  const { browser, uid, token } = await visitor()
  for (const route of routes.filter(({ method }) => method === 'POST')) {
    const twin = routes.some(({ method, pattern }) => method === 'GET' && pattern === route.pattern)
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const response = await browser.fetch(at(addressOf(route, { uid })), { method, headers: { 'X-CSRF-Token': token } })
      assert.ok([404, 405, 403].includes(response.status), `${method} ${route.pattern}: ${response.status}`)
    }
    if (twin) continue
    const overridden = await browser.fetch(at(`${addressOf(route, { uid })}?_method=POST`), { headers: { 'X-HTTP-Method-Override': 'POST', 'X-CSRF-Token': token } })
    assert.ok(overridden.status !== 200 || !route.pattern.startsWith('/conta/sair'), route.pattern)
  }
})

test('cookies: HttpOnly, SameSite, opaque, no domain; a new session id at each sign-in', async () => {
  const seen = new Map<string, string>()
  const { browser, uid } = await visitor()
  const answers = [await browser.fetch(at(`/interacao/${uid}`)), await browser.fetch(at('/conta/entrar')), await newBrowser().fetch(at('/recuperar')), await fetch((await rp.begin()).url, { redirect: 'manual' })]
  const page = await begin(rp)
  const body = new URLSearchParams({ _csrf: tokenOf(page.page.html), cpf: person().cpf, password: person().password })
  answers.push(await page.browser.fetch(new URL(`${page.page.url.pathname}/entrar`, app.publicUrl), { method: 'POST', body }))
  for (const answer of answers) for (const line of answer.headers.getSetCookie()) seen.set(line.split('=')[0] ?? '', line)
  for (const [name, line] of seen) {
    assert.match(line, /;\s*httponly/i, line)
    assert.match(line, /;\s*samesite=(lax|strict)/i, line)
    assert.doesNotMatch(line, /;\s*domain=/i, line)
    assert.doesNotMatch(line, new RegExp(person().cpf), name)
  }
  for (const wanted of ['mt_csrf', 'mt_interaction', 'mt_resume', 'mt_conta', 'mt_device']) assert.ok(seen.has(wanted), `${wanted} among ${[...seen.keys()].join(' ')}`)
})
