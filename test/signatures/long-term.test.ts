/** PAdES in every form as Poppler, qpdf and OpenSSL see it: evidence inside, time over evidence, several signers, stamps on pages, certified documents. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { degrees, PDFArray, PDFDict, PDFDocument, PDFName, type PDFNumber } from '@cantoo/pdf-lib'
import { SIGNATURE_FORMS } from '../../src/signatures/index.ts'
import { qrPng } from '../../src/signatures/confirmation/stamp.ts'
import { foreignPdf } from '../support/forged-pdfs.ts'
import { partsOfPdf } from '../support/pdf-parts.ts'
import { openSignatureScene, openssl, pem, run, type SignatureScene } from '../support/signature-scene.ts'
import { issueTestSigner, signTestPdf, type TestSigner } from '../support/test-signers.ts'

let scene: SignatureScene
let maria: TestSigner
let joao: TestSigner
before(async () => {
  scene = await openSignatureScene()
  const { root, certificate } = await scene.signatures.authority.active()
  scene.write('root.pem', pem('CERTIFICATE', root))
  scene.write('issuing.pem', pem('CERTIFICATE', certificate))
  maria = await issueTestSigner(scene)
  joao = await issueTestSigner(scene, { name: 'JOÃO TESTE', key: 'RSA-3072' })
})
after(() => scene.close())

const file = (name: string) => `${scene.folder}/${name}`

/** Each signature by OpenSSL, the whole by the two others. */
async function checkEverywhere(pdf: Buffer, label: string): Promise<void> {
  scene.write('judged.pdf', pdf)
  assert.match((await run('qpdf', ['--check', file('judged.pdf')])).text, /No syntax or stream encoding errors found/, label)
  const poppler = (await run('pdfsig', ['-no-ocsp', file('judged.pdf')])).text
  const parts = partsOfPdf(pdf)
  assert.equal([...poppler.matchAll(/Signature is Valid\./g)].length, parts.filter(({ isTimeStamp }) => !isTimeStamp).length, `${label}: ${poppler}`)
  for (const { cms, signed, isTimeStamp } of parts) {
    const [signature, content] = [scene.write('signature.der', cms), scene.write('signed.bin', signed)]
    const checked = isTimeStamp
      ? await openssl('ts', '-verify', '-token_in', '-in', signature, '-data', content, '-CAfile', file('root.pem'), '-untrusted', file('issuing.pem'))
      : await openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', signature, '-content', content, '-CAfile', file('root.pem'), '-purpose', 'any', '-out', '/dev/null')
    assert.match(checked.text, /Verification: OK|CAdES Verification successful/, `${label}: ${checked.text}`)
  }
}

/** What the store of evidence holds. */
async function evidenceOf(pdf: Buffer): Promise<Record<string, number>> {
  const document = await PDFDocument.load(pdf, { updateMetadata: false })
  const store = document.catalog.lookup(PDFName.of('DSS'), PDFDict)
  return Object.fromEntries(store.entries().filter(([name]) => name !== PDFName.of('Type')).map(([name]) => [name.asString(), store.lookup(name, PDFArray).size()]))
}

for (const objectStreams of [false, true]) {
  test(`every form on a ${objectStreams ? 'stream' : 'table'} of cross-references, P-256 and RSA`, async () => {
    for (const by of [maria, joao]) {
      for (const form of SIGNATURE_FORMS) {
        const before = await foreignPdf({ objectStreams })
        const signed = await signTestPdf(scene, before, by, { form })
        assert.ok(signed.subarray(0, before.length).equals(Buffer.from(before)), 'what was there stays')
        await checkEverywhere(signed, `${form} by ${by.name}`)
      }
    }
  })
}

test('the evidence is whole: chain, answers about signer and time-stamp authority, the list of the root', async () => {
  const once = await signTestPdf(scene, await foreignPdf(), maria, { form: 'B-LT' })
  // Signer, issuing authority, root, responder, time-stamp authority.
  assert.deepEqual(await evidenceOf(once), { '/Certs': 5, '/OCSPs': 2, '/CRLs': 1 })
  const twice = await signTestPdf(scene, once, joao, { form: 'B-LTA' })
  assert.ok(twice.subarray(0, once.length).equals(once))
  // The second adds himself and two newer answers, and says nothing twice.
  assert.deepEqual(await evidenceOf(twice), { '/Certs': 6, '/OCSPs': 4, '/CRLs': 1 })
  await checkEverywhere(twice, 'B-LT and B-LTA by two')
})

test('whoever is good no more, or not ours, gets no long-term form', async () => {
  const lost = await issueTestSigner(scene)
  await scene.signatures.authority.revoke({ serial: lost.serial, reason: 'keyCompromise', actor: { kind: 'system' } })
  await assert.rejects(signTestPdf(scene, await foreignPdf(), lost, { form: 'B-LT' }), { code: 'signatures/certificate-revoked' })
  const other = await openSignatureScene()
  try {
    const stranger = await issueTestSigner(other)
    await assert.rejects(signTestPdf(scene, await foreignPdf(), stranger, { form: 'B-LTA' }), { code: 'signatures/certificate-unknown' })
  } finally {
    await other.close()
  }
})

