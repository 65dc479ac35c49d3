/** A place for a signature in a PDF, added as an incremental update: what was there before stays as it is, to the byte. */
import { createHash } from 'node:crypto'
import { PDFArray, PDFDict, PDFDocument, PDFHexString, PDFInvalidObject, PDFName, PDFNumber, PDFRawStream, PDFRef, PDFString } from '@cantoo/pdf-lib'

export interface PlaceRequest {
  /** Why the document is signed; shown by readers. */
  readonly reason: string
  /** Who signs, as readers show it. */
  readonly name: string
  readonly at: Date
}

/** The file with an empty place, and the digest of everything around it. */
export interface PreparedPdf {
  readonly file: Uint8Array<ArrayBuffer>
  readonly digest: Uint8Array<ArrayBuffer>
  /** Where the hexadecimal digits of the signature go. */
  readonly place: { readonly from: number; readonly digits: number }
}

/** A PDF that we do not sign; the message is a word. */
export class NotSignable extends Error {
  constructor(reason: 'unreadable' | 'encrypted' | 'too-many-pages') {
    super(reason)
    this.name = 'NotSignable'
  }
}

/** Room for the signature, chain and time-stamp: RSA with two chains takes 6 kB. */
const PLACE_BYTES = 16_384
const MOST_PAGES = 2000
const BLANK_CONTENTS = `<${'0'.repeat(2 * PLACE_BYTES)}>`
/** Ten digits each, so that every offset fits. */
const BLANK_RANGE = `/ByteRange [0 ${Array(3).fill('9'.repeat(10)).join(' ')}]`
const SIGNATURES_EXIST = 1
const APPEND_ONLY = 2
const PRINT_AND_LOCKED = 4 | 128

/** @throws {NotSignable} */
export async function preparePdf(pdf: Uint8Array, request: PlaceRequest): Promise<PreparedPdf> {
  const document = await load(pdf)
  if (document.getPageCount() === 0) throw new NotSignable('unreadable')
  if (document.getPageCount() > MOST_PAGES) throw new NotSignable('too-many-pages')
  addField(document, signatureDictionary(document, request), request.name)
  const update = await document.commit({ useObjectStreams: usesXrefStream(pdf) })
  return fillRange(Buffer.from(update.buffer, update.byteOffset, update.byteLength), pdf.length)
}

async function load(pdf: Uint8Array): Promise<PDFDocument> {
  try {
    const document = await PDFDocument.load(pdf, { forIncrementalUpdate: true, updateMetadata: false, throwOnInvalidObject: true, ignoreEncryption: true, parseSpeed: Number.POSITIVE_INFINITY })
    if (document.isEncrypted) throw new NotSignable('encrypted')
    return document
  } catch (error) {
    throw error instanceof NotSignable ? error : new NotSignable('unreadable')
  }
}

/** An update speaks as the file does: after a cross-reference stream a table would be one more way to read the file. */
function usesXrefStream(pdf: Uint8Array): boolean {
  const tail = Buffer.from(pdf.buffer, pdf.byteOffset, pdf.byteLength).subarray(-2048).toString('latin1')
  const [, offset = ''] = [...tail.matchAll(/startxref\s+(\d+)\s+%%EOF/g)].at(-1) ?? []
  return !Buffer.from(pdf.subarray(Number(offset), Number(offset) + 4)).equals(Buffer.from('xref'))
}

/** Written as raw bytes: a dictionary in a compressed stream has no offsets that could be signed around. */
function signatureDictionary({ context }: PDFDocument, { reason, name, at }: PlaceRequest): PDFRef {
  const text = (value: string) => PDFHexString.fromText(value).toString()
  const entries = [
    '/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached',
    BLANK_RANGE,
    `/Contents ${BLANK_CONTENTS}`,
    `/Name ${text(name)} /Reason ${text(reason)} /M ${PDFString.fromDate(at).toString()}`,
  ]
  return context.register(PDFInvalidObject.of(Buffer.from(`<< ${entries.join('\n')} >>`, 'latin1')))
}

/** An invisible field on the first page: the verdict stands in the reader's panel, not in ink that anybody could draw. */
function addField(document: PDFDocument, signature: PDFRef, name: string): void {
  const { context, catalog } = document
  const page = document.getPage(0)
  const form = formOf(document)
  const fields = form.lookupMaybe(PDFName.of('Fields'), PDFArray) ?? PDFArray.withContext(context)
  const appearance = context.register(PDFRawStream.of(context.obj({ Type: 'XObject', Subtype: 'Form', BBox: [0, 0, 0, 0] }), new Uint8Array()))
  const widget = context.obj({
    Type: 'Annot', Subtype: 'Widget', FT: 'Sig', Rect: [0, 0, 0, 0], V: signature, F: PRINT_AND_LOCKED, P: page.ref, AP: { N: appearance },
  })
  widget.set(PDFName.of('T'), PDFHexString.fromText(`Selo ${fields.size() + 1}`))
  widget.set(PDFName.of('TU'), PDFHexString.fromText(name))
  const reference = context.register(widget)
  fields.push(reference)
  form.set(PDFName.of('Fields'), fields)
  form.set(PDFName.of('SigFlags'), PDFNumber.of(SIGNATURES_EXIST | APPEND_ONLY))
  catalog.set(PDFName.of('AcroForm'), formReference(document, form))
  const annotations = page.node.lookupMaybe(PDFName.of('Annots'), PDFArray) ?? PDFArray.withContext(context)
  annotations.push(reference)
  page.node.set(PDFName.of('Annots'), annotations)
}

const formOf = ({ catalog, context }: PDFDocument): PDFDict => catalog.lookupMaybe(PDFName.of('AcroForm'), PDFDict) ?? context.obj({})

function formReference({ catalog, context }: PDFDocument, form: PDFDict) {
  const known = catalog.get(PDFName.of('AcroForm'))
  return known instanceof PDFRef ? known : context.register(form)
}

/** The offsets are known only now; the digits that were kept for them are overwritten in place. */
function fillRange(file: Buffer<ArrayBuffer>, before: number): PreparedPdf {
  const [range, open] = [file.indexOf(BLANK_RANGE, before, 'latin1'), file.indexOf(BLANK_CONTENTS, before, 'latin1')]
  if (range < 0 || open < range) throw new NotSignable('unreadable')
  const after = open + BLANK_CONTENTS.length
  const filled = `/ByteRange [0 ${open} ${after} ${file.length - after}`
  file.write(`${filled.padEnd(BLANK_RANGE.length - 1)}]`, range, 'latin1')
  const digest = createHash('sha256').update(file.subarray(0, open)).update(file.subarray(after)).digest()
  return { file, digest: new Uint8Array(digest), place: { from: open + 1, digits: 2 * PLACE_BYTES } }
}
