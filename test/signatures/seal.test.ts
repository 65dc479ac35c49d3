/** The organisation's seal as Poppler, qpdf and OpenSSL see it, on documents of ours and of other programs; and what they say when a byte is changed. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { PDFDocument } from '@cantoo/pdf-lib'
import { createDocuments } from '../../src/platform/documents/documents.ts'
import { openSignatureScene, openssl, pem, run, type SignatureScene } from '../support/signature-scene.ts'

let scene: SignatureScene
const documents = createDocuments()
before(async () => {
  scene = await openSignatureScene()
  const { root, certificate } = await scene.signatures.authority.active()
  scene.write('root.pem', pem('CERTIFICATE', root))
  scene.write('issuing.pem', pem('CERTIFICATE', certificate))
})
after(async () => {
  await documents.close()
  await scene.close()
})

const AT = new Date('2026-11-28T12:00:00Z')
const file = (name: string) => `${scene.folder}/${name}`
const seal = (pdf: Uint8Array) => scene.signatures.seals.seal(pdf, { reason: 'Comprovante de atendimento', at: AT })

const ours = () =>
  documents.render({ title: 'Comprovante', language: 'pt-BR', issuer: 'MT Login', at: AT, blocks: [{ kind: 'text', text: 'O que foi colhido de você.' }] })

/** As another program would write it, with a table or a stream of cross-references. */
async function foreign(useObjectStreams: boolean, pages = 1): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  for (let page = 0; page < pages; page += 1) pdf.addPage([300, 300]).drawText(`folha ${page}`)
  return pdf.save({ useObjectStreams })
}

interface Parts {
  readonly signed: Buffer
  readonly cms: Buffer
  readonly range: readonly [number, number, number, number]
}

/** What stands outside and inside of the last signature's place. */
function partsOf(pdf: Buffer): Parts {
  const found = [...pdf.toString('latin1').matchAll(/\/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]/g)].at(-1) ?? assert.fail('no signature')
  const [, a = 0, b = 0, c = 0, d = 0] = found.map(Number)
  const hex = pdf.subarray(b + 1, c - 1).toString('latin1')
  const cms = Buffer.from(hex, 'hex')
  const length = 4 + cms.readUInt16BE(2)
  return { signed: Buffer.concat([pdf.subarray(a, a + b), pdf.subarray(c, c + d)]), cms: cms.subarray(0, length), range: [a, b, c, d] }
}

/** OpenSSL on what is signed: certificate chain, digest, signing-certificate attribute. */
async function verifyCms(pdf: Buffer, ...more: string[]) {
  const { signed, cms } = partsOf(pdf)
  scene.write('signed.bin', signed)
  scene.write('signature.der', cms)
  return openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', file('signature.der'), '-content', file('signed.bin'), '-CAfile', file('root.pem'), '-purpose', 'any', '-out', '/dev/null', ...more)
}

async function pdfsig(pdf: Buffer): Promise<string> {
  return (await run('pdfsig', ['-no-ocsp', scene.write('sealed.pdf', pdf)])).text
}

for (const [name, make] of [
  ['a document of ours', ours],
  ['a PDF with a table of cross-references', () => foreign(false)],
  ['a PDF with a stream of cross-references', () => foreign(true)],
] as const) {
  test(`${name}: whole, covered to the end, accepted by three judges`, async () => {
    const before = await make()
    const sealed = await seal(before)
    assert.ok(sealed.subarray(0, before.length).equals(before), 'what was there stays as it is')
    const { range } = partsOf(sealed)
    assert.equal(range[2] + range[3], sealed.length)
    const read = await pdfsig(sealed)
    assert.match(read, /Signature Validation: Signature is Valid\./, read)
    assert.match(read, /Total document signed/)
    assert.match(read, /ETSI\.CAdES\.detached/)
    assert.match(read, /Demonstracao/)
    const checked = await run('qpdf', ['--check', file('sealed.pdf')])
    assert.match(checked.text, /No syntax or stream encoding errors found/, checked.text)
    const verified = await verifyCms(sealed)
    assert.match(verified.text, /CAdES Verification successful/, verified.text)
  })
}

