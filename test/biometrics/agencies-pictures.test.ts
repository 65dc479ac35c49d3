import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { type AgencyScene, openAgencyScene, PEOPLE } from '../support/agency-scene.ts'

const COMPARE = '/api/biometria/v1/comparacoes'
const QUALITY = '/api/biometria/v1/qualidade'

let scene: AgencyScene
before(async () => {
  scene = await openAgencyScene()
})
after(() => scene.close())

const pair = (left: string, right: string, more: object = {}) => ({ imagem_a: left, imagem_b: right, finalidade: 'habilitacao', ...more })

test('two pictures of one person, and of two: the verdict with model and operating point, no score', async () => {
  const token = scene.client('detran')
  const same = await scene.call('POST', COMPARE, { token, json: pair(scene.photo({ seed: 1 }), scene.photo({ seed: 1 })) })
  assert.equal(same.status, 200)
  const { id, ...answer } = same.body
  assert.match(String(id), /^[0-9a-f-]{36}$/)
  assert.deepEqual(answer, { resultado: 'mesma_pessoa', motivos: [], modelo: 'simulated', ponto_de_operacao: 'fmr1e-4' })
  const other = await scene.call('POST', COMPARE, { token, json: pair(scene.photo({ seed: 1 }), scene.photo({ seed: 2 })) })
  assert.equal(other.body['resultado'], 'outra_pessoa')
})

test('score and threshold only where the policy says so; the record has them always', async () => {
  const token = scene.client('pericia-oficial', { scores: true })
  const { body } = await scene.call('POST', COMPARE, { token, json: pair(scene.photo({ seed: 1 }), scene.photo({ seed: 1 })) })
  const { metrica, distancia, limiar } = Object(body['pontuacao'])
  assert.equal(metrica, 'euclidean')
  assert.ok(distancia < limiar && limiar === 0.467)
  for (const { data, client_id: client } of await scene.events('biometrics/agency-images-compared')) {
    assert.ok(typeof data['distance'] === 'number' && data['purpose'] === 'habilitacao' && data['legalBasis'] === 'lgpd-11-ii-g', String(client))
  }
})

test('a picture that cannot be used is no verdict about anybody: which one, and why', async () => {
  const token = scene.client('detran')
  const dark = await scene.call('POST', COMPARE, { token, json: pair(scene.photo({ seed: 1 }), scene.photo({ seed: 1 }, { brightness: 5 })) })
  assert.equal(dark.body['resultado'], 'nao_utilizavel')
  const [reason] = [dark.body['motivos']].flat().map(Object)
  assert.deepEqual([reason.imagem, reason.codigo], ['b', 'face/too-dark'])
  assert.match(reason.texto, /escuro/)
  assert.equal('pontuacao' in dark.body, false)
})

test('a comparison about somebody stands in their ledger, one about nobody in nobody’s', async () => {
  const token = scene.client('inss')
  await scene.call('POST', COMPARE, { token, json: pair(scene.photo(), scene.photo(), { cpf: '529.982.247-25' }) })
  await scene.call('POST', COMPARE, { token, json: pair(scene.photo(), scene.photo(), { cpf: PEOPLE.accountless }) })
  await scene.call('POST', COMPARE, { token, json: pair(scene.photo(), scene.photo(), { cpf: PEOPLE.nobody }) })
  const events = (await scene.events('biometrics/agency-images-compared')).filter(({ client_id: client }) => client === 'inss')
  assert.deepEqual(events.map(({ subject_id: subject }) => subject), [scene.accountId, scene.personIds.accountless, null])
})

test('quality: numbers with unit and limit, reasons with words in the caller’s language', async () => {
  const token = scene.client('detran')
  const json = { imagem: scene.photo({}, { brightness: 5 }), perfil: 'documento', finalidade: 'habilitacao' }
  const { status, body } = await scene.call('POST', QUALITY, { token, json, headers: { 'Accept-Language': 'en' } })
  assert.equal(status, 200)
  assert.equal(body['utilizavel'], false)
  const [reason] = [body['motivos']].flat().map(Object)
  assert.equal(reason.codigo, 'face/too-dark')
  assert.match(reason.texto, /dark|light/i)
  const luma = [body['medidas']].flat().map(Object).find(({ nome }) => nome === 'luminanceMean')
  assert.equal(luma.valor, 5)
  assert.equal(luma.aprovada, false)
  assert.ok(luma.minimo > 5)
})

