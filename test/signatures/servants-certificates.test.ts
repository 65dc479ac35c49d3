/** Certificates of an agency's servants: what readers of others find in them, for that agency and post alone, and gone with the permission. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { isProblem, type ProblemKind } from '../../src/platform/problem.ts'
import { type Represented, SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { openssl, otherNameTypes } from '../support/signature-scene.ts'
import { openSigningScene, type SceneCitizen, SIGNING_PASSWORD, type SigningScene } from '../support/signing-scene.ts'

const AUDITOR: Represented = {
  kind: 'representative',
  mandateId: '33333333-3333-4333-8333-333333333333',
  represented: { kind: 'organisation', name: 'Secretaria de Fazenda', identifier: 'sefaz' },
  role: 'Auditor fiscal',
  party: 'sefaz',
  power: 'servidor',
}
const HEAD: Represented = { ...AUDITOR, mandateId: '44444444-4444-4444-8444-444444444444', role: 'Chefe de divisão' }
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

async function confirm(credentialId: string, signatory?: Represented): Promise<void> {
  const opened = await scene.open(maria, { credential: { kind: 'kept', credentialId }, ...(signatory && { signatory }) })
  const idToken = await scene.proof(maria, opened.nonce)
  await (await scene.signing.activations.confirm({ id: opened.id, idToken, password: SIGNING_PASSWORD })).close()
}

test('OpenSSL reads agency and post, and the number in the staff register where ICP-Brasil’s readers look', async () => {
  const { certificates: [der], profile } = await get(await scene.keep(maria, undefined, AUDITOR))
  assert.equal(profile, 'servant')
  const file = scene.write('servant.cer', der)
  const { text: shown } = await openssl('x509', '-inform', 'DER', '-in', file, '-noout', '-subject', '-nameopt', 'utf8,sep_comma_plus,sname')
  assert.match(shown, /O=Secretaria de Fazenda/)
  assert.match(shown, /title=Auditor fiscal/)
  assert.deepEqual(await otherNameTypes(file), ['2.16.76.1.3.1', '2.16.76.1.3.6', '2.16.76.1.3.5', '2.16.76.1.3.11'])
  assert.ok(der.includes(Buffer.from('0000123456')), 'ten places')
})

test('it signs as that servant alone: not for oneself, not in another post of the same agency, not after its end', async () => {
  const id = await scene.keep(maria, undefined, AUDITOR)
  await confirm(id, AUDITOR)
  await assert.rejects(confirm(id), refuses(credentialUnusable))
  await assert.rejects(confirm(id, HEAD), refuses(credentialUnusable))
  scene.allowRepresentation(() => false)
  await assert.rejects(confirm(id, AUDITOR), refuses(mandateRefused))
})

test('a system that was lent it signs nothing once the permission has ended, before the certificate is revoked', async () => {
  const credentialId = await scene.keep(maria, undefined, AUDITOR)
  const redirectUri = 'https://sigadoc.example/volta'
  const opened = await scene.open(maria, { documents: [], open: { count: 2 }, clientId: 'sigadoc', credential: { kind: 'kept', credentialId }, signatory: AUDITOR })
  const proof = { id: opened.id, idToken: await scene.proof(maria, opened.nonce), password: SIGNING_PASSWORD }
  const { code } = await scene.signing.lendings.lend(proof, { seconds: 600, redirectUri, codeChallenge: undefined })
  const { token = '' } = (await scene.signing.lendings.exchange({ code, clientId: 'sigadoc', redirectUri })) ?? {}
  await scene.signing.lendings.take(token, 1)
  scene.allowRepresentation(() => false)
  await assert.rejects(scene.signing.lendings.take(token, 1), refuses(mandateRefused))
  scene.allowRepresentation(() => true)
  await scene.signing.lendings.take(token, 1)
})

test('it is made only while the agency lets, also when that ends between the proof and the key', async () => {
  scene.allowRepresentation(() => false)
  await assert.rejects(scene.keep(maria, undefined, AUDITOR), refuses(mandateRefused))
  let asked = 0
  scene.allowRepresentation(() => ++asked <= 2)
  await assert.rejects(scene.keep(maria, undefined, AUDITOR), refuses(mandateRefused))
  assert.deepEqual((await scene.signing.credentials.list(maria.accountId)).map(({ state }) => state), ['revoked'])
})

test('a renewed one says what the old one said, and both end with the permission, no other', async () => {
  const [own, head] = [await scene.keep(maria), await scene.keep(maria, undefined, HEAD)]
  const ending = { ...AUDITOR, mandateId: '55555555-5555-4555-8555-555555555555' }
  const auditor = await scene.keep(maria, await scene.keep(maria, undefined, ending))
  assert.deepEqual((await get(auditor)).represents, ending)
  scene.allowRepresentation(({ role }) => role !== AUDITOR.role)
  assert.equal(await scene.signing.review.representations({ mandateId: ending.mandateId }), 1)
  assert.deepEqual(await Promise.all([own, head, auditor].map(async (id) => (await get(id)).endedFor)), [undefined, undefined, 'representation'])
})
