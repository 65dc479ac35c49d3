/** Opens a PDF for an update and writes the update behind it: what was there before stays as it is, to the byte. */
import { PDFDocument } from '@cantoo/pdf-lib'

export const NOT_SIGNABLE_REASONS = ['unreadable', 'encrypted', 'too-many-pages', 'too-large', 'locked', 'no-such-page'] as const
export type NotSignableReason = (typeof NOT_SIGNABLE_REASONS)[number]

/** A PDF that we do not sign; the message is a word. */
export class NotSignable extends Error {
  readonly reason: NotSignableReason

  constructor(reason: NotSignableReason) {
    super(reason)
    this.name = 'NotSignable'
    this.reason = reason
  }
}

const MOST_PAGES = 2000

/** @throws {NotSignable} */
export async function openForUpdate(pdf: Uint8Array): Promise<PDFDocument> {
  const document = await load(pdf)
  if (document.getPageCount() === 0) throw new NotSignable('unreadable')
  if (document.getPageCount() > MOST_PAGES) throw new NotSignable('too-many-pages')
  return document
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

/** The file with its update. */
export async function writeUpdate(document: PDFDocument, pdf: Uint8Array): Promise<Buffer<ArrayBuffer>> {
  const update = await document.commit({ useObjectStreams: usesXrefStream(pdf) })
  return Buffer.from(update.buffer, update.byteOffset, update.byteLength)
}

/** An update speaks as the file does: after a cross-reference stream a table would be one more way to read the file. */
function usesXrefStream(pdf: Uint8Array): boolean {
  const tail = Buffer.from(pdf.buffer, pdf.byteOffset, pdf.byteLength).subarray(-2048).toString('latin1')
  const [, offset = ''] = [...tail.matchAll(/startxref\s+(\d+)\s+%%EOF/g)].at(-1) ?? []
  return !Buffer.from(pdf.subarray(Number(offset), Number(offset) + 4)).equals(Buffer.from('xref'))
}
