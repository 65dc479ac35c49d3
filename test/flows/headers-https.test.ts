/** Behind a load balancer on https: cookie names and flags, HSTS, one origin, and what a proxy's headers may and may not say. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { people, type Person, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all: citizens } = people(1)
const PUBLIC_URL = 'https://login.mt.example'
const REDIRECT_URI = 'https://portal.example/retorno'

let app: WatchedApp
let clientId: string
const person = (): Person => citizens[0] ?? assert.fail()

before(async () => {
  app = await startWatchedApp({ register, env: { PUBLIC_URL, DEMO: 'false', SMTP_URL: 'smtp://127.0.0.1:1' } })
  const { client } = await app.oidc.clients.create({
    metadata: { client_name: 'Portal', redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' }, actor: { kind: 'operator', id: 'test' },
  })
  clientId = client.id
})
after(() => app.stop())

/** A browser behind the load balancer: the same paths over the inner address. */
class Inside {
  readonly cookies = new Map<string, string>()
  readonly lines: string[] = []

  async go(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers({ Accept: 'text/html', 'X-Forwarded-For': '198.51.100.7', 'X-Forwarded-Proto': 'https', ...init.headers })
    headers.set('Cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await fetch(`http://127.0.0.1:${app.port}${path.replace(PUBLIC_URL, '')}`, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      this.lines.push(line)
      this.cookies.set(line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).split(';')[0] ?? '')
    }
    return response
  }
}

const authorize = (): string => `/authorize?${new URLSearchParams({
  client_id: clientId, redirect_uri: REDIRECT_URI, response_type: 'code', scope: 'openid', state: 's', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
})}`

test('a sign-in sets __Host- and __Secure- cookies only, and leads to addresses of the public origin only', async () => {
  await registered()
  const browser = new Inside()
  const first = await browser.go(authorize())
  const page = await browser.go(first.headers.get('Location') ?? '')
  const html = await page.text()
  assert.equal(page.status, 200)
  assert.match(page.headers.get('Strict-Transport-Security') ?? '', /max-age=(\d{8,})/)
  const token = /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? assert.fail('no token')
  const action = new URL(first.headers.get('Location') ?? '', PUBLIC_URL).pathname
  const body = new URLSearchParams({ _csrf: token, cpf: person().cpf, password: person().password })
  for (const origin of ['http://login.mt.example', 'https://login.mt.example.golpe.example', 'https://login.mt.example:8443', `http://127.0.0.1:${app.port}`]) {
    assert.equal((await browser.go(`${action}/entrar`, { method: 'POST', body, headers: { Origin: origin } })).status, 403, origin)
  }
  let answer = await browser.go(`${action}/entrar`, { method: 'POST', body, headers: { Origin: PUBLIC_URL, 'Sec-Fetch-Site': 'same-origin' } })
  for (let hops = 0; answer.headers.get('Location')?.startsWith(`${PUBLIC_URL}/`) || answer.headers.get('Location')?.startsWith('/'); hops += 1) {
    assert.ok(hops < 8)
    answer = await browser.go(answer.headers.get('Location') ?? '')
  }
  assert.equal(answer.status, 200, `${answer.status} ${answer.headers.get('Location')}`)
  assert.match(await answer.text(), /Autorizar/)
  assert.ok(browser.lines.length >= 4)
  for (const line of browser.lines) {
    assert.match(line, /^(__Host-mt_\w+(\.sig)?|__Secure-mt_\w+(\.sig)?)=/, line)
    assert.match(line, /;\s*secure/i, line)
    assert.match(line, /;\s*httponly/i, line)
    assert.match(line, /;\s*samesite=(lax|strict)/i, line)
    assert.doesNotMatch(line, /;\s*domain=/i, line)
    if (line.startsWith('__Host-')) assert.match(line, /;\s*path=\/(;|$)/i, line)
  }
})

/** Without a mail server that answers, the code is read where it is made. */
async function registered(): Promise<void> {
  const { registration } = app.rooms.accounts
  const facts = { ip: '10.9.8.7', userAgent: 'test', deviceCookie: undefined }
  const started = await registration.start({ form: person(), locale: 'pt-BR', binding: 'b', facts })
  assert.equal(started.kind, 'started')
  const [row] = await app.foundation.db.query<{ id: string; sealed: Buffer }>("SELECT id, sealed FROM outbox_message WHERE purpose LIKE '%registration%' ORDER BY created_at DESC LIMIT 1")
  const text = row === undefined ? '' : app.foundation.keyring.open(row.sealed, `outbox:${row.id}`).toString('utf8')
  const code = /\b\d{6}\b/.exec(text)?.[0] ?? assert.fail(`no code in ${text.slice(0, 80)}`)
  assert.equal((await registration.confirm({ id: started.kind === 'started' ? started.id : '', binding: 'b', code })).kind, 'confirmed')
}

test('discovery, keys and problems name the public origin whatever Host and X-Forwarded-* say', async () => {
  const lies = { Host: 'golpe.example', 'X-Forwarded-Host': 'golpe.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=golpe.example;proto=http' }
  const browser = new Inside()
  const discovery = await (await browser.go('/.well-known/openid-configuration', { headers: lies })).json()
  assert.equal(discovery.issuer, PUBLIC_URL)
  for (const [name, value] of Object.entries(discovery)) if (name.endsWith('_endpoint') || name === 'jwks_uri') assert.ok(String(value).startsWith(`${PUBLIC_URL}/`), `${name}: ${value}`)
  const problem = await (await browser.go('/nada', { headers: { ...lies, Accept: 'application/json' } })).json()
  assert.ok(problem.type.startsWith(`${PUBLIC_URL}/problems/`))
  for (const path of [authorize(), '/conta/entrar', '/logout', '/recuperar']) {
    const answer = await browser.go(path, { headers: lies })
    const text = `${answer.headers.get('Location')} ${await answer.text()}`
    assert.ok(!text.includes('golpe.example') && !text.includes(`127.0.0.1:${app.port}`), path)
    for (const line of answer.headers.getSetCookie()) assert.match(line, /;\s*secure/i, `${path}: a lie about the scheme takes no flag away`)
  }
})

test('every answer carries HSTS', async () => {
  const browser = new Inside()
  for (const path of ['/', '/conta', '/nada', '/saude', '/jwk', '/userinfo', '/recuperar', '/assets/nada.css']) {
    assert.match((await browser.go(path)).headers.get('Strict-Transport-Security') ?? '', /max-age=63072000/, path)
  }
})
