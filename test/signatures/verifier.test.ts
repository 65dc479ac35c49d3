/** The public verifier on files that are good, that are no document, or that cost more than they are worth; those that somebody changed are in the corpus. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { PDFArray, PDFDocument, PDFHexString, PDFName, type PDFRef } from '@cantoo/pdf-lib'
import { createDocuments } from '../../src/platform/documents/documents.ts'
import { createKeySigner, makeKey, makeRoot } from '../../src/signatures/index.ts'
import { drawStamp } from '../../src/signatures/pdf/appearance.ts'
import { openForUpdate, writeUpdate } from '../../src/signatures/pdf/document.ts'
import { addField, addPlace, embed, fillRange } from '../../src/signatures/pdf/place.ts'
import type { Verification } from '../../src/signatures/verification/verifier.ts'
import { foreignPdf, HOSTILE, hybridPdf, longPdf } from '../support/forged-pdfs.ts'
import { openSignatureScene, run, type SignatureScene } from '../support/signature-scene.ts'
import { issueTestSigner, signTestPdf } from '../support/test-signers.ts'

const AT = new Date('2026-11-28T12:00:00Z')
const documents = createDocuments()
let scene: SignatureScene
const kinds: [string, Buffer][] = []
before(async () => {
  scene = await openSignatureScene()
  const ours = await documents.render({ title: 'Comprovante', language: 'pt-BR', issuer: 'MT Login', at: AT, blocks: [{ kind: 'text', text: 'O que foi colhido de você.' }] })
  for (const [name, pdf] of [['ours', ours], ['table', await foreignPdf()], ['stream', await foreignPdf({ objectStreams: true, pages: 3 })]] as const) {
    kinds.push([name, await seal(pdf)])
  }
})
after(async () => {
  await documents.close()
  await scene.close()
})

const seal = (pdf: Uint8Array) => scene.signatures.seals.seal(pdf, { reason: 'Comprovante', at: AT })
const verify = (pdf: Buffer): Promise<Verification> => scene.signatures.verifier.verify(pdf)

/** Whether Poppler holds every signature for good, over the whole file. */
async function popplerAgrees(pdf: Buffer): Promise<boolean> {
  const { text } = await run('pdfsig', ['-no-ocsp', scene.write('judged.pdf', pdf)])
  return /Signature is Valid/.test(text) && !/(Digest Mismatch|Unknown Validation|is Invalid|Not total document signed)/.test(text)
}

test('a sealed document is valid: by whom, when, at which level, whole to its end; another judge agrees', async () => {
  for (const [name, pdf] of kinds) {
    const { verdict, signatures } = await verify(pdf)
    assert.equal(verdict, 'valid', name)
    const [first] = signatures
    assert.deepEqual(
      { ...first, stampedAt: undefined, signer: undefined, stampedBy: undefined, chain: first?.chain.length },
      { verdict: 'valid', level: 'demonstration', authority: undefined, form: 'B-T', representation: undefined, stampedBy: undefined, laterStamps: false, isLocked: false, signer: undefined, organization: 'Demonstracao MT Login', reason: 'Comprovante', stampedAt: undefined, stampFault: false, coversAll: true, unchanged: true, revocation: 'good', chain: 2 },
    )
    assert.ok(Math.abs((first?.stampedAt?.getTime() ?? 0) - scene.clock.now().getTime()) < 300_000)
    assert.ok(await popplerAgrees(pdf), name)
  }
})

test('two signatures: the first covers its part, and what came after changed nothing', async () => {
  for (const [name, pdf] of kinds) {
    const { verdict, signatures } = await verify(await seal(pdf))
    assert.equal(verdict, 'valid', name)
    assert.deepEqual(signatures.map(({ coversAll, unchanged }) => ({ coversAll, unchanged })), [{ coversAll: false, unchanged: true }, { coversAll: true, unchanged: true }], name)
  }
})

test('a later stamp that takes the number of a note that was signed is a change: skipping that number would hide that the note went', async () => {
  const document = await PDFDocument.create()
  const page = document.addPage([400, 400])
  const note = document.context.register(document.context.obj({ Type: 'Annot', Subtype: 'Text', Rect: [50, 50, 70, 70], Contents: PDFHexString.fromText('vale só com a segunda via'), F: 4 }))
  page.node.set(PDFName.of('Annots'), document.context.obj([note]))
  const signed = await signTestPdf(scene, await document.save({ useObjectStreams: false }), await issueTestSigner(scene, { name: 'PRIMEIRA' }))
  assert.deepEqual((await verify(await signTestPdf(scene, signed, await issueTestSigner(scene, { name: 'SEGUNDA' }), { stamp: STAMP }))).signatures.map(({ verdict, laterStamps }) => [verdict, laterStamps]), [['valid', true], ['valid', false]])

  const hidden = await verify(await signInPlaceOf(signed, note))
  assert.deepEqual(hidden.signatures.map(({ verdict, unchanged }) => [verdict, unchanged]), [['changed', false], ['valid', true]])
})

const STAMP = { page: 1, left: 0.5, top: 0.5, width: 120, height: 60, lines: ['SEGUNDA'] }

