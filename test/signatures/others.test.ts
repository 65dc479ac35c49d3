/** Signatures below roots of others, and made by other programs: evidence that came along, kinds of the trust list, PSS, BER, several signers. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { parseCertificate, type Representation } from '../../src/signatures/index.ts'
import { extendPdf } from '../../src/signatures/pdf/long-term.ts'
import { embed } from '../../src/signatures/pdf/place.ts'
import { questionAbout } from '../../src/signatures/signing/evidence.ts'
import type { VerifiedSignature } from '../../src/signatures/verification/verifier.ts'
import { foreignPdf } from '../support/forged-pdfs.ts'
import { openSignatureScene, openssl, type SignatureScene } from '../support/signature-scene.ts'
import { issueTestSigner, signTestFile, signTestPdf, type TestSigner } from '../support/test-signers.ts'

const OPERATOR = { kind: 'operator', id: 'teste' } as const
const REPRESENTATION: Representation = { mandateId: '0b0f7c0e-5a3e-4c58-9a5c-8f7f5a3f1c11', represented: { kind: 'person', name: 'Maria', identifier: '***.456.789-**' }, role: 'representante' }
let scene: SignatureScene
/** Another authority, which an operator of ours trusts. */
let other: SignatureScene
before(async () => {
  scene = await openSignatureScene()
  other = await openSignatureScene()
  await scene.signatures.trust.add({ der: (await other.signatures.authority.active()).root, title: 'AC do Vizinho', level: 'advanced', actor: OPERATOR })
})
after(async () => {
  await other.close()
  await scene.close()
})

async function judge(pdf: Buffer): Promise<VerifiedSignature> {
  const [only, ...more] = (await scene.signatures.verifier.verify(pdf)).signatures
  assert.equal(more.length, 0)
  return only ?? assert.fail('nobody signed')
}

/** What its own authority says of somebody now, put into the file. */
async function withAnswer(pdf: Buffer, by: TestSigner, of = other): Promise<Buffer> {
  const { certificate } = await of.signatures.authority.active()
  const answers = [certificate, ...by.certificates.slice(0, 1)].slice(1).map((der) => questionAbout(parseCertificate(der), parseCertificate(certificate)))
  const said = await Promise.all(answers.map((question) => of.signatures.statuses.ocsp(question)))
  return Buffer.from(await extendPdf(pdf, { certificates: [], answers: said, lists: [] }, false))
}

describe('evidence of others', () => {
  test('a long-term form proves that the certificate was good; without evidence nobody says so', async () => {
    const by = await issueTestSigner(other)
    const lasting = await judge(await signTestPdf(other, await foreignPdf(), by, { form: 'B-LTA', representation: REPRESENTATION }))
    assert.deepEqual({ ...lasting, chain: lasting.chain.length, stampedAt: undefined }, {
      verdict: 'valid', revocation: 'good', level: 'advanced', authority: 'AC do Vizinho', form: 'B-LTA', signer: by.name, organization: 'Pessoas', representation: undefined, reason: 'Teste',
      stampedAt: undefined, stampedBy: lasting.stampedBy, stampFault: false, coversAll: false, unchanged: true, laterStamps: false, isLocked: false, chain: 2,
    })
    const bare = await judge(await signTestPdf(other, await foreignPdf(), by))
    assert.deepEqual([bare.verdict, bare.revocation, bare.form], ['valid', 'unchecked', 'B-T'])
  })

  test('revoked before it signed: so it says; revoked afterwards: the signature stands; lists say the same as answers', async () => {
    const by = await issueTestSigner(other)
    const earlier = await signTestPdf(other, await foreignPdf(), by)
    const untimed = await signTestPdf(other, await foreignPdf(), by, { form: 'B-B' })
    other.clock.advance(5000)
    await other.signatures.authority.revoke({ serial: by.serial, reason: 'superseded', actor: OPERATOR })
    other.clock.advance(5000)
    scene.clock.advance(10_000)
    const later = await signTestPdf(other, await foreignPdf(), by)
    const list = (await other.signatures.statuses.crl((await other.signatures.authority.active()).id, 0)) ?? assert.fail()
    const withList = async (pdf: Buffer) => Buffer.from(await extendPdf(pdf, { certificates: [], answers: [], lists: [list] }, false))
    for (const add of [(pdf: Buffer) => withAnswer(pdf, by), withList]) {
      const words = await Promise.all([earlier, untimed, later].map(async (pdf) => (await judge(await add(pdf))).verdict))
      assert.deepEqual(words, ['valid', 'revoked', 'revoked'])
    }
    assert.equal((await judge(await withAnswer(earlier, by))).revocation, 'revoked-after')
  })

  test('rubbish, and what another authority says, changes nothing', async () => {
    const by = await issueTestSigner(other)
    const signed = await signTestPdf(other, await foreignPdf(), by)
    const lie = await scene.signatures.statuses.ocsp(questionAbout(parseCertificate(by.certificates[0]), parseCertificate((await other.signatures.authority.active()).certificate)))
    const { rootCrl } = await scene.signatures.authority.active()
    const odd = Buffer.from(await extendPdf(signed, { certificates: [randomBytes(50)], answers: [randomBytes(100), lie, Buffer.from([0x30, 0])], lists: [randomBytes(100), rootCrl, Buffer.from([0x30, 0])] }, false))
    const { verdict, revocation } = await judge(odd)
    assert.deepEqual([verdict, revocation], ['valid', 'unchecked'])
  })
})

