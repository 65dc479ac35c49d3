import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { AGENCY_OPERATIONS } from '../../src/biometrics/agencies/open-api.ts'
import { type AgencyScene, openAgencyScene } from '../support/agency-scene.ts'

const BASE = '/api/biometria/v1'

interface Operation {
  readonly security?: readonly Record<string, readonly string[]>[]
  readonly parameters: readonly { name: string; in: string }[]
  readonly requestBody?: { content: Record<string, { schema: object; example?: object }> }
  readonly responses: Record<string, { content?: Record<string, { schema: z.core.JSONSchema.JSONSchema }> }>
}
interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly securitySchemes: { oauth: { flows: { clientCredentials: { tokenUrl: string; scopes: Record<string, string> } } } } }
}

let scene: AgencyScene
let document: Document
let operations: { method: string; path: string; operation: Operation }[]
before(async () => {
  scene = await openAgencyScene()
  const { body, headers } = await scene.call('GET', `${BASE}/openapi.json`)
  assert.match(headers.get('Content-Type') ?? '', /application\/json/)
  document = body as unknown as Document
  operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ method, path, operation })))
})
after(() => scene.close())

test('an OpenAPI 3.1 document with every operation, made from the guards', () => {
  assert.equal(document.openapi, '3.1.0')
  assert.equal(operations.length, AGENCY_OPERATIONS.length)
  assert.equal(document.components.securitySchemes.oauth.flows.clientCredentials.tokenUrl, `${scene.url}/token`)
  assert.deepEqual(Object.keys(document.components.securitySchemes.oauth.flows.clientCredentials.scopes).sort(), [
    'biometria.comparar', 'biometria.digitais', 'biometria.qualidade', 'biometria.referencia', 'biometria.validar',
  ])
})

test('every operation that is documented is there, and refuses whoever brings no token where it says so', async () => {
  for (const { method, path, operation } of operations) {
    const address = path.replaceAll(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000') + (path.endsWith('/passo') ? '?depois=-1' : '')
    const frame = path.endsWith('/quadro')
    const { status } = await scene.call(method.toUpperCase(), address, frame ? { headers: { 'Content-Type': 'image/jpeg' }, body: new Uint8Array([0xff]) } : method === 'post' ? { json: path.endsWith('/sessao') ? { flashes: true } : {} } : {})
    assert.equal(status, operation.security ? 401 : path.endsWith('/verificacao') ? 422 : 200, `${method} ${path}`)
  }
})

test('every example works as it stands, and the answer is what the document says', async () => {
  const token = scene.client('exemplo')
  let key = ''
  let run = 0
  for (const { method, path, operation } of operations) {
    const example = operation.requestBody?.content['application/json']?.example
    if (!example) continue
    run += 1
    const isSession = path.endsWith('/sessao')
    if (isSession) {
      const asked = await scene.call('POST', `${BASE}/validacoes`, { token, json: { fluxo: 'aplicativo', cpf: '529.982.247-25', finalidade: 'habilitacao', pessoa_informada: true } })
      key = String(asked.body['chave'])
      Object.assign(asked, { path: path.replace('{uid}', String(asked.body['id'])) })
      const { status, body } = await scene.call('POST', path.replace('{uid}', String(asked.body['id'])), { token: key, json: example })
      checkAnswer(operation, status, body, path)
      continue
    }
    const { status, body } = await scene.call(method.toUpperCase(), path, { token, json: example, headers: { 'Idempotency-Key': `exemplo-${run}` } })
    checkAnswer(operation, status, body, path)
  }
  assert.equal(run, 5)
})

test('the rest of a validation’s answers are as documented too', async () => {
  const token = scene.client('exemplo')
  const asked = await scene.call('POST', `${BASE}/validacoes`, { token, json: { fluxo: 'aplicativo', cpf: '52998224725', finalidade: 'habilitacao', pessoa_informada: true } })
  const id = String(asked.body['id'])
  const at = (path: string) => operations.find((each) => each.path === `${BASE}${path}`)?.operation ?? assert.fail(path)
  checkAnswer(at('/validacoes'), asked.status, asked.body, 'asked')
  const waiting = await scene.call('GET', `${BASE}/validacoes/${id}`, { token })
  checkAnswer(at('/validacoes/{id}'), waiting.status, waiting.body, 'waiting')
  const started = await scene.call('POST', `${BASE}/validacoes/${id}/sessao`, { token, json: { flashes: true } })
  const session = `${BASE}/validacoes/${id}/sessao/${String(started.body['id'])}`
  const step = await scene.call('GET', `${session}/passo?depois=-1`, { token })
  checkAnswer(at('/validacoes/{uid}/sessao/{id}/passo'), step.status, step.body, 'step')
  const longer = await scene.call('POST', `${session}/mais-tempo`, { token })
  checkAnswer(at('/validacoes/{uid}/sessao/{id}/mais-tempo'), longer.status, longer.body, 'longer')
  const end = await scene.call('POST', `${session}/fim`, { token })
  checkAnswer(at('/validacoes/{uid}/sessao/{id}/fim'), end.status, end.body, 'end')
  const told = await scene.call('GET', `${session}/resultado`, { token })
  checkAnswer(at('/validacoes/{uid}/sessao/{id}/resultado'), told.status, told.body, 'told')
  const over = await scene.call('GET', `${BASE}/validacoes/${id}`, { token })
  checkAnswer(at('/validacoes/{id}'), over.status, over.body, 'over')
  assert.equal(over.body['resultado'], 'nao_conferida')
})

/** Held against the schema that the document publishes, not against ours. */
function checkAnswer(operation: Operation, status: number, body: unknown, where: string): void {
  const [documented] = Object.keys(operation.responses)
  assert.equal(String(status), documented, `${where}: ${JSON.stringify(body).slice(0, 300)}`)
  const schema = operation.responses[String(status)]?.content?.['application/json']?.schema ?? assert.fail(where)
  const checked = z.fromJSONSchema(schema).safeParse(body)
  assert.ok(checked.success, `${where}: ${checked.error?.message}`)
}
