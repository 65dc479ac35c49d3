import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createLocalJWKSet, flattenedVerify, type JSONWebKeySet } from 'jose'
import { canonicalJson } from '../../src/biometrics/agencies/receipt/canonical.ts'
import { createReceiptKeys } from '../../src/biometrics/agencies/receipt/receipt-keys.ts'
import { createSigner } from '../../src/biometrics/agencies/receipt/signer.ts'
import { type AgencyScene, openAgencyScene, PEOPLE } from '../support/agency-scene.ts'

const REFERENCES = '/api/biometria/v1/referencias'
const VERIFY = '/api/biometria/v1/recibos/verificacao'

let scene: AgencyScene
let token: string
before(async () => {
  scene = await openAgencyScene()
  token = scene.client('politec')
})
after(() => scene.close())

const request = (more: object = {}) => ({
  cpf: PEOPLE.known, finalidade: 'pericia', base_legal: 'lgpd-11-ii-d', processo: '1000123-45.2026.8.11.0041', responsavel: 'Perita Ana Souza, matrícula 12345', ...more,
})
const retrieve = (json: object = request(), headers: Record<string, string> = {}, by = token) => scene.call('POST', REFERENCES, { token: by, json, headers })

interface Certified {
  recibo: { id: string; imagem: { sha256: string } & Record<string, unknown>; auditoria: { evento: number } } & Record<string, unknown>
  assinatura: { protected: string; signature: string }
  imagem: string
  tipo: string
}

async function certified(headers: Record<string, string> = {}): Promise<Certified> {
  const { status, body } = await retrieve(request(), headers)
  assert.equal(status, 200, JSON.stringify(body).slice(0, 300))
  return body as unknown as Certified
}

/** What a court's expert does with `jose` and nothing of ours: RFC 8785 by hand, RFC 7515 by the library. */
async function verifyIndependently({ recibo, assinatura }: Pick<Certified, 'recibo' | 'assinatura'>): Promise<boolean> {
  const { body } = await scene.call('GET', '/api/biometria/v1/recibos/chaves')
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]))
  }
  const payload = Buffer.from(JSON.stringify(sorted(recibo))).toString('base64url')
  return flattenedVerify({ ...assinatura, payload }, createLocalJWKSet(body as unknown as JSONWebKeySet)).then(() => true, () => false)
}

test('the image, and a receipt that says whose, which, whence, for whom, why and under which case', async () => {
  const { recibo, imagem, tipo } = await certified()
  const bytes = Buffer.from(imagem, 'base64')
  assert.equal(tipo, 'image/jpeg')
  assert.equal(recibo.imagem.sha256, createHash('sha256').update(bytes).digest('hex'))
  const { id: _, emitido_em: __, imagem: ___, auditoria, procedencia, ...rest } = recibo
  assert.deepEqual(rest, {
    versao: 1,
    emitente: scene.url,
    pessoa: { cpf: PEOPLE.known },
    solicitante: { cliente: 'politec', nome: 'DETRAN', responsavel: 'Perita Ana Souza, matrícula 12345' },
    finalidade: { codigo: 'pericia', descricao: 'Perícia em processo judicial' },
    base_legal: 'lgpd-11-ii-d',
    processo: '1000123-45.2026.8.11.0041',
    verificacao: { endereco: `${scene.url}${VERIFY}`, chaves: `${scene.url}/api/biometria/v1/recibos/chaves` },
  })
  const { guardada_em: ____, ...source } = Object(procedencia)
  assert.deepEqual(source, { origem: 'counter', metodo: 'camera', presencial: true, ponto_de_coleta: 'ganha-tempo-1', capturada_em: '2026-05-04T12:00:00.000Z' })
  const [event] = await scene.db.query<{ type: string; subject_id: string; data: Record<string, unknown> }>('SELECT type, subject_id, data FROM audit_event WHERE id = $1', [auditoria.evento])
  assert.equal(event?.type, 'biometrics/agency-reference-read')
  assert.equal(event?.subject_id, scene.accountId)
  assert.equal(event?.data['receiptId'], recibo.id)
})

