/** The signatures and time-stamps of a PDF as its form holds them, before anybody asks whether they are good. */
import { isKind, type PdfFile } from './pdf-file.ts'
import { type PdfDict, type PdfValue, Unreadable } from './pdf-tokens.ts'

export interface SignatureField {
  readonly name: string
  /** Number of the object that the field is, when it is one. */
  readonly number: number | undefined
  readonly field: PdfDict
  readonly dict: PdfDict
  /** Undefined when it does not cover everything but itself, up to some end. */
  readonly range: Range | undefined
  readonly kind: 'signature' | 'time-stamp'
  /** The document's signature says what may be done to it afterwards (DocMDP); 1 is nothing. */
  readonly permission: number | undefined
  /** The format demands that the signature names its certificate. */
  readonly isCades: boolean
  readonly reason: string | undefined
}

/** What is signed, and the signature in the middle. */
export interface Range {
  readonly open: number
  readonly after: number
  readonly end: number
  readonly contents: Buffer
}

const MOST_SIGNATURES = 100
const MOST_FIELDS = 5000
const TIME_STAMP = 'ETSI.RFC3161'

/** In the order of the form. @throws {Unreadable} */
export function signatureFields(file: PdfFile): SignatureField[] {
  const form = file.dict(file.dict(file.trailer.entries.get('Root'))?.entries.get('AcroForm'))
  const open = [...(file.array(form?.entries.get('Fields'))?.items ?? [])]
  const found: SignatureField[] = []
  const seenDicts = new Set<PdfDict>()
  for (let seen = 0; open.length > 0; seen += 1) {
    if (seen > MOST_FIELDS) throw new Unreadable('too-much')
    const item = open.shift() ?? null
    const field = file.dict(item)
    if (!field) continue
    open.push(...(file.array(field.entries.get('Kids'))?.items ?? []))
    const value: PdfValue = field.entries.get('V') ?? null
    const dict = file.dict(value)
    if (!dict || file.name(field.entries.get('FT')) !== 'Sig') continue
    // One signature in two fields is one signature.
    if (seenDicts.has(dict)) continue
    seenDicts.add(dict)
    found.push(fieldOf(file, { field, dict, number: isKind(item, 'ref') ? item.number : undefined, valueNumber: isKind(value, 'ref') ? value.number : undefined }))
  }
  if (found.length > MOST_SIGNATURES) throw new Unreadable('too-much')
  return found
}

interface FoundField {
  readonly field: PdfDict
  readonly dict: PdfDict
  readonly number: number | undefined
  readonly valueNumber: number | undefined
}

function fieldOf(file: PdfFile, { field, dict, number, valueNumber }: FoundField): SignatureField {
  const subFilter = file.name(dict.entries.get('SubFilter'))
  return {
    name: readable(file.text(field.entries.get('T'))?.bytes), number, field, dict, range: rangeOf(file, dict, valueNumber),
    kind: subFilter === TIME_STAMP ? 'time-stamp' : 'signature', isCades: subFilter === 'ETSI.CAdES.detached',
    permission: permissionOf(file, dict), reason: readable(file.text(dict.entries.get('Reason'))?.bytes) || undefined,
  }
}

/** Text strings are UTF-16 with a mark, or nearly Latin-1. */
function readable(bytes: Buffer | undefined): string {
  if (!bytes) return ''
  const text = bytes[0] === 0xfe && bytes[1] === 0xff ? Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2))).swap16().toString('utf16le') : bytes.toString('latin1')
  return text.replaceAll(/\p{C}/gu, '').slice(0, 200)
}

function permissionOf(file: PdfFile, dict: PdfDict): number | undefined {
  const references = file.array(dict.entries.get('Reference'))?.items ?? []
  const found = references.map((each) => file.dict(each)).find((each) => each && file.name(each.entries.get('TransformMethod')) === 'DocMDP')
  if (!found) return undefined
  const permission = file.resolve(file.dict(found.entries.get('TransformParams'))?.entries.get('P'))
  // ISO 32000-2, table 257: 2 when nothing is said.
  return typeof permission === 'number' ? permission : 2
}

/** Everything but exactly the signature's own hexadecimal string; anything else leaves room for what nobody signed. */
function rangeOf(file: PdfFile, dict: PdfDict, number: number | undefined): Range | undefined {
  if (number !== undefined && !file.isPlain(number)) return undefined
  const items = file.array(dict.entries.get('ByteRange'))?.items ?? []
  const contents = dict.entries.get('Contents')
  const [start, open, after, rest] = items
  if (items.length !== 4 || start !== 0 || ![open, after, rest].every((each) => typeof each === 'number' && Number.isSafeInteger(each) && each > 0)) return undefined
  if (contents === undefined || !isKind(contents, 'text') || file.bytes[contents.from] !== 0x3c) return undefined
  if (open !== contents.from || after !== contents.to) return undefined
  const end = Number(after) + Number(rest)
  return end <= file.bytes.length ? { open: Number(open), after: Number(after), end, contents: contents.bytes } : undefined
}

/** Larger than any stamp that tells who signed: what covers more of a page is not one. */
const MOST_STAMP_POINTS = 45_000
/** A field with anything else, an action for one, does more than show who signed. */
const STAMP_KEYS = new Set(['Type', 'Subtype', 'FT', 'T', 'TU', 'Rect', 'V', 'F', 'P', 'AP', 'MK', 'Ff', 'DA', 'BS', 'Border', 'Lock', 'StructParent', 'M', 'NM'])

/** True for a field that draws no more than a stamp of whoever signed in it. */
export function isStamp(file: PdfFile, { field }: SignatureField): boolean {
  const sides = (file.array(field.entries.get('Rect'))?.items ?? []).map((item) => file.resolve(item))
  if (sides.length !== 4 || !sides.every((side) => typeof side === 'number')) return false
  const [left = 0, bottom = 0, right = 0, top = 0] = sides
  return Math.abs((right - left) * (top - bottom)) <= MOST_STAMP_POINTS && [...field.entries.keys()].every((key) => STAMP_KEYS.has(key))
}
