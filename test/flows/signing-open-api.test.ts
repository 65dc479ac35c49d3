/** The published documents of the signing APIs: every route is in them, and what is really asked and answered follows their schemas. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { createSigningApiCommands, runCommandLine } from '../../src/admin/index.ts'
import { prove } from '../portal/support/signing.ts'
import { BACK, codeOf, type CscScene, digestOf, ES_256, openCscScene, SHA_256, SIGNING_PASSWORD } from '../support/csc-scene.ts'
import { routesOf } from '../support/route-list.ts'

const OPERATOR = { kind: 'operator', id: 'test' } as const
type Bodies = Record<string, { schema?: z.core.JSONSchema.JSONSchema }>
interface Operation {
  readonly parameters: readonly { name: string; in: string; required: boolean }[]
  readonly requestBody?: { content: Bodies }
  readonly responses: Record<string, { content?: Bodies }>
}
interface Document {
  readonly openapi: string
  readonly servers: readonly [{ readonly url: string }]
  readonly paths: Record<string, Record<string, Operation>>
}

let scene: CscScene
const documents = new Map<string, Document>()
before(async () => {
  scene = await openCscScene()
  for (const base of ['/csc/v2', '/assinatura']) {
    const response = await fetch(`${scene.area.url}${base}/openapi.json`)
    assert.match(response.headers.get('Content-Type') ?? '', /application\/json/)
    documents.set(base, JSON.parse(await response.text()))
  }
})
after(() => scene.area.close())

/** Held against the document that is published, not against our schemas. */
function checkBody(bodies: Bodies | undefined, type: string, body: unknown, where: string): void {
  const documented = bodies?.[type] ?? assert.fail(`${where}: no ${type}`)
  if (!documented.schema) return
  const checked = z.fromJSONSchema(documented.schema).safeParse(body)
  assert.ok(checked.success, `${where}: ${checked.error?.message} ${JSON.stringify(body).slice(0, 300)}`)
}

const operationAt = (base: string, method: string, path: string): Operation => documents.get(base)?.paths[path]?.[method] ?? assert.fail(`${method} ${base}${path} is not documented`)

function checkAnswer(base: string, path: string, { status, type, body, method = 'post' }: { status: number; type: string; body: unknown; method?: string }): void {
  const { responses } = operationAt(base, method, path)
  checkBody((responses[status] ?? responses['default'])?.content, type, body, `${path} ${status}`)
}

/** A call as `scene.post`, request and answer both held against the document. */
async function call(path: string, body: object, token: string | undefined, expected: number): Promise<Record<string, unknown>> {
  const { status, json } = await scene.post(path.slice(1), body, token)
  assert.equal(status, expected, `${path}: ${JSON.stringify(json).slice(0, 300)}`)
  if (status < 300) checkBody(operationAt('/csc/v2', 'post', path).requestBody?.content, 'application/json', body, `${path}, request`)
  checkAnswer('/csc/v2', path, { status, type: 'application/json', body: json })
  return json
}

test('every route of both APIs is in its document, and nothing else is', () => {
  for (const [base, document] of documents) {
    assert.equal(document.openapi, '3.1.0')
    assert.equal(document.servers[0].url, `${scene.area.url}${base}`)
    const routes = routesOf(scene.area.app).filter(({ pattern }) => pattern.startsWith(`${base}/`) && !pattern.endsWith('/openapi.json')).map(({ method, pattern }) => `${method} ${pattern.slice(base.length)}`)
    const documented = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    assert.ok(routes.length >= 4)
    assert.deepEqual(documented.sort(), routes.sort())
  }
  const info = documents.get('/csc/v2')?.paths['/info']?.['post']
  assert.deepEqual(Object.keys(info?.requestBody?.content ?? {}), ['application/json'])
})

