/** What an attacker tries at each address: odd values in every parameter, other people's pages, forged addresses, traps for the citizen. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { agree, begin, type Journey, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import { faceEndpoints, tinyJpeg } from '../support/face-check-client.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addressOf, routesOf } from '../support/route-list.ts'
import { addCitizen, addRelyingParty, people, type Person, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all: citizens } = people(6)
const SCRIPT = `"'><script>alert(1)</script>`
const ODD: readonly string[] = [
  '\0', 'a\0b', '\r\nSet-Cookie: mt_conta=evil', SCRIPT, '{{7*7}}<%= 7*7 %>', '../../../etc/passwd', "'; DROP TABLE account; --", '__proto__', 'constructor',
  '\u{1F600}\u202e', 'x'.repeat(5000), '%00', '[object Object]', '1e400', '-1',
]
/** The one that is also tried in each field and parameter by itself: what one refuses hides what the others would do. */
const LONE = 'a\0b'
const QUERY_NAMES = ['para', 'nivel', 'lang', 'antes', 'entry', 't', 'feito', 'depois', 'interacao', 'code', 'state', 'error']
/** Bytes that are no UTF-8. */
const BROKEN = '%ED%A0%80%FF%C0%AF'

let app: WatchedApp
let rp: TestRelyingParty

before(async () => {
  app = await startWatchedApp({ register })
  rp = await addRelyingParty(app, { name: `Portal ${SCRIPT}`, metadata: { logo_uri: "https://portal.example/logo.png?x=';script-src *", client_uri: 'https://portal.example/"onmouseover="alert(1)' } })
  for (const index of [0, 1]) await addCitizen(app, person(index))
})
after(() => app.stop())

const person = (index: number): Person => citizens[index] ?? assert.fail()
const at = (path: string): URL => new URL(path, app.publicUrl)
const tokenOf = (html: string): string => /name="csrf-token" content="([^"]+)"/.exec(html)?.[1] ?? /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? ''

/** Never a 5xx, never the value as markup or as a header, never the inside of the program. */
async function checkAnswer(response: Response, where: string): Promise<string> {
  const text = await response.text()
  assert.ok(response.status < 500, `${where}: ${response.status} ${text.slice(0, 300)}`)
  assert.ok(!text.includes('<script>alert(1)'), `${where}: markup`)
  assert.ok(!/49/.test(text) || !where.includes('7*7') || !text.includes('{{49}}'), where)
  assert.ok(!response.headers.getSetCookie().some((line) => line.includes('evil')), where)
  assert.doesNotMatch(text, /node_modules|\.ts:\d+|syntax error at|\bSELECT\b/, where)
  return text
}

async function areaOf(index: number): Promise<BrowserClient> {
  const browser = newBrowser()
  browser.stopAt = () => false
  await browser.submit(await browser.get(at('/conta/entrar')), { cpf: person(index).cpf, password: person(index).password }, { action: '/entrar' })
  assert.equal((await browser.get(at('/conta/dados'))).url.pathname, '/conta/dados')
  return browser
}

