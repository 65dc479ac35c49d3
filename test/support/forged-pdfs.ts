/** What somebody may do to a signed PDF, and files that are nobody's document: made here, byte by byte. */
import { deflateSync } from 'node:zlib'
import { PDFDocument, PDFName, PDFRawStream } from '@cantoo/pdf-lib'

export interface Forgery {
  readonly name: string
  readonly make: (signed: Buffer) => Buffer | Promise<Buffer>
}

const rangeAt = (pdf: Buffer) => {
  const found = [...pdf.toString('latin1').matchAll(/\/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]/g)].at(-1)
  if (!found) throw new Error('not signed')
  const [, , open = 0, after = 0, rest = 0] = found.map(Number)
  return { place: found.index, length: found[0].length, open, after, rest }
}

/** Other numbers in the range's own room. */
function withRange(pdf: Buffer, change: (range: readonly [number, number, number, number]) => readonly number[]): Buffer {
  const { place, length, open, after, rest } = rangeAt(pdf)
  const changed = Buffer.from(pdf)
  changed.write(`/ByteRange [${change([0, open, after, rest]).join(' ')}`.padEnd(length - 1) + ']', place, 'latin1')
  return changed
}

/** Flips a bit: never the same byte, whatever it was. */
const flipped = (pdf: Buffer, at: number) => {
  const changed = Buffer.from(pdf)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

async function updated(pdf: Buffer, change: (document: PDFDocument) => void): Promise<Buffer> {
  const document = await PDFDocument.load(pdf, { forIncrementalUpdate: true, updateMetadata: false })
  change(document)
  return Buffer.from(await document.commit({ useObjectStreams: false }))
}

/** A raw update: objects, a table, a trailer that goes back to what was there. */
function appended(pdf: Buffer, objects: readonly (readonly [number: number, body: string])[], trailerMore = ''): Buffer {
  const [, previous = '0'] = [...pdf.toString('latin1').matchAll(/startxref\s+(\d+)\s+%%EOF/g)].at(-1) ?? []
  const [, root = '1'] = [...pdf.toString('latin1').matchAll(/\/Root (\d+) 0 R/g)].at(-1) ?? []
  const [, size = '99'] = [...pdf.toString('latin1').matchAll(/\/Size (\d+)/g)].at(-1) ?? []
  let text = '\n'
  const table: string[] = []
  for (const [number, body] of objects) {
    table.push(`${number} 1\n${String(pdf.length + text.length).padStart(10, '0')} 00000 n \n`)
    text += `${number} 0 obj\n${body}\nendobj\n`
  }
  const at = pdf.length + text.length
  text += `xref\n${table.join('') || '0 0\n'}trailer\n<< /Size ${Number(size) + 50} /Root ${root} 0 R /Prev ${previous} ${trailerMore}>>\nstartxref\n${at}\n%%EOF\n`
  return Buffer.concat([pdf, Buffer.from(text, 'latin1')])
}

const objectOf = (pdf: Buffer, pattern: RegExp): number => Number([...pdf.toString('latin1').matchAll(new RegExp(`(\\d+) 0 obj\\s*<<[^>]*${pattern.source}`, 'g'))].at(-1)?.[1] ?? 1)

/** After the signature: what is shown changed, was hidden, replaced or added. */
export const LATER_CHANGES: readonly Forgery[] = [
  { name: 'text drawn over a page', make: (pdf) => updated(pdf, (document) => document.getPage(0).drawText('R$ 1.000.000')) },
  { name: 'a page more', make: (pdf) => updated(pdf, (document) => void document.addPage()) },
  { name: 'a page less', make: (pdf) => updated(pdf, (document) => document.removePage(0)) },
  { name: 'a note on a page', make: (pdf) => updated(pdf, (document) => {
    const { context } = document
    const page = document.getPage(0)
    page.node.set(PDFName.of('Annots'), context.obj([context.register(context.obj({ Type: 'Annot', Subtype: 'FreeText', Rect: [0, 0, 300, 300] }))]))
  }) },
  { name: 'a page that is turned', make: (pdf) => updated(pdf, (document) => document.getPage(0).node.set(PDFName.of('Rotate'), document.context.obj(180))) },
  { name: 'a page cut to a corner', make: (pdf) => updated(pdf, (document) => document.getPage(0).node.set(PDFName.of('CropBox'), document.context.obj([0, 0, 20, 20]))) },
  { name: 'an action at opening', make: (pdf) => updated(pdf, (document) => document.catalog.set(PDFName.of('OpenAction'), document.context.obj({ S: 'JavaScript', JS: 'app.alert(1)' }))) },
  { name: 'the content of a page replaced in place (shadow)', make: (pdf) => appended(pdf, [[contentOf(pdf), '<< /Length 44 >>\nstream\nBT /F1 24 Tf 10 10 Td (R$ 1.000.000,00) Tj  ET\n\nendstream']]) },
  { name: 'the catalogue replaced (shadow)', make: (pdf) => appended(pdf, [[rootOf(pdf), '<< /Type /Catalog /Pages 900 0 R /AcroForm 901 0 R >>'], [900, '<< /Type /Pages /Kids [] /Count 0 >>'], [901, '<< /Fields [] >>']]) },
  { name: 'bytes after the end', make: (pdf) => appended(pdf, [[950, '(nada)']]) },
]

const rootOf = (pdf: Buffer) => Number([...pdf.toString('latin1').matchAll(/\/Root (\d+) 0 R/g)].at(-1)?.[1])
const contentOf = (pdf: Buffer) => Number([...pdf.toString('latin1').matchAll(/\/Contents (?:\[ ?)?(\d+) 0 R/g)][0]?.[1] ?? objectOf(pdf, /\/Length/))

/** In the signed bytes or in the signature's own place. */
export const TAMPERINGS: readonly Forgery[] = [
  { name: 'a byte of the first page', make: (pdf) => flipped(pdf, pdf.indexOf('stream') + 12) },
  { name: 'a byte in the middle', make: (pdf) => flipped(pdf, Math.floor(rangeAt(pdf).open / 2)) },
  { name: 'the reason', make: (pdf) => flipped(pdf, pdf.lastIndexOf('/Reason <FEFF') + 16) },
  { name: 'the last byte but one', make: (pdf) => Buffer.concat([pdf.subarray(0, -2), Buffer.from('G\n')]) },
  { name: 'a gap that begins before the signature', make: (pdf) => withRange(pdf, ([a, b, c, d]) => [a, b - 20, c, d]) },
  { name: 'a gap that ends after the signature', make: (pdf) => withRange(pdf, ([a, b, c, d]) => [a, b, c + 20, d - 20]) },
  { name: 'a range that begins late', make: (pdf) => withRange(pdf, ([, b, c, d]) => [5, b - 5, c, d]) },
  { name: 'a range that ends early', make: (pdf) => withRange(pdf, ([a, b, c, d]) => [a, b, c, d - 10]) },
  { name: 'a range beyond the file', make: (pdf) => withRange(pdf, ([a, b, c, d]) => [a, b, c, d + 10]) },
  { name: 'a range of three', make: (pdf) => withRange(pdf, ([a, b, c]) => [a, b, c]) },
  { name: 'an empty signature', make: (pdf) => { const changed = Buffer.from(pdf); changed.fill('0', rangeAt(pdf).open + 1, rangeAt(pdf).after - 1, 'latin1'); return changed } },
  { name: 'a byte of the signature', make: (pdf) => { const at = pdf.indexOf('2a864886f70d010904', rangeAt(pdf).open, 'latin1') + 40; const changed = Buffer.from(pdf); changed.write(changed.toString('latin1', at, at + 1) === '0' ? '1' : '0', at, 'latin1'); return changed } },
]

/** Files that cost more than they are worth, or speak with two tongues. */
export const HOSTILE: readonly { readonly name: string; readonly make: () => Buffer | Promise<Buffer>; readonly reason: string }[] = [
  { name: 'no PDF', make: () => Buffer.from('uma carta'), reason: 'not-pdf' },
  { name: 'nothing but a header', make: () => Buffer.from('%PDF-1.7\n'), reason: 'damaged' },
  { name: 'a picture', make: () => Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70]), reason: 'not-pdf' },
  { name: 'a table that points to itself', make: () => pdfWith('trailer << /Size 1 /Root 1 0 R /Prev 9 >>', 9), reason: 'odd-structure' },
  { name: 'a table of two thousand million', make: () => pdfWith('0 2000000000\ntrailer << /Root 1 0 R >>', 9), reason: 'too-much' },
  { name: 'an offset beyond the end', make: () => Buffer.from('%PDF-1.7\nstartxref\n99999\n%%EOF'), reason: 'odd-structure' },
  { name: 'encrypted, by its trailer', make: () => pdfWith('trailer << /Size 1 /Root 1 0 R /Encrypt 2 0 R >>', 9), reason: 'encrypted' },
  { name: 'a hybrid of two readings', make: () => hybridPdf({ contradicts: true }), reason: 'odd-structure' },
  { name: 'one name twice in a dictionary', make: () => pdfWith('trailer << /Root 1 0 R /Root 2 0 R >>', 9), reason: 'odd-structure' },
  { name: 'arrays in arrays', make: () => pdfWith(`trailer << /Root ${'['.repeat(5000)}`, 9), reason: 'too-much' },
  { name: 'a bomb in the cross-references', make: () => bomb(), reason: 'too-much' },
  { name: 'a stream longer than the file', make: () => Buffer.from('%PDF-1.7\n1 0 obj\n<< /Type /XRef /Length 999999 /W [1 2 1] /Size 1 >>\nstream\nx\nendstream\nendobj\nstartxref\n9\n%%EOF'), reason: 'damaged' },
  { name: 'a stream of cross-references without widths', make: () => Buffer.from('%PDF-1.7\n1 0 obj\n<< /Type /XRef /Length 1 /Size 1 >>\nstream\nx\nendstream\nendobj\nstartxref\n9\n%%EOF'), reason: 'damaged' },
  { name: 'a filter of another kind', make: () => Buffer.from('%PDF-1.7\n1 0 obj\n<< /Type /XRef /Length 1 /Size 1 /W [1 1 1] /Filter /LZWDecode >>\nstream\nx\nendstream\nendobj\nstartxref\n9\n%%EOF'), reason: 'odd-structure' },
]