test('a certified document that allows nothing refuses further signatures; one that allows them takes them', async () => {
  const locked = await signTestPdf(scene, await foreignPdf(), maria, { certify: 1, form: 'B-LTA' })
  await checkEverywhere(locked, 'certified, nothing allowed')
  await assert.rejects(signTestPdf(scene, locked, joao), { code: 'signatures/not-signable', detail: 'locked' })
  const open = await signTestPdf(scene, await foreignPdf(), maria, { certify: 2 })
  await checkEverywhere(await signTestPdf(scene, open, joao), 'certified, signatures allowed')
  await assert.rejects(signTestPdf(scene, open, joao, { certify: 2 }), { code: 'signatures/not-signable', detail: 'locked' })
})

/** A QR code of one black point. */
const DOT = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64')
const STAMP = { page: 1, left: 1, top: 1, width: 180, height: 60, lines: ['Assinado por João Ñandú Ỹ', 'CPF ***.456.789-**', '28/11/2026 12:00 (Cuiabá)'] } as const

test('a stamp stands upright and whole where it was put, on pages turned every way', async () => {
  for (const [turn, rectangle] of [[0, [202, 18, 382, 78]], [90, [322, 402, 382, 582]], [180, [18, 522, 198, 582]], [270, [18, 18, 78, 198]]] as const) {
    const document = await PDFDocument.create()
    document.addPage([400, 600]).setRotation(degrees(turn))
    const signed = await signTestPdf(scene, await document.save({ useObjectStreams: turn === 90 }), maria, { stamp: { ...STAMP, image: DOT }, form: 'B-LT' })
    await checkEverywhere(signed, `turned ${turn}`)
    const [widget] = (await PDFDocument.load(signed)).getPage(0).node.lookup(PDFName.of('Annots'), PDFArray).asArray().map((_, i, all) => all[i])
    const found = (await PDFDocument.load(signed)).context.lookup(widget, PDFDict).lookup(PDFName.of('Rect'), PDFArray).asArray().map((each) => (each as PDFNumber).asNumber())
    assert.deepEqual(found, rectangle, `turned ${turn}`)
    scene.write('stamped.pdf', signed)
    const { text } = await run('pdftotext', ['-layout', file('stamped.pdf'), '-'])
    for (const line of ['Assinado por João Ñandú Y', 'CPF ***.456.789-**', '28/11/2026 12:00 (Cuiabá)']) assert.ok(text.includes(line), `${turn}: ${text}`)
  }
  await assert.rejects(signTestPdf(scene, await foreignPdf(), maria, { stamp: { ...STAMP, page: 2 } }), { code: 'signatures/not-signable', detail: 'no-such-page' })
})

test('a page smaller than the stamp, and a name longer than it, are no trouble', async () => {
  const document = await PDFDocument.create()
  document.addPage([120, 80])
  const signed = await signTestPdf(scene, await document.save(), maria, { stamp: { ...STAMP, lines: ['x'.repeat(400), ...STAMP.lines] } })
  await checkEverywhere(signed, 'small page')
  assert.ok(readFileSync(file('judged.pdf')).length > 0)
})

test('the code in a stamp is the picture that was given, as Poppler sees it', async () => {
  const code = qrPng('https://mt.example/verificar/ABCD-EFGH-JKLM-NPQR')
  const signed = await signTestPdf(scene, await foreignPdf(), maria, { stamp: { ...STAMP, image: code }, form: 'B-LT' })
  await checkEverywhere(signed, 'with a code')
  scene.write('code.pdf', signed)
  await run('pdfimages', ['-png', file('code.pdf'), file('code')])
  const [given, drawn] = await Promise.all([Buffer.from(code), file('code-000.png')].map((picture) => sharp(picture).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true })))
  assert.deepEqual([drawn?.info.width, drawn?.info.height], [given?.info.width, given?.info.height])
  assert.ok(given && drawn?.data.equals(given.data))
})

test('what is changed deep inside an old object is saved, and nothing else', async () => {
  const document = await PDFDocument.create()
  for (let page = 0; page < 30; page += 1) document.addPage([300, 300]).drawText(`folha ${page}`)
  document.catalog.set(PDFName.of('AcroForm'), document.context.obj({ Fields: [] }))
  const original = Buffer.from(await document.save({ useObjectStreams: false }))
  const signed = await signTestPdf(scene, original, maria, { form: 'B-T' })
  await checkEverywhere(signed, 'form inside the catalogue')
  // The catalogue, the page of the field, and what is new: not the twenty-nine other pages.
  const numbers = [...signed.subarray(original.length).toString('latin1').matchAll(/^(\d+) 0 obj/gm)].map(([, number]) => Number(number))
  const old = numbers.filter((number) => number <= document.context.largestObjectNumber)
  assert.ok(old.length <= 2, String(old))
  assert.equal((await PDFDocument.load(signed)).catalog.lookup(PDFName.of('AcroForm'), PDFDict).lookup(PDFName.of('Fields'), PDFArray).size(), 1)
})
