/** Batches that a point signed without a connection and sends later; and the OpenAPI document, held against what the API does. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { EXAMPLE_PICTURE } from '../../src/biometrics/agencies/open-api-examples.ts'
import { CAPTURE_OPERATIONS } from '../../src/biometrics/points/capture/open-api.ts'
import { announced, type Answer, CAPTURE_CPF, type CaptureScene, openCaptureScene, OPERATOR, OTHER_CPF, pointKey } from '../support/capture-scene.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let scene: CaptureScene
let token: string
let point: Awaited<ReturnType<CaptureScene['point']>>
before(async () => {
  scene = await openCaptureScene()
  point = await scene.point('p1')
  token = scene.client('coletora')
})
after(() => scene.close())

const ago = (milliseconds: number) => new Date(scene.clock.now().getTime() - milliseconds).toISOString()
let keys = 0
const nextKey = () => {
  keys += 1
  return `offline-${keys}`
}
const capture = (bytes: Buffer, more: object = {}) => ({
  chave: nextKey(), cpf: CAPTURE_CPF, finalidade: 'habilitacao', operador: 'mat-77', aparelho: 'Câmera X 1', capturado_em: ago(2 * HOUR),
  itens: [announced({ tipo: 'foto', bytes })], ...more,
})
const manifest = (sequencia: number, processos: object[], more: object = {}) => ({ ponto: 'p1', sequencia, assinado_em: ago(HOUR), processos, ...more })
const send = (lote: string, as = token) => scene.call('POST', '/lotes', { token: as, json: { lote } })
const countOf = async (table: 'capture_process' | 'capture_batch' | 'capture_item') => (await scene.db.query(`SELECT 1 FROM ${table}`)).length
const processesOf = ({ body }: Answer) => body['processos'] as unknown as { id: string; situacao: string; relogio: string; lote: number; itens: { envio: string; situacao: string }[] }[]

test('a batch is taken, its files follow, its processes are counted as offline', async () => {
  const [one, two] = [await scene.picture(), await scene.picture()]
  const taken = await send(await scene.sign(manifest(1, [capture(one), capture(two, { cpf: OTHER_CPF })]), point))
  assert.deepEqual([taken.status, taken.body['sequencia'], taken.body['relogio'], taken.body['faltam']], [201, 1, 'confere', []], JSON.stringify(taken.body))
  const opened = processesOf(taken)
  assert.deepEqual(opened.map(({ situacao, lote }) => [situacao, lote]), [['aberto', 1], ['aberto', 1]])
  for (const [index, process] of opened.entries()) {
    await scene.send(token, process.itens[0] ?? assert.fail(), [one, two][index] ?? assert.fail())
    assert.equal((await scene.call('POST', `/processos/${process.id}/conclusao`, { token })).body['situacao'], 'capturado')
  }
  const rows = await scene.db.query<{ offline: boolean; month: string }>('SELECT offline, month FROM metering_journal')
  assert.deepEqual(rows, [{ offline: true, month: '2026-11' }, { offline: true, month: '2026-11' }])
  const [image] = await scene.db.query<{ captured_at: Date }>('SELECT captured_at FROM stored_image LIMIT 1')
  assert.equal(image?.captured_at.toISOString(), ago(2 * HOUR), 'the time of the capture is the point’s')
})

test('the same batch twice changes nothing, also signed anew, also at once', async () => {
  const bytes = await scene.picture()
  const content = manifest(2, [capture(bytes)])
  const jws = await scene.sign(content, point)
  const both = await Promise.all([send(jws), send(jws)])
  const [first] = both
  assert.deepEqual(both.map(({ status }) => status), [201, 201])
  const before = [await countOf('capture_process'), await countOf('capture_batch'), await countOf('capture_item')]
  const again = [await send(jws), await send(await scene.sign(content, point))]
  for (const answer of again) {
    assert.equal(answer.headers.get('Idempotent-Replayed'), 'true')
    assert.deepEqual(answer.body, first?.body)
  }
  assert.deepEqual([await countOf('capture_process'), await countOf('capture_batch'), await countOf('capture_item')], before)
  assert.equal((await scene.events('biometrics/batch-received')).filter(({ data }) => data['sequence'] === 2).length, 1)
  const other = await send(await scene.sign(manifest(2, [capture(await scene.picture())]), point))
  assert.deepEqual([other.status, other.code], [409, 'points/sequence-used'])
})

test('a gap in the numbers is shown until it is filled', async () => {
  const later = await send(await scene.sign(manifest(5, [capture(await scene.picture())]), point))
  assert.deepEqual(later.body['faltam'], [3, 4])
  await send(await scene.sign(manifest(3, [capture(await scene.picture())]), point))
  const shown = await scene.call('GET', '/pontos/p1', { token })
  assert.deepEqual([shown.body['ultimo_lote'], shown.body['faltam'], shown.body['chave']], [5, [4], point.thumbprint])
})

test('forged: another point’s key, another algorithm, no signature, a changed manifest, another kind of JWS', async () => {
  const other = await scene.point('p2')
  const content = manifest(20, [capture(await scene.picture())])
  const genuine = await scene.sign(content, point)
  const [head = '', , signature = ''] = genuine.split('.')
  const changed = Buffer.from(JSON.stringify({ ...content, sequencia: 21 })).toString('base64url')
  const none = `${Buffer.from(JSON.stringify({ alg: 'none', kid: point.thumbprint, typ: 'mt-lote+jws' })).toString('base64url')}.${genuine.split('.')[1]}.`
  const stranger = await pointKey()
  const forged = [
    await scene.sign(content, other), await scene.sign(content, { ...other, thumbprint: point.thumbprint }), await scene.sign(content, stranger),
    `${head}.${changed}.${signature}`, none, await scene.sign(content, point, { typ: 'JWT' }), await scene.sign(content, point, { jwk: stranger.jwk, kid: stranger.thumbprint }),
  ]
  const before = await countOf('capture_batch')
  for (const [index, jws] of forged.entries()) {
    const { status, code } = await send(jws)
    assert.deepEqual([status, code], [422, 'points/signature-refused'], String(index))
  }
  assert.equal((await send(await scene.sign(manifest(20, content.processos, { ponto: 'p2' }), point))).code, 'points/signature-refused')
  assert.equal((await send('nem.isto.aqui-e-um-jws')).code, 'points/batch-unreadable')
  assert.equal((await send(genuine, scene.client('outra'))).code, 'points/point-unknown', 'a stolen batch is of no use to another client')
  assert.equal(await countOf('capture_batch'), before)
})

test('a key that was replaced signs nothing any more; a point without a key, or suspended, takes no batch', async () => {
  const own = await scene.point('p3')
  const content = (sequencia: number, processos: object[]) => ({ ...manifest(sequencia, processos), ponto: 'p3' })
  const next = await pointKey()
  await scene.points.setKey('p3', next.jwk, OPERATOR)
  const one = content(1, [capture(await scene.picture())])
  assert.equal((await send(await scene.sign(one, own))).code, 'points/signature-refused')
  assert.equal((await send(await scene.sign(one, next))).status, 201)
  await scene.points.move('p3', 'suspend', OPERATOR)
  assert.equal((await send(await scene.sign(content(2, [capture(await scene.picture())]), next))).code, 'points/not-active')
})

test('a clock a year off is refused whole; late, and gone back, are marked and both clocks kept', async () => {
  const bytes = await scene.picture()
  const year = 365 * DAY
  const refused = [
    manifest(30, [capture(bytes, { capturado_em: ago(-year) })], { assinado_em: ago(-year) }), manifest(30, [capture(bytes, { capturado_em: ago(year) })]),
    manifest(30, [capture(bytes), capture(bytes, { capturado_em: ago(0) })]), manifest(30, [capture(bytes)], { assinado_em: ago(-HOUR) }),
  ]
  const codes: string[] = []
  const before = await countOf('capture_process')
  for (const content of refused) codes.push((await send(await scene.sign(content, point))).code)
  assert.deepEqual(codes, ['points/clock-ahead', 'points/clock-behind', 'points/clock-ahead', 'points/clock-ahead'])
  assert.equal(await countOf('capture_process'), before, 'of a batch all or nothing is taken')
  const late = await send(await scene.sign(manifest(30, [capture(bytes, { capturado_em: ago(10 * DAY) }), capture(bytes)]), point))
  assert.deepEqual([late.body['relogio'], processesOf(late).map(({ relogio }) => relogio)], ['tardio', ['tardio', 'confere']])
  const back = await send(await scene.sign(manifest(31, [capture(bytes, { capturado_em: ago(5 * HOUR) })], { assinado_em: ago(4 * HOUR) }), point))
  assert.equal(back.body['relogio'], 'voltou')
  const [row] = await scene.db.query<{ signed_at: Date; received_at: Date }>('SELECT signed_at, received_at FROM capture_batch WHERE sequence = 31')
  assert.deepEqual([row?.signed_at.toISOString(), row?.received_at.toISOString()], [ago(4 * HOUR), ago(0)])
})

test('an unknown person, a purpose that is not the client’s, or a key used before refuse the whole batch', async () => {
  const bytes = await scene.picture()
  const used = capture(bytes)
  await send(await scene.sign(manifest(40, [used]), point))
  const before = [await countOf('capture_process'), await countOf('capture_batch')]
  const codes: string[] = []
  for (const wrong of [capture(bytes, { cpf: '16899535009' }), capture(bytes, { finalidade: 'curiosidade' }), used, capture(bytes, { cpf: '1' })]) {
    codes.push((await send(await scene.sign(manifest(41, [capture(bytes), wrong]), point))).code)
  }
  assert.deepEqual(codes, ['points/person-unknown', 'agencies/purpose-not-allowed', 'points/key-reused', 'points/batch-unreadable'])
  assert.deepEqual([await countOf('capture_process'), await countOf('capture_batch')], before)
})

test('a manifest is kept sealed: neither CPF nor text of it lies in the table', async () => {
  const rows = await scene.db.query<{ manifest: Buffer }>('SELECT manifest FROM capture_batch')
  assert.ok(rows.length > 3)
  for (const { manifest: sealed } of rows) assert.ok(!sealed.includes('"ponto"') && !sealed.includes(Buffer.from('{"ponto"').toString('base64url').slice(0, 8)))
})

interface Operation {
  readonly security?: unknown
  readonly requestBody?: { content: Record<string, { example?: Record<string, unknown> }> }
  readonly responses: Record<string, { content?: Record<string, { schema: z.core.JSONSchema.JSONSchema }> }>
}

test('the OpenAPI document names every route, each of which wants a token; its examples run as they stand', async () => {
  const { body } = await scene.call('GET', '/openapi.json')
  const document = body as unknown as { openapi: string; paths: Record<string, Record<string, Operation>> }
  assert.equal(document.openapi, '3.1.0')
  const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path: path.replace('/api/coleta/v1', ''), operation })))
  assert.equal(operations.length, CAPTURE_OPERATIONS.length)
  const at = (method: string, path: string) => operations.find((each) => each.method === method && each.path === path)?.operation ?? assert.fail(path)
  for (const { method, path, operation } of operations) {
    assert.ok(operation.security)
    const address = path.replace('{id}', '00000000-0000-4000-8000-000000000000').replace('{code}', 'p1')
    const sent = method === 'PATCH' ? { bytes: Buffer.from('x') } : method === 'POST' ? { json: {} } : {}
    assert.equal((await scene.call(method, address, sent)).status, 401, `${method} ${path}`)
  }
  await scene.point('cba-centro-01')
  scene.clock.set(new Date('2026-11-28T13:31:00Z'))
  const example = (method: string, path: string) => Object.values(at(method, path).requestBody?.content ?? {})[0]?.example ?? assert.fail(path)
  const opened = check(at('POST', '/processos'), await scene.call('POST', '/processos', { token, json: example('POST', '/processos'), headers: { 'Idempotency-Key': 'exemplo-1' } }))
  const id = String(opened.body['id'])
  const [item] = opened.body['itens'] as unknown as { envio: string }[]
  check(at('PATCH', '/itens/{id}'), await scene.send(token, item ?? assert.fail(), Buffer.from(EXAMPLE_PICTURE, 'base64')))
  check(at('GET', '/itens/{id}'), await scene.call('GET', item?.envio ?? '', { token }))
  check(at('POST', '/processos/{id}/itens'), await scene.call('POST', `/processos/${id}/itens`, { token, json: example('POST', '/processos/{id}/itens') }))
  check(at('GET', '/processos/{id}'), await scene.call('GET', `/processos/${id}`, { token }))
  check(at('POST', '/processos/{id}/desistencia'), await scene.call('POST', `/processos/${id}/desistencia`, { token }))
  check(at('POST', '/processos/{id}/conclusao'), await scene.capture(token, [{ tipo: 'foto', bytes: await scene.picture() }]))
  check(at('POST', '/lotes'), await send(await scene.sign(manifest(50, [capture(await scene.picture())]), point)))
  check(at('GET', '/pontos/{code}'), await scene.call('GET', '/pontos/p1', { token }))
  const beat = check(at('POST', '/pontos/{code}/sinais'), await scene.call('POST', '/pontos/p1/sinais', { token, json: example('POST', '/pontos/{code}/sinais') }))
  assert.equal(beat.body['proximo_em'], '2026-11-28T13:35:00.000Z')
})

/** Held against the schema that the document publishes, not against ours. */
function check(operation: Operation, answer: Answer): Answer {
  const [documented = ''] = Object.keys(operation.responses)
  assert.equal(String(answer.status), documented, JSON.stringify(answer.body))
  const schema = operation.responses[documented]?.content?.['application/json']?.schema ?? assert.fail()
  const checked = z.fromJSONSchema(schema).safeParse(answer.body)
  assert.ok(checked.success, checked.error?.message)
  return answer
}