describe('time over time', () => {
  test('a document time-stamp by another key keeps the time of one whose key was lost afterwards', async () => {
    const by = await issueTestSigner(scene)
    const lasting = await signTestPdf(scene, await foreignPdf(), by, { form: 'B-LTA' })
    const { serial } = await scene.signatures.authority.service('tsa')
    scene.clock.advance(5000)
    await scene.signatures.authority.revoke({ serial, reason: 'superseded', actor: OPERATOR })
    const prepared = await extendPdf(lasting, { certificates: [], answers: [], lists: [] }, true)
    const renewed = embed(prepared, await scene.signatures.stamping.stamp(Buffer.from(prepared.digest)))
    scene.clock.advance(5000)
    await scene.db.execute(`UPDATE pki_certificate SET revocation_reason = 'keyCompromise', revoked_at = $2 WHERE serial = $1`, [serial, scene.clock.now()])
    assert.equal((await judge(renewed)).verdict, 'valid')
    const { verdict, timeStamps, signatures } = await scene.signatures.verifier.verify(lasting)
    assert.deepEqual([verdict, signatures[0]?.stampedAt, timeStamps.map((each) => each.verdict)], ['unreadable', undefined, ['unreadable']])
  })

  test('a document that nobody signed and somebody stamped', async () => {
    const prepared = await extendPdf(await foreignPdf(), { certificates: [], answers: [], lists: [] }, true)
    const stamped = embed(prepared, await scene.signatures.stamping.stamp(Buffer.from(prepared.digest)))
    const { verdict, timeStamps } = await scene.signatures.verifier.verify(stamped)
    assert.deepEqual([verdict, timeStamps.map((each) => [each.verdict, each.coversAll])], ['none', [['valid', true]]])
    const wrong = embed(prepared, await scene.signatures.stamping.stamp(Buffer.alloc(32)))
    assert.equal((await scene.signatures.verifier.verify(wrong)).verdict, 'unreadable')
  })
})