test('the CSC API asks and answers as its document says, refusals too', async () => {
  const info = await call('/info', {}, undefined, 200)
  const paths = Object.keys(documents.get('/csc/v2')?.paths ?? {}).map((path) => path.slice(1))
  assert.deepEqual([...(info['methods'] as string[])].sort(), paths.sort(), 'info tells the same methods')
  await scene.system('completo', ['--sem-redirecionar'])
  const page = await scene.question({ scope: 'service' }, 'completo')
  const granted = await scene.exchange(codeOf(await scene.mine.submit(page, {}, { action: '/permitir' })), 'completo')
  checkAnswer('/csc/v2', '/oauth2/token', { status: 200, type: 'application/json', body: granted })
  const token = String(granted['access_token'])
  const { credentialID } = scene
  await call('/credentials/list', { credentialInfo: true, certificates: 'chain', certInfo: true, authInfo: true, onlyValid: true }, token, 200)
  await call('/credentials/info', { credentialID, certificates: 'none', authInfo: true }, token, 200)
  await call('/credentials/info', {}, token, 400)
  await call('/credentials/list', {}, undefined, 401)
  await call('/signatures/timestamp', { hash: digestOf('a').toString('base64'), hashAlgo: SHA_256 }, token, 200)
  const { challenge } = await call('/credentials/getChallenge', { credentialID, authObjectID: 'conta' }, token, 200)
  const hashes = ['um', 'dois'].map((text) => digestOf(text).toString('base64'))
  const asked = { credentialID, numSignatures: 2, hashes, hashAlgorithmOID: SHA_256, authData: [{ id: 'conta', value: challenge }], description: 'Contrato' }
  const { handle } = await call('/credentials/authorize', asked, token, 202)
  await call('/credentials/authorizeCheck', { handle }, token, 202)
  const [waiting] = await scene.area.app.rooms.signing.asks.waiting(scene.rosa.accountId)
  const question = await scene.area.open(scene.mine, `/conta/autorizar/${waiting?.id}`)
  await scene.mine.submit(await prove(scene.area, scene.mine, question, scene.rosa), { senha: SIGNING_PASSWORD }, { action: '/pronto' })
  const { SAD } = await call('/credentials/authorizeCheck', { handle }, token, 200)
  const digests = [{ hashes, hashAlgorithmOID: SHA_256, signature_format: 'C', conformance_level: 'Ades-B-T', signAlgo: ES_256 }]
  const signed = await call('/signatures/signDoc', { credentialID, SAD, documentDigests: digests, returnValidationInfo: true }, token, 200)
  assert.equal((signed['SignatureObject'] as string[]).length, 2)
  await call('/signatures/signDoc', { credentialID, SAD, documentDigests: digests }, token, 400)
  const sad = await scene.sad({ hash: digestOf('três'), label: 'três.pdf' })
  await call('/signatures/signHash', { credentialID, hashes: [digestOf('três').toString('base64')], hashAlgorithmOID: SHA_256, signAlgo: ES_256 }, sad, 200)
})

/** A session of the federal API for a new system, the whole way. */
async function federalToken(id: string): Promise<string> {
  const { area, mine, rosa } = scene
  const { secret = '' } = await area.app.oidc.clients.create({ id, metadata: { client_name: 'Protocolo', redirect_uris: [BACK] }, actor: OPERATOR })
  assert.equal(await runCommandLine(createSigningApiCommands({ oidc: async () => area.app.oidc, actor: OPERATOR }), ['chaves', 'conceder', id, '--api', 'govbr'], { out: () => {}, error: () => {} }), 0)
  const query = new URLSearchParams({ response_type: 'code', client_id: id, scope: 'signature_session', redirect_uri: BACK })
  const code = codeOf(await prove(area, mine, await area.open(mine, `/assinatura/oauth2.0/authorize?${query}`), rosa))
  const body = new URLSearchParams({ code, client_id: id, client_secret: secret, grant_type: 'authorization_code', redirect_uri: BACK })
  const response = await fetch(`${area.url}/assinatura/oauth2.0/token`, { method: 'POST', body })
  const json: Record<string, unknown> = JSON.parse(await response.text())
  checkAnswer('/assinatura', '/oauth2.0/token', { status: response.status, type: 'application/json', body: json })
  return String(json['access_token'])
}

/** A call of the federal API, its answer held against the document. */
async function federal(token: string, hash?: string): Promise<{ status: number; text: string }> {
  const path = hash === undefined ? '/externo/v2/certificadoPublico' : '/externo/v2/assinarPKCS7'
  const response = await fetch(`${scene.area.url}/assinatura${path}`, {
    headers: { Authorization: `Bearer ${token}`, ...(hash !== undefined && { 'Content-Type': 'application/json' }) }, ...(hash !== undefined && { method: 'POST', body: JSON.stringify({ hashBase64: hash }) }),
  })
  const text = await response.text()
  const type = response.headers.get('Content-Type')?.split(';')[0] ?? ''
  checkAnswer('/assinatura', path, { status: response.status, type, body: type === 'application/json' ? JSON.parse(text) : text, method: hash === undefined ? 'get' : 'post' })
  return { status: response.status, text }
}

/** As a register that answers with another situation, and then with the old one. */
const noteDeath = (isNoted: boolean) => scene.area.app.foundation.db.execute('UPDATE person SET death_noted_at = $2 WHERE id = $1', [scene.rosa.personId, isNoted ? scene.area.clock.now() : null])

test('the federal API answers as its document says; a session signs a hundred documents and no more; an irregular CPF is told in the federal words', async () => {
  const hash = (text: string) => digestOf(text).toString('base64')
  const token = await federalToken('centena')
  assert.equal((await federal(token)).status, 200)
  assert.equal((await federal(token, 'x')).status, 400)
  assert.equal((await federal('nada', hash('a'))).status, 401)
  const statuses: number[] = []
  for (let group = 0; group < 10; group += 1) statuses.push(...(await Promise.all(Array.from({ length: 10 }, (_, index) => federal(token, hash(`${group} ${index}`))))).map(({ status }) => status))
  assert.deepEqual([statuses.length, new Set(statuses)], [100, new Set([200])])
  assert.equal((await federal(token, hash('cento e um'))).status, 401)

  const other = await federalToken('irregular')
  await noteDeath(true)
  for (const answer of [await federal(other), await federal(other, hash('a'))]) {
    assert.deepEqual(answer, { status: 403, text: 'CPF com situação cancelada, nula ou falecido na Receita Federal não permite uso da assinatura eletrônica digital.' })
  }
  await noteDeath(false)
  assert.equal((await federal(other, hash('a'))).status, 200, 'a refusal spends no use')
})
