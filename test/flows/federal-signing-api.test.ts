/** A system written for the federal signing API signs here with other base addresses; nobody signs who was not let, twice, later, or other than was agreed. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createSigningApiCommands, runCommandLine } from '../../src/admin/index.ts'
import { assertHeading, openArea, type TestArea, typePassword } from '../portal/support/area.ts'
import { prove, type TestSigner, signer, signInWithCode } from '../portal/support/signing.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
const BACK = 'https://protocolo.example/assinar/retorno'
const LEVEL_MISSING = 'Cidadão não possui a identidade (Prata ou Ouro) necessária para uso da assinatura eletrônica digital.'
let area: TestArea
let base: string
let rosa: TestSigner
let folder: string
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mt-federal-'))
  area = await openArea()
  base = `${area.url}/assinatura`
})
// The provider's tokens have the time of the machine: each code moves ours on, and a proof is good for minutes only.
beforeEach(async () => {
  area.clock.advance(Date.now() - area.clock.now().getTime())
  rosa = await signer(area)
})
after(async () => {
  await area.close()
  rmSync(folder, { recursive: true, force: true })
})

const mt = (...words: string[]) => runCommandLine(createSigningApiCommands({ oidc: async () => area.app.oidc, actor: OPERATOR }), words, { out: () => {}, error: () => {} })
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

interface System {
  readonly id: string
  readonly secret: string
}

async function system(id: string, { isGranted = true, isPublic = false } = {}): Promise<System> {
  const metadata = { client_name: 'Protocolo Digital', redirect_uris: [BACK], ...(isPublic && { token_endpoint_auth_method: 'none' as const }) }
  const { secret = '' } = await area.app.oidc.clients.create({ id, metadata, actor: OPERATOR })
  if (isGranted) assert.equal(await mt('chaves', 'conceder', id, '--api', 'govbr'), 0)
  return { id, secret }
}

function authorise({ id }: Pick<System, 'id'>, asked: Record<string, string> = {}): string {
  const query = { response_type: 'code', client_id: id, scope: 'sign', redirect_uri: BACK, state: 'e-1', nonce: 'n-1', ...asked }
  return `${base}/oauth2.0/authorize?${new URLSearchParams(query)}`
}

function browserOf(): BrowserClient {
  const browser = area.browser()
  browser.stopAt = (url) => url.href.startsWith(BACK)
  return browser
}

/** From the system to the page of ours that asks. */
async function arrive(browser: BrowserClient, who: TestSigner, address: string): Promise<Page> {
  const page = await browser.get(address)
  return page.forms.some(({ fields }) => fields.has('password')) ? typePassword(browser, page, who.cpf) : page
}

const answerOf = (page: Page): URL => {
  const back = page.links.find(({ href }) => href.href.startsWith(BACK))
  assert.ok(back, page.text)
  return back.href
}

/** The whole way of the citizen: signs in, agrees, proves; the code that the system is sent. */
async function codeFor(who: TestSigner, address: string): Promise<string> {
  const { browser } = await signInWithCode(area, who)
  return answerOf(await prove(area, browser, await arrive(browser, who, address), who)).searchParams.get('code') ?? ''
}

async function exchange({ id, secret }: System, code: string, changes: Record<string, string> = {}, how: 'body' | 'query' = 'body') {
  const form = new URLSearchParams({ code, client_id: id, client_secret: secret, grant_type: 'authorization_code', redirect_uri: BACK, ...changes })
  const response = await fetch(`${base}/oauth2.0/token${how === 'query' ? `?${form}` : ''}`, {
    method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: how === 'body' ? form.toString() : '',
  })
  return { status: response.status, text: await response.text() }
}

async function tokenFor(of: System, code: string): Promise<string> {
  const { status, text } = await exchange(of, code)
  assert.equal(status, 200, text)
  const answer: Record<string, unknown> = JSON.parse(text)
  assert.equal(answer['token_type'], 'bearer')
  assert.ok(Number(answer['expires_in']) <= 600 && Number(answer['expires_in']) > 500)
  return String(answer['access_token'])
}

