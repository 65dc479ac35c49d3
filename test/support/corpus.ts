/** Signed files of every kind, good and bad, with what each judge is expected to say of them and why they differ. */
import { createHash } from 'node:crypto'
import { PDFDocument, PDFName, PDFString } from '@cantoo/pdf-lib'
import { OID } from '../../src/signatures/asn1/oids.ts'
import { issueStamp } from '../../src/signatures/timestamp/time-stamp.ts'
import { attribute, draftCms } from '../../src/signatures/cms/signed-data.ts'
import { embed } from '../../src/signatures/pdf/place.ts'
import type { Stamper } from '../../src/signatures/timestamp/time-stamp.ts'
import type { Verdict } from '../../src/signatures/verification/verdict.ts'
import { CONTENTS_TRICKS, FORGED_SIGNATURES, INCREMENTAL_TRICKS, SHADOWS, WRAPPINGS } from './corpus-attacks.ts'
import { foreignPdf, LATER_CHANGES, TAMPERINGS } from './forged-pdfs.ts'
import type { Words } from './judges.ts'
import { openSignatureScene, type SignatureScene } from './signature-scene.ts'
import { issueTestSigner, signTestFile, signTestPdf, type TestSigner } from './test-signers.ts'

export interface CorpusFile {
  readonly name: string
  /** What one row of the table counts together. */
  readonly group: string
  readonly bytes: Buffer
  /** Beside the file; the file is a PDF without it. */
  readonly signature?: Buffer
  /** Ours may be one of several where which fault is found first says nothing. */
  readonly ours: readonly (Verdict | 'none' | 'signatures/not-verifiable')[]
  readonly words: Words
  /** When the judges look; now without it. */
  readonly at?: Date
  /** Without the signing-certificate attribute that CAdES demands. */
  readonly plain?: true
}

const GOOD: Words = { poppler: 'good', qpdf: 'good', openssl: 'good', bouncyCastle: 'good' }
const EXTENDED: Words = { ...GOOD, poppler: 'partial' }
const BAD: Words = { poppler: 'bad', openssl: 'bad', bouncyCastle: 'bad' }
/** Seen by whoever looks at the file as a whole; the others were given what was signed, and that is good. */
const LATER: Words = { poppler: 'partial', openssl: 'good', bouncyCastle: 'good' }
const TAMPERED: CorpusFile['ours'] = ['forged', 'changed', 'unreadable', 'none', 'signatures/not-verifiable']

export interface Corpus {
  readonly files: readonly CorpusFile[]
  readonly people: { readonly maria: TestSigner; readonly rsa: TestSigner }
}

/** A document with what shadow attacks work on: a form's field, a note, a link. */
async function richPdf(objectStreams: boolean): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  const page = pdf.addPage([400, 400])
  page.drawText('Valor: R$ 10,00')
  pdf.getForm().createTextField('valor').addToPage(page, { x: 10, y: 10, width: 100, height: 20 })
  const note = pdf.context.obj({ Type: 'Annot', Subtype: 'Text', Rect: [0, 0, 20, 20], Contents: PDFString.of('nota') })
  // Beside its page, as many programs keep it.
  page.node.set(PDFName.of('Annots'), pdf.context.register(pdf.context.obj([...(page.node.Annots()?.asArray() ?? []), pdf.context.register(note)])))
  return pdf.save({ useObjectStreams: objectStreams })
}

/** The scene must be new: certificates are revoked in it. */
export async function makeCorpus(scene: SignatureScene): Promise<Corpus> {
  const maria = await issueTestSigner(scene)
  const rsa = await issueTestSigner(scene, { name: 'JOÃO TESTE', key: 'RSA-3072' })
  const sources = [['table', await foreignPdf()], ['stream', await foreignPdf({ objectStreams: true, pages: 3 })], ['form', await richPdf(false)]] as const
  const good = await goodFiles(scene, sources, maria, rsa)
  const bases = await Promise.all(sources.map(async ([name, pdf], i) => [name, await signTestPdf(scene, pdf, i === 1 ? rsa : maria)] as const))
  const [[, table], , [, form]] = bases as [(typeof bases)[0], (typeof bases)[0], (typeof bases)[0]]
  const files = [...good, ...(await attacks(table, form, bases)), ...(await certificateFiles(scene, maria)), ...(await timeFiles(scene, maria))]
  return { files, people: { maria, rsa } }
}

