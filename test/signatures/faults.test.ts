/** What is signed, refused and still good when something around the signature breaks: the clock, the time-stamps, the authority's own key. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Problem } from '../../src/platform/problem.ts'
import { createKeySigner, makeKey, makeRoot, parseCertificate, parseRequest, POLICY_OID, rootName, SIGNATURE_PROBLEMS, signIssuing, signRootCrl } from '../../src/signatures/index.ts'
import { createPdfThread } from '../../src/signatures/pdf/pdf-thread.ts'
import { createSigning } from '../../src/signatures/signing/signing.ts'
import { foreignPdf } from '../support/forged-pdfs.ts'
import { openSignatureScene, openssl, pem, type SignatureScene } from '../support/signature-scene.ts'
import { issueTestSigner, signTestPdf } from '../support/test-signers.ts'

const OPERATOR = { kind: 'operator', id: 'teste' } as const
let scene: SignatureScene
before(async () => {
  scene = await openSignatureScene()
})
after(() => scene.close())

const verdictOf = async (pdf: Buffer) => (await scene.signatures.verifier.verify(pdf)).verdict

test('the clock goes back: nothing gets a time until it is right, and no token is left behind', async () => {
  const by = await issueTestSigner(scene)
  const pdf = await foreignPdf()
  assert.equal(await verdictOf(await signTestPdf(scene, pdf, by)), 'valid')
  const tokens = (await scene.events('signatures/time-stamped')).length
  scene.clock.advance(-30_000)
  for (const form of ['B-T', 'B-LT', 'B-LTA'] as const) await assert.rejects(signTestPdf(scene, pdf, by, { form }), { code: 'signatures/clock-behind' })
  assert.equal((await scene.events('signatures/time-stamped')).length, tokens)
  // Without a time nobody vouches for one.
  assert.equal((await scene.signatures.verifier.verify(await signTestPdf(scene, pdf, by, { form: 'B-B' }))).signatures[0]?.stampedAt, undefined)
  scene.clock.advance(30_000)
  assert.equal(await verdictOf(await signTestPdf(scene, pdf, by, { form: 'B-LTA' })), 'valid')
})

test('no time-stamps to be had: a form that needs one is refused whole, the same place takes a signature later', async () => {
  const by = await issueTestSigner(scene)
  const thread = createPdfThread()
  let isDown = true
  const stamping = { stamp: (imprint: Buffer) => (isDown ? Promise.reject(new Problem(SIGNATURE_PROBLEMS.noAuthority)) : scene.signatures.stamping.stamp(imprint)) }
  const { authority, statuses } = scene.signatures
  const signing = createSigning({ thread, stamping, authority, statuses })
  try {
    const prepared = await signing.preparePdf(await foreignPdf(), { reason: 'Teste', name: by.name, at: scene.clock.now() })
    const draft = signing.draft({ kind: 'pdf', digest: prepared.digest, certificates: by.certificates, at: scene.clock.now(), form: 'B-T' })
    const value = await by.signer.sign(draft.toBeSigned)
    await assert.rejects(draft.complete(value), { code: 'signatures/no-authority' })
    isDown = false
    const cms = await draft.complete(value)
    const signed = await signing.finishPdf(prepared, { cms, certificates: by.certificates, form: 'B-T' })
    assert.equal(await verdictOf(signed), 'valid')
    isDown = true
    await assert.rejects(signing.finishPdf({ ...prepared, file: new Uint8Array(prepared.file) }, { cms, certificates: by.certificates, form: 'B-LTA' }), { code: 'signatures/no-authority' })
  } finally {
    await thread.close()
  }
})

test('another authority takes over: what the old one issued is good, signs and is answered for; both chains are known', async () => {
  const { authority, statuses } = scene.signatures
  const old = await authority.active()
  const before = await issueTestSigner(scene)
  const signed = await signTestPdf(scene, await foreignPdf(), before, { form: 'B-LTA' })

  const { request } = await authority.request({ organization: 'Estado', actor: OPERATOR })
  const signer = createKeySigner(makeKey('P-384'))
  const root = await makeRoot(rootName('Estado', false), signer, scene.clock.now())
  const issuer = { name: parseCertificate(root).subject, signer }
  const certificate = await signIssuing(parseRequest(request), root, issuer, { now: scene.clock.now(), policy: POLICY_OID.certificates })
  const current = await authority.install({ certificate, root, rootCrl: await signRootCrl(issuer, [], scene.clock.now()) }, OPERATOR)
  assert.notEqual(current.id, old.id)

  const later = await issueTestSigner(scene, { name: 'JOÃO TESTE' })
  const both = await signTestPdf(scene, signed, later, { form: 'B-LT' })
  const { verdict, signatures } = await scene.signatures.verifier.verify(both)
  assert.deepEqual([verdict, signatures.map(({ level, revocation }) => [level, revocation])], ['valid', [['demonstration', 'good'], ['advanced', 'good']]])
  // A certificate of the old one still signs; its time comes from the new one.
  assert.equal(await verdictOf(await signTestPdf(scene, await foreignPdf(), before, { form: 'B-LTA' })), 'valid')
  for (const [by, of] of [[before, old], [later, current]] as const) {
    const [root, issuing, leaf] = [['root.pem', of.root], ['issuing.pem', of.certificate], ['leaf.pem', by.certificates[0]]].map(([name, der]) => scene.write(String(name), pem('CERTIFICATE', der as Buffer)))
    const answer = await openssl('ocsp', '-issuer', issuing ?? '', '-cert', leaf ?? '', '-url', `${scene.site.url}/api/ac/ocsp`, '-CAfile', root ?? '', '-verify_other', issuing ?? '', '-nonce')
    assert.match(answer.text, /: good[\s\S]*Response verify OK/)
  }
  await authority.revoke({ serial: before.serial, reason: 'keyCompromise', actor: OPERATOR })
  assert.equal((await statuses.statusOf(parseCertificate(old.certificate), before.serial)).kind, 'revoked')
  assert.equal((await scene.signatures.verifier.verify(both)).signatures[0]?.revocation, 'revoked-after')
})