test('a receipt holds by the standards alone, and not when one byte is another', async () => {
  const receipt = await certified()
  assert.equal(await verifyIndependently(receipt), true)
  const header = JSON.parse(Buffer.from(receipt.assinatura.protected, 'base64url').toString())
  assert.deepEqual([header.alg, header.typ], ['ES256', 'mt-recibo+jws'])
  const text = JSON.stringify(receipt.recibo)
  for (const [from, to] of [['1000123-45', '1000124-45'], ['pericia', 'pericie'], [receipt.recibo.imagem.sha256.slice(0, 8), '00000000'], ['politec', 'politek'], ['true', 'false']] as const) {
    const forged = { ...receipt, recibo: JSON.parse(text.replace(from, to)) }
    assert.notEqual(JSON.stringify(forged.recibo), text, from)
    assert.equal(await verifyIndependently(forged), false, from)
    const { body } = await scene.call('POST', VERIFY, { json: { recibo: forged.recibo, assinatura: forged.assinatura } })
    assert.deepEqual([body['valido'], body['assinatura_confere']], [false, false], from)
  }
  const other = Buffer.from(receipt.assinatura.signature, 'base64url')
  other[3] = (other[3] ?? 0) ^ 1
  assert.equal(await verifyIndependently({ ...receipt, assinatura: { ...receipt.assinatura, signature: other.toString('base64url') } }), false)
})

test('the verification route: anybody may ask; image, signature and register are judged apart', async () => {
  const { recibo, assinatura, imagem } = await certified()
  const digest = createHash('sha256').update(Buffer.from(imagem, 'base64')).digest('hex')
  const asked = (more: object) => scene.call('POST', VERIFY, { json: { recibo, assinatura, ...more } })
  assert.deepEqual((await asked({ imagem_sha256: digest })).body, { valido: true, assinatura_confere: true, registrado: true, imagem_confere: true })
  const bytes = Buffer.from(imagem, 'base64')
  bytes[100] = (bytes[100] ?? 0) ^ 1
  const changed = createHash('sha256').update(bytes).digest('hex')
  assert.deepEqual((await asked({ imagem_sha256: changed })).body, { valido: false, assinatura_confere: true, registrado: true, imagem_confere: false })
  const stranger = { ...recibo, id: '00000000-0000-4000-8000-000000000000' }
  assert.deepEqual((await asked({ recibo: stranger })).body, { valido: false, assinatura_confere: false, registrado: false })
  assert.equal((await scene.call('POST', VERIFY, { json: { recibo: [], assinatura } })).status, 422)
})

test('a result’s signature is no receipt’s, nor the reverse: the types differ', async () => {
  const key = Buffer.alloc(32, 9)
  const keyring = {
    hash: (value: string, purpose: string) => createHash('sha256').update(key).update(`${purpose}${value}`).digest(),
    seal: () => Buffer.alloc(0),
    open: () => Buffer.alloc(0),
  }
  const signer = createSigner(createReceiptKeys({ db: scene.db, clock: scene.clock, audit: scene.audit, keyring }))
  const attested = await signer.attest({ id: 'x' })
  const [head = '', , signature = ''] = attested.split('.')
  assert.equal(await signer.isCertified({ id: 'x' }, { protected: head, signature }), false)
  assert.equal(await signer.isCertified({ id: 'x' }, await signer.certify({ id: 'x' }, scene.db)), true)
})

test('purpose, legal basis, case and person responsible are mandatory and must fit the client', async () => {
  for (const member of ['cpf', 'finalidade', 'base_legal', 'processo', 'responsavel']) {
    const { status, body } = await retrieve(request({ [member]: undefined }))
    assert.equal(status, 422, member)
    assert.equal([body['errors']].flat().map(Object)[0].pointer, `#/${member}`)
  }
  assert.equal((await retrieve(request({ base_legal: 'lgpd-11-i' }))).code, 'agencies/purpose-not-allowed')
  assert.equal((await retrieve(request({ finalidade: 'curiosidade' }))).code, 'agencies/purpose-not-allowed')
  assert.equal((await retrieve(request({ processo: "1'; DROP TABLE x" }))).status, 422)
})

test('only for a scope of its own', async () => {
  const weak = scene.client('detran', {}, ['biometria.validar', 'biometria.comparar', 'biometria.qualidade'])
  assert.equal((await retrieve(request(), {}, weak)).status, 403)
  assert.equal((await scene.call('POST', REFERENCES, { json: request() })).status, 401)
})

test('nobody and somebody without a reference are one answer; the attempt stands in the ledger', async () => {
  const bare = await retrieve(request({ cpf: PEOPLE.bare }))
  const nobody = await retrieve(request({ cpf: PEOPLE.nobody }))
  for (const { status, code } of [bare, nobody]) assert.deepEqual([status, code], [404, 'agencies/reference-not-found'])
  const events = await scene.events('biometrics/agency-reference-missing')
  assert.deepEqual(events.map(({ subject_id: subject }) => subject), [scene.personIds.bare, null])
})