test('the time-stamp is of the signature, by our own authority', async () => {
  const sealed = await seal(await ours())
  await verifyCms(sealed)
  const printed = (await openssl('asn1parse', '-inform', 'DER', '-in', file('signature.der'))).text.split('\n')
  const at = printed.findIndex((line) => line.includes('id-smime-aa-timeStampToken'))
  assert.ok(at > 0)
  const offset = (line: string) => Number(/^\s*(\d+):/.exec(line)?.[1])
  const token = printed.slice(at).find((line) => line.includes('cons: SEQUENCE')) ?? ''
  const [, header = '0', length = '0'] = /hl=(\d+)\s+l=\s*(\d+)/.exec(token) ?? []
  const { cms } = partsOf(sealed)
  scene.write('token.der', cms.subarray(offset(token), offset(token) + Number(header) + Number(length)))
  const value = printed.slice(0, at).findLast((line) => line.includes('OCTET STRING')) ?? ''
  const [, valueHeader = '0', valueLength = '0'] = /hl=(\d+)\s+l=\s*(\d+)/.exec(value) ?? []
  const from = offset(value) + Number(valueHeader)
  scene.write('value.bin', cms.subarray(from, from + Number(valueLength)))
  const checked = await openssl('ts', '-verify', '-token_in', '-in', file('token.der'), '-data', file('value.bin'), '-CAfile', file('root.pem'), '-untrusted', file('issuing.pem'))
  assert.match(checked.text, /Verification: OK/, checked.text)
})

test('a second seal leaves the first as it was; the file stays in order', async () => {
  const once = await seal(await foreign(false))
  const twice = await seal(once)
  assert.ok(twice.subarray(0, once.length).equals(once))
  const read = await pdfsig(twice)
  assert.equal([...read.matchAll(/Signature Validation: Signature is Valid\./g)].length, 2, read)
  assert.match((await run('qpdf', ['--check', file('sealed.pdf')])).text, /No syntax or stream encoding errors found/)
})

test('any changed byte is seen by the judges: of the page, of the range, of the signature, of the attributes', async () => {
  const sealed = await seal(await ours())
  const { range } = partsOf(sealed)
  for (const place of [200, Math.floor(range[1] / 2), range[2] + 5]) {
    const changed = Buffer.from(sealed)
    changed[place] = (changed[place] ?? 0) ^ 1
    assert.doesNotMatch((await verifyCms(changed)).text, /successful/, `byte ${place}`)
    assert.doesNotMatch(await pdfsig(changed), /Signature is Valid/, `byte ${place}`)
  }
  const forged = Buffer.from(sealed)
  const digest = forged.indexOf('2a864886f70d010904', range[1], 'latin1')
  assert.ok(digest > 0)
  forged.write(forged.toString('latin1', digest + 40, digest + 41) === '0' ? '1' : '0', digest + 40, 'latin1')
  assert.doesNotMatch((await verifyCms(forged)).text, /successful/)
  assert.doesNotMatch(await pdfsig(forged), /Signature is Valid/)
  const elsewhere = Buffer.from(sealed)
  elsewhere.write(`/ByteRange [0 ${range[1] - 1} `, sealed.lastIndexOf('/ByteRange [', undefined, 'latin1'), 'latin1')
  assert.doesNotMatch(await pdfsig(elsewhere), /Signature is Valid/)
  const longer = Buffer.concat([sealed, Buffer.from('\n% nachgetragen\n')])
  assert.doesNotMatch(await pdfsig(longer), /Total document signed/)
})

test('what is no PDF, is encrypted or has too many pages is not sealed, and says why', async () => {
  const refused = async (pdf: Uint8Array) => seal(pdf).then(() => assert.fail('sealed'), (error: { code?: string; detail?: string }) => `${error.code} ${error.detail}`)
  assert.equal(await refused(Buffer.from('%PDF-1.7 and nothing more')), 'signatures/not-signable unreadable')
  scene.write('plain.pdf', await foreign(false))
  assert.ok((await run('qpdf', ['--encrypt', '', 'dono', '256', '--', file('plain.pdf'), file('encrypted.pdf')])).ok)
  assert.equal(await refused(readFileSync(file('encrypted.pdf'))), 'signatures/not-signable encrypted')
  assert.equal(await refused(await foreign(true, 2001)), 'signatures/not-signable too-many-pages')
  assert.equal(await refused(Buffer.alloc(20 * 1024 * 1024 + 1)), 'signatures/not-signable too-large')
})

test('each seal is a line in the record, with the digest of the file and nothing of what it says', async () => {
  const sealed = await seal(await ours())
  const last = (await scene.events('signatures/document-sealed')).at(-1)
  assert.equal(last?.data['digest'], createHash('sha256').update(partsOf(sealed).signed).digest('hex'))
})
