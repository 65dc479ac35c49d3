/** Certificates of companies' representatives: issued under a mandate, read by others, for that company alone, and gone with the mandate. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { isProblem, type ProblemKind } from '../../src/platform/problem.ts'
import { type Represented, SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { openssl, otherNameTypes } from '../support/signature-scene.ts'
import { openSigningScene, type SceneCitizen, SIGNING_PASSWORD, type SigningScene } from '../support/signing-scene.ts'

const COMPANY: Represented = {
  kind: 'representative',
  mandateId: '11111111-1111-4111-8111-111111111111',
  represented: { kind: 'company', name: 'Pantanal Ltda', identifier: '11.222.333/0001-81' },
  role: 'procuração',
  party: '11222333000181',
  power: 'mt:assinar-documentos',
}
const ANOTHER: Represented = {
  ...COMPANY,
  party: '45723174000110',
  represented: { ...COMPANY.represented, name: 'Cerrado SA', identifier: '45.723.174/0001-10' },
}
const refuses = (kind: ProblemKind) => (error: unknown) => isProblem(error, kind)
const { credentialUnusable, mandateRefused } = SIGNATURE_PROBLEMS

let scene: SigningScene
let maria: SceneCitizen
before(async () => {
  scene = await openSigningScene()
})
after(() => scene?.close())
beforeEach(async () => {
  scene.allowRepresentation(() => true)
  maria = await scene.addCitizen()
})

const get = (id: string) => scene.signing.credentials.get(id, maria.accountId)
const keep = (as?: Represented) => scene.keep(maria, undefined, as)

async function confirm(credentialId: string, signatory?: Represented): Promise<void> {
  const opened = await scene.open(maria, { credential: { kind: 'kept', credentialId }, ...(signatory && { signatory }) })
  const signer = await scene.signing.activations.confirm({
    id: opened.id,
    idToken: await scene.proof(maria, opened.nonce),
    password: SIGNING_PASSWORD,
  })
  await signer.close()
}

test('OpenSSL reads the company’s CNPJ and its representative’s CPF where ICP-Brasil’s readers look', async () => {
  const [der = Buffer.alloc(0)] = (await get(await keep(COMPANY))).certificates
  const file = scene.write('representative.cer', der)
  const { text: shown } = await openssl('x509', '-inform', 'DER', '-in', file, '-noout', '-subject')
  assert.match(shown, /O ?= ?Pantanal Ltda/)
  assert.deepEqual(await otherNameTypes(file), ['2.16.76.1.3.4', '2.16.76.1.3.3', '2.16.76.1.3.7'])
  assert.ok(der.includes(Buffer.from(COMPANY.party)), 'the CNPJ as it is')
})

test('it is made only while its holder represents the company, also when that ends between the proof and the key', async () => {
  scene.allowRepresentation(() => false)
  await assert.rejects(keep(COMPANY), refuses(mandateRefused))
  scene.allowRepresentation(() => true)
  const { id, nonce } = await scene.signing.credentials.begin({ accountId: maria.accountId, as: COMPANY })
  const idToken = await scene.proof(maria, nonce)
  scene.allowRepresentation(() => false)
  await assert.rejects(scene.signing.credentials.finish({ id, idToken, password: SIGNING_PASSWORD }), refuses(mandateRefused))
  let asked = 0
  scene.allowRepresentation(() => ++asked <= 2)
  await assert.rejects(keep(COMPANY), refuses(mandateRefused), 'ended while the key was made')
  assert.deepEqual(
    (await scene.signing.credentials.list(maria.accountId)).map(({ state }) => state),
    ['revoked'],
  )
})

test('for another person nobody gets one', async () => {
  const person: Represented = {
    ...COMPANY,
    party: '52998224725',
    represented: { kind: 'person', name: 'João', identifier: '***.982.247-**' },
  }
  await assert.rejects(keep(person), refuses(mandateRefused))
})

test('it signs in the name of that company alone, and not when the mandate has ended', async () => {
  const id = await keep(COMPANY)
  await confirm(id, COMPANY)
  await assert.rejects(confirm(id), refuses(credentialUnusable), 'not for oneself')
  await assert.rejects(confirm(id, ANOTHER), refuses(credentialUnusable))
  scene.allowRepresentation(() => false)
  await assert.rejects(confirm(id, COMPANY), refuses(mandateRefused))
})

test('a renewed one says what the old one said', async () => {
  const first = await keep(COMPANY)
  const second = await scene.keep(maria, first)
  assert.deepEqual((await get(second)).represents, COMPANY)
  assert.equal((await get(second)).profile, 'representative')
  assert.equal((await get(first)).state, 'replaced')
})

test('it ends with its mandate, others stay; and with the level like any other', async () => {
  const ending = { ...COMPANY, mandateId: '22222222-2222-4222-8222-222222222222' }
  const [own, company, another] = [await keep(), await keep(ending), await keep({ ...ANOTHER, mandateId: 'registro' })]
  scene.allowRepresentation(({ party }) => party === ANOTHER.party)
  assert.equal(await scene.signing.review.representations({ mandateId: ending.mandateId }), 1)
  const [ended, ...left] = await Promise.all([company, own, another].map(get))
  assert.deepEqual([ended?.state, ended?.endedFor], ['revoked', 'representation'])
  assert.deepEqual(
    left.map(({ state }) => state),
    ['active', 'active'],
  )
  scene.allowRepresentation(() => false)
  await scene.signing.review.representations({ accountId: maria.accountId })
  assert.equal((await get(another)).endedFor, 'representation', 'no longer in the company register, or closed there')
  const again = scene.allowRepresentation(() => true) ?? (await keep(COMPANY))
  scene.setLevel(maria.accountId, 'bronze')
  await scene.signing.review.one(maria.accountId)
  assert.equal((await get(again)).endedFor, 'level')
})