test('repeated under its key: the same receipt, one line in the ledger; another request under it is refused', async () => {
  const headers = { 'Idempotency-Key': 'referencia-1' }
  const before = (await scene.events('biometrics/agency-reference-read')).length
  const first = await certified(headers)
  const again = await certified(headers)
  assert.deepEqual(again, first)
  assert.equal((await scene.events('biometrics/agency-reference-read')).length, before + 1)
  assert.equal((await retrieve(request({ processo: '9999999-99' }), headers)).code, 'agencies/key-reused')
  const both = await Promise.all([1, 2, 3].map(() => retrieve(request(), { 'Idempotency-Key': 'referencia-2' })))
  for (const { status, code } of both) assert.ok(status === 200 || code === 'agencies/still-running', `${status} ${code}`)
  assert.equal((await scene.events('biometrics/agency-reference-read')).length, before + 2)
})

test('a key is no way to look at a face again unseen: minutes later the same receipt comes with a line of its own', async () => {
  const headers = { 'Idempotency-Key': 'referencia-3' }
  const first = await certified(headers)
  const before = (await scene.events('biometrics/agency-reference-read')).length
  scene.clock.advance(9 * 60_000)
  assert.deepEqual(await certified(headers), first)
  assert.equal((await scene.events('biometrics/agency-reference-read')).length, before)
  scene.clock.advance(2 * 60_000)
  assert.deepEqual(await certified(headers), first)
  const [event] = (await scene.events('biometrics/agency-reference-read')).slice(before)
  assert.equal(event?.subject_id, scene.accountId)
})

test('no image lies in a second place, and what is stored of a receipt is sealed', async () => {
  assert.deepEqual(await scene.db.query('SELECT key FROM agency_idempotency'), [])
  for (const { sealed } of await scene.db.query<{ sealed: Buffer }>('SELECT sealed FROM agency_receipt')) {
    assert.ok(sealed.length < 4000)
    assert.ok(!sealed.toString('latin1').includes(PEOPLE.known))
  }
  const events = JSON.stringify(await scene.db.query('SELECT data FROM audit_event'))
  for (const secret of [PEOPLE.known, 'Ana Souza', '1000123']) assert.ok(!events.includes(secret) && !scene.logged().includes(secret), secret)
})

test('canonical JSON: members by name, whole numbers, nothing undefined', () => {
  assert.equal(canonicalJson({ b: [1, { d: 'é"', c: true }], a: null, x: undefined, B: 2 }), '{"B":2,"a":null,"b":[1,{"c":true,"d":"é\\""}]}')
  assert.throws(() => canonicalJson({ a: 0.5 }), TypeError)
})

test('whoever closed their account is handed out no more, neither anew nor as an answer of before', async () => {
  const key = { 'Idempotency-Key': 'before-closing-1' }
  await certified(key)
  await scene.db.execute("UPDATE account SET status = 'closed' WHERE id = $1", [scene.accountId])
  try {
    for (const headers of [{}, key]) assert.deepEqual([(await retrieve(request(), headers)).status, (await retrieve(request(), headers)).code], [404, 'agencies/reference-not-found'])
  } finally {
    await scene.db.execute("UPDATE account SET status = 'active' WHERE id = $1", [scene.accountId])
  }
  assert.equal((await retrieve()).status, 200)
})

test('a new key signs, the old receipts still hold, and each receipt says which key is its own', async () => {
  const before = await certified()
  const kid = await scene.rotateReceiptKey()
  const later = await certified()
  const keyOf = ({ assinatura }: Certified) => JSON.parse(Buffer.from(assinatura.protected, 'base64url').toString()).kid
  assert.equal(keyOf(later), kid)
  assert.notEqual(keyOf(before), kid)
  const { body } = await scene.call('GET', '/api/biometria/v1/recibos/chaves')
  assert.deepEqual([body['keys']].flat().map((key) => Object(key).kid), [kid, keyOf(before)])
  for (const { recibo, assinatura } of [before, later]) {
    assert.equal(await verifyIndependently({ recibo, assinatura }), true)
    assert.equal((await scene.call('POST', VERIFY, { json: { recibo, assinatura } })).body['valido'], true)
  }
  const [event] = await scene.events('biometrics/receipt-key-rotated')
  assert.equal(event?.data['kid'], kid)
  const [{ sealed } = { sealed: Buffer.alloc(0) }] = await scene.db.query<{ sealed: Buffer }>('SELECT sealed FROM receipt_signing_key')
  assert.ok(sealed.length > 32, 'the key is not stored as it is')
})

test('checking receipts is bounded by address', async () => {
  const { recibo, assinatura } = await certified()
  let last = await scene.call('POST', VERIFY, { json: { recibo, assinatura } })
  for (let count = 0; last.status === 200 && count < 1000; count += 1) last = await scene.call('POST', VERIFY, { json: { recibo, assinatura } })
  assert.equal(last.status, 429)
  assert.ok(Number(last.headers.get('Retry-After')) >= 1)
})
