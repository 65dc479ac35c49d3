import { maskPersonName } from '../../accounts/index.ts'
import { Problem } from '../../platform/problem.ts'
import { newCode, parseCode } from '../../proxies/index.ts'
import { together } from '../cms/together.ts'
import type { Documents } from '../../platform/documents/documents.ts'
import { type Asker, type EnvelopeCore, getEnvelope, openText, toEnvelope } from '../envelope/core.ts'
import { openContent } from '../envelope/contents.ts'
import type { Envelope, EnvelopeDocument, Person } from '../envelope/envelope.ts'
import { findEnvelope } from '../envelope/envelope.store.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type ReceiptLine, receiptOf } from './receipt.ts'
import { findDetached, findSignatureByCode, listSignatures, listSignaturesOf, type SignaturePlace, type StoredSignature } from './signing.store.ts'
import { findUntimed, type TimeState } from './late-time.store.ts'
import { BESIDE_LEVEL } from './signing-act.ts'
import type { PaperTexts } from './stamp.ts'

/** One signature as its history shows it. */
export interface SignatureRecord {
  readonly id: string
  readonly envelopeId: string
  readonly document: Pick<EnvelopeDocument, 'id' | 'name' | 'form' | 'sha256'>
  readonly signerId: string
  readonly signerName: string
  readonly represented: { readonly name: string; readonly identifier: string } | undefined
  readonly mandateId: string | undefined
  readonly serial: string
  /** What it has: without its time `B-B`, whatever it is meant to have. */
  readonly level: string
  readonly timeState: TimeState
  /** Of the document with this signature. */
  readonly sha256: string
  /** Of a PDF, what it was before its time-stamp, where that came later. */
  readonly untimedSha256: string | undefined
  readonly code: string
  readonly signedAt: Date
}

/** What a stranger with a stamp's code learns: enough to match the paper, and no more. */
export interface CodeRecord {
  readonly signedAt: Date
  readonly signer: string
  readonly represented: string | undefined
  readonly form: EnvelopeDocument['form']
  readonly level: string
  readonly pages: number | undefined
  readonly sha256: string
  readonly untimedSha256: string | undefined
  /** Whether others have signed since, so that the newest file has another hash. */
  readonly isNewest: boolean
  readonly newestSha256: string
}

/** Every signature that was made: documents go, their names and hashes stay. */
export interface SignatureRecords {
  /** @throws {Problem} signatures/envelope-unknown */
  ofEnvelope(by: Asker, id: string): Promise<SignatureRecord[]>
  /** Newest first, a page at a time. */
  ofPerson(by: Person, before: SignaturePlace | undefined): Promise<SignatureRecord[]>
  /** The signature beside a file (CAdES, DER). @throws {Problem} signatures/envelope-unknown, signatures/document-gone */
  detached(by: Asker, id: string, signatureId: string): Promise<{ name: string; bytes: Buffer }>
  /** Every signature beside one file so far, in one (CAdES of several signers, DER). @throws {Problem} signatures/envelope-unknown, signatures/document-gone */
  together(by: Asker, id: string, documentId: string): Promise<{ name: string; bytes: Buffer }>
  /** A receipt of everything that was signed so far, sealed by the organisation. @throws {Problem} signatures/step-out-of-order before the first signature */
  receipt(by: Asker, id: string): Promise<Buffer>
  /** @throws {Problem} signatures/signature-unknown */
  byCode(code: string): Promise<CodeRecord>
  /** Whether this (SHA-256) is a PDF, or a signature beside a file, as it was before its time-stamp came; of a PDF, what it is now. */
  findUntimed(sha256: string): Promise<{ readonly newestSha256: string | undefined } | undefined>
}

export interface RecordDependencies {
  readonly documents: Pick<Documents, 'render'>
  readonly texts: PaperTexts
  readonly publicUrl: string
}

const PAGE_SIZE = 50

