/** The API for capture software: processes, resumable uploads, judgement, and who is turned away. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { announced, type Answer, CAPTURE_CPF, type CaptureScene, openCaptureScene, OPERATOR, OTHER_CPF } from '../support/capture-scene.ts'

let scene: CaptureScene
let token: string
before(async () => {
  scene = await openCaptureScene()
  await scene.point('p1', { vouched: true })
  token = scene.client('coletora')
})
after(() => scene.close())

interface WireItem {
  readonly id: string
  readonly envio: string
  readonly situacao: string
  readonly recebido: number
  readonly motivos: readonly { codigo: string; texto: string }[]
}
const itemsOf = ({ body }: Answer) => body['itens'] as unknown as WireItem[]
const itemIn = (answer: Answer) => itemsOf(answer)[0] ?? assert.fail(JSON.stringify(answer.body))
const asItem = ({ body }: Answer) => body as unknown as WireItem
const patch = (envio: string, bytes: Buffer, offset: number, complete = false) =>
  scene.call('PATCH', envio, { token, bytes, headers: { 'Upload-Offset': String(offset), 'Upload-Complete': complete ? '?1' : '?0' } })
const conclude = (answer: Answer) => scene.call('POST', `/processos/${String(answer.body['id'])}/conclusao`, { token })
const personId = async () => (await scene.db.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [CAPTURE_CPF]))[0]?.id ?? assert.fail()

test('a process with every kind of item is captured: judged, sealed, counted, and told in the person’s ledger', async () => {
  const items = [
    { tipo: 'rosto', bytes: await scene.face(1) }, { tipo: 'foto', bytes: await scene.picture() }, { tipo: 'assinatura', bytes: await scene.picture(400, 120) },
    { tipo: 'digital', dedo: 1, bytes: await scene.picture(400, 400) }, { tipo: 'digital', dedo: 7, bytes: await scene.picture(400, 400) },
    { tipo: 'documento_frente', bytes: await scene.picture(1000, 700) }, { tipo: 'documento_verso', bytes: await scene.picture(1000, 700) },
  ]
  const done = await scene.capture(token, items)
  assert.deepEqual([done.status, done.body['situacao'], done.body['relogio']], [200, 'capturado', 'confere'], JSON.stringify(done.body))
  assert.deepEqual(itemsOf(done).map(({ situacao }) => situacao), items.map(() => 'guardado'))
  const stored = await scene.images.list(await personId())
  assert.deepEqual(stored.map(({ kind, slot }) => `${kind}${slot}`).sort(), ['document-back', 'document-front', 'face', 'fingerprint1', 'fingerprint7', 'otherphoto', 'signature'])
  const face = stored.find(({ kind }) => kind === 'face')
  assert.deepEqual(
    [face?.capturePoint, face?.operatorId, face?.device, face?.method, face?.source, face?.trusted, face?.inPerson, face?.capturedAt.toISOString()],
    ['p1', 'mat-77', 'Câmera X 1', 'camera', 'capture-point', true, false, scene.clock.now().toISOString()],
  )
  assert.deepEqual((await scene.images.openOriginal(face?.id ?? '')).bytes, items[0]?.bytes, 'the file as it came is kept too')
  const parts = await scene.db.query('SELECT 1 FROM capture_part')
  assert.equal(parts.length, 0, 'nothing of the way in is left')
  const ledger = (await scene.audit.ledger(await personId(), { limit: 50 })).map(({ type }) => type)
  assert.deepEqual([...new Set(ledger)].sort(), ['biometrics/capture-opened', 'biometrics/image-stored', 'biometrics/process-captured'])
  const events = await scene.events('biometrics/image-stored')
  assert.ok(events.every(({ actor_kind: kind }) => kind === 'client'), 'who the software names as operator did not do it before our eyes')
  assert.equal((await scene.db.query('SELECT 1 FROM metering_journal')).length, 1)
})

test('an upload half-sent is resumed where it stands; elsewhere it is told where', async () => {
  const bytes = await scene.picture()
  const item = itemIn(await scene.open(token, [{ tipo: 'foto', bytes }]))
  const half = Math.floor(bytes.length / 2)
  const first = await patch(item.envio, bytes.subarray(0, half), 0)
  assert.deepEqual([first.status, first.headers.get('Upload-Offset'), first.headers.get('Upload-Complete')], [200, String(half), '?0'])
  const head = await scene.call('HEAD', item.envio, { token })
  assert.deepEqual([head.status, head.headers.get('Upload-Offset'), head.headers.get('Upload-Length')], [200, String(half), String(bytes.length)])
  assert.match(head.headers.get('Upload-Limit') ?? '', /max-append-size=\d+/)
  for (const offset of [0, half - 1, half + 1]) {
    const wrong = await patch(item.envio, bytes.subarray(half), offset, offset + bytes.length - half === bytes.length)
    assert.deepEqual([wrong.status, wrong.code, wrong.headers.get('Upload-Offset')], [409, 'points/offset-wrong', String(half)])
  }
  const done = await patch(item.envio, bytes.subarray(half), half, true)
  assert.deepEqual([done.status, asItem(done).situacao, done.headers.get('Upload-Complete')], [200, 'guardado', '?1'])
  assert.equal(asItem(await patch(item.envio, bytes.subarray(half), half, true)).situacao, 'guardado', 'a lost answer is asked for again')
})

test('of two appends at one place one is taken', async () => {
  const bytes = await scene.picture()
  const item = itemIn(await scene.open(token, [{ tipo: 'foto', bytes }]))
  const both = await Promise.all([patch(item.envio, bytes.subarray(0, 500), 0), patch(item.envio, bytes.subarray(0, 700), 0)])
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
})

test('a process died after the last byte: an empty append brings the judgement', async () => {
  const bytes = await scene.picture()
  const item = itemIn(await scene.open(token, [{ tipo: 'foto', bytes }]))
  await patch(item.envio, bytes, 0)
  assert.equal(asItem(await scene.call('GET', item.envio, { token })).situacao, 'recebendo')
  assert.equal(asItem(await patch(item.envio, Buffer.alloc(0), bytes.length, true)).situacao, 'guardado')
})

test('other bytes than announced begin again; more or fewer are refused', async () => {
  const bytes = await scene.picture()
  const item = itemIn(await scene.open(token, [{ tipo: 'foto', bytes }]))
  const forged = Buffer.from(bytes)
  forged[bytes.length - 3] = 0
  const wrong = await patch(item.envio, forged, 0, true)
  assert.deepEqual([wrong.status, wrong.code, wrong.headers.get('Upload-Offset')], [422, 'points/digest-wrong', '0'])
  for (const [sent, complete] of [[bytes.subarray(1), true], [Buffer.concat([bytes, bytes]), false]] as const) {
    assert.equal((await patch(item.envio, sent, 0, complete)).code, 'points/size-wrong')
  }
  assert.equal(asItem(await patch(item.envio, bytes, 0, true)).situacao, 'guardado')
})

test('oversize: an item beyond the limit is not announced, an append beyond it is not read', async () => {
  const bytes = await scene.picture()
  const huge = { ...announced({ tipo: 'foto', bytes }), tamanho: 15_000_001 }
  assert.equal((await scene.open(token, [], { itens: [huge] })).status, 422)
  const item = itemIn(await scene.open(token, [{ tipo: 'foto', bytes }]))
  assert.equal((await patch(item.envio, Buffer.alloc(4_000_001), 0)).status, 413)
  const typed = await scene.call('PATCH', item.envio, { token, bytes, headers: { 'Content-Type': 'image/jpeg', 'Upload-Offset': '0', 'Upload-Complete': '?1' } })
  assert.equal(typed.status, 415)
})

test('a picture that does not serve is refused with words, and another takes its place', async () => {
  const [small, disguised] = [await scene.picture(100, 100), Buffer.from('GIF89a and more')]
  const nobody = await scene.picture()
  const opened = await scene.open(token, [{ tipo: 'foto', bytes: small }, { tipo: 'assinatura', bytes: disguised }, { tipo: 'rosto', bytes: nobody }])
  const [one, two, three] = itemsOf(opened)
  const answers = [await scene.send(token, one ?? assert.fail(), small), await scene.send(token, two ?? assert.fail(), disguised), await scene.send(token, three ?? assert.fail(), nobody)]
  assert.deepEqual(answers.map((answer) => [asItem(answer).situacao, asItem(answer).motivos[0]?.codigo]), [
    ['recusado', 'points/image-too-small'], ['recusado', 'points/image-unsupported-type'], ['recusado', 'face/none'],
  ])
  for (const answer of answers) assert.ok((asItem(answer).motivos[0]?.texto.length ?? 0) > 10)
  assert.equal((await conclude(opened)).code, 'points/items-open', 'nothing that was refused is paid for')
  const better = [
    { tipo: 'foto', bytes: await scene.picture() }, { tipo: 'assinatura', bytes: await scene.picture(300, 100) }, { tipo: 'rosto', bytes: await scene.face(1) },
  ]
  for (const item of better) {
    const added = await scene.call('POST', `/processos/${String(opened.body['id'])}/itens`, { token, json: announced(item) })
    assert.equal(added.status, 201, JSON.stringify(added.body))
    assert.equal((await scene.call('POST', `/processos/${String(opened.body['id'])}/itens`, { token, json: announced(item) })).code, 'points/item-taken')
    assert.equal(asItem(await scene.send(token, asItem(added), item.bytes)).situacao, 'guardado')
  }
  assert.equal((await conclude(opened)).status, 200)
})

test('a face that differs from the reference is stored and never takes its place', async () => {
  const opened = await scene.capture(token, [{ tipo: 'rosto', bytes: await scene.face(9) }])
  const item = itemIn(opened)
  assert.deepEqual([item.situacao, item.motivos[0]?.codigo], ['guardado', 'points/face-differs'])
  const faces = (await scene.images.list(await personId())).filter(({ kind }) => kind === 'face')
  const newest = faces.reduce((one, other) => (other.version > one.version ? other : one))
  assert.equal(newest.trusted, false)
})

test('at a point that the state does not vouch for no face becomes a reference', async () => {
  await scene.point('p-sem-fe')
  await scene.capture(token, [{ tipo: 'rosto', bytes: await scene.face(4) }], { ponto: 'p-sem-fe', cpf: OTHER_CPF })
  const [row] = await scene.db.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [OTHER_CPF])
  assert.deepEqual((await scene.images.list(row?.id ?? '')).map(({ trusted }) => trusted), [false])
})

test('the same request under the same key is one process; another request under it is refused', async () => {
  const items = [{ tipo: 'foto', bytes: await scene.picture() }]
  const more = { capturado_em: scene.clock.now().toISOString() }
  const [first, again] = [await scene.open(token, items, more, 'mesma-chave-1'), await scene.open(token, items, more, 'mesma-chave-1')]
  assert.deepEqual([again.status, again.body['id'], again.headers.get('Idempotent-Replayed')], [201, first.body['id'], 'true'])
  assert.equal((await scene.open(token, items, { ...more, operador: 'outro' }, 'mesma-chave-1')).code, 'points/key-reused')
  const race = await Promise.all(Array.from({ length: 4 }, () => scene.open(token, items, more, 'mesma-chave-2')))
  assert.equal(new Set(race.map(({ body }) => body['id'])).size, 1)
  assert.equal((await scene.call('POST', '/processos', { token, json: {} })).status, 422)
})

test('concluding twice counts once; giving up counts nothing; what nobody completes ends by itself', async () => {
  const counted = async () => (await scene.db.query('SELECT 1 FROM metering_journal')).length
  const before = await counted()
  const done = await scene.capture(token, [{ tipo: 'foto', bytes: await scene.picture() }])
  const twice = await Promise.all([conclude(done), conclude(done), conclude(done)])
  assert.deepEqual(twice.map(({ status }) => status), [200, 200, 200])
  assert.equal(await counted(), before + 1)
  const left = await scene.open(token, [{ tipo: 'foto', bytes: await scene.picture() }])
  const over = await scene.call('POST', `/processos/${String(left.body['id'])}/desistencia`, { token })
  assert.equal(over.body['situacao'], 'desistido')
  assert.equal((await conclude(left)).code, 'points/items-open')
  assert.equal((await scene.send(token, itemIn(left), Buffer.alloc(3))).status, 422)
  const bytes = await scene.picture()
  const forgotten = await scene.open(token, [{ tipo: 'foto', bytes }])
  await patch(itemIn(forgotten).envio, bytes.subarray(0, 100), 0)
  scene.clock.advance(8 * 86_400_000)
  await scene.sweep()
  assert.equal((await scene.call('GET', `/processos/${String(forgotten.body['id'])}`, { token })).body['situacao'], 'vencido')
  assert.equal((await patch(itemIn(forgotten).envio, bytes.subarray(100), 100, true)).code, 'points/process-over')
  assert.equal((await scene.db.query('SELECT 1 FROM capture_part p JOIN capture_item i ON i.id = p.item_id JOIN capture_process c ON c.id = i.process_id WHERE c.state <> \'open\'')).length, 0)
  assert.equal(await counted(), before + 1)
})

test('strangers: no token, no scope, a token bound to nothing, another client’s point and process', async () => {
  const items = [{ tipo: 'foto', bytes: await scene.picture() }]
  const mine = await scene.open(token, items)
  assert.equal((await scene.open('nobody', items)).status, 401)
  assert.equal((await scene.open(scene.client('coletora', { scopes: ['biometria.comparar'] }), items)).status, 403)
  const loose = await scene.open(scene.client('coletora', { isBound: false }), items)
  assert.deepEqual([loose.status, loose.code], [403, 'points/not-bound'])
  const other = scene.client('outra')
  assert.deepEqual([(await scene.open(other, items)).code, (await scene.open(other, items, { ponto: 'nao-ha' })).code], ['points/point-unknown', 'points/point-unknown'])
  for (const [method, path] of [['GET', `/processos/${String(mine.body['id'])}`], ['POST', `/processos/${String(mine.body['id'])}/conclusao`], ['GET', itemIn(mine).envio]] as const) {
    assert.equal((await scene.call(method, path, { token: other })).status, 404, path)
  }
})

test('no purpose, another’s purpose, nobody’s CPF, a name where a code belongs', async () => {
  const items = [{ tipo: 'foto', bytes: await scene.picture() }]
  const known = (await scene.db.query('SELECT 1 FROM capture_process')).length
  assert.equal((await scene.open(token, items, { finalidade: undefined })).status, 422)
  assert.deepEqual([(await scene.open(token, items, { finalidade: 'curiosidade' })).code], ['agencies/purpose-not-allowed'])
  assert.equal((await scene.open(token, items, { cpf: '16899535009' })).code, 'points/person-unknown')
  assert.equal((await scene.open(token, items, { cpf: '11111111111' })).status, 422)
  assert.equal((await scene.open(token, items, { operador: '<b>' })).status, 422)
  assert.equal((await scene.open(token, [{ tipo: 'digital', bytes: items[0]?.bytes ?? Buffer.alloc(1) }])).status, 422, 'a fingerprint of no finger')
  assert.equal((await scene.db.query('SELECT 1 FROM capture_process')).length, known)
})

test('a point’s clock a year off is refused, ahead and behind; a slow one is marked, and both clocks are kept', async () => {
  const items = [{ tipo: 'foto', bytes: await scene.picture() }]
  const at = (days: number) => ({ capturado_em: new Date(scene.clock.now().getTime() + days * 86_400_000).toISOString() })
  assert.equal((await scene.open(token, items, at(365))).code, 'points/clock-ahead')
  assert.equal((await scene.open(token, items, at(-365))).code, 'points/clock-behind')
  assert.equal((await scene.open(token, items, at(0.02))).code, 'points/clock-ahead')
  const slow = await scene.open(token, items, at(-0.5))
  assert.deepEqual([slow.body['relogio'], slow.body['capturado_em']], ['tardio', at(-0.5).capturado_em])
  assert.equal(slow.body['recebido_em'], scene.clock.now().toISOString())
})

test('a suspended point captures nothing: no new process, no further bytes, no sign of life', async () => {
  await scene.point('p-parado')
  const bytes = await scene.picture()
  const opened = await scene.open(token, [{ tipo: 'foto', bytes }], { ponto: 'p-parado' })
  await scene.points.move('p-parado', 'suspend', OPERATOR)
  assert.equal((await scene.open(token, [{ tipo: 'foto', bytes }], { ponto: 'p-parado' })).code, 'points/not-active')
  assert.equal((await scene.send(token, itemIn(opened), bytes)).code, 'points/not-active')
  assert.equal((await scene.call('POST', '/pontos/p-parado/sinais', { token, json: { pronto: true } })).code, 'points/not-active')
  await scene.points.move('p-parado', 'resume', OPERATOR)
  assert.equal(asItem(await scene.send(token, itemIn(opened), bytes)).situacao, 'guardado')
})
