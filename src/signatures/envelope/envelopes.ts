import { Problem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { accountsOf, type Asker, type EnvelopeCore, getEnvelope, sealText, toEnvelope } from './core.ts'
import { openContent } from './contents.ts'
import { DAY_MS, type Envelope, type EnvelopeDocument, KEPT_DAYS, type Person, signerOf, signersInTurn } from './envelope.ts'
import { decideSigner, setState } from './envelope.store.ts'
import { type EnvelopePlace, listOpen, listOver } from './list.store.ts'
import { readerOf, searchEnvelopes } from './search.ts'
import { type AttemptEnd, listAttempts } from '../confirmation/signing.store.ts'
import { getTransition } from './transition.ts'

/** A citizen's envelopes by what they want of them now. */
export interface EnvelopeLists {
  /** Wait for their signature. */
  readonly toSign: readonly Envelope[]
  /** Not over, and nothing for them to do: theirs, or signed by them and waiting for others, or not yet their turn. */
  readonly open: readonly Envelope[]
  /** Over, the last ones first, a page at a time. */
  readonly done: readonly Envelope[]
  /** Where the next page of `done` begins; absent on the last one. */
  readonly next: EnvelopePlace | undefined
}

/** Envelopes as people see them. */
export interface Envelopes {
  /** @throws {Problem} signatures/envelope-unknown */
  get(by: Asker, id: string): Promise<Envelope>
  list(by: Person, before?: EnvelopePlace): Promise<EnvelopeLists>
  /** Envelopes of theirs, over or not, with a document of this name (a part of it, however it is written) or of this SHA-256. */
  search(by: Person, text: string): Promise<readonly Envelope[]>
  /** With the signatures so far. @throws {Problem} signatures/envelope-unknown, signatures/document-gone */
  open(by: Asker, id: string, documentId: string): Promise<{ document: EnvelopeDocument; bytes: Buffer }>
  /** Ends the whole envelope: what one of them does not want is signed by nobody. @throws {Problem} signatures/not-your-turn */
  refuse(by: Person, id: string, reason: string): Promise<void>
  /** What became of this person's last attempt to sign, when it did not end in a signature. */
  lastAttempt(by: Person, id: string): Promise<AttemptEnd | undefined>
}

const PAGE_SIZE = 30

export function createEnvelopes(core: EnvelopeCore): Envelopes {
  const { db, clock } = core.platform

  return {
    get: (by, id) => getEnvelope(core, db, by, id),
    async list(by, before) {
      const reader = readerOf(core, by)
      const running = (await listOpen(db, reader)).map((found) => toEnvelope(core, found))
      const over = await listOver(db, reader, { before, limit: PAGE_SIZE + 1 })
      const toSign = running.filter((envelope) => signersInTurn(envelope).some(({ cpf }) => cpf === by.cpf))
      const done = over.slice(0, PAGE_SIZE).map((found) => toEnvelope(core, found))
      const last = over.length > PAGE_SIZE ? done.at(-1) : undefined
      return { toSign, open: running.filter((envelope) => !toSign.includes(envelope)), done, next: last?.endedAt && { endedAt: last.endedAt, id: last.id } }
    },
    search: (by, text) => searchEnvelopes(core, readerOf(core, by), text),
    async open(by, id, documentId) {
      const document = (await getEnvelope(core, db, by, id)).documents.find((one) => one.id === documentId)
      if (!document) throw new Problem(SIGNATURE_PROBLEMS.envelopeUnknown)
      return { document, bytes: (await openContent(core, db, document)).bytes }
    },
    async refuse(by, id, reason) {
      const seen = await getEnvelope(core, db, by, id)
      const told = seen.signers.filter(({ cpf, state, toldAt }) => cpf !== by.cpf && (state === 'signed' || toldAt !== undefined))
      const owner = seen.ownerId === undefined || seen.ownerId === by.accountId ? undefined : await core.accounts.find(seen.ownerId)
      const signers = (await accountsOf(core, told)).filter((account) => account.id !== seen.ownerId)
      const accounts = owner?.status === 'active' ? [owner, ...signers] : signers
      await db.transaction(async (tx) => {
        const envelope = await getEnvelope(core, tx, by, id, { lock: true })
        const signer = signerOf(envelope, by)
        if (!signer || !signersInTurn(envelope).includes(signer)) throw new Problem(SIGNATURE_PROBLEMS.notYourTurn)
        const { to } = getTransition('refused', envelope.state, 'signer')
        const now = clock.now()
        await decideSigner(tx, signer.id, { state: 'refused', at: now, reason: sealText(core, reason, signer.id), name: sealText(core, by.name, signer.id) })
        await setState(tx, id, { state: to, at: now, contentsUntil: new Date(now.getTime() + KEPT_DAYS.dropped * DAY_MS) })
        await core.audit.record(tx, { type: 'signatures/envelope-refused', actor: { kind: 'citizen', id: by.accountId }, subject: by.accountId, clientId: envelope.clientId, data: { envelopeId: id } })
        for (const account of accounts) await core.ports.notify(tx, account, { notice: 'refused', envelopeId: id, params: { name: by.name } })
      })
    },
    async lastAttempt(by, id) {
      const signer = signerOf(await getEnvelope(core, db, by, id), by)
      return signer?.state === 'pending' ? (await listAttempts(db, signer.id))[0] : undefined
    },
  }
}
