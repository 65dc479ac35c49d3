import { createHash, randomUUID } from 'node:crypto'
import type { Cpf } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { fewAtOnce } from '../few-at-once.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type Asker, cpfHashOf, type EnvelopeCore, formOf, getOwned, sealText } from './core.ts'
import { sealContent } from './contents.ts'
import { DAY_MS, DEFAULT_TERM_DAYS, type Envelope, ENVELOPE_LIMITS, KEPT_DAYS, type PadesLevel, type Person, type SigningOrder } from './envelope.ts'
import { countInvitations, deleteDocument, deleteSigner, insertDocument, insertEnvelope, insertSigner, lockOwner, type NewDocument, setLevel, setState, setTerms, usageOf } from './envelope.store.ts'
import { getTransition } from './transition.ts'

/** A file as it was uploaded. */
export interface Upload {
  readonly name: string
  readonly bytes: Buffer
}

export interface NewEnvelopeTerms {
  /** Where a relying party's signers go back to, and what it wants to read there. */
  readonly returnTo?: string | undefined
  readonly clientState?: string | undefined
  readonly level?: PadesLevel | undefined
}

/** Envelopes in the making; each change is their owner's alone. */
export interface Drafts {
  /** With the owner as its only signer, if there is one. @throws {Problem} signatures/too-much, signatures/level-unfit */
  create(by: Asker, files: readonly Upload[], terms?: NewEnvelopeTerms): Promise<string>
  /** All of them or none. @throws {Problem} signatures/not-signable, signatures/too-much, signatures/step-out-of-order */
  addDocuments(by: Asker, id: string, files: readonly Upload[]): Promise<void>
  removeDocument(by: Asker, id: string, documentId: string): Promise<void>
  /** Says nothing about whether they have an account. @throws {Problem} signatures/too-much */
  addSigner(by: Asker, id: string, signer: { cpf: Cpf; name: string }): Promise<void>
  removeSigner(by: Asker, id: string, signerId: string): Promise<void>
  setTerms(by: Asker, id: string, terms: { order: SigningOrder; days: number }): Promise<void>
  /** How long signatures under its PDFs can be checked. @throws {Problem} signatures/level-unfit for one that the operator does not allow */
  setLevel(by: Asker, id: string, level: PadesLevel): Promise<void>
  /** From here on nothing of it changes but by signatures. @throws {Problem} signatures/step-out-of-order, signatures/too-much */
  send(by: Asker, id: string): Promise<void>
  /** Nobody signs it any more; whoever was asked or has signed is told by the job. */
  cancel(by: Asker, id: string): Promise<void>
}

export function createDrafts(core: EnvelopeCore): Drafts {
  const { db, clock } = core.platform
  const { levels } = core.ports.policy
  const checkLevel = (level: PadesLevel) => {
    if (!levels.includes(level)) throw new Problem(SIGNATURE_PROBLEMS.levelUnfit)
  }
  const inDays = (days: number, from = clock.now()) => new Date(from.getTime() + days * DAY_MS)

  const change = (by: Asker, id: string, work: (tx: Sql, envelope: Envelope) => Promise<void>): Promise<void> =>
    db.transaction(async (tx) => {
      const envelope = await getOwned(core, tx, by, id)
      if (envelope.state !== 'draft') throw new Problem(SIGNATURE_PROBLEMS.stepOutOfOrder)
      await work(tx, envelope)
    })

  return {
    async create(by, files, { returnTo, clientState, level = levels[0] ?? 'B-LT' } = {}) {
      checkLevel(level)
      const documents = await fewAtOnce(files, (file) => readUpload(core, file))
      const id = randomUUID()
      const ownerId = 'clientId' in by ? undefined : by.accountId
      const clientId = 'clientId' in by ? by.clientId : undefined
      await db.transaction(async (tx) => {
        await checkRoom(tx, { ownerId, clientId }, documents)
        const kept = inDays(KEPT_DAYS.draft)
        await insertEnvelope(tx, { id, ownerId, clientId, returnTo, clientState, order: 'sequence', level, at: clock.now(), expiresAt: inDays(DEFAULT_TERM_DAYS), contentsUntil: kept })
        await insertAll(tx, { envelopeId: id, from: 0 }, documents)
        if (!('clientId' in by)) await addSigner(core, tx, { id, position: 0 }, by)
      })
      return id
    },
    async addDocuments(by, id, files) {
      const documents = await fewAtOnce(files, (file) => readUpload(core, file))
      await change(by, id, async (tx, envelope) => {
        await checkRoom(tx, envelope, documents, envelope)
        await insertAll(tx, { envelopeId: id, from: 1 + Math.max(-1, ...envelope.documents.map(({ position }) => position)) }, documents)
      })
    },
    removeDocument: (by, id, documentId) => change(by, id, async (tx) => void (await deleteDocument(tx, id, documentId))),
    addSigner: (by, id, signer) =>
      change(by, id, async (tx, { signers }) => {
        if (signers.length >= ENVELOPE_LIMITS.signers) throw new Problem(SIGNATURE_PROBLEMS.tooMuch, { detail: 'signers' })
        await addSigner(core, tx, { id, position: 1 + Math.max(-1, ...signers.map(({ position }) => position)) }, signer)
      }),
    removeSigner: (by, id, signerId) => change(by, id, async (tx) => void (await deleteSigner(tx, id, signerId))),
    setTerms: (by, id, { order, days }) => change(by, id, (tx) => setTerms(tx, id, { order, expiresAt: inDays(days) })),
    async setLevel(by, id, level) {
      checkLevel(level)
      await change(by, id, (tx) => setLevel(tx, id, level))
    },
    send: (by, id) => change(by, id, (tx, envelope) => send(core, tx, by, envelope)),
    cancel: (by, id) =>
      db.transaction(async (tx) => {
        const envelope = await getOwned(core, tx, by, id)
        const { to } = getTransition('cancelled', envelope.state, 'owner')
        await setState(tx, id, { state: to, at: clock.now(), contentsUntil: inDays(KEPT_DAYS.dropped) })
        await record(core, tx, by, { type: 'signatures/envelope-cancelled', data: { envelopeId: id } })
        if (envelope.state === 'waiting') await core.ports.queueTelling(tx, id)
      }),
  }
}

