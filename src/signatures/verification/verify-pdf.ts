import { createHash } from 'node:crypto'
import { OID } from '../asn1/oids.ts'
import { oidText } from '../asn1/reader.ts'
import { parseCertificate, type ParsedCertificate } from '../authority/certificate.ts'
import { isAuthority } from '../authority/chain.ts'
import { checkCms, checkStamp, type CmsFault } from './cms.ts'
import { isKind, PdfFile } from './pdf-file.ts'
import { type PdfDict, type PdfValue, Unreadable } from './pdf-tokens.ts'
import { pictureOf } from './picture.ts'
import { findPath } from './trust.ts'

export interface VerifyTask {
  readonly pdf: Uint8Array
  /** Roots that are trusted, and certificates that lead to them, in DER. */
  readonly roots: readonly Uint8Array[]
  readonly known: readonly Uint8Array[]
  readonly now: Date
}

/** What the file itself tells about one signature; whether certificates were revoked is asked elsewhere. */
export interface SeenSignature {
  readonly field: string
  readonly reason: string | undefined
  readonly fault: CmsFault | 'range' | undefined
  readonly signer: string | undefined
  readonly organization: string | undefined
  /** The time of the time-stamp; without one, nobody vouches for a time. */
  readonly stampedAt: Date | undefined
  /** A time-stamp that is there and not of this signature; one of an authority that we do not know is as good as none. */
  readonly stampFault: boolean
  /** Nothing stands after what is signed. */
  readonly coversAll: boolean
  /** What a reader shows is what was signed, whatever was added since. */
  readonly unchanged: boolean
  /** Serial and issuer (DER) of each certificate below the root, where a path was found. */
  readonly path: readonly { readonly serial: string; readonly issuer: Uint8Array; readonly name: string }[]
  readonly root: Uint8Array | undefined
  /** Serial and issuer of the time-stamp authority's certificate. */
  readonly stampedBy: { readonly serial: string; readonly issuer: Uint8Array } | undefined
}

export interface SeenPdf {
  readonly signatures: readonly SeenSignature[]
}

const MOST_SIGNATURES = 100
const MOST_FIELDS = 5000

/** @throws {Unreadable} */
export function verifyPdf({ pdf, roots, known, now }: VerifyTask): SeenPdf {
  const bytes = Buffer.from(pdf.buffer, pdf.byteOffset, pdf.byteLength)
  const file = new PdfFile(bytes)
  const fields = signatureFields(file)
  if (fields.length === 0) return { signatures: [] }
  if (fields.length > MOST_SIGNATURES) throw new Unreadable('too-much')
  const trust = { roots: roots.map(parseCertificate), known: known.map(parseCertificate), now }
  const whole = pictureOf(file)
  return { signatures: fields.map((field) => judge(file, field, trust, whole)) }
}

interface Trust {
  readonly roots: readonly ParsedCertificate[]
  readonly known: readonly ParsedCertificate[]
  readonly now: Date
}

interface SignatureField {
  readonly name: string
  readonly dict: PdfDict
  /** Number of the object that the signature is, when it is one. */
  readonly number: number | undefined
}

function signatureFields(file: PdfFile): SignatureField[] {
  const form = file.dict(file.dict(file.trailer.entries.get('Root'))?.entries.get('AcroForm'))
  const open = [...(file.array(form?.entries.get('Fields'))?.items ?? [])]
  const found: SignatureField[] = []
  for (let seen = 0; open.length > 0; seen += 1) {
    if (seen > MOST_FIELDS) throw new Unreadable('too-much')
    const field = file.dict(open.shift())
    if (!field) continue
    open.push(...(file.array(field.entries.get('Kids'))?.items ?? []))
    const value: PdfValue = field.entries.get('V') ?? null
    const dict = file.dict(value)
    if (dict && file.name(field.entries.get('FT')) === 'Sig') found.push({ name: readable(file.text(field.entries.get('T'))?.bytes), dict, number: isKind(value, 'ref') ? value.number : undefined })
  }
  return found
}