describe('by OpenSSL', () => {
  const at = (name: string) => `${scene.folder}/${name}`
  /** A root as ICP-Brasil's with somebody below it; the policy is of an A3 certificate, or none. */
  before(async () => {
    scene.write('leaf.cnf', 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\nsubjectKeyIdentifier=hash\ncertificatePolicies=2.16.76.1.2.3.5\n')
    scene.write('machine.cnf', 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n')
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('icp.key'), '-out', at('icp.pem'), '-subj', '/C=BR/O=ICP-Brasil/CN=AC Raiz de Teste', '-days', '30', '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
    for (const [name, config] of [['ana', 'leaf'], ['beto', 'leaf'], ['maquina', 'machine']] as const) {
      await openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/C=BR/O=ICP-Brasil/CN=${name}`)
      await openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at('icp.pem'), '-CAkey', at('icp.key'), '-CAcreateserial', '-days', '20', '-extfile', at(`${config}.cnf`), '-out', at(`${name}.pem`))
    }
    const { text } = await openssl('x509', '-in', at('icp.pem'), '-outform', 'DER', '-out', at('icp.der'))
    assert.equal(text, '')
    await scene.signatures.trust.add({ der: readFileSync(at('icp.der')), title: 'ICP-Brasil de teste', kind: 'icp-brasil', level: 'qualified', actor: OPERATOR })
  })

  async function sign(content: string, ...more: string[]): Promise<Buffer> {
    const out = at('openssl.p7s')
    const made = await openssl('cms', '-sign', '-binary', '-in', scene.write('content.bin', content), '-outform', 'DER', '-out', out, ...more)
    assert.ok(made.ok, made.text)
    return readFileSync(out)
  }
  const as = (name: string) => ['-signer', at(`${name}.pem`), '-inkey', at(`${name}.key`)]
  const words = async (cms: Buffer, content: string | undefined) => {
    const { verdict, signatures } = await scene.signatures.verifier.verifyFile(cms, content === undefined ? undefined : Buffer.from(content))
    return [verdict, signatures.map(({ signer, level }) => `${signer} ${level}`)] as const
  }

  test('PKCS #1, PSS, with and without the attribute of CAdES, lengths of BER, two signers, content inside', async () => {
    const content = 'um contrato'.repeat(3000)
    const pss = ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:32']
    const ana = ['valid', ['ana qualified']] as const
    assert.deepEqual(await words(await sign(content, ...as('ana')), content), ana)
    assert.deepEqual(await words(await sign(content, ...as('ana'), '-cades', '-md', 'sha512'), content), ana)
    assert.deepEqual(await words(await sign(content, ...as('ana'), ...pss), content), ana)
    assert.deepEqual(await words(await sign(content, ...as('ana'), '-keyid'), content), ana)
    const inside = await sign(content, ...as('ana'), '-nodetach', '-stream', '-indef')
    assert.equal(inside[1], 0x80, 'a length that DER has not')
    assert.deepEqual(await words(inside, undefined), ana)
    assert.deepEqual(await words(inside, content), ana)
    assert.deepEqual(await words(inside, 'outro'), ['changed', ['ana qualified']])
    assert.deepEqual(await words(await sign(content, ...as('ana'), ...as('beto')), content), ['valid', ['ana qualified', 'beto qualified']])
    assert.deepEqual(await words(await sign(content, ...as('maquina')), content), ['valid', ['maquina advanced']])
    for (const cms of [await sign(content, ...as('ana')), await sign(content, ...as('ana'), ...pss), await sign(content, ...as('ana'), ...as('beto'))]) assert.equal((await words(cms, `${content}x`))[0], 'changed')
    assert.equal((await words(await sign(content, ...as('ana'), '-md', 'sha1'), content))[0], 'unreadable')
  })

  test('digests say as much as the file; what is no signature, or lacks its file, is told so', async () => {
    const cms = await sign('um contrato', ...as('ana'))
    const digest = '1e9f6f2b'
    await assert.rejects(scene.signatures.verifier.verifyFile(cms, undefined), { detail: 'file-missing' })
    await assert.rejects(scene.signatures.verifier.verifyFile(Buffer.from('uma carta'), Buffer.from('x')), { detail: 'not-signature' })
    assert.equal((await scene.signatures.verifier.verifyFile(cms, { sha256: digest.repeat(8) })).verdict, 'changed')
    await assert.rejects(scene.signatures.verifier.verifyFile(await sign('um contrato', ...as('ana'), '-noattr'), Buffer.from('um contrato')), { detail: 'not-signature' })
  })

  test('in a PDF, as other programs put it there', async () => {
    const prepared = await scene.signatures.signing.preparePdf(await foreignPdf(), { reason: 'Teste', name: 'ana', at: scene.clock.now() })
    const { from, digits } = prepared.place
    const [before, behind] = [prepared.file.subarray(0, from - 1), prepared.file.subarray(from + digits + 1)]
    const content = Buffer.concat([before, behind]).toString('latin1')
    scene.write('content.bin', Buffer.from(content, 'latin1'))
    const out = at('pdf.p7s')
    assert.ok((await openssl('cms', '-sign', '-binary', '-cades', '-in', at('content.bin'), '-outform', 'DER', '-out', out, ...as('ana'), '-keyopt', 'rsa_padding_mode:pss')).ok)
    const { verdict, level, signer } = await judge(embed(prepared, readFileSync(out)))
    assert.deepEqual([verdict, level, signer], ['valid', 'qualified', 'ana'])
    // PAdES demands the attribute that names the certificate.
    assert.ok((await openssl('cms', '-sign', '-binary', '-in', at('content.bin'), '-outform', 'DER', '-out', out, ...as('ana'))).ok)
    const again = await scene.signatures.signing.preparePdf(await foreignPdf(), { reason: 'Teste', name: 'ana', at: scene.clock.now() })
    assert.equal((await judge(embed({ ...again, file: new Uint8Array(prepared.file) }, readFileSync(out)))).verdict, 'forged')
  })
})

test('as whose representative: of our own certificates it is told, of others not', async () => {
  const file = Buffer.from('um contrato')
  const ours = await signTestFile(scene, file, await issueTestSigner(scene), { representation: REPRESENTATION })
  assert.deepEqual((await scene.signatures.verifier.verifyFile(ours, file)).signatures[0]?.representation, REPRESENTATION)
  const theirs = await signTestFile(other, file, await issueTestSigner(other), { representation: REPRESENTATION })
  assert.equal((await scene.signatures.verifier.verifyFile(theirs, file)).signatures[0]?.representation, undefined)
})
