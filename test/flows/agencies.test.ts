/** Agencies as they come: openid-client for the token, the whole server behind it, real nets, and the citizen's own history. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLocalJWKSet, flattenedVerify } from 'jose'
import * as oidc from 'openid-client'
import type { Account } from '../../src/accounts/index.ts'
import { canonicalJson } from '../../src/biometrics/agencies/receipt/canonical.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { newBrowser } from '../support/citizen-journey.ts'
import { showPictures } from '../support/face-check-client.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import { addCitizen, people, type Person, setReferenceFace, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all } = people(2)
const ALL = 'biometria.qualidade biometria.comparar biometria.validar biometria.referencia'
const RETURN = 'https://detran.example/volta'
const OPERATOR = { kind: 'operator', id: 'test' } as const
const AGENCY = {
  scopes: ALL.split(' ') as ['biometria.qualidade'],
  purposes: [
    { code: 'habilitacao', name: 'Renovação da carteira de motorista', legalBasis: 'lgpd-11-ii-g' as const },
    { code: 'pericia', name: 'Perícia em processo judicial', legalBasis: 'lgpd-11-ii-d' as const },
  ],
  returnUris: [RETURN],
}

let app: WatchedApp
let citizen: Account
let views: FaceViews
let moment = 0
before(async () => {
  app = await startWatchedApp({ register })
  views = await loadFaceViews(SAMPLE_FACES.one)
  citizen = await addCitizen(app, person())
  await setReferenceFace(app, citizen, await views.jpeg({ yawDegrees: 0, moment: 7000 }))
})
after(() => app.stop())

const person = (): Person => all[0] ?? assert.fail()
const api = () => `${app.publicUrl}/api/biometria`
let agencies = 0

interface Agency {
  readonly id: string
  readonly config: oidc.Configuration
}

async function agency(policy: object = { agency: AGENCY }, metadata: object = {}): Promise<Agency> {
  agencies += 1
  const { client, secret } = await app.oidc.clients.create({
    id: `orgao-${agencies}`,
    metadata: { client_name: 'DETRAN', grant_types: ['client_credentials'], response_types: [], ...metadata },
    policy, actor: OPERATOR,
  })
  const config = await oidc.discovery(new URL(app.publicUrl), client.id, secret, oidc.ClientSecretBasic(secret), { execute: [oidc.allowInsecureRequests] })
  return { id: client.id, config }
}

async function tokenFor({ config }: Agency, scope = ALL, options?: { DPoP: oidc.DPoPHandle }): Promise<string> {
  return (await oidc.clientCredentialsGrant(config, { scope, resource: api() }, options)).access_token
}

interface Sent {
  readonly token?: string
  readonly scheme?: string
  readonly json?: unknown
  readonly headers?: Record<string, string>
}

async function call(method: string, path: string, { token, scheme = 'Bearer', json, headers = {} }: Sent = {}) {
  const response = await fetch(`${api()}/v1${path}`, {
    method,
    headers: { Accept: 'application/json', ...(token && { Authorization: `${scheme} ${token}` }), ...(json !== undefined && { 'Content-Type': 'application/json' }), ...headers },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  const text = await response.text()
  const body: Record<string, unknown> = text === '' ? {} : JSON.parse(text)
  return { status: response.status, headers: response.headers, body, code: String(body['type'] ?? '').split('/').slice(-2).join('/') }
}

function nextMoment(): number {
  moment += 13
  return moment
}

const shot = async (of: FaceViews) => (await of.jpeg({ yawDegrees: 0, moment: nextMoment() })).toString('base64')
const quality = async () => ({ imagem: await shot(views), perfil: 'selfie', finalidade: 'habilitacao' })
const camera = () => ({
  clock: app.clock,
  capture: ({ yaw = 0, colour }: { yaw?: number; colour?: { red: number; green: number; blue: number } | undefined }) => views.jpeg({ yawDegrees: yaw, colour, moment: nextMoment() }),
})

test('real pictures: the same person, two people, and nobody', async () => {
  const token = await tokenFor(await agency())
  const other = await loadFaceViews(SAMPLE_FACES.two)
  const compare = async (imagem_a: string, imagem_b: string) => {
    const { status, body } = await call('POST', '/comparacoes', { token, json: { imagem_a, imagem_b, finalidade: 'habilitacao' } })
    assert.equal(status, 200, JSON.stringify(body))
    return body['resultado']
  }
  const [one, again, two] = [await shot(views), await shot(views), await shot(other)]
  const results = { same: await compare(one, again), other: await compare(one, two) }
  assert.equal(results.same, 'mesma_pessoa')
  assert.equal(results.other, 'outra_pessoa')
  const judged = await call('POST', '/qualidade', { token, json: await quality() })
  assert.equal(judged.status, 200)
  assert.ok([judged.body['medidas']].flat().length >= 5)
})

test('tokens: none, another’s, a person’s, for another API, without the scope, revoked, of a disabled client', async () => {
  const own = await agency()
  const json = await quality()
  const refused = async (sent: Sent, status: number, code: string) => {
    const answer = await call('POST', '/qualidade', { json, ...sent })
    assert.deepEqual([answer.status, answer.code], [status, code])
    return answer.headers.get('WWW-Authenticate') ?? ''
  }
  assert.match(await refused({}, 401, 'oidc/token-missing'), /^Bearer realm="http[^"]+", DPoP realm="[^"]+", algs="ES256/)
  assert.match(await refused({ token: 'mtc_nobody' }, 401, 'oidc/token-invalid'), /error="invalid_token"/)
  const elsewhere = await oidc.clientCredentialsGrant(own.config)
  await refused({ token: elsewhere.access_token }, 401, 'oidc/token-invalid')
  const narrow = await tokenFor(own, 'biometria.validar')
  assert.match(await refused({ token: narrow }, 403, 'oidc/scope-missing'), /error="insufficient_scope", scope="biometria\.qualidade"/)
  const token = await tokenFor(own)
  assert.equal((await call('POST', '/qualidade', { json, token })).status, 200)
  await oidc.tokenRevocation(own.config, token)
  await refused({ token }, 401, 'oidc/token-invalid')
  const second = await tokenFor(own)
  await app.oidc.clients.disable(own.id, OPERATOR)
  await refused({ token: second }, 401, 'oidc/token-invalid')
})

test('only an operator grants: without the policy no token, and what is taken away is gone with the next call', async () => {
  const plain = await agency({})
  await assert.rejects(tokenFor(plain), ({ error }: { error?: string }) => error === 'invalid_target')
  const few = await agency({ agency: { ...AGENCY, scopes: ['biometria.qualidade'] } })
  const answer = await oidc.clientCredentialsGrant(few.config, { scope: ALL, resource: api() })
  assert.equal(answer.scope, 'biometria.qualidade')
  const own = await agency()
  const token = await tokenFor(own)
  const json = await quality()
  assert.equal((await call('POST', '/qualidade', { token, json })).status, 200)
  await app.oidc.clients.change(own.id, { policy: { agency: { ...AGENCY, scopes: ['biometria.validar'] } }, actor: OPERATOR })
  assert.equal((await call('POST', '/qualidade', { token, json })).code, 'oidc/scope-missing')
  const { data } = (await app.foundation.db.query<{ data: { changed: string[] } }>("SELECT data FROM audit_event WHERE type = 'oidc/client-changed' ORDER BY id DESC LIMIT 1"))[0] ?? assert.fail()
  assert.deepEqual(data.changed, ['agency'])
})

test('a token bound to a key works only with a fresh proof of it, for this address, once', async () => {
  const own = await agency(undefined, { dpop_bound_access_tokens: true })
  const keys = await oidc.randomDPoPKeyPair('ES256', { extractable: true })
  const DPoP = oidc.getDPoPHandle(own.config, keys)
  const token = await tokenFor(own, ALL, { DPoP })
  const json = await quality()
  assert.equal((await call('POST', '/qualidade', { token, json })).code, 'oidc/token-invalid', 'as a bearer token')
  const ask = (handle: oidc.DPoPHandle) =>
    oidc.fetchProtectedResource(own.config, token, new URL(`${api()}/v1/qualidade`), 'POST', JSON.stringify(json), new Headers({ 'Content-Type': 'application/json', Accept: 'application/json' }), { DPoP: handle })
  assert.equal((await ask(DPoP)).status, 200)
  const thief = oidc.getDPoPHandle(own.config, await oidc.randomDPoPKeyPair('ES256'))
  await assert.rejects(ask(thief), oidc.WWWAuthenticateChallengeError)
  const { SignJWT, exportJWK } = await import('jose')
  const { createHash, randomUUID } = await import('node:crypto')
  const jwk = await exportJWK(keys.publicKey)
  const proof = (change: Record<string, unknown> = {}) =>
    new SignJWT({ htm: 'POST', htu: `${api()}/v1/qualidade`, ath: createHash('sha256').update(token).digest('base64url'), jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...change })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk }).sign(keys.privateKey)
  const send = async (dpop: string) => (await call('POST', '/qualidade', { token, scheme: 'DPoP', json, headers: { DPoP: dpop } })).status
  const once = await proof()
  assert.deepEqual([await send(once), await send(once)], [200, 401], 'a proof is good once')
  for (const change of [{ htm: 'GET' }, { htu: `${api()}/v1/comparacoes` }, { htu: 'https://golpe.example/api/biometria/v1/qualidade' }, { ath: 'x' }, { iat: Math.floor(Date.now() / 1000) - 3600 }, { iat: Math.floor(Date.now() / 1000) + 600 }, { jti: undefined }]) {
    assert.equal(await send(await proof(change)), 401, JSON.stringify(change))
  }
  assert.equal(await send(''), 401)
})

test('the whole way: asked, link, camera, back, result; and the citizen reads it in their history', async () => {
  const own = await agency()
  const token = await tokenFor(own)
  const asked = await call('POST', '/validacoes', { token, json: { fluxo: 'pagina', cpf: person().cpf, finalidade: 'habilitacao', retorno: RETURN, estado: 'fila-3' } })
  assert.equal(asked.status, 201, JSON.stringify(asked.body))
  const browser = newBrowser()
  browser.stopAt = ({ origin }) => origin !== app.publicUrl
  const start = await browser.get(String(asked.body['link']))
  const page = await browser.submit(start, { agree: 'sim' }, { action: '/concordo' })
  const outcome = await showPictures(browser, page, camera())
  assert.equal(outcome.passed, true, JSON.stringify(outcome.reasons))
  const back = await browser.get(new URL(outcome.next, app.publicUrl))
  assert.equal(back.url.origin, 'https://detran.example')
  const told = await call('GET', `/validacoes/${String(asked.body['id'])}?codigo=${back.url.searchParams.get('codigo')}`, { token })
  assert.equal(told.body['resultado'], 'conferida')

  const certified = await call('POST', '/referencias', {
    token, json: { cpf: person().cpf, finalidade: 'pericia', base_legal: 'lgpd-11-ii-d', processo: '1000123-45.2026.8.11.0041', responsavel: 'Perita, matrícula 1' },
  })
  assert.equal(certified.status, 200, JSON.stringify(certified.body).slice(0, 300))
  const { keys } = (await call('GET', '/recibos/chaves')).body as { keys: [] }
  const payload = Buffer.from(canonicalJson(certified.body['recibo'])).toString('base64url')
  await flattenedVerify({ ...Object(certified.body['assinatura']), payload }, createLocalJWKSet({ keys }))

  const history = await readHistory()
  for (const line of ['Um órgão consultou sua foto de referência', 'Rosto conferido a pedido de um órgão', 'Um órgão pediu para conferir se é você']) assert.ok(history.text.includes(line), line)
  assert.match(history.text, /consultou sua foto de referência Em DETRAN .{10,40}Finalidade: Perícia em processo judicial/)
  assert.match(history.text, /Finalidade: Renovação da carteira de motorista/)
})

async function readHistory() {
  const area = new BrowserClient({ 'X-Forwarded-For': '10.99.0.1' })
  await area.submit(await area.get(new URL('/conta/entrar', app.publicUrl)), { cpf: person().cpf, password: person().password }, { action: '/entrar' })
  return area.get(new URL('/conta/historico', app.publicUrl))
}

test('what was done to a person before they had an account is in their history once they do', async () => {
  const late = all[1] ?? assert.fail()
  const own = await agency()
  const token = await tokenFor(own)
  const { randomUUID } = await import('node:crypto')
  const personId = randomUUID()
  await app.foundation.db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, now())', [personId, late.cpf, late.name, late.birthDate])
  assert.equal((await call('POST', '/validacoes', { token, json: { fluxo: 'aplicativo', cpf: late.cpf, finalidade: 'habilitacao', pessoa_informada: true } })).status, 201)
  const account = await addCitizen(app, late)
  assert.equal(account.personId, personId)
  const area = new BrowserClient({ 'X-Forwarded-For': '10.99.0.2' })
  await area.submit(await area.get(new URL('/conta/entrar', app.publicUrl)), { cpf: late.cpf, password: late.password }, { action: '/entrar' })
  assert.match((await area.get(new URL('/conta/historico', app.publicUrl))).text, /Um órgão pediu para conferir se é você/)
})

test('nothing of the person, the case or the codes is in the log or the record', async () => {
  const record = JSON.stringify(await app.foundation.db.query('SELECT data FROM audit_event'))
  for (const secret of [person().cpf, person().name, '1000123-45', 'matrícula 1']) {
    assert.ok(!app.logged().includes(secret), secret)
    assert.ok(!record.includes(secret), secret)
  }
  assert.doesNotMatch(app.logged(), /codigo=|mtv_[\w-]{20}|mtc_[\w-]{20}/)
})