async function api(token: string, hash?: string): Promise<{ status: number; bytes: Buffer; text: string }> {
  const response = await fetch(`${base}/externo/v2/${hash === undefined ? 'certificadoPublico' : 'assinarPKCS7'}`, {
    headers: { Authorization: `Bearer ${token}`, ...(hash !== undefined && { 'Content-Type': 'application/json' }) },
    ...(hash !== undefined && { method: 'POST', body: JSON.stringify({ hashBase64: hash }) }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, bytes, text: bytes.toString() }
}
const sign = (token: string, content: string) => api(token, sha256(Buffer.from(content)).toString('base64'))

/** OpenSSL's word on a detached signature, up to our root. */
async function opensslVerifies(cms: Buffer, content: string): Promise<boolean> {
  const [authority] = await area.app.rooms.signatures.authority.list()
  assert.ok(authority)
  const pem = (der: Buffer) => new X509Certificate(der).toString()
  const write = (name: string, bytes: string | Buffer) => {
    writeFileSync(path.join(folder, name), bytes)
    return path.join(folder, name)
  }
  const files = { cms: write('s.der', cms), content: write('c.bin', content), trust: write('t.pem', pem(authority.root) + pem(authority.certificate)) }
  const at = String(Math.floor(area.clock.now().getTime() / 1000))
  try {
    execFileSync('openssl', ['cms', '-verify', '-binary', '-inform', 'DER', '-in', files.cms, '-content', files.content, '-CAfile', files.trust, '-purpose', 'any', '-attime', at, '-out', path.join(folder, 'o')], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

test('a system signs one document: permission on a page that names it, proof, code, token, certificate, signature that OpenSSL accepts', async () => {
  const protocolo = await system('protocolo')
  const { browser } = await signInWithCode(area, rosa)
  const question = await arrive(browser, rosa, authorise(protocolo))
  assertHeading(question, /Autorizar assinatura/)
  assert.match(question.text, /Protocolo Digital \(protocolo\.example\) pede para assinar 1 documento em seu nome/)
  assert.match(question.text, /Os documentos aparecem só em Protocolo Digital/)
  const done = await prove(area, browser, question, rosa)
  const back = answerOf(done)
  assert.equal(back.searchParams.get('state'), 'e-1')
  assert.equal(done.headers.get('refresh'), `0; url=${back.href}`)
  assert.match(done.headers.get('cache-control') ?? '', /no-store/)
  const token = await tokenFor(protocolo, back.searchParams.get('code') ?? '')

  const certificate = await api(token)
  assert.equal(certificate.status, 200)
  assert.match(new X509Certificate(certificate.text).subject, /Rosa Maria dos Santos/)
  for (const wrong of ['', 'abc', 'A'.repeat(43), `${sha256(Buffer.from('x')).toString('base64')}\n`]) assert.equal((await api(token, wrong)).status, 400, 'a use is not spent on it')
  const signed = await sign(token, 'o contrato')
  assert.equal(signed.status, 200, signed.text)
  assert.ok(await opensslVerifies(signed.bytes, 'o contrato'))
  assert.equal(await opensslVerifies(signed.bytes, 'outro contrato'), false)

  const again = await sign(token, 'outro contrato')
  assert.equal(again.status, 401, 'sign is one use')
  const { timestamp, ...rest } = JSON.parse(again.text)
  assert.equal(typeof timestamp, 'number')
  assert.deepEqual(rest, { status: 401, error: 'Unauthorized', message: 'No message available', path: '/externo/v2/assinarPKCS7' })
  assert.match((await area.open(browser, '/conta/historico')).text, /Sua chave de assinatura foi usada.*Protocolo Digital/)
  assert.match((await area.mailsTo(rosa.email))[0]?.subject ?? '', /Você autorizou um sistema a assinar/)
  assert.equal((await area.open(browser, question.url.pathname)).status, 410, 'the question was answered')
})

test('a session signs many, also for a system that shows its credentials in the address', async () => {
  const lote = await system('lote')
  const code = await codeFor(rosa, authorise(lote, { scope: 'signature_session govbr' }))
  const { status, text } = await exchange(lote, code, {}, 'query')
  assert.equal(status, 200, text)
  const token = String(JSON.parse(text).access_token)
  const signed = await Promise.all(['um', 'dois', 'três'].map((content) => sign(token, content)))
  for (const [index, content] of ['um', 'dois', 'três'].entries()) assert.ok(await opensslVerifies(signed[index]?.bytes ?? Buffer.alloc(0), content))
  area.clock.advance(601_000)
  assert.equal((await sign(token, 'quatro')).status, 401, 'ten minutes are over')
})

test('nobody is asked by a system that an operator did not let, at an address that is not its own, or for what does not exist', async () => {
  const semPermissao = await system('sem-permissao', { isGranted: false })
  const concedido = await system('concedido')
  const browser = browserOf()
  for (const address of [authorise(semPermissao), authorise({ id: 'ninguem' }), authorise(concedido, { redirect_uri: `${BACK}/x` }), authorise(concedido, { redirect_uri: 'https://golpe.example/' }), `${authorise(concedido)}&scope=sign`]) {
    const page = await browser.get(address)
    assert.equal(page.status, 400, address)
    assertHeading(page, /pediu a assinatura de um jeito errado/)
  }
  for (const scope of ['sign signature_session', '', 'openid sign', 'icp_brasil sign']) {
    const { url } = await browser.get(authorise(concedido, { scope }))
    assert.equal(`${url.origin}${url.pathname}`, BACK)
    assert.deepEqual([url.searchParams.get('error'), url.searchParams.get('state')], ['invalid_scope', 'e-1'], scope)
  }
  assert.equal((await browser.get(authorise(concedido, { response_type: 'token' }))).url.searchParams.get('error'), 'unsupported_response_type')
  const code = await codeFor(rosa, authorise(concedido))
  const token = await tokenFor(concedido, code)
  assert.equal(await mt('chaves', 'retirar', 'concedido'), 0)
  assert.equal((await sign(token, 'x')).status, 401, 'what an operator takes away is gone at once')
})

test('a code is worth nothing without the secret, to another system, twice, or after a minute', async () => {
  const [primeiro, segundo] = [await system('primeiro'), await system('segundo')]
  const code = await codeFor(rosa, authorise(primeiro))
  assert.equal((await exchange({ ...primeiro, secret: 'errado' }, code)).status, 401)
  assert.equal((await exchange({ id: 'ninguem', secret: 'x' }, code)).status, 401)
  assert.deepEqual(await exchange(segundo, code), { status: 400, text: 'error=invalid_request' })
  assert.deepEqual(await exchange(primeiro, code, { grant_type: 'refresh_token' }), { status: 400, text: 'error=invalid_request' })
  const token = await tokenFor(primeiro, code)
  assert.equal((await exchange(primeiro, code)).status, 400)
  assert.equal((await sign(token, 'x')).status, 401, 'a code that came twice was stolen: its token is gone')
  const late = await codeFor(rosa, authorise(primeiro))
  area.clock.advance(61_000)
  assert.equal((await exchange(primeiro, late)).status, 400)
})

test('a client without a secret needs PKCE', async () => {
  const aplicativo = await system('aplicativo', { isPublic: true })
  assert.equal((await browserOf().get(authorise(aplicativo))).url.searchParams.get('error'), 'invalid_request')
  const verifier = 'v'.repeat(64)
  const asked = { code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' }
  const form = async (code: string, more: Record<string, string>) =>
    (await fetch(`${base}/oauth2.0/token`, { method: 'POST', body: new URLSearchParams({ code, client_id: 'aplicativo', grant_type: 'authorization_code', redirect_uri: BACK, ...more }) })).status
  assert.equal(await form(await codeFor(rosa, authorise(aplicativo, asked)), {}), 400)
  assert.equal(await form(await codeFor(rosa, authorise(aplicativo, asked)), { code_verifier: verifier }), 200)
})

test('bronze is stopped before the question, goes back with a refusal, and a level that fell stops the token with the federal words', async () => {
  const sistema = await system('niveis')
  const bronze = await area.citizen()
  const { browser } = await area.signIn(bronze)
  browser.stopAt = (url) => url.href.startsWith(BACK)
  const stopped = await browser.get(authorise(sistema))
  assert.equal(stopped.status, 403)
  assertHeading(stopped, /Falta subir o seu nível/)
  assert.ok(stopped.links.some(({ href }) => href.pathname === '/conta/nivel'))
  assert.doesNotMatch(stopped.html, /name="prova"/)
  const back = answerOf(await browser.submit(stopped, {}, { action: '/negar' }))
  assert.deepEqual([back.searchParams.get('error'), back.searchParams.get('state'), back.searchParams.get('code')], ['access_denied', 'e-1', null])

  const falling = await signer(area)
  const token = await tokenFor(sistema, await codeFor(falling, authorise(sistema)))
  // As evidence runs out: whoever takes it away also has the lent keys ended beside the requests, and the token is none any more.
  await area.app.foundation.db.execute('UPDATE evidence SET expires_at = $2 WHERE person_id = $1', [falling.personId, area.clock.now()])
  for (const answer of [await api(token), await sign(token, 'x')]) assert.deepEqual([answer.status, answer.text], [403, LEVEL_MISSING])
})

test('a citizen refuses; a page that was opened without a proof lends nothing; what another person agreed to is nothing to somebody else', async () => {
  const sistema = await system('recusas')
  const { browser } = await signInWithCode(area, rosa)
  const question = await arrive(browser, rosa, authorise(sistema))
  const unproven = await area.open(browser, `${question.url.pathname}/pronto`)
  assert.equal(unproven.status, 410)
  assertHeading(unproven, /Autorizar assinatura/)
  const begun = await browser.submit(question, {}, { button: 'código ou chave' })
  assert.ok(begun.forms.length > 0)
  assert.equal((await area.open(browser, `${question.url.pathname}/pronto`)).status, 403, 'begun, not proved')
  const other = await signer(area)
  const { browser: others } = await signInWithCode(area, other)
  assert.equal((await area.open(others, `${question.url.pathname}/pronto`)).status, 403)
  const back = answerOf(await browser.submit(await area.open(browser, question.url.pathname), {}, { action: '/negar' }))
  assert.equal(back.searchParams.get('error'), 'access_denied')
  assert.equal((await area.open(browser, question.url.pathname)).status, 410)
})

test('«não fui eu» ends what was lent', async () => {
  const sistema = await system('nao-fui-eu')
  const outra = await signer(area)
  const token = await tokenFor(sistema, await codeFor(outra, authorise(sistema)))
  const { browser } = await signInWithCode(area, outra)
  const page = await area.open(browser, '/conta/nao-fui-eu')
  await browser.submit(page, {}, { action: '/nao-fui-eu' })
  assert.equal((await sign(token, 'x')).status, 401)
})

test('a month has as many signatures as it has', async () => {
  const pouco = await system('pouco')
  assert.equal(await mt('chaves', 'conceder', 'pouco', '--api', 'govbr', '--por-mes', '1'), 0)
  const token = await tokenFor(pouco, await codeFor(rosa, authorise(pouco, { scope: 'signature_session' })))
  assert.equal((await sign(token, 'a')).status, 200)
  assert.equal((await sign(token, 'b')).status, 429)
})
