import { PDFHexString, PDFName, type PDFDocument, type PDFRef, PDFString } from '@cantoo/pdf-lib'
import { drawStamp, type VisibleStamp } from './appearance.ts'
import { openForUpdate, writeUpdate } from './document.ts'
import { checkChangeable } from './modification.ts'
import { addField, addPlace, fillRange, type PreparedPdf } from './place.ts'

/** What a first signature lets others do to the document afterwards (DocMDP): nothing, forms and signatures, notes too. */
export const CERTIFICATIONS = [1, 2, 3] as const
export type Certification = (typeof CERTIFICATIONS)[number]

export interface PlaceRequest {
  /** Why the document is signed; shown by readers. */
  readonly reason: string
  /** Who signs, as readers show it. */
  readonly name: string
  readonly at: Date
  /** What is drawn on a page; nothing without it. */
  readonly stamp?: VisibleStamp | undefined
  /** Only for the first signature of a document. */
  readonly certify?: Certification | undefined
}

/** @throws {NotSignable} */
export async function preparePdf(pdf: Uint8Array, request: PlaceRequest): Promise<PreparedPdf> {
  const document = await openForUpdate(pdf)
  checkChangeable(document, request.certify !== undefined)
  const place = addPlace(document, entriesOf(request))
  if (request.certify) addPermission(document, place)
  addField(document, place, { prefix: 'Assinatura', label: request.name, drawing: request.stamp && (await drawStamp(document, request.stamp)) })
  return fillRange(await writeUpdate(document, pdf), pdf.length)
}

function entriesOf({ reason, name, at, certify }: PlaceRequest): string[] {
  const text = (value: string) => PDFHexString.fromText(value).toString()
  const reference = `/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P ${certify} /V /1.2 >> >>]`
  return [
    '/Type /Sig /SubFilter /ETSI.CAdES.detached',
    `/Name ${text(name)} /Reason ${text(reason)} /M ${PDFString.fromDate(at).toString()}`,
    ...(certify === undefined ? [] : [reference]),
  ]
}

function addPermission({ catalog, context }: PDFDocument, place: PDFRef): void {
  catalog.set(PDFName.of('Perms'), context.obj({ DocMDP: place }))
}
