/** Opens a PDF for an update and writes the update behind it: what was there before stays as it is, to the byte. */
import { PDFArray, PDFDict, PDFDocument, type PDFObject, type PDFRef, PDFStream } from '@cantoo/pdf-lib'

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
    watchChanges(document)
    return document
  } catch (error) {
    throw error instanceof NotSignable ? error : new NotSignable('unreadable')
  }
}

/**
 * What is changed is found by one walk over the document, made once.
 *
 * The library walks over all of it for each entry of each dictionary that it writes, new ones too, which for a long document takes longer than
 * the rest of a signature. New objects are saved by their numbers, and what is put into an old one marks that one.
 */
function watchChanges({ context }: PDFDocument): void {
  const home = new Map<unknown, PDFRef>()
  for (const [ref, object] of context.enumerateIndirectObjects()) addInside(home, ref, object)
  context.registerObjectChange = (changed) => {
    const ref = home.get(changed)
    if (ref) context.snapshot?.markRefForSave(ref)
  }
}

/** The first object that holds something is where it is. */
function addInside(home: Map<unknown, PDFRef>, ref: PDFRef, object: PDFObject): void {
  const open: PDFObject[] = [object]
  for (let inside = open.pop(); inside; inside = open.pop()) {
    if (inside instanceof PDFStream) {
      home.set(inside, ref)
      open.push(inside.dict)
    } else if (!home.has(inside) && (inside instanceof PDFDict || inside instanceof PDFArray)) {
      home.set(inside, ref)
      open.push(...(inside instanceof PDFDict ? inside.values() : inside.asArray()))
    }
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