test('odd values in every parameter of the protocol are refused in the protocol’s own words', async () => {
  const good: Record<string, string> = {
    client_id: String(rp.config.clientMetadata().client_id), redirect_uri: 'http://127.0.0.1:9/retorno', response_type: 'code', scope: 'openid', state: 's', nonce: 'n',
    code_challenge: 'a'.repeat(43), code_challenge_method: 'S256',
  }
  const names = [
    ...Object.keys(good), 'acr_values', 'claims', 'display', 'id_token_hint', 'login_hint', 'max_age', 'prompt', 'ui_locales', 'request', 'request_uri', 'resource',
    'response_mode', 'registration', 'claims_locales', 'dpop_jkt', '__proto__', 'constructor', 'toString',
  ]
  for (const name of names) {
    for (const value of ODD) {
      const response = await fetch(`${at('/authorize')}?${new URLSearchParams({ ...good, [name]: value })}`, { redirect: 'manual', headers: { Accept: 'text/html' } })
      await checkAnswer(response, `authorize ${name}=${value.slice(0, 30)}`)
      const location = response.headers.get('Location') ?? ''
      assert.ok(location === '' || /^(http:\/\/127\.0\.0\.1:9\/retorno[?#]|\/interacao\/|http:\/\/127\.0\.0\.1:\d+\/interacao\/)/.test(location), `${name}: ${location}`)
    }
    await checkAnswer(await fetch(`${at('/authorize')}?${new URLSearchParams(good)}&${name}=${BROKEN}&${name}=twice`, { redirect: 'manual' }), `authorize ${name} broken`)
  }
})

test('odd values at the machines’ endpoints are 4xx with a JSON error', async () => {
  const { client_id: id = '', client_secret: secret = '' } = rp.config.clientMetadata() as Record<string, string>
  const authorizations = [`Basic ${btoa(`${id}:${secret}`)}`, `Basic ${btoa('a%00b:%00')}`, `Basic ${btoa('%ED%A0%80:x')}`, 'Basic ====', `Bearer ${'x'.repeat(4000)}`, 'Bearer a%00', 'DPoP x']
  const bodies = ODD.flatMap((value) => [
    { grant_type: value }, { grant_type: 'authorization_code', code: value, redirect_uri: value, code_verifier: value }, { grant_type: 'refresh_token', refresh_token: value },
    { grant_type: 'client_credentials', scope: value, resource: `https://api.example/${value}` }, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: value },
    { token: value, token_type_hint: value }, { client_id: value, client_secret: value, grant_type: 'client_credentials' },
    { client_assertion: value, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', grant_type: 'client_credentials' },
    { response_type: 'code', redirect_uri: value, scope: value, claims: value, request: value },
  ])
  for (const path of ['/token', '/introspect', '/revoke', '/par', '/device/auth']) {
    for (const body of bodies) {
      const response = await fetch(at(path), { method: 'POST', headers: { Authorization: authorizations[0] ?? '' }, body: new URLSearchParams(body) })
      await checkAnswer(response, `${path} ${JSON.stringify(body).slice(0, 100)}`)
    }
    for (const authorization of authorizations.slice(1)) {
      const response = await fetch(at(path), { method: 'POST', headers: { Authorization: authorization }, body: new URLSearchParams({ grant_type: 'client_credentials', token: 'x' }) })
      await checkAnswer(response, `${path} ${authorization.slice(0, 40)}`)
      assert.ok(response.status >= 400 || path === '/revoke', `${path} ${authorization.slice(0, 40)}: ${response.status}`)
    }
  }
  for (const authorization of authorizations) await checkAnswer(await fetch(at('/userinfo'), { headers: { Authorization: authorization } }), `userinfo ${authorization.slice(0, 40)}`)
  for (const value of ODD) {
    const query = new URLSearchParams({ user_code: value, id_token_hint: value, post_logout_redirect_uri: value, client_id: value, state: value })
    for (const path of ['/device', '/logout']) await checkAnswer(await fetch(`${at(path)}?${query}`, { redirect: 'manual', headers: { Accept: 'text/html' } }), `${path} ${value.slice(0, 20)}`)
  }
})

test('odd values in every field of every page are refused or harmless', async () => {
  const area = await areaOf(0)
  const { browser, page } = await begin(rp)
  const uid = page.url.pathname.split('/')[2] ?? ''
  const fields = ['cpf', 'password', 'code', 'name', 'birthDate', 'email', 'value', 'current', 'session', 'client', 'entry', 'way', 'recovery', 'ceremony', 'credential', 'decision', 't', 'agree', 'label', 'interacao']
  const skipped = /sair|nao-fui-eu|desistir|retirar/
  for (const route of routesOf(app).filter(({ method, pattern }) => method === 'POST' && !skipped.test(pattern))) {
    const isArea = /^\/(conta|demo)/.test(route.pattern)
    const who = isArea ? area : browser
    const token = tokenOf(isArea ? (await area.get(at('/conta/dados'))).html : page.html)
    for (const value of ODD) {
      const form = new URLSearchParams({ _csrf: token })
      for (const field of fields) form.set(field, value)
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html', 'X-CSRF-Token': token }
      await checkAnswer(await who.fetch(at(addressOf(route, { uid })), { method: 'POST', headers, body: form.toString() }), `${route.pattern} all=${value.slice(0, 20)}`)
      if (value !== LONE) continue
      for (const field of fields) {
        const single = new URLSearchParams([['_csrf', token], [field, value], [field, 'twice']])
        const response = await who.fetch(at(addressOf(route, { uid })), { method: 'POST', headers, body: single.toString() })
        if (response.status >= 500) await checkAnswer(response, `${route.pattern} ${field}=${value.slice(0, 20)}`)
        else await response.arrayBuffer()
      }
    }
    for (const polluted of ['__proto__=x', '__proto__[isAdmin]=1', 'constructor[prototype][x]=1', `cpf=${BROKEN}`, '&'.repeat(300), 'a=1&'.repeat(250)]) {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' }
      await checkAnswer(await who.fetch(at(addressOf(route, { uid })), { method: 'POST', headers, body: `_csrf=${token}&${polluted}` }), `${route.pattern} ${polluted.slice(0, 30)}`)
    }
  }
  assert.equal(Reflect.get({}, 'isAdmin'), undefined)
})

test('odd paths and queries of every page', async () => {
  const area = await areaOf(0)
  for (const route of routesOf(app).filter(({ method }) => method === 'GET')) {
    for (const value of ODD) {
      const path = addressOf(route, { uid: encodeURIComponent(value.slice(0, 80)), id: encodeURIComponent(value.slice(0, 80)) })
      await checkAnswer(await area.fetch(at(path), { headers: { Accept: 'text/html' } }), `${route.pattern} ${value.slice(0, 20)}`)
      for (const name of value === LONE || value === SCRIPT ? QUERY_NAMES : []) {
        const response = await area.fetch(`${at(addressOf(route, { uid: 'abcdefghijklmnopqrstu' }))}?${new URLSearchParams({ [name]: value })}`, { headers: { Accept: 'text/html' } })
        const location = response.headers.get('Location') ?? '/'
        await checkAnswer(response, `${route.pattern}?${name}=${value.slice(0, 20)}`)
        assert.equal(new URL(location, app.publicUrl).origin, app.publicUrl, `${route.pattern}?${name}=${value}: ${location}`)
      }
    }
  }
})

test('no link of ours leads out: para, lang, interacao, paths with two slashes', async () => {
  const browser = newBrowser()
  for (const target of ['https://golpe.example', '//golpe.example', '/\\golpe.example', '/conta/../../golpe', '/conta@golpe.example', 'javascript:alert(1)', '/conta\r\nX: y', '/demo//golpe.example']) {
    const response = await browser.fetch(`${at('/conta/entrar')}?${new URLSearchParams({ para: target })}`)
    assert.ok([302, 303, 422, 400].includes(response.status), `${target}: ${response.status}`)
    assert.equal(new URL(response.headers.get('Location') ?? '/', app.publicUrl).origin, app.publicUrl)
    const entered = newBrowser()
    entered.stopAt = (url) => url.origin !== app.publicUrl
    const page = await entered.get(`${at('/conta/entrar')}?${new URLSearchParams({ para: target })}`)
    if (page.status !== 200) continue
    const end = await entered.submit(page, { cpf: person(1).cpf, password: person(1).password }, { action: '/entrar' })
    assert.equal(end.url.origin, app.publicUrl, target)
    assert.match(end.url.pathname, /^\/(conta|demo)(\/|$)/)
  }
  for (const path of ['//golpe.example/%2e%2e?lang=en', '/\\golpe.example?lang=en', '//golpe.example/..;/conta?lang=es']) {
    const response = await fetch(new URL(app.publicUrl).origin + path, { redirect: 'manual', headers: { Accept: 'text/html' } })
    const location = response.headers.get('Location')
    if (location !== null) assert.equal(new URL(location, app.publicUrl).origin, app.publicUrl, `${path} → ${location}`)
  }
})

test('Host and X-Forwarded-* change no address that we write', async () => {
  const spoofed = { 'X-Forwarded-Host': 'golpe.example', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Port': '1', Forwarded: 'host=golpe.example', 'X-Original-URL': '/conta', 'X-Rewrite-URL': '/conta' }
  const { url } = await rp.begin()
  for (const target of [url, at('/conta'), at('/conta/entrar'), at('/recuperar'), at('/.well-known/openid-configuration'), at('/nada'), at('/problems/platform/not-found')]) {
    const response = await rawGet(target, { ...spoofed, Host: 'golpe.example', Accept: 'text/html' })
    assert.ok(!response.includes('golpe.example'), `${target.pathname}: ${response.slice(0, 400)}`)
  }
  const browser = newBrowser()
  await browser.submit(await browser.get(at('/recuperar')), { cpf: person(1).cpf, way: 'email' }, { action: '/recuperar' })
  const mail = (await app.messages()).find(({ to }) => to === person(1).email)
  assert.ok(mail?.text.includes(`${app.publicUrl}/recuperar/link?t=`), 'links in mails are under the public address')
})

/** A request with a Host header of the attacker's choice, which `fetch` does not send. */
async function rawGet(url: URL, headers: Record<string, string>): Promise<string> {
  const { connect } = await import('node:net')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}Connection: close\r\n\r\n`)
    })
    let answer = ''
    socket.on('data', (chunk) => {
      answer += String(chunk)
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

test('a portal’s name, addresses and picture are text and addresses, nothing more', async () => {
  const journey = await begin(rp)
  const consent = await typePassword(journey, { cpf: person(0).cpf, password: person(0).password })
  for (const page of [journey.page, consent.page]) {
    assert.ok(!page.html.includes('<script>alert(1)'), page.url.pathname)
    assert.doesNotMatch(page.html, /\sonmouseover=/)
    assert.match(page.text, /Portal "'><script>alert\(1\)<\/script>/)
    assert.doesNotMatch(page.headers.get('Content-Security-Policy') ?? '', /script-src \*|golpe/)
  }
  const hinted = await begin(rp, { login_hint: SCRIPT, ui_locales: SCRIPT, acr_values: SCRIPT })
  assert.ok(hinted.page.status === 0 || !hinted.page.html.includes('<script>alert(1)'))
})

async function signedInAs(index: number, extra: Record<string, string> = {}): Promise<Journey> {
  return typePassword(await begin(rp, extra), { cpf: person(index).cpf, password: person(index).password })
}

test('an interaction is its browser’s: its address alone opens nothing to another, signed in or not', async () => {
  const victim = await signedInAs(0, { prompt: 'consent' })
  const uid = victim.page.url.pathname.split('/')[2] ?? ''
  const thief = await signedInAs(1, { prompt: 'consent' })
  const token = tokenOf(thief.page.html)
  for (const route of routesOf(app).filter(({ pattern }) => pattern.startsWith('/interacao/:uid'))) {
    const init = route.method === 'GET' ? {} : { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-CSRF-Token': token }, body: new URLSearchParams({ _csrf: token, decision: 'allow', code: '1', password: 'x', agree: 'sim' }).toString() }
    const response = await thief.browser.fetch(at(addressOf(route, { uid })), { ...init })
    const text = await response.text()
    assert.ok([303, 404, 410, 415, 422, 400].includes(response.status), `${route.method} ${route.pattern}: ${response.status}`)
    assert.ok(!text.includes(person(0).cpf.slice(3, 6)) || response.status !== 200, route.pattern)
  }
  const resumed = await thief.browser.fetch(at(`/authorize/${uid}`))
  assert.ok(resumed.status >= 400 || !(resumed.headers.get('Location') ?? '').includes('code='), 'nor does the way back')
  await redeem(await agree({ ...victim, page: await victim.browser.get(victim.page.url) }))
})

test('a face check answers only the browser, the interaction and the person that began it', async () => {
  const none = '00000000-0000-4000-8000-000000000000'
  const own = await signedInAs(0, { acr_values: 'urn:mt-login:face', max_age: '0' })
  assert.match(own.page.text, /ainda não tem uma foto sua|Sem câmera/)
  const page: Page = { ...own.page, html: `<meta name="csrf-token" content="${tokenOf(own.page.html)}"><div data-face-check="${own.page.url.pathname}/rosto">` }
  const { call } = faceEndpoints(own.browser, page)
  const bomb = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const attempts: [string, Promise<Response>, readonly number[]][] = [
    ['without the agreement', call('POST', '/sessao', { json: { flashes: true } }), [409]],
    ['a check of nobody', call('GET', `/sessao/${none}/passo?depois=-1`), [404, 409]],
    ['its verdict', call('POST', `/sessao/${none}/fim`), [404, 409]],
    ['its result', call('GET', `/sessao/${none}/resultado`), [404, 409]],
    ['an id that is none', call('GET', '/sessao/..%2f..%2f/passo?depois=-1'), [404, 409, 410]],
    ['a JSON bomb', call('POST', '/sessao', { body: new TextEncoder().encode(bomb), headers: { 'Content-Type': 'application/json' } }), [400, 422, 409]],
    ['much JSON', call('POST', '/sessao', { body: new TextEncoder().encode(`"${'x'.repeat(80_000)}"`), headers: { 'Content-Type': 'application/json' } }), [413]],
    ['a prototype in JSON', call('POST', '/sessao', { body: new TextEncoder().encode('{"__proto__":{"passed":true},"flashes":true}'), headers: { 'Content-Type': 'application/json' } }), [400, 422, 409]],
    ['more members', call('POST', '/sessao', { json: { flashes: true, pitch: true, passed: true } }), [422, 409]],
    ['a picture as JSON', call('POST', `/sessao/${none}/quadro`, { json: { a: 1 } }), [415]],
    ['a picture without signature', call('POST', `/sessao/${none}/quadro`, { body: new Uint8Array(tinyJpeg()), headers: { 'Content-Type': 'image/jpeg' } }), [400, 404, 409]],
  ]
  for (const [name, answer, wanted] of attempts) {
    const response = await answer
    await checkAnswer(response, name)
    assert.ok(wanted.includes(response.status), `${name}: ${response.status}`)
  }
})

test('one citizen’s page session reaches nothing of another’s', async () => {
  const [mine, theirs] = [await areaOf(0), await areaOf(1)]
  const [session] = await app.foundation.db.query<{ id: string }>(
    'SELECT s.id FROM sign_in_session s JOIN account a ON a.id = s.account_id JOIN person p ON p.id = a.person_id WHERE p.cpf = $1 AND s.ended_at IS NULL ORDER BY s.created_at DESC LIMIT 1', [person(1).cpf])
  const token = tokenOf((await mine.get(at('/conta/aparelhos'))).html)
  const post = (path: string, values: Record<string, string>) => mine.post(at(path), new URLSearchParams({ _csrf: token, ...values }), at('/conta/aparelhos'))
  await post('/conta/aparelhos/sair', { session: session?.id ?? '' })
  assert.equal((await theirs.get(at('/conta/dados'))).url.pathname, '/conta/dados', 'another’s session cannot be ended')
  const events = await app.foundation.db.query<{ id: number }>("SELECT id FROM audit_event WHERE subject_id = (SELECT a.id FROM account a JOIN person p ON p.id = a.person_id WHERE p.cpf = $1) ORDER BY id DESC LIMIT 1", [person(1).cpf])
  const entry = await mine.get(at(`/conta/nao-fui-eu?entry=${events[0]?.id}`))
  assert.ok(!/<li class="ledger|class="ledger/.test(entry.html), 'an entry of somebody else’s ledger is not shown')
})

test('the same address answers a browser with a page and a program with a problem', async () => {
  for (const path of ['/nada', '/interacao/abcdefghijklmnopqrstu']) {
    const html = await fetch(at(path), { headers: { Accept: 'text/html,application/xhtml+xml' } })
    assert.match(html.headers.get('Content-Type') ?? '', /text\/html/)
    const json = await fetch(at(path), { headers: { Accept: 'application/json' } })
    assert.equal(json.headers.get('Content-Type'), 'application/problem+json')
    assert.equal((await json.json()).instance?.startsWith('urn:uuid:'), true)
    assert.match(json.headers.get('Vary') ?? html.headers.get('Vary') ?? '', /Accept/)
    assert.equal(json.headers.get('Cache-Control'), 'no-store')
  }
})

test('a code of somebody else’s, or a state that was not ours, signs nobody in to the area and is no failure of ours', async () => {
  const attacker = newBrowser()
  attacker.stopAt = (url) => url.pathname === '/conta/retorno'
  const stolen = await attacker.submit(await attacker.get(at('/conta/entrar')), { cpf: person(0).cpf, password: person(0).password }, { action: '/entrar' })
  assert.equal(stolen.url.pathname, '/conta/retorno')
  const victim = newBrowser()
  await victim.fetch(at('/conta/entrar'))
  for (const address of [stolen.url.href, `${at('/conta/retorno')}?code=x&state=evil&iss=${app.publicUrl}`, `${at('/conta/retorno')}?error=access_denied&state=evil`, `${at('/conta/retorno')}?code=x`, `${at('/conta/retorno')}?iss=https://golpe.example&code=x&state=y`]) {
    const response = await victim.fetch(address, { headers: { Accept: 'text/html' } })
    await checkAnswer(response, address)
    const inside = await victim.fetch(at('/conta/dados'))
    assert.match(inside.headers.get('Location') ?? '', /\/conta\/entrar/, 'still signed out')
  }
})

test('a session that was ended elsewhere is over at its next request', async () => {
  const [here, there] = [await areaOf(0), await areaOf(0)]
  const token = tokenOf((await here.get(at('/conta/aparelhos'))).html)
  await here.post(at('/conta/aparelhos/sair-dos-outros'), new URLSearchParams({ _csrf: token }), at('/conta/aparelhos'))
  const next = await there.fetch(at('/conta/dados'))
  assert.match(next.headers.get('Location') ?? '', /\/conta\/entrar/)
  assert.equal((await here.fetch(at('/conta/dados'))).status, 200)
})

test('a portal gets no claim that its operator did not allow, however it asks', async () => {
  const nosy = await addRelyingParty(app, { name: 'Portal curioso', policy: { allowedScopes: ['openid', 'profile'] } })
  for (const extra of [
    { scope: 'openid profile', claims: JSON.stringify({ id_token: { cpf: { essential: true }, email: null }, userinfo: { cpf: null, email: null, phone_number: null } }) },
    { scope: 'openid profile', claims: JSON.stringify({ userinfo: { verified_claims: { verification: { trust_framework: null }, claims: { cpf: null, name: null } } } }) },
    { scope: 'openid profile cpf email' },
  ]) {
    const opened = await begin(nosy, extra)
    if (opened.page.status === 0) {
      assert.equal(opened.page.url.searchParams.get('error'), 'invalid_scope')
      continue
    }
    const asked = await typePassword(opened, { cpf: person(1).cpf, password: person(1).password })
    assert.doesNotMatch(asked.page.text, /Dados que serão enviados.*(CPF|E-mail).*O portal usa/, 'nor is the citizen asked for it')
    const journey = await agree(asked)
    const tokens = await redeem(journey)
    const userinfo = await (await fetch(at('/userinfo'), { headers: { Authorization: `Bearer ${tokens.access_token}` } })).json()
    const told = JSON.stringify([tokens.claims(), userinfo])
    assert.ok(!told.includes(person(1).cpf) && !told.includes(person(1).email), told)
  }
})