/** As word processors write it: a table that leaves objects free, and a stream beside it that tells of them. */
export function hybridPdf({ contradicts = false } = {}): Buffer {
  let text = '%PDF-1.7\n'
  const offsets: number[] = []
  const bodies = ['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [3 0 R] /Count 1 >>', '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R >>', '<< /Length 0 >>\nstream\n\nendstream']
  for (const [i, body] of bodies.entries()) {
    offsets.push(text.length)
    text += `${i + 1} 0 obj\n${body}\nendobj\n`
  }
  const packed = '6 0 << /Hidden true >>'
  const packedAt = text.length
  text += `5 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Length ${packed.length} >>\nstream\n${packed}\nendstream\nendobj\n`
  const entry = (kind: number, second: number, third: number) => `${kind.toString(16).padStart(2, '0')}${second.toString(16).padStart(4, '0')}${third.toString(16).padStart(2, '0')}`
  const [catalogAt = 0, ...others] = offsets
  const entries = [entry(0, 0, 255), entry(1, contradicts ? (others[0] ?? 0) : catalogAt, 0), ...others.map((at) => entry(1, at, 0)), entry(1, packedAt, 0), entry(2, 5, 0)].join('')
  const streamAt = text.length
  const data = Buffer.from(entries, 'hex').toString('latin1')
  text += `7 0 obj\n<< /Type /XRef /Size 8 /W [1 2 1] /Index [0 7] /Root 1 0 R /Length ${data.length} >>\nstream\n${data}\nendstream\nendobj\n`
  const tableAt = text.length
  const rows = ['0000000000 65535 f ', ...offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n `), `${String(packedAt).padStart(10, '0')} 00000 n `, '0000000000 00000 f ']
  text += `xref\n0 7\n${rows.join('\n')}\ntrailer\n<< /Size 8 /Root 1 0 R /XRefStm ${streamAt} >>\nstartxref\n${tableAt}\n%%EOF\n`
  return Buffer.from(text, 'latin1')
}

/** As many pages as a whole archive, each an object of its own. */
export function longPdf(pages: number): Buffer {
  const bodies = ['<< /Type /Catalog /Pages 2 0 R >>', `<< /Type /Pages /Count ${pages} /Kids [${Array.from({ length: pages }, (_, i) => `${i + 3} 0 R`).join(' ')}] >>`]
  for (let page = 0; page < pages; page += 1) bodies.push('<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] >>')
  const parts = ['%PDF-1.7\n']
  const rows = ['0000000000 65535 f ']
  let at = parts[0]?.length ?? 0
  for (const [i, body] of bodies.entries()) {
    rows.push(`${String(at).padStart(10, '0')} 00000 n `)
    const object = `${i + 1} 0 obj\n${body}\nendobj\n`
    parts.push(object)
    at += object.length
  }
  parts.push(`xref\n0 ${rows.length}\n${rows.join('\n')}\ntrailer\n<< /Size ${rows.length} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`)
  return Buffer.from(parts.join(''), 'latin1')
}

function pdfWith(afterXref: string, at: number): Buffer {
  return Buffer.from(`%PDF-1.7\nxref\n${afterXref}\nstartxref\n${at}\n%%EOF`)
}

/** A hundred megabytes of zeros in a hundred kilobytes. */
function bomb(): Buffer {
  const zeros = deflateSync(Buffer.alloc(100 * 1024 * 1024), { level: 9 })
  const head = Buffer.from(`%PDF-1.7\n1 0 obj\n<< /Type /XRef /Filter /FlateDecode /Length ${zeros.length} /W [1 2 1] /Size 1 >>\nstream\n`)
  return Buffer.concat([head, zeros, Buffer.from('\nendstream\nendobj\nstartxref\n9\n%%EOF')])
}

/** Documents as other programs write them. */
export async function foreignPdf({ objectStreams = false, pages = 1, size = 0 } = {}): Promise<Uint8Array> {
  const pdf = await PDFDocument.create()
  for (let page = 0; page < pages; page += 1) pdf.addPage([300, 300]).drawText(`folha ${page}`)
  if (size > 0) pdf.context.register(PDFRawStream.of(pdf.context.obj({}), new Uint8Array(size).fill(65)))
  return pdf.save({ useObjectStreams: objectStreams })
}