/** A good signature with a stamp, whose field has the number of an object that was there. */
async function signInPlaceOf(pdf: Buffer, victim: PDFRef): Promise<Buffer> {
  const by = await issueTestSigner(scene, { name: 'SEGUNDA' })
  const update = await openForUpdate(pdf)
  const { context } = update
  const place = addPlace(update, ['/Type /Sig /SubFilter /ETSI.CAdES.detached'])
  const drawing = await drawStamp(update, STAMP)
  const annotations = update.getPage(0).node.lookup(PDFName.of('Annots'), PDFArray)
  const last = context.largestObjectNumber
  context.largestObjectNumber = victim.objectNumber - 1
  addField(update, place, { prefix: 'Assinatura', label: 'SEGUNDA', drawing })
  context.largestObjectNumber = last
  // The page names the number already.
  annotations.remove(annotations.size() - 1)
  const prepared = fillRange(await writeUpdate(update, pdf), pdf.length)
  const draft = scene.signatures.signing.draft({ kind: 'pdf', digest: prepared.digest, certificates: by.certificates, at: scene.clock.now(), form: 'B-T' })
  return embed(prepared, await draft.complete(await by.signer.sign(draft.toBeSigned)))
}

test('a file of two ages is read as readers of today read it, when it says one thing', async () => {
  assert.equal((await verify(hybridPdf())).verdict, 'none')
  const signed = await verify(await seal(hybridPdf()))
  assert.equal(signed.verdict, 'valid')
})

test('hostile files are refused, each for its reason, and quickly', async () => {
  for (const { name, make, reason } of HOSTILE) {
    const outcome = await verify(await make()).then(({ verdict }) => verdict, (error: { code?: string; detail?: string }) => `${error.code} ${error.detail}`)
    assert.equal(outcome, `signatures/not-verifiable ${reason}`, name)
  }
  const encrypted = `${scene.folder}/encrypted.pdf`
  await run('qpdf', ['--encrypt', '', 'dono', '256', '--', scene.write('plain.pdf', await foreignPdf()), encrypted])
  await assert.rejects(verify(readFileSync(encrypted)), { detail: 'encrypted' })
  assert.equal((await verify(Buffer.from(await foreignPdf()))).verdict, 'none')
  assert.equal((await verify(Buffer.from(await foreignPdf({ objectStreams: true, pages: 50, size: 2_000_000 })))).verdict, 'none')
  assert.equal((await verify(longPdf(10_000))).verdict, 'none')
  await assert.rejects(seal(longPdf(10_000)), { detail: 'too-many-pages' })
})

describe('who signed', () => {
  test('without our root the signer is unknown, though the document is whole', async () => {
    const other = await openSignatureScene()
    try {
      const { verdict, signatures } = await other.signatures.verifier.verify(kinds[0]?.[1] ?? assert.fail())
      assert.equal(verdict, 'unknown')
      assert.equal(signatures[0]?.level, undefined)
      // Until an operator says that it is trusted.
      const { root } = await scene.signatures.authority.active()
      const actor = { kind: 'operator', id: 'teste' } as const
      const { sha256 } = await other.signatures.trust.add({ der: root, title: 'Outra', level: 'qualified', actor })
      const trusted = await other.signatures.verifier.verify(kinds[0]?.[1] ?? assert.fail())
      assert.deepEqual(trusted.signatures.map(({ verdict: each, level, revocation }) => ({ each, level, revocation })), [{ each: 'valid', level: 'qualified', revocation: 'unchecked' }])
      await other.signatures.trust.remove(sha256, actor)
      await assert.rejects(other.signatures.trust.remove(sha256, actor), { name: 'Problem' })
      await assert.rejects(other.signatures.trust.add({ der: Buffer.from('x'), title: 'x', level: 'advanced', actor }), { name: 'Problem' })
      // A root of the same name is not the root.
      const twin = await makeRoot({ commonName: 'MT Login AC Raiz DEMONSTRACAO SEM VALOR', organization: 'Demonstracao MT Login' }, createKeySigner(makeKey('P-384')), scene.clock.now())
      await other.signatures.trust.add({ der: twin, title: 'Gêmea', level: 'qualified', actor })
      assert.equal((await other.signatures.verifier.verify(kinds[0]?.[1] ?? assert.fail())).verdict, 'unknown')
    } finally {
      await other.close()
    }
  })

  test('revoked after the time-stamp the signature stands; what its key signs later does not exist; a lost time-stamp key takes the time away', async () => {
    const { authority } = scene.signatures
    const sealed = await seal(await foreignPdf())
    const { serial } = await authority.service('seal')
    scene.clock.advance(10_000)
    await authority.revoke({ serial, reason: 'superseded', actor: { kind: 'system' } })
    const later = await verify(sealed)
    assert.deepEqual(later.signatures.map(({ verdict, revocation }) => ({ verdict, revocation })), [{ verdict: 'valid', revocation: 'revoked-after' }])
    await scene.db.execute(`UPDATE pki_certificate SET revoked_at = revoked_at - interval '1 hour' WHERE serial = $1`, [serial])
    assert.equal((await verify(sealed)).verdict, 'revoked')

    const fresh = await seal(await foreignPdf())
    const tsa = await authority.service('tsa')
    await authority.revoke({ serial: tsa.serial, reason: 'keyCompromise', actor: { kind: 'system' } })
    const untimed = await verify(fresh)
    assert.deepEqual(untimed.signatures.map(({ verdict, stampedAt }) => ({ verdict, stampedAt })), [{ verdict: 'unreadable', stampedAt: undefined }])
  })
})
