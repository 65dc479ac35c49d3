import { createHash } from 'node:crypto'
import { OID } from '../asn1/oids.ts'
import { parseCertificate } from '../authority/certificate.ts'
import type { Representation } from '../cms/representation.ts'
import { checkCms, type CmsFault } from './cms.ts'
import { isKind, PdfFile } from './pdf/pdf-file.ts'
import { Unreadable } from './pdf/pdf-tokens.ts'
import { pictureOf } from './pdf/picture.ts'
import { type SecurityStore, securityStoreOf } from './pdf/security-store.ts'
import { isStamp, type Range, type SignatureField, signatureFields } from './pdf/signature-fields.ts'
import { type LostStamper, NOBODY, type ProvenTime, type SeenSigner, type SignerSurroundings, seeSigner, timeOfStamp, type Trust } from './signer.ts'
import { checkStamp } from './stamp.ts'

/** Whom we know; certificates in DER. */
export interface Known {
  readonly roots: readonly Uint8Array[]
  /** Certificates that lead to the roots. */
  readonly known: readonly Uint8Array[]
  readonly lost: readonly LostStamper[]
  readonly now: Date
}

export interface VerifyTask extends Known {
  readonly pdf: Uint8Array
}

/** What the file itself tells about one signature; what our own tables know is asked elsewhere. */
export interface SeenSignature extends SeenSigner {
  readonly reason: string | undefined
  readonly fault: CmsFault | 'range' | undefined
  /** Nothing stands after what is signed. */
  readonly coversAll: boolean
  /** What a reader shows is what was signed, whatever was added since. */
  readonly unchanged: boolean
  /** Somebody who signed later drew a stamp on a page. */
  readonly laterStamps: boolean
  readonly representation: Representation | undefined
  /** What the signer lets others do to the document (DocMDP); 1 is nothing. */
  readonly permission: number | undefined
  readonly form: SeenForm
}
export type SeenForm = 'B-B' | 'B-T' | 'B-LT' | 'B-LTA'

/** A time-stamp of the document as a whole. */
export interface SeenTimeStamp {
  readonly fault: 'range' | 'unreadable' | undefined
  readonly at: Date | undefined
  /** Undefined for an authority that we do not know. */
  readonly by: string | undefined
  readonly coversAll: boolean
  readonly unchanged: boolean
}

/** What was seen of one file. */
export interface Seen {
  /** Of the file. */
  readonly sha256: string
  readonly signatures: readonly SeenSignature[]
  readonly timeStamps: readonly SeenTimeStamp[]
}

export const trustOf = ({ roots, known, lost, now }: Known): Trust => ({ roots: roots.map(parseCertificate), known: known.map(parseCertificate), lost, now })

/** Everything about a file that its signatures are judged by. */
interface Opened {
  readonly file: PdfFile
  readonly fields: readonly SignatureField[]
  readonly store: SecurityStore
  readonly trust: Trust
}

/** @throws {Unreadable} */
export function verifyPdf(task: VerifyTask): Seen {
  const sha256 = createHash('sha256').update(task.pdf).digest('hex')
  const file = new PdfFile(Buffer.from(task.pdf.buffer, task.pdf.byteOffset, task.pdf.byteLength))
  const fields = signatureFields(file)
  if (fields.length === 0) return { sha256, signatures: [], timeStamps: [] }
  const opened: Opened = { file, fields, store: securityStoreOf(file), trust: trustOf(task) }
  const times = seeTimes(opened)
  const seen = fields.filter(({ kind }) => kind === 'signature').flatMap((field) => seeSignatures(field, opened, times))
  const isSound = (field: SignatureField) => seen.some((each) => each.field === field && each.fault === undefined && each.path.length > 0)
  const compared = new Map<SignatureField, Comparison>(fields.map((field) => [field, compare(field, opened, isSound)]))
  const unchangedOf = (field: SignatureField): Comparison => compared.get(field) ?? { unchanged: false, laterStamps: false }
  return {
    sha256,
    signatures: seen.map(({ field, ...each }) => ({ ...each, ...unchangedOf(field) })),
    timeStamps: times.map(({ field, fault, time }) => ({ fault, at: time?.at, by: time?.by, coversAll: endsFile(file, field.range), unchanged: unchangedOf(field).unchanged })),
  }
}

interface FoundTime {
  readonly field: SignatureField
  readonly fault: 'range' | 'unreadable' | undefined
  readonly time: ProvenTime | undefined
}

const digestsAround = ({ bytes }: PdfFile, { open, after, end }: Range) => (algorithm: string): Buffer =>
  createHash(algorithm).update(bytes.subarray(0, open)).update(bytes.subarray(after, end)).digest()

