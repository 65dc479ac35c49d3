import { PDFArray, PDFDict, type PDFDocument, PDFName, PDFNumber } from '@cantoo/pdf-lib'
import { NotSignable } from './document.ts'

const NO_CHANGES = 1
const MOST_FIELDS = 5000

/**
 * Refuses a signature that would break one that is there: whoever certified the document allowed no changes (DocMDP, ISO 32000-2, 12.8.2.2).
 *
 * A certification is the first signature or none.
 * @throws {NotSignable} locked
 */
export function checkChangeable(document: PDFDocument, certifies: boolean): void {
  const signatures = signaturesOf(document)
  if (certifies && signatures.length > 0) throw new NotSignable('locked')
  if (signatures.some(forbidsChanges)) throw new NotSignable('locked')
}

interface SignedField {
  readonly field: PDFDict
  readonly value: PDFDict
}

function signaturesOf({ catalog }: PDFDocument): SignedField[] {
  const open = [catalog.lookupMaybe(PDFName.of('AcroForm'), PDFDict)?.lookupMaybe(PDFName.of('Fields'), PDFArray)]
  const found: SignedField[] = []
  for (let seen = 0; open.length > 0; ) {
    const list = open.pop()
    for (let i = 0; list && i < list.size(); i += 1) {
      seen += 1
      if (seen > MOST_FIELDS) throw new NotSignable('unreadable')
      const field = list.lookupMaybe(i, PDFDict)
      open.push(field?.lookupMaybe(PDFName.of('Kids'), PDFArray))
      const value = field?.get(PDFName.of('FT')) === PDFName.of('Sig') ? dictOf(field, 'V') : undefined
      if (field && value) found.push({ field, value })
    }
  }
  return found
}

/** Said in the signature itself, or by the field that it filled (`/Lock` with `/P`, PDF 2.0). */
function forbidsChanges({ field, value }: SignedField): boolean {
  const references = value.lookupMaybe(PDFName.of('Reference'), PDFArray)
  const permissions = (references?.asArray() ?? []).map((_, i) => {
    const reference = references?.lookupMaybe(i, PDFDict)
    const isDocMdp = reference?.get(PDFName.of('TransformMethod')) === PDFName.of('DocMDP')
    return isDocMdp ? numberOf(dictOf(reference, 'TransformParams')) : undefined
  })
  return [...permissions, numberOf(dictOf(field, 'Lock'))].includes(NO_CHANGES)
}

const dictOf = (dict: PDFDict | undefined, key: string): PDFDict | undefined => {
  const found = dict?.lookup(PDFName.of(key))
  return found instanceof PDFDict ? found : undefined
}

const numberOf = (dict: PDFDict | undefined): number | undefined => {
  const found = dict?.lookup(PDFName.of('P'))
  return found instanceof PDFNumber ? found.asNumber() : undefined
}