async function goodFiles(scene: SignatureScene, sources: readonly (readonly [string, Uint8Array])[], maria: TestSigner, rsa: TestSigner): Promise<CorpusFile[]> {
  const files: CorpusFile[] = []
  const add = (name: string, group: string, bytes: Buffer, words: Words) => void files.push({ name, group, bytes, ours: ['valid'], words })
  for (const form of ['B-B', 'B-T', 'B-LT', 'B-LTA'] as const) {
    for (const [i, [name, pdf]] of sources.entries()) {
      add(`${form}, ${name}`, `PAdES ${form}`, await signTestPdf(scene, pdf, i === 1 ? rsa : maria, { form }), form === 'B-B' || form === 'B-T' ? GOOD : EXTENDED)
    }
  }
  const stamp = { page: 1, left: 0.5, top: 1, width: 150, height: 40, lines: ['Assinado por JOÃO TESTE'] }
  for (const [name, pdf] of sources) {
    const once = await signTestPdf(scene, pdf, maria, { form: 'B-LT', stamp: { ...stamp, top: 0 } })
    add(`two signers, ${name}`, 'two signers with stamps', await signTestPdf(scene, once, rsa, { stamp }), GOOD)
  }
  const [, [, pdf]] = sources as [unknown, readonly [string, Uint8Array]]
  add('certified, nothing allowed, with its evidence', 'certified (DocMDP)', await signTestPdf(scene, pdf, maria, { certify: 1, form: 'B-LTA' }), EXTENDED)
  for (const certify of [2, 3] as const) {
    add(`certified ${certify}, signed again`, 'certified (DocMDP)', await signTestPdf(scene, await signTestPdf(scene, pdf, maria, { certify }), rsa, { stamp }), GOOD)
  }
  for (const [i, by] of [maria, rsa, maria].entries()) {
    const bytes = Buffer.from(`um arquivo qualquer ${i}`.repeat(i * 500))
    files.push({ name: `CAdES ${i}`, group: 'CAdES beside a file', bytes, signature: await signTestFile(scene, bytes, by, { form: i === 2 ? 'B-B' : 'B-T' }), ours: ['valid'], words: { openssl: 'good', bouncyCastle: 'good' } })
  }
  return files
}

async function attacks(table: Buffer, form: Buffer, bases: readonly (readonly [string, Buffer])[]): Promise<CorpusFile[]> {
  const [, [, stream]] = bases as [unknown, readonly [string, Buffer]]
  const files: CorpusFile[] = []
  for (const { name, make } of TAMPERINGS) files.push({ name, group: name.includes('range') || name.includes('gap') ? 'attack: range' : 'attack: bytes', bytes: await make(stream), ours: TAMPERED, words: BAD })
  for (const { name, make } of CONTENTS_TRICKS) files.push({ name, group: 'attack: /Contents', bytes: await make(table, stream), ours: TAMPERED, words: BAD })
  for (const { name, make } of FORGED_SIGNATURES) files.push({ name, group: 'attack: no signature (USF)', bytes: await make(table, stream), ours: TAMPERED, words: {} })
  for (const { name, make } of WRAPPINGS) files.push({ name, group: 'attack: wrapping (SWA)', bytes: await make(table, stream), ours: TAMPERED, words: {} })
  for (const { name, make } of LATER_CHANGES.filter(({ name: each }) => !/catalogue|after the end/.test(each))) files.push({ name, group: 'attack: changed later', bytes: await make(table), ours: ['changed'], words: LATER })
  for (const { name, make } of SHADOWS) files.push({ name, group: 'attack: shadow', bytes: await make(form, table), ours: ['changed', 'signatures/not-verifiable'], words: { openssl: 'good', bouncyCastle: 'good' } })
  for (const { name, make } of INCREMENTAL_TRICKS) files.push({ name, group: 'attack: incremental (ISA)', bytes: await make(table, stream), ours: TAMPERED, words: {} })
  return files
}

async function certificateFiles(scene: SignatureScene, maria: TestSigner): Promise<CorpusFile[]> {
  const group = 'certificate'
  const pdf = await foreignPdf()
  const short = await issueTestSigner(scene, { lastsMs: 3_600_000 })
  const [untimed, timed] = [await signTestPdf(scene, pdf, short, { form: 'B-B' }), await signTestPdf(scene, pdf, short, { form: 'B-LT' })]
  const before = await issueTestSigner(scene)
  const [lateUntimed, lateTimed] = [await signTestPdf(scene, pdf, before, { form: 'B-B' }), await signTestPdf(scene, pdf, before)]
  scene.clock.advance(2 * 3_600_000)
  await scene.signatures.authority.revoke({ serial: before.serial, reason: 'superseded', actor: { kind: 'system' } })
  scene.clock.advance(60_000)
  const after = await signTestPdf(scene, pdf, before)
  const stranger = await openSignatureScene()
  try {
    const foreign = await issueTestSigner(stranger)
    const unknown = await signTestPdf(stranger, pdf, foreign, { form: 'B-B' })
    const tsa = await scene.signatures.authority.service('tsa')
    const byStamper: TestSigner = { name: 'carimbo', serial: tsa.serial, signer: tsa.signer, certificates: [tsa.certificates[0], maria.certificates[1]] }
    const swapped = await issueTestSigner(scene, { name: 'OUTRA PESSOA' })
    return [
      { name: 'expired, and nobody vouches for the time', group, bytes: untimed, ours: ['expired'], words: { ...BAD, poppler: 'good', qpdf: 'good' } },
      // OpenSSL goes by the clock that it is given, not by the time-stamp; to BouncyCastle a list that was made after a certificate's end says nothing of it.
      { name: 'expired after the time-stamp', group, bytes: timed, ours: ['valid'], words: { ...EXTENDED, openssl: 'bad', bouncyCastle: 'bad' } },
      { name: 'revoked, and nobody vouches for the time', group, bytes: lateUntimed, ours: ['revoked'], words: { ...BAD, poppler: 'good', qpdf: 'good' } },
      { name: 'revoked after the time-stamp', group, bytes: lateTimed, ours: ['valid'], words: { ...GOOD, openssl: 'bad' } },
      { name: 'revoked before the time-stamp', group, bytes: after, ours: ['revoked'], words: { ...BAD, poppler: 'good', qpdf: 'good' } },
      { name: 'of an authority that nobody knows', group, bytes: unknown, ours: ['unknown'], words: { ...BAD, poppler: 'good', qpdf: 'good' } },
      // OpenSSL was told not to look at purposes, BouncyCastle and Poppler do not for themselves.
      { name: 'by a certificate for time-stamps', group, bytes: await signTestPdf(scene, pdf, byStamper), ours: ['unknown'], words: { openssl: 'good', bouncyCastle: 'good' } },
      { name: 'another certificate than the one that is named', group, bytes: await signWith(scene, pdf, maria, { claims: swapped }), ours: ['forged'], words: BAD },
    ]
  } finally {
    await stranger.close()
  }
}

