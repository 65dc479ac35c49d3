/** Attacks on signed PDFs by the names that they have in the literature (pdf-insecurity.org), five of each: made byte by byte. */
import { PDFArray, PDFDict, PDFDocument, PDFHexString, PDFName, PDFString } from '@cantoo/pdf-lib'
import { partsOfPdf } from './pdf-parts.ts'

export interface Attack {
  readonly name: string
  /** `other` is signed, too: what can be taken from it is not of this document. */
  readonly make: (signed: Buffer, other: Buffer) => Buffer | Promise<Buffer>
}

const lastRange = (pdf: Buffer) => {
  const [, open = 0, after = 0] = partsOfPdf(pdf).at(-1)?.range ?? []
  return { open, after }
}

/** In the room between the two signed parts, to the byte as long as before. */
function inGap(pdf: Buffer, text: (hex: string, room: number) => string): Buffer {
  const { open, after } = lastRange(pdf)
  const hex = pdf.toString('latin1', open + 1, after - 1).replace(/(00)+$/, '')
  const filled = text(hex, after - open)
  if (filled.length > after - open) throw new Error('no room')
  return Buffer.concat([pdf.subarray(0, open), Buffer.from(filled, 'latin1'), pdf.subarray(after)])
}

const padded = (text: string, room: number, end: string) => text + '0'.repeat(room - text.length - end.length) + end

/** Where the value of an ECDSA signature begins: the one over the attributes comes before that of the time-stamp. */
const valueAt = (hex: string): number => hex.indexOf('300a06082a8648ce3d04030204') + 24

/** In the signature's own string. */
export const CONTENTS_TRICKS: readonly Attack[] = [
  { name: 'the signature of another document', make: (pdf, other) => inGap(pdf, (_, room) => padded(`<${partsOfPdf(other).at(-1)?.cms.toString('hex')}`, room, '>')) },
  { name: 'a signature that is no signature', make: (pdf) => inGap(pdf, (_, room) => padded('<3003020100', room, '>')) },
  { name: 'letters that are no digits', make: (pdf) => inGap(pdf, (hex, room) => padded(`<zz${hex.slice(2)}`, room, '>')) },
  { name: 'a signature without its end', make: (pdf) => inGap(pdf, (hex, room) => padded(`<${hex.slice(0, valueAt(hex) + 20)}`, room, '>')) },
  { name: 'a signature value of zeros', make: (pdf) => inGap(pdf, (hex, room) => padded(`<${hex.slice(0, valueAt(hex) + 16)}${'0'.repeat(40)}${hex.slice(valueAt(hex) + 56)}`, room, '>')) },
]

const replaced = (pdf: Buffer, from: RegExp, to: (found: string) => string): Buffer => {
  const text = pdf.toString('latin1')
  const found = [...text.matchAll(from)].at(-1)
  if (!found) throw new Error(`nothing like ${from.source}`)
  return Buffer.from(text.slice(0, found.index) + to(found[0]).padEnd(found[0].length).slice(0, found[0].length) + text.slice(found.index + found[0].length), 'latin1')
}

/** Universal signature forgery: what a reader needs to check is taken away, and what it shows stays. */
export const FORGED_SIGNATURES: readonly Attack[] = [
  { name: 'no /ByteRange', make: (pdf) => replaced(pdf, /\/ByteRange /g, () => '/ByteRang_ ') },
  { name: 'no /Contents', make: (pdf) => replaced(pdf, /\/Contents </g, () => '/Content_ <') },
  { name: 'a range of nothing', make: (pdf) => replaced(pdf, /\/ByteRange \[[^\]]*\]/g, (found) => `${'/ByteRange [0 0 0 0'.padEnd(found.length - 1)}]`) },
  { name: 'a range with a number below zero', make: (pdf) => replaced(pdf, /\/ByteRange \[[^\]]*\]/g, (found) => `${'/ByteRange [0 -1 5 9'.padEnd(found.length - 1)}]`) },
  { name: 'a range that is null', make: (pdf) => replaced(pdf, /\/ByteRange \[[^\]]*\]/g, () => '/ByteRange null') },
]

/** Signature wrapping: the gap holds more than the signature. */
export const WRAPPINGS: readonly Attack[] = [
  { name: 'a second range in the gap', make: (pdf) => inGap(pdf, (hex, room) => padded(`<${hex}> /ByteRange [0 10 20 ${pdf.length - 20}] /Odd <`, room, '>')) },
  { name: 'other members in the gap', make: (pdf) => inGap(pdf, (hex, room) => padded(`<${hex}> /Prop_Build <`, room, '>')) },
  { name: 'a comment in the gap', make: (pdf) => inGap(pdf, (hex, room) => `${padded(`<${hex}>\n%`, room, '\n')}`) },
  { name: 'an object in the gap', make: (pdf) => inGap(pdf, (hex, room) => padded(`<${hex}> >>\nendobj\n99 0 obj\n<< /Odd <`, room, '>')) },
  { name: 'the signed end somewhere else', make: (pdf) => {
    const { open, after } = lastRange(pdf)
    const end = pdf.subarray(after)
    const [moved, more] = [pdf.length + 60, Buffer.from('\n99 0 obj\n(no lugar do outro)\nendobj\n'.padEnd(60), 'latin1')]
    const changed = replaced(Buffer.concat([pdf, more, end]), /\/ByteRange \[[^\]]*\]/g, (found) => `${`/ByteRange [0 ${open} ${moved} ${end.length}`.padEnd(found.length - 1)}]`)
    return changed
  } },
]