test('without a token, with another’s scope, for another purpose: refused before anything is looked at', async () => {
  const json = pair(scene.photo(), scene.photo())
  assert.equal((await scene.call('POST', COMPARE, { json })).status, 401)
  const weak = scene.client('fraco', {}, ['biometria.qualidade'])
  const { status, code } = await scene.call('POST', COMPARE, { token: weak, json })
  assert.deepEqual([status, code], [403, 'oidc/scope-missing'])
  const token = scene.client('detran')
  const wrong = await scene.call('POST', COMPARE, { token, json: { ...json, finalidade: 'marketing' } })
  assert.deepEqual([wrong.status, wrong.code], [403, 'agencies/purpose-not-allowed'])
})

test('faults of the request are named by their pointer; unknown members are refused', async () => {
  const token = scene.client('detran')
  const bad = await scene.call('POST', COMPARE, { token, json: pair(scene.photo(), scene.photo(), { cpf: '111.111.111-11' }) })
  assert.equal(bad.status, 422)
  assert.deepEqual(bad.body['errors'], [{ pointer: '#/cpf', code: 'agencies.field.cpf' }])
  const extra = await scene.call('POST', COMPARE, { token, json: pair(scene.photo(), scene.photo(), { mais: 1 }) })
  assert.deepEqual(extra.body['errors'], [{ pointer: '#/mais', code: 'platform.field.unknown' }])
})

test('oversized, bombs, other things than pictures: refused by structure, quickly', async () => {
  const token = scene.client('detran')
  const refusals: [string, string, string][] = [
    ['not base64', '####', 'agencies/image-refused'],
    ['text', Buffer.from('<svg onload=alert(1)>').toString('base64'), 'agencies/image-refused'],
    ['bomb', bomb().toString('base64'), 'agencies/image-refused'],
    ['truncated', scene.photo().slice(0, 40), 'agencies/image-refused'],
    ['long', 'A'.repeat(5_334_000), 'platform/invalid-input'],
    ['larger than the body may be', 'A'.repeat(12_000_000), 'platform/too-large'],
  ]
  for (const [name, imagem, code] of refusals) {
    const start = process.cpuUsage()
    const answer = await scene.call('POST', QUALITY, { token, json: { imagem, perfil: 'selfie', finalidade: 'habilitacao' } })
    assert.equal(answer.code, code, name)
    const { user } = process.cpuUsage(start)
    assert.ok(user < 1e6, `${name}: ${Math.round(user / 1000)} ms`)
  }
})

test('a request that is only half sent holds nobody up and is not counted as done', async () => {
  const token = scene.client('detran')
  const { port } = new URL(scene.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`POST ${QUALITY} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{"imagem":"`)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const before = await scene.events('biometrics/agency-image-judged')
  socket.destroy()
  const json = { imagem: scene.photo(), perfil: 'selfie', finalidade: 'habilitacao' }
  assert.equal((await scene.call('POST', QUALITY, { token, json })).status, 200)
  assert.equal((await scene.events('biometrics/agency-image-judged')).length, before.length + 1)
  assert.doesNotMatch(scene.logged(), /unexpected/)
})

test('a body is not read for whoever may not send one', async () => {
  const { port } = new URL(scene.url)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.once('data', (data) => resolve(data.toString()))
    socket.once('error', reject)
    socket.write(`POST ${COMPARE} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n{`)
  })
  assert.match(answer, /^HTTP\/1\.1 401/)
})

/** A PNG of 30,000 × 30,000 pixels in a few kilobytes. */
function bomb(): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(30_000, 0)
  header.writeUInt32BE(30_000, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)])
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.alloc(100_000))), chunk('IEND', Buffer.alloc(0))])
}
