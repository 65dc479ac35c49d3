import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { spanOf } from '../../src/biometrics/agencies/metering/quota.ts'
import { type AgencyScene, openAgencyScene } from '../support/agency-scene.ts'

const QUALITY = '/api/biometria/v1/qualidade'

let scene: AgencyScene
before(async () => {
  scene = await openAgencyScene()
})
after(() => scene.close())

const request = () => ({ imagem: scene.photo(), perfil: 'selfie', finalidade: 'habilitacao' })
const send = (token: string, headers: Record<string, string> = {}, json: object = request()) => scene.call('POST', QUALITY, { token, json, headers })
/** A minute must not end in the middle of a test. */
const startOfMinute = () => scene.clock.advance(60_000 - (scene.clock.now().getTime() % 60_000))

test('the minute’s limit holds for parallel calls too, says when to come back, and ends', async () => {
  const token = scene.client('cheio', { perMinute: 5 })
  startOfMinute()
  const answers = await Promise.all(Array.from({ length: 12 }, () => send(token)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 5)
  const refused = answers.filter(({ status }) => status === 429)
  assert.equal(refused.length, 7)
  for (const { code, headers } of refused) {
    assert.equal(code, 'agencies/too-many-calls')
    const seconds = Number(headers.get('Retry-After'))
    assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`)
    assert.match(headers.get('RateLimit') ?? '', /^"minute";r=0;t=\d+$/)
  }
  startOfMinute()
  assert.equal((await send(token)).status, 200)
})

test('the month’s quota counts work only, and answers say what is left of both', async () => {
  const token = scene.client('pouco', { perMonth: 2 })
  const first = await send(token)
  assert.match(first.headers.get('RateLimit') ?? '', /"minute";r=59;t=\d+, "month";r=1;t=\d+/)
  assert.match(first.headers.get('RateLimit-Policy') ?? '', /"minute";q=60;w=60, "month";q=2;w=\d+/)
  assert.equal((await send(token)).status, 200)
  const spent = await send(token)
  assert.deepEqual([spent.status, spent.code], [429, 'agencies/quota-spent'])
  assert.ok(Number(spent.headers.get('Retry-After')) > 0)
  const rows = await scene.db.query<{ operation: string; used: number }>("SELECT operation, used FROM agency_quota WHERE client_id = 'pouco' AND span = 'month' ORDER BY 1")
  assert.deepEqual(rows, [{ operation: '*', used: 2 }, { operation: 'qualidade', used: 2 }])
})

test('one client’s use is not another’s', async () => {
  startOfMinute()
  const [one, other] = [scene.client('um', { perMinute: 1 }), scene.client('outro', { perMinute: 1 })]
  assert.equal((await send(one)).status, 200)
  assert.equal((await send(one)).status, 429)
  assert.equal((await send(other)).status, 200)
})

test('months begin at midnight in Cuiabá', () => {
  const { startsAt, endsAt } = spanOf('month', new Date('2026-12-01T03:59:59Z'))
  assert.deepEqual([startsAt.toISOString(), endsAt.toISOString()], ['2026-11-01T04:00:00.000Z', '2026-12-01T04:00:00.000Z'])
  assert.equal(spanOf('month', new Date('2027-01-01T04:00:00Z')).startsAt.toISOString(), '2027-01-01T04:00:00.000Z')
})

test('the same request under the same key is done and counted once, and answered alike', async () => {
  const token = scene.client('repete', { perMonth: 1 })
  const json = request()
  const headers = { 'Idempotency-Key': 'pedido-0001' }
  const first = await send(token, headers, json)
  const again = await send(token, headers, json)
  assert.equal(again.status, 200)
  assert.deepEqual(again.body, first.body)
  assert.equal(first.headers.get('Idempotent-Replayed'), null)
  assert.equal(again.headers.get('Idempotent-Replayed'), 'true')
  assert.equal((await scene.events('biometrics/agency-image-judged')).filter(({ client_id: id }) => id === 'repete').length, 1)
})

test('of many at once under one key one is done; the others wait or get its answer', async () => {
  const token = scene.client('corrida', { perMonth: 1 })
  const json = request()
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(token, { 'Idempotency-Key': 'corrida-1' }, json)))
  for (const { status, code } of answers) assert.ok(status === 200 || (status === 409 && code === 'agencies/still-running'), `${status} ${code}`)
  assert.equal((await scene.events('biometrics/agency-image-judged')).filter(({ client_id: id }) => id === 'corrida').length, 1)
})

test('a key belongs to one request of one client; a failed one frees it; odd keys are refused', async () => {
  const token = scene.client('chave')
  const headers = { 'Idempotency-Key': 'chave-0001' }
  assert.equal((await send(token, headers, { ...request(), finalidade: 'marketing' })).status, 403)
  assert.equal((await send(token, headers)).status, 200)
  const reused = await send(token, headers)
  assert.deepEqual([reused.status, reused.code], [422, 'agencies/key-reused'])
  assert.equal((await send(scene.client('chave-2'), headers)).status, 200)
  assert.equal((await send(token, { 'Idempotency-Key': 'curta' })).code, 'platform/malformed')
})

test('kept answers are sealed, and forgotten after a day', async () => {
  const rows = await scene.db.query<{ sealed: Buffer }>('SELECT sealed FROM agency_idempotency WHERE sealed IS NOT NULL')
  assert.ok(rows.length >= 3)
  for (const { sealed } of rows) assert.ok(!sealed.toString('latin1').includes('utilizavel'))
  scene.clock.advance(25 * 3_600_000)
  await scene.sweep()
  assert.deepEqual(await scene.db.query('SELECT key FROM agency_idempotency'), [])
})