export function createSignatureRecords(core: EnvelopeCore, { documents, texts, publicUrl }: RecordDependencies): SignatureRecords {
  const { db, clock, keyring } = core.platform

  const recordsOf = async (by: Asker, id: string): Promise<{ envelope: Envelope; records: SignatureRecord[] }> => {
    const envelope = await getEnvelope(core, db, by, id)
    return { envelope, records: (await listSignatures(db, id)).map((stored) => toRecord(core, envelope, stored)) }
  }

  return {
    ofEnvelope: async (by, id) => (await recordsOf(by, id)).records,
    async ofPerson(by, before) {
      const stored = await listSignaturesOf(db, by.accountId, { before, limit: PAGE_SIZE })
      const envelopes = new Map<string, Envelope>()
      for (const id of new Set(stored.map(({ envelopeId }) => envelopeId))) {
        const found = await findEnvelope(db, id)
        if (found) envelopes.set(id, toEnvelope(core, found))
      }
      return stored.flatMap((one) => {
        const envelope = envelopes.get(one.envelopeId)
        return envelope ? [toRecord(core, envelope, one)] : []
      })
    },
    async detached(by, id, signatureId) {
      const { envelope, records } = await recordsOf(by, id)
      const record = records.find((one) => one.id === signatureId)
      const document = envelope.documents.find((one) => one.id === record?.document.id)
      if (!record || document?.form !== 'file') throw new Problem(SIGNATURE_PROBLEMS.envelopeUnknown)
      const sealed = await findDetached(db, signatureId)
      if (!sealed) throw new Problem(SIGNATURE_PROBLEMS.documentGone)
      return { name: `${document.name}.p7s`, bytes: (await openContent(core, db, document)).openBeside(sealed, signatureId) }
    },
    async together(by, id, documentId) {
      const { envelope, records } = await recordsOf(by, id)
      const document = envelope.documents.find((one) => one.id === documentId)
      const own = records.filter((record) => record.document.id === documentId)
      if (document?.form !== 'file' || own.length === 0) throw new Problem(SIGNATURE_PROBLEMS.envelopeUnknown)
      const content = await openContent(core, db, document)
      const signatures: Buffer[] = []
      for (const record of own) {
        const sealed = await findDetached(db, record.id)
        if (!sealed) throw new Problem(SIGNATURE_PROBLEMS.documentGone)
        signatures.push(content.openBeside(sealed, record.id))
      }
      return { name: `${document.name}.p7s`, bytes: together(signatures) }
    },
    async receipt(by, id) {
      const { envelope, records } = await recordsOf(by, id)
      if (records.length === 0) throw new Problem(SIGNATURE_PROBLEMS.stepOutOfOrder)
      const lines = records.map((record): ReceiptLine => ({ ...record, cpf: envelope.signers.find(({ id: signer }) => signer === record.signerId)?.cpf }))
      return documents.render(receiptOf(texts, { envelope, lines, at: clock.now(), url: `${publicUrl}/verificar`, code: records[0]?.code ?? newCode() }))
    },
    async byCode(text) {
      const code = parseCode(text)
      const stored = code === undefined ? undefined : await findSignatureByCode(db, keyring.hash(code, 'signing-code'))
      const found = stored && (await findEnvelope(db, stored.envelopeId))
      if (!stored || !found) throw new Problem(SIGNATURE_PROBLEMS.signatureUnknown)
      const envelope = toEnvelope(core, found)
      const record = toRecord(core, envelope, stored)
      const document = envelope.documents.find(({ id }) => id === record.document.id)
      const newest = document?.form === 'pdf' ? document.currentSha256 : record.sha256
      return {
        signedAt: record.signedAt, signer: maskPersonName(record.signerName), form: record.document.form, level: record.level, pages: document?.pages, sha256: record.sha256,
        represented: record.represented && record.represented.name, isNewest: newest === record.sha256, newestSha256: newest,
        untimedSha256: record.untimedSha256,
      }
    },
    async findUntimed(sha256) {
      const found = await findUntimed(db, Buffer.from(sha256, 'hex'))
      return found && { newestSha256: found.form === 'pdf' ? found.currentSha256.toString('hex') : undefined }
    },
  }
}

function toRecord(core: EnvelopeCore, envelope: Envelope, stored: StoredSignature): SignatureRecord {
  const document = envelope.documents.find(({ id }) => id === stored.documentId)
  if (!document) throw new Error('a signature without its document')
  const { id, envelopeId, signerId, serial, level, mandateId, signedAt, timeState } = stored
  const represented: unknown = stored.represented && JSON.parse(openText(core, stored.represented, id))
  return {
    id, envelopeId, signerId, serial, mandateId, signedAt, document, timeState, level: timeState === 'stamped' ? (document.form === 'file' ? BESIDE_LEVEL : level) : 'B-B',
    signerName: openText(core, stored.signerName, id), sha256: stored.sha256.toString('hex'), code: openText(core, stored.code, id),
    represented: isParty(represented) ? represented : undefined, untimedSha256: document.form === 'pdf' ? stored.untimedSha256?.toString('hex') : undefined,
  }
}

function isParty(value: unknown): value is { name: string; identifier: string } {
  return typeof value === 'object' && value !== null && 'name' in value && 'identifier' in value
}
