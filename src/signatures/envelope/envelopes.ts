import { Problem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { accountsOf, type Asker, cpfHashOf, type EnvelopeCore, getEnvelope, sealText, toEnvelope } from './core.ts'
import { openContent } from './contents.ts'
import { DAY_MS, type Envelope, type EnvelopeDocument, KEPT_DAYS, type Person, signerOf, signersInTurn } from './envelope.ts'
import { decideSigner, listEnvelopes, setState } from './envelope.store.ts'
import { type AttemptEnd, listAttempts } from '../confirmation/signing.store.ts'
import { getTransition } from './transition.ts'

/** A citizen's envelopes by what they want of them now. */
export interface EnvelopeLists {
  /** Wait for their signature. */
  readonly toSign: readonly Envelope[]
  /** Made by them and not over. */
  readonly open: readonly Envelope[]
  /** Over, or signed by them and waiting for others. */
  readonly done: readonly Envelope[]
}

/** Envelopes as people see them. */
export interface Envelopes {
  /** @throws {Problem} signatures/envelope-unknown */
  get(by: Asker, id: string): Promise<Envelope>
  list(by: Person): Promise<EnvelopeLists>
  /** With the signatures so far. @throws {Problem} signatures/envelope-unknown, signatures/document-gone */
  open(by: Asker, id: string, documentId: string): Promise<{ document: EnvelopeDocument; bytes: Buffer }>
  /** Ends the whole envelope: what one of them does not want is signed by nobody. @throws {Problem} signatures/not-your-turn */
  refuse(by: Person, id: string, reason: string): Promise<void>
  /** What became of this person's last attempt to sign, when it did not end in a signature. */
  lastAttempt(by: Person, id: string): Promise<AttemptEnd | undefined>
}

export function createEnvelopes(core: EnvelopeCore): Envelopes {
  const { db, clock } = core.platform

  return {
    get: (by, id) => getEnvelope(core, db, by, id),
    async list(by) {
      const all = (await listEnvelopes(db, { ownerId: by.accountId, cpfHash: cpfHashOf(core, by.cpf) })).map((found) => toEnvelope(core, found))
      const toSign = all.filter((envelope) => signersInTurn(envelope).some(({ cpf }) => cpf === by.cpf))
      const open = all.filter((envelope) => !toSign.includes(envelope) && envelope.ownerId === by.accountId && (envelope.state === 'draft' || envelope.state === 'waiting'))
      return { toSign, open, done: all.filter((envelope) => !toSign.includes(envelope) && !open.includes(envelope)) }
    },
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