async function send(core: EnvelopeCore, tx: Sql, by: Asker, { id, state, ownerId, documents, signers, createdAt, expiresAt }: Envelope): Promise<void> {
  const { to } = getTransition('sent', state, 'owner')
  const now = core.platform.clock.now()
  if (documents.length === 0 || signers.length === 0) throw new Problem(SIGNATURE_PROBLEMS.stepOutOfOrder, { detail: documents.length === 0 ? 'no-documents' : 'no-signers' })
  const others = 'clientId' in by ? signers.length : signers.filter(({ cpf }) => cpf !== by.cpf).length
  if (ownerId) await lockOwner(tx, ownerId)
  const asked = ownerId && others > 0 ? await countInvitations(tx, ownerId, new Date(now.getTime() - DAY_MS)) : 0
  if (asked + others > ENVELOPE_LIMITS.invitationsPerDay) throw new Problem(SIGNATURE_PROBLEMS.tooMuch, { detail: 'invitations' })
  // The term that was set counts from now, not from the day on which the draft was begun.
  const ends = new Date(now.getTime() + (expiresAt.getTime() - createdAt.getTime()))
  await setState(tx, id, { state: to, at: now, expiresAt: ends, contentsUntil: ends })
  await record(core, tx, by, { type: 'signatures/envelope-sent', data: { envelopeId: id, documents: documents.length, signers: signers.length } })
  await core.ports.queueTelling(tx, id)
}

function record(core: EnvelopeCore, tx: Sql, by: Asker, event: { type: string; data: Readonly<Record<string, unknown>> }): Promise<void> {
  if ('clientId' in by) return core.audit.record(tx, { ...event, actor: { kind: 'client', id: by.clientId }, clientId: by.clientId })
  return core.audit.record(tx, { ...event, actor: { kind: 'citizen', id: by.accountId }, subject: by.accountId })
}

async function addSigner(core: EnvelopeCore, tx: Sql, { id: envelopeId, position }: { id: string; position: number }, { cpf, name }: Pick<Person, 'cpf' | 'name'>): Promise<void> {
  const id = randomUUID()
  await insertSigner(tx, { id, envelopeId, position, cpfHash: cpfHashOf(core, cpf), cpf: sealText(core, cpf, id), name: sealText(core, name, id) })
}

type ReadUpload = Omit<NewDocument, 'envelopeId' | 'position'>

/** Everything that can be said of a file without the database, so that no transaction waits for it. */
async function readUpload(core: EnvelopeCore, { name, bytes }: Upload): Promise<ReadUpload> {
  if (bytes.length === 0 || bytes.length > ENVELOPE_LIMITS.documentBytes) throw new Problem(SIGNATURE_PROBLEMS.notSignable, { detail: bytes.length === 0 ? 'empty' : 'too-large' })
  const form = formOf(bytes)
  const { pages } = form === 'pdf' ? await core.inspect(bytes) : { pages: undefined }
  const id = randomUUID()
  return { id, name: sealText(core, cleanName(name), id), form, pages, size: bytes.length, sha256: createHash('sha256').update(bytes).digest(), ...sealContent(core, id, bytes) }
}

async function insertAll(tx: Sql, { envelopeId, from }: { envelopeId: string; from: number }, documents: readonly ReadUpload[]): Promise<void> {
  for (const [index, document] of documents.entries()) await insertDocument(tx, { ...document, envelopeId, position: from + index })
}

async function checkRoom(tx: Sql, owner: { ownerId: string | undefined; clientId: string | undefined }, added: readonly ReadUpload[], envelope?: Envelope): Promise<void> {
  const bytes = sum(added.map(({ size }) => size))
  const refuse = (detail: string) => new Problem(SIGNATURE_PROBLEMS.tooMuch, { detail })
  const known = envelope?.documents ?? []
  if (known.length + added.length > ENVELOPE_LIMITS.documents) throw refuse('documents')
  if (sum(known.map(({ size }) => size)) + bytes > ENVELOPE_LIMITS.envelopeBytes) throw refuse('bytes')
  await lockOwner(tx, owner.ownerId ?? owner.clientId ?? '')
  const usage = await usageOf(tx, owner)
  const most = owner.ownerId === undefined ? ENVELOPE_LIMITS.ofClient : ENVELOPE_LIMITS.ofCitizen
  if (!envelope && usage.open >= most.open) throw refuse('open')
  if (usage.bytes + bytes > most.bytes) throw refuse('kept')
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

/** What a file is called: its last part, without what no name needs; never empty. */
export function cleanName(name: string): string {
  const plain = (name.split(/[/\\]/).at(-1) ?? '').normalize('NFC').replace(/[\p{C}"<>|*?:]/gu, ' ').replace(/\s+/g, ' ').trim()
  return [...plain].slice(0, 120).join('') || 'documento'
}
