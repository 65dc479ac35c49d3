/** Evidence that lasts: what is needed to judge a signature later (`/DSS`), and a time-stamp over all of it (PAdES B-LT and B-LTA, EN 319 142-1). */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { decodePDFRawStream, PDFArray, PDFDict, type PDFDocument, PDFName, PDFRawStream, type PDFRef } from '@cantoo/pdf-lib'
import { openForUpdate, writeUpdate } from './document.ts'
import { addField, addPlace, fillRange, type PreparedPdf } from './place.ts'

/** In DER: certificates, answers about them (OCSPResponse), lists. */
export interface Evidence {
  readonly certificates: readonly Uint8Array[]
  readonly answers: readonly Uint8Array[]
  readonly lists: readonly Uint8Array[]
}

const NAMES = { certificates: 'Certs', answers: 'OCSPs', lists: 'CRLs' } as const
const MOST_KNOWN = 1000

/**
 * The file with the evidence in an update of its own, and, for a document time-stamp, a place for its token.
 *
 * A document that allows no changes allows these (ISO 32000-2, 12.8.2.2.2): they say nothing that was not there.
 * @throws {NotSignable}
 */
export async function extendPdf(pdf: Uint8Array, evidence: Evidence, stamped: false): Promise<Uint8Array<ArrayBuffer>>
export async function extendPdf(pdf: Uint8Array, evidence: Evidence, stamped: true): Promise<PreparedPdf>
export async function extendPdf(pdf: Uint8Array, evidence: Evidence, stamped: boolean): Promise<Uint8Array<ArrayBuffer> | PreparedPdf> {
  const document = await openForUpdate(pdf)
  if (Object.values(evidence).some(({ length }) => length > 0)) addEvidence(document, evidence)
  if (!stamped) return writeUpdate(document, pdf)
  const place = addPlace(document, ['/Type /DocTimeStamp /SubFilter /ETSI.RFC3161 /V 0'])
  addField(document, place, { prefix: 'Carimbo do tempo', label: 'Carimbo do tempo' })
  return fillRange(await writeUpdate(document, pdf), pdf.length)
}

/** What is there stays; nothing is said twice. */
function addEvidence({ catalog, context }: PDFDocument, evidence: Evidence): void {
  const store = catalog.lookupMaybe(PDFName.of('DSS'), PDFDict) ?? context.obj({ Type: 'DSS' })
  for (const [kind, name] of Object.entries(NAMES) as [keyof Evidence, string][]) {
    const list = store.lookupMaybe(PDFName.of(name), PDFArray) ?? PDFArray.withContext(context)
    const known = new Set(list.asArray().slice(0, MOST_KNOWN).map((_, i) => digestOf(contentOf(list.lookup(i)))))
    for (const bytes of evidence[kind]) {
      const digest = digestOf(bytes)
      if (known.has(digest)) continue
      known.add(digest)
      list.push(streamOf(context, bytes))
    }
    if (list.size() > 0) store.set(PDFName.of(name), list)
  }
  const reference = catalog.get(PDFName.of('DSS'))
  catalog.set(PDFName.of('DSS'), reference && !(reference instanceof PDFDict) ? reference : context.register(store))
}

function streamOf(context: PDFDocument['context'], bytes: Uint8Array): PDFRef {
  // A library's own compression takes twenty times as long, for each of a hundred documents.
  const data = deflateSync(bytes)
  return context.register(PDFRawStream.of(context.obj({ Filter: 'FlateDecode', Length: data.length }), data))
}

const digestOf = (bytes: Uint8Array | undefined) => createHash('sha256').update(bytes ?? '').digest('hex')

function contentOf(stream: unknown): Uint8Array | undefined {
  return stream instanceof PDFRawStream ? decodePDFRawStream(stream).decode() : undefined
}