async function updated(pdf: Buffer, change: (document: PDFDocument) => void): Promise<Buffer> {
  const document = await PDFDocument.load(pdf, { forIncrementalUpdate: true, updateMetadata: false })
  change(document)
  return Buffer.from(await document.commit({ useObjectStreams: false }))
}

const noteOf = (document: PDFDocument, subtype: string): PDFDict => {
  const notes = document.getPage(0).node.lookup(PDFName.of('Annots'), PDFArray)
  const found = notes.asArray().map((_, i) => notes.lookup(i, PDFDict)).find((each) => each.get(PDFName.of('Subtype')) === PDFName.of(subtype))
  if (!found) throw new Error('no note')
  return found
}

/** Shadow attacks: content that waits is shown, what was shown is hidden, one takes another's place. The first file has a form and a note. */
export const SHADOWS: readonly Attack[] = [
  { name: 'hide: a note that covers everything', make: (pdf) => updated(pdf, (document) => noteOf(document, 'Text').set(PDFName.of('Rect'), document.context.obj([0, 0, 400, 400]))) },
  { name: 'hide: a note that is hidden', make: (pdf) => updated(pdf, (document) => noteOf(document, 'Text').set(PDFName.of('F'), document.context.obj(2))) },
  { name: 'replace: a field with another value', make: (pdf) => updated(pdf, (document) => noteOf(document, 'Widget').set(PDFName.of('V'), PDFString.of('1.000.000,00'))) },
  { name: 'replace: the font of the text', make: (pdf) => updated(pdf, (document) => {
    const fonts = document.getPage(0).node.Resources()?.lookup(PDFName.of('Font'), PDFDict)
    for (const name of fonts?.keys() ?? []) fonts?.lookup(name, PDFDict).set(PDFName.of('BaseFont'), PDFName.of('Symbol'))
  }) },
  { name: 'hide and replace: the pages of another tree', make: (pdf) => updated(pdf, (document) => {
    const { context, catalog } = document
    const page = context.register(context.obj({ Type: 'Page', MediaBox: [0, 0, 400, 400] }))
    catalog.set(PDFName.of('Pages'), context.register(context.obj({ Type: 'Pages', Kids: [page], Count: 1 })))
  }) },
  { name: 'a signature field that covers the page and was never signed', make: (pdf) => updated(pdf, (document) => {
    const { context, catalog } = document
    const drawn = context.register(context.stream('1 1 1 rg 0 0 400 400 re f', { Type: 'XObject', Subtype: 'Form', BBox: [0, 0, 400, 400] }))
    const field = context.register(context.obj({ Type: 'Annot', Subtype: 'Widget', FT: 'Sig', Rect: [0, 0, 400, 400], AP: { N: drawn }, F: 4 }))
    context.lookup(field, PDFDict).set(PDFName.of('T'), PDFHexString.fromText('outra'))
    catalog.lookup(PDFName.of('AcroForm'), PDFDict).lookup(PDFName.of('Fields'), PDFArray).push(field)
    document.getPage(0).node.lookup(PDFName.of('Annots'), PDFArray).push(field)
  }) },
]

const tail = (text: string) => (pdf: Buffer): Buffer => Buffer.concat([pdf, Buffer.from(text, 'latin1')])

/** Incremental saving attacks: an update that readers take in other ways. */
export const INCREMENTAL_TRICKS: readonly Attack[] = [
  { name: 'an update whose table is nowhere', make: tail('\n3 0 obj\n(outro)\nendobj\nstartxref\n99999999\n%%EOF\n') },
  { name: 'an update whose table is text', make: (pdf) => tail(`\nxref\nisto não é uma tabela\ntrailer\n<< >>\nstartxref\n${pdf.length + 1}\n%%EOF\n`)(pdf) },
  { name: 'an update without a trailer', make: (pdf) => tail(`\nxref\n0 1\n0000000000 65535 f \nstartxref\n${pdf.length + 1}\n%%EOF\n`)(pdf) },
  { name: 'an update that goes back to itself', make: (pdf) => tail(`\nxref\n0 0\ntrailer\n<< /Size 9 /Root 1 0 R /Prev ${pdf.length + 1} >>\nstartxref\n${pdf.length + 1}\n%%EOF\n`)(pdf) },
  { name: 'a copy of the signature in an update', make: (pdf) => {
    const text = pdf.toString('latin1')
    const found = [...text.matchAll(/(\d+) 0 obj\s*<<\s*\/Filter \/Adobe\.PPKLite/g)].at(-1)
    const at = found?.index ?? 0
    const object = text.slice(at, text.indexOf('endobj', at) + 6)
    const [, previous = '0'] = [...text.matchAll(/startxref\s+(\d+)\s+%%EOF/g)].at(-1) ?? []
    const [, root = '1'] = [...text.matchAll(/\/Root (\d+) 0 R/g)].at(-1) ?? []
    const [place, table] = [pdf.length + 1, pdf.length + 1 + object.length + 1]
    return tail(`\n${object}\nxref\n${found?.[1]} 1\n${String(place).padStart(10, '0')} 00000 n \ntrailer\n<< /Size 99 /Root ${root} 0 R /Prev ${previous} >>\nstartxref\n${table}\n%%EOF\n`)(pdf)
  } },
]
