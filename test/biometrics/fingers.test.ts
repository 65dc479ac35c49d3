/** Fingerprints as the reader gave them and reasons for those that are not there: taken, sealed, superseded, and given to agencies that may. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { MISSING_FINGERS, missingFingerBytes, readMissingFinger, WIRE_MISSING_FINGERS } from '../../src/biometrics/finger.ts'
import { readWsqHeader } from '../../src/biometrics/wsq.ts'
import { type AgencyScene, openAgencyScene, PEOPLE } from '../support/agency-scene.ts'
import { CAPTURE_CPF, type CaptureScene, openCaptureScene } from '../support/capture-scene.ts'
import { wsqFile } from '../support/wsq-file.ts'

test('a WSQ file is known by its markers; whatever is cut, empty, too long or disguised is not', () => {
  const file = wsqFile(400, 600)
  assert.deepEqual(readWsqHeader(file), { width: 400, height: 600 })
  const wrongEnd = Buffer.concat([file.subarray(0, -2), Buffer.from('ffd9', 'hex')])
  for (const wrong of [file.subarray(0, 20), file.subarray(0, -1), wrongEnd, wsqFile(0, 600), wsqFile(400, 600, 1_000_000), Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(0)]) {
    assert.equal(readWsqHeader(wrong), undefined, wrong.subarray(0, 8).toString('hex'))
  }
})

test('records of missing fingers are of one length, so that what is sealed does not tell the reason', () => {
  assert.equal(new Set(MISSING_FINGERS.map((reason) => missingFingerBytes(reason).length)).size, 1)
  for (const reason of MISSING_FINGERS) assert.equal(readMissingFinger(missingFingerBytes(reason)), reason)
  assert.deepEqual(Object.values(WIRE_MISSING_FINGERS).toSorted(), [...MISSING_FINGERS].toSorted())
})

describe('capture software', () => {
  let scene: CaptureScene
  let token: string
  before(async () => {
    scene = await openCaptureScene()
    token = scene.client('coletora')
    await scene.point('p1')
  })
  after(() => scene.close())
  const itemsOf = (body: Record<string, unknown>) => body['itens'] as { id: string; envio: string; situacao: string; dedo: number; ausente?: boolean; motivos: { codigo: string }[] }[]
  const prints = async () => {
    const [person] = await scene.db.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [CAPTURE_CPF])
    return (await scene.images.list(person?.id ?? '')).filter(({ kind }) => kind === 'fingerprint')
  }

  test('WSQ is stored to the bit; a missing finger with its reason needs no upload; both make the process whole and count once', async () => {
    const file = wsqFile()
    const opened = await scene.open(token, [{ tipo: 'digital', dedo: 1, bytes: file }], {
      itens: [{ tipo: 'digital', dedo: 1, conteudo: 'image/x-wsq', tamanho: file.length, sha256: createHash('sha256').update(file).digest('hex') }, { tipo: 'digital', dedo: 2, falta: 'amputado' }],
    })
    const [print, missing] = itemsOf(opened.body)
    assert.deepEqual([print?.situacao, missing?.situacao, missing?.ausente], ['recebendo', 'guardado', true])
    assert.equal((await scene.send(token, print ?? assert.fail(), file)).body['situacao'], 'guardado')
    assert.equal((await scene.call('POST', `/processos/${String(opened.body['id'])}/conclusao`, { token })).body['situacao'], 'capturado')
    const stored = await prints()
    assert.deepEqual(stored.map(({ slot, contentType, capturePoint }) => [slot, contentType, capturePoint]).sort(), [['1', 'image/x-wsq', 'p1'], ['2', 'application/json', 'p1']])
    const [first, second] = stored.toSorted((a, b) => Number(a.slot) - Number(b.slot))
    assert.deepEqual((await scene.images.open(first?.id ?? '')).bytes, file)
    assert.equal(readMissingFinger((await scene.images.open(second?.id ?? '')).bytes), 'amputated')
    const rows = await scene.db.query<{ text: string }>('SELECT i::text AS text FROM capture_item i UNION ALL SELECT s::text FROM stored_image s')
    assert.ok(rows.every(({ text }) => !/amput/.test(text)), 'what it says of the person’s health is sealed')
    assert.equal((await scene.events('biometrics/capture-item-stored')).length, 2)
  })

  test('a later print takes the place of a missing finger; both stay in the history', async () => {
    const file = wsqFile(500, 500)
    scene.clock.advance(60_000)
    const opened = await scene.open(token, [{ tipo: 'digital', dedo: 2, bytes: file }])
    await scene.send(token, itemsOf(opened.body)[0] ?? assert.fail(), file)
    const second = (await prints()).filter(({ slot }) => slot === '2')
    assert.deepEqual(second.map(({ contentType, superseded }) => [contentType, superseded]), [['application/json', true], ['image/x-wsq', false]])
  })

  test('WSQ of anything but a finger, a reason beside a file, a word of nobody’s and broken files are refused', async () => {
    const file = wsqFile()
    const facts = { conteudo: 'image/x-wsq', tamanho: file.length, sha256: createHash('sha256').update(file).digest('hex') }
    const refused = [
      { tipo: 'foto', ...facts }, { tipo: 'digital', dedo: 3, ...facts, falta: 'amputado' }, { tipo: 'digital', dedo: 3, falta: 'preguiça' }, { tipo: 'digital', falta: 'amputado' },
      { tipo: 'foto', falta: 'amputado' }, { tipo: 'digital', dedo: 3 }, { tipo: 'digital', dedo: 11, falta: 'amputado' },
    ]
    for (const itens of refused) assert.equal((await scene.open(token, [], { itens: [itens] })).status, 422, JSON.stringify(itens))
    const small = wsqFile(100, 100)
    const broken = Buffer.concat([Buffer.from('ffa0', 'hex'), Buffer.alloc(100)])
    const opened = await scene.open(token, [{ tipo: 'digital', dedo: 3, bytes: small }, { tipo: 'digital', dedo: 4, bytes: broken }])
    const [one, two] = itemsOf(opened.body)
    const answers = [await scene.send(token, one ?? assert.fail(), small), await scene.send(token, two ?? assert.fail(), broken)]
    assert.deepEqual(answers.map(({ body }) => [body['situacao'], (body['motivos'] as unknown as { codigo: string }[])[0]?.codigo]), [
      ['recusado', 'points/image-too-small'], ['recusado', 'points/image-not-an-image'],
    ])
    const added = await scene.call('POST', `/processos/${String(opened.body['id'])}/itens`, { token, json: { tipo: 'digital', dedo: 4, falta: 'enfaixado' } })
    assert.deepEqual([added.status, added.body['situacao'], added.body['ausente']], [201, 'guardado', true])
  })
})

describe('agencies', () => {
  let scene: AgencyScene
  let token: string
  const file = wsqFile()
  const request = (more: object = {}) => ({ cpf: PEOPLE.known, finalidade: 'pericia', base_legal: 'lgpd-11-ii-d', processo: '1000123-45.2026.8.11.0041', responsavel: 'Perita Ana Souza, matrícula 12345', ...more })
  const ask = (json: object, by = token) => scene.call('POST', '/api/biometria/v1/digitais', { token: by, json })
  before(async () => {
    scene = await openAgencyScene()
    token = scene.client('politec')
    const provenance = { source: 'counter', method: 'upload', trusted: true, inPerson: true, capturedAt: new Date('2026-05-04T12:00:00Z') } as const
    const put = (slot: string, bytes: Buffer, contentType: 'image/x-wsq' | 'application/json') =>
      scene.db.transaction((tx) => scene.images.put(tx, { personId: scene.personIds.known, kind: 'fingerprint', slot, bytes, contentType, width: 512, height: 512, provenance }))
    await put('1', file, 'image/x-wsq')
    await put('10', missingFingerBytes('bandaged'), 'application/json')
  })
  after(() => scene.close())

  test('get the fingers that there are, to the bit, and why one is missing; the person’s ledger has it before they are opened', async () => {
    const { status, body } = await ask(request())
    assert.equal(status, 200, JSON.stringify(body))
    const [print, missing] = body['digitais'] as unknown as Record<string, unknown>[]
    assert.deepEqual([print?.['dedo'], print?.['tipo'], print?.['sha256']], [1, 'image/x-wsq', createHash('sha256').update(file).digest('hex')])
    assert.deepEqual(Buffer.from(String(print?.['imagem']), 'base64'), file)
    assert.deepEqual(missing, { situacao: 'ausente', dedo: 10, presencial: true, capturada_em: '2026-05-04T12:00:00.000Z', falta: 'enfaixado' })
    const [event] = await scene.events('biometrics/agency-fingerprints-read')
    assert.deepEqual([event?.subject_id, event?.client_id, event?.data['purpose']], [scene.accountId, 'politec', 'pericia'])
    assert.deepEqual(((await ask(request({ dedos: [10] }))).body['digitais'] as unknown as unknown[]).length, 1)
  })

  test('without the scope of its own, another legal basis, or for somebody without prints, nothing', async () => {
    const narrow = scene.client('detran', {}, ['biometria.referencia'])
    assert.deepEqual([(await ask(request(), narrow)).status, (await ask(request(), narrow)).code], [403, 'oidc/scope-missing'])
    assert.equal((await ask(request({ base_legal: 'lgpd-11-ii-g' }))).code, 'agencies/purpose-not-allowed')
    for (const cpf of [PEOPLE.bare, PEOPLE.nobody]) assert.equal((await ask(request({ cpf }))).code, 'agencies/reference-not-found')
    assert.equal((await ask(request({ dedos: [5] }))).code, 'agencies/reference-not-found')
  })
})
