/** A place for a signature or a time-stamp in a PDF: an update with a run of zeros that the signature is written over. */
import { createHash } from 'node:crypto'
import { PDFArray, PDFDict, type PDFDocument, PDFHexString, PDFInvalidObject, PDFName, PDFNumber, PDFRawStream, PDFRef } from '@cantoo/pdf-lib'
import { NotSignable } from './document.ts'

/** The file with an empty place, and the digest of everything around it. */
export interface PreparedPdf {
  readonly file: Uint8Array<ArrayBuffer>
  /** SHA-256. */
  readonly digest: Uint8Array<ArrayBuffer>
  /** Where the hexadecimal digits of the signature go. */
  readonly place: { readonly from: number; readonly digits: number }
}

/** Room for the signature, chain and time-stamp: RSA with two chains takes 6 kB. */
const PLACE_BYTES = 16_384
const BLANK_CONTENTS = `<${'0'.repeat(2 * PLACE_BYTES)}>`
/** Ten digits each, so that every offset fits. */
const BLANK_RANGE = `/ByteRange [0 ${Array(3).fill('9'.repeat(10)).join(' ')}]`
const SIGNATURES_EXIST = 1
const APPEND_ONLY = 2
const PRINT_AND_LOCKED = 4 | 128

/** Written as raw bytes: a dictionary in a compressed stream has no offsets that could be signed around. */
export function addPlace({ context }: PDFDocument, entries: readonly string[]): PDFRef {
  const dictionary = ['/Filter /Adobe.PPKLite', BLANK_RANGE, `/Contents ${BLANK_CONTENTS}`, ...entries]
  return context.register(PDFInvalidObject.of(Buffer.from(`<< ${dictionary.join('\n')} >>`, 'latin1')))
}

/** What the field draws, and where; without one it draws nothing. */
export interface Drawing {
  readonly pageIndex: number
  readonly rectangle: readonly [number, number, number, number]
  readonly appearance: PDFRef
}

/** The form's field whose value the place is; `label` is what screen readers say of it. */
export function addField(document: PDFDocument, place: PDFRef, { prefix, label, drawing }: { prefix: string; label: string; drawing?: Drawing | undefined }): void {
  const { context, catalog } = document
  const page = document.getPage(drawing?.pageIndex ?? 0)
  const form = catalog.lookupMaybe(PDFName.of('AcroForm'), PDFDict) ?? context.obj({})
  const fields = form.lookupMaybe(PDFName.of('Fields'), PDFArray) ?? PDFArray.withContext(context)
  const widget = context.obj({
    Type: 'Annot', Subtype: 'Widget', FT: 'Sig', Rect: [...(drawing?.rectangle ?? [0, 0, 0, 0])], V: place, F: PRINT_AND_LOCKED, P: page.ref,
    AP: { N: drawing?.appearance ?? nothing(document) },
  })
  widget.set(PDFName.of('T'), PDFHexString.fromText(freeName(fields, prefix)))
  widget.set(PDFName.of('TU'), PDFHexString.fromText(label))
  const reference = context.register(widget)
  fields.push(reference)
  form.set(PDFName.of('Fields'), fields)
  form.set(PDFName.of('SigFlags'), PDFNumber.of(SIGNATURES_EXIST | APPEND_ONLY))
  const known = catalog.get(PDFName.of('AcroForm'))
  catalog.set(PDFName.of('AcroForm'), known instanceof PDFRef ? known : context.register(form))
  const annotations = page.node.lookupMaybe(PDFName.of('Annots'), PDFArray) ?? PDFArray.withContext(context)
  annotations.push(reference)
  if (!(page.node.get(PDFName.of('Annots')) instanceof PDFRef)) page.node.set(PDFName.of('Annots'), annotations)
}

/** Two fields of one name would be one field. */
function freeName(fields: PDFArray, prefix: string): string {
  const taken = new Set(fields.asArray().map((_, i) => fields.lookupMaybe(i, PDFDict)?.get(PDFName.of('T'))?.toString()))
  let number = fields.size() + 1
  while (taken.has(PDFHexString.fromText(`${prefix} ${number}`).toString())) number += 1
  return `${prefix} ${number}`
}

const nothing = ({ context }: PDFDocument) => context.register(PDFRawStream.of(context.obj({ Type: 'XObject', Subtype: 'Form', BBox: [0, 0, 0, 0] }), new Uint8Array()))

/** The offsets are known only now; the digits that were kept for them are overwritten in place. */
export function fillRange(file: Buffer<ArrayBuffer>, before: number): PreparedPdf {
  const [range, open] = [file.indexOf(BLANK_RANGE, before, 'latin1'), file.indexOf(BLANK_CONTENTS, before, 'latin1')]
  if (range < 0 || open < range) throw new NotSignable('unreadable')
  const after = open + BLANK_CONTENTS.length
  const filled = `/ByteRange [0 ${open} ${after} ${file.length - after}`
  file.write(`${filled.padEnd(BLANK_RANGE.length - 1)}]`, range, 'latin1')
  const digest = createHash('sha256').update(file.subarray(0, open)).update(file.subarray(after)).digest()
  return { file, digest: new Uint8Array(digest), place: { from: open + 1, digits: 2 * PLACE_BYTES } }
}

/** The signature in its place, in the same memory; nothing stays of one that was there before. */
export function embed({ file, place }: PreparedPdf, signature: Buffer): Buffer<ArrayBuffer> {
  const hex = signature.toString('hex')
  if (hex.length > place.digits) throw new Error('the signature does not fit into its place')
  const signed = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  signed.write(hex, place.from, 'latin1')
  signed.fill('0', place.from + hex.length, place.from + place.digits, 'latin1')
  return signed
}