/** A signature made wrong on purpose: with a token of another's making, or with another's certificate in it. */
async function signWith(scene: SignatureScene, pdf: Uint8Array, by: TestSigner, how: { stamp?: (signature: Buffer) => Promise<Buffer>; claims?: TestSigner }): Promise<Buffer> {
  const prepared = await scene.signatures.signing.preparePdf(pdf, { reason: 'Teste', name: by.name, at: scene.clock.now() })
  const { stamp } = how
  const request = {
    messageDigest: Buffer.from(prepared.digest), contentType: OID.data, certificates: (how.claims ?? by).certificates,
    ...(stamp && { unsigned: async (signature: Buffer) => [attribute(OID.signatureTimeStamp, await stamp(signature))] }),
  }
  const draft = draftCms(request, by.signer)
  return embed(prepared, await draft.complete(await by.signer.sign(draft.toBeSigned)))
}

async function timeFiles(scene: SignatureScene, maria: TestSigner): Promise<CorpusFile[]> {
  const group = 'time-stamp'
  const pdf = await foreignPdf()
  const { authority, stamping } = scene.signatures
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
  const token = async (signature: Buffer, { signer, certificates }: Stamper) =>
    (await issueStamp({ imprint: sha256(signature), digest: 'sha256', nonce: undefined, wantsCertificates: true }, scene.clock.now(), { signer, certificates })).token
  const flipped = (bytes: Buffer, at: number) => {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    return changed
  }
  // Poppler and OpenSSL do not look at the time-stamp of a signature.
  const unseen: Words = { poppler: 'good', qpdf: 'good', openssl: 'good', bouncyCastle: 'bad' }
  const lasting = await signTestPdf(scene, pdf, maria, { form: 'B-LTA' })
  const stranger = await openSignatureScene()
  try {
    const other = await stranger.signatures.authority.service('tsa')
    return [
      { name: 'time-stamp of another signature', group, bytes: await signWith(scene, pdf, maria, { stamp: () => stamping.stamp(sha256(Buffer.from('outra'))) }), ours: ['unreadable'], words: unseen },
      { name: 'time-stamp by a certificate for documents', group, bytes: await signWith(scene, pdf, maria, { stamp: async (signature) => token(signature, await authority.service('seal')) }), ours: ['unreadable'], words: unseen },
      { name: 'time-stamp with another byte', group, bytes: await signWith(scene, pdf, maria, { stamp: async (signature) => { const made = await stamping.stamp(sha256(signature)); return flipped(made, made.length - 4) } }), ours: ['unreadable'], words: unseen },
      { name: 'time-stamp cut off', group, bytes: await signWith(scene, pdf, maria, { stamp: async () => Buffer.from([0x30, 0x03, 0x02, 0x01, 0x00]) }), ours: ['unreadable'], words: unseen },
      // Nobody's time is no time: the signature itself is good now.
      { name: 'time-stamp of an authority that nobody knows', group, bytes: await signWith(scene, pdf, maria, { stamp: (signature) => token(signature, other) }), ours: ['valid'], words: unseen },
      { name: 'document time-stamp of another document', group: 'document time-stamp', bytes: flipped(lasting, lasting.lastIndexOf('/Carimbo') > 0 ? lasting.lastIndexOf('/Carimbo') + 1 : lasting.indexOf('%PDF-') + 7), ours: TAMPERED, words: {} },
    ]
  } finally {
    await stranger.close()
  }
}
