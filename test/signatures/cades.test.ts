/** Detached signatures of any file (CAdES) as OpenSSL sees them: with a time, with a representative, of many at once. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Representation, REPRESENTATION_OID } from '../../src/signatures/index.ts'
import { openSignatureScene, openssl, pem, type SignatureScene } from '../support/signature-scene.ts'
import { issueTestSigner, signTestFile, type TestSigner } from '../support/test-signers.ts'

let scene: SignatureScene
let maria: TestSigner
before(async () => {
  scene = await openSignatureScene()
  scene.write('root.pem', pem('CERTIFICATE', (await scene.signatures.authority.active()).root))
  maria = await issueTestSigner(scene)
})
after(() => scene.close())

const REPRESENTATION: Representation = { mandateId: '0b0f7c0e-5a3e-4c58-9a5c-8f7f5a3f1c11', represented: { kind: 'company', name: 'Padaria São José Ltda', identifier: '12ABC34501DE35' }, role: 'representante legal' }

async function verify(cms: Buffer, content: Uint8Array) {
  const [signature, file] = [scene.write('signature.p7s', cms), scene.write('content.bin', content)]
  return openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', signature, '-content', file, '-CAfile', `${scene.folder}/root.pem`, '-purpose', 'any', '-out', '/dev/null')
}

test('files of every size, keys of both kinds, with and without time: accepted; one other byte: refused', async () => {
  const rsa = await issueTestSigner(scene, { key: 'RSA-3072' })
  for (const by of [maria, rsa]) {
    for (const form of ['B-B', 'B-T'] as const) {
      for (const content of [Buffer.alloc(0), Buffer.from('uma carta'), randomBytes(100_000)]) {
        const cms = await signTestFile(scene, content, by, { form })
        assert.match((await verify(cms, content)).text, /CAdES Verification successful/)
        assert.doesNotMatch((await verify(cms, Buffer.concat([content, Buffer.from('x')]))).text, /successful/)
      }
    }
  }
})

test('what it says: the time of the signer, the time-stamp, as whose representative; that cannot be changed', async () => {
  const content = Buffer.from('um contrato')
  const cms = await signTestFile(scene, content, maria, { representation: REPRESENTATION })
  const printed = (await openssl('cms', '-cmsout', '-print', '-noout', '-inform', 'DER', '-in', scene.write('said.p7s', cms))).text
  for (const part of [/signingTime/, /id-smime-aa-timeStampToken/, new RegExp(REPRESENTATION_OID.replaceAll('.', String.raw`\.`))]) assert.match(printed, part)
  const at = cms.indexOf('12ABC34501DE35')
  assert.ok(at > 0)
  const changed = Buffer.from(cms)
  changed.write('9', at)
  assert.doesNotMatch((await verify(changed, content)).text, /successful/)
})

test('many are drafted, signed in one use of a key and completed', async () => {
  const files = Array.from({ length: 20 }, (_, i) => Buffer.from(`arquivo ${i}`))
  const drafts = files.map((content) => scene.signatures.signing.draft({ kind: 'file', digest: createHash('sha256').update(content).digest(), certificates: maria.certificates, at: scene.clock.now(), form: 'B-T' }))
  const values = await Promise.all(drafts.map(({ toBeSigned }) => maria.signer.sign(toBeSigned)))
  const done = await Promise.all(drafts.map((draft, i) => draft.complete(values[i] ?? assert.fail())))
  for (const i of [0, 19]) assert.match((await verify(done[i] ?? assert.fail(), files[i] ?? assert.fail())).text, /CAdES Verification successful/)
  assert.doesNotMatch((await verify(done[1] ?? assert.fail(), files[2] ?? assert.fail())).text, /successful/)
})