const endsFile = (file: PdfFile, range: Range | undefined) => range?.end === file.bytes.length

/** The latest first: each vouches for those before it, so that a key that was lost afterwards takes nothing away. */
function seeTimes({ file, fields, store, trust }: Opened): FoundTime[] {
  const stamps = fields.filter(({ kind }) => kind === 'time-stamp').sort((a, b) => (b.range?.end ?? 0) - (a.range?.end ?? 0))
  const found: FoundTime[] = []
  for (const field of stamps) {
    const token = field.range && checkStamp(field.range.contents, digestsAround(file, field.range))
    const proven = provenBy(found, field.range)
    const time = token && timeOfStamp(token, { certificates: store.certificates, evidence: store, proven, trust })
    found.push({ field, fault: !field.range ? 'range' : !token || time === 'lost' ? 'unreadable' : undefined, time: time === 'lost' ? undefined : time })
  }
  return found
}

/** The earliest of the times over everything up to there. */
function provenBy(times: readonly FoundTime[], range: Range | undefined): ProvenTime | undefined {
  const covering = times.flatMap(({ field, time }) => (time && range && (field.range?.open ?? 0) >= range.end ? [time] : []))
  return covering.sort((a, b) => a.at.getTime() - b.at.getTime())[0]
}

type SeenField = Omit<SeenSignature, keyof Comparison> & { readonly field: SignatureField }

/** One for each of those who signed in this place. */
function seeSignatures(field: SignatureField, { file, store, trust }: Opened, times: readonly FoundTime[]): SeenField[] {
  const { range, reason, permission, isCades } = field
  const about = { field, reason, permission, coversAll: endsFile(file, range), form: 'B-B' as const }
  if (!range) return [{ ...about, ...NOBODY, representation: undefined, fault: 'range' }]
  const checked = checkCms(range.contents, { digestOf: digestsAround(file, range), namesCertificate: isCades })
  if (!checked) return [{ ...about, ...NOBODY, representation: undefined, fault: 'unreadable' }]
  const { certificates, evidence } = checked
  const proven = provenBy(times, range)
  const around: SignerSurroundings = {
    certificates: [...certificates, ...store.certificates], evidence: { answers: [...evidence.answers, ...store.answers], lists: [...evidence.lists, ...store.lists] }, proven, trust,
  }
  // What a PDF's signature signs stands outside of it: content inside would be another document.
  const isInside = checked.content !== undefined || checked.contentType !== OID.data
  return checked.signers.map((signer) => {
    const seen = signer.certificate ? seeSigner(signer, signer.certificate, around) : NOBODY
    const form = seen.stampedAt === undefined ? 'B-B' : !seen.hasEvidence ? 'B-T' : proven === undefined ? 'B-LT' : 'B-LTA'
    return { ...about, ...seen, form, representation: signer.representation, fault: isInside ? 'unreadable' : signer.fault }
  })
}

interface Comparison {
  readonly unchanged: boolean
  readonly laterStamps: boolean
}

/** The signed state against that of today; stamps of those who signed later are known as theirs. */
function compare(field: SignatureField, { file, fields }: Opened, isSound: (field: SignatureField) => boolean): Comparison {
  if (!field.range) return { unchanged: false, laterStamps: false }
  const { end } = field.range
  if (end === file.bytes.length) return { unchanged: true, laterStamps: false }
  const later = fields.filter(({ range }) => range !== undefined && range.end > end)
  // Whoever allowed nothing allowed no other signature either.
  if (field.permission === 1 && later.some(({ kind }) => kind === 'signature')) return { unchanged: false, laterStamps: false }
  const signed = quietly(() => new PdfFile(file.bytes.subarray(0, end)))
  if (!signed) return { unchanged: false, laterStamps: false }
  const stamps = new Set(later.flatMap((each) => (each.number !== undefined && isStamp(file, each) && isSound(each) && isFreeFor(signed, each.number) ? [each.number] : [])))
  const isSame = quietly(() => pictureOf(signed, stamps) === pictureOf(file, stamps)) ?? false
  return { unchanged: isSame, laterStamps: isSame && stamps.size > 0 && quietly(() => pictureOf(signed) !== pictureOf(file)) === true }
}

/** A stamp may take the place of nothing, or of a signature's field that waited: under the number of a note that was signed it would hide the note. */
function isFreeFor(signed: PdfFile, number: number): boolean {
  const before = quietly(() => signed.object(number)?.value ?? null)
  return before === null || (before !== undefined && isKind(before, 'dict') && signed.name(before.entries.get('FT')) === 'Sig')
}

function quietly<Found>(look: () => Found): Found | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}