/** Text strings are UTF-16 with a mark, or nearly Latin-1. */
function readable(bytes: Buffer | undefined): string {
  if (!bytes) return ''
  const text = bytes[0] === 0xfe && bytes[1] === 0xff ? Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2))).swap16().toString('utf16le') : bytes.toString('latin1')
  return text.replaceAll(/\p{C}/gu, '').slice(0, 200)
}

function judge(file: PdfFile, { name, dict, number }: SignatureField, trust: Trust, whole: string): SeenSignature {
  const about = { field: name, reason: readable(file.text(dict.entries.get('Reason'))?.bytes) || undefined }
  const nothing = { signer: undefined, organization: undefined, stampedAt: undefined, stampFault: false, path: [], root: undefined, stampedBy: undefined }
  const range = rangeOf(file, dict, number)
  if (!range) return { ...about, ...nothing, fault: 'range', coversAll: false, unchanged: false }
  const { open, after, end, contents } = range
  const coversAll = end === file.bytes.length
  const unchanged = coversAll || isUnchanged(file.bytes.subarray(0, end), whole)
  const digestOf = (algorithm: string) => createHash(algorithm).update(file.bytes.subarray(0, open)).update(file.bytes.subarray(after, end)).digest()
  const checked = checkCms(contents, digestOf)
  if (!checked) return { ...about, ...nothing, fault: 'unreadable', coversAll, unchanged }
  // What PAdES signs stands outside of the signature: content inside would be another document.
  const fault = checked.content !== undefined || checked.contentType !== OID.data ? 'unreadable' : checked.fault
  return { ...about, ...nothing, coversAll, unchanged, fault, ...(checked.signer && whoAndWhen(checked.signer, checked, trust)) }
}

function whoAndWhen(signer: ParsedCertificate, { certificates, signature, stamp }: NonNullable<ReturnType<typeof checkCms>>, { roots, known, now }: Trust) {
  const stamped = stamp && safeStamp(stamp, signature)
  const stampPath = stamped && findPath(stamped.signer, [...stamped.certificates, ...certificates, ...known], roots, stamped.at)
  const stampedAt = stampPath ? stamped?.at : undefined
  const path = signsDocuments(signer) ? findPath(signer, [...certificates, ...known], roots, stampedAt ?? now) : undefined
  return {
    signer: attributeOf(signer, 'CN'), organization: attributeOf(signer, 'O'), stampedAt, stampFault: stamp !== undefined && stamped === undefined,
    stampedBy: stampPath?.[0] && { serial: stampPath[0].serial, issuer: copied((stampPath[1] ?? stampPath[0]).der) },
    path: (path ?? []).slice(0, -1).map((each, i) => ({ serial: each.serial, issuer: copied(path?.[i + 1]?.der ?? each.der), name: attributeOf(each, 'CN') ?? '' })),
    root: path && copied((path.at(-1) ?? signer).der),
  }
}

/** Away from the file's own bytes, which would otherwise all go along to whoever asked. */
const copied = (der: Buffer): Uint8Array => new Uint8Array(der)

/** A certificate for answers about revocation, for time-stamps or for issuing signs no documents, whoever holds its key. */
function signsDocuments(certificate: ParsedCertificate): boolean {
  const usage = certificate.extension(OID.keyUsage)?.value.content[1]
  const purposes = certificate.extension(OID.extendedKeyUsage)?.value.children().map(oidText)
  const isOther = purposes?.every((purpose) => purpose === OID.timeStamping || purpose === OID.ocspSigning) ?? false
  return !isOther && !isAuthority(certificate) && (usage === undefined || (usage & 0xc0) !== 0)
}

function safeStamp(stamp: Buffer, signature: Buffer) {
  try {
    return checkStamp(stamp, signature)
  } catch {
    return undefined
  }
}

function attributeOf({ x509 }: ParsedCertificate, key: 'CN' | 'O'): string | undefined {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(x509.subject)?.[1]?.slice(0, 200)
}

interface Range {
  readonly open: number
  readonly after: number
  readonly end: number
  readonly contents: Buffer
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

/** The signed state, read as the file that it was. */
function isUnchanged(signed: Buffer, whole: string): boolean {
  try {
    return pictureOf(new PdfFile(signed)) === whole
  } catch (error) {
    if (error instanceof Unreadable) return false
    throw error
  }
}
