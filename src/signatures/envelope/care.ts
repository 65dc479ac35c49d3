import type { Account } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { eraseContents, listExpired, listOfPerson, listOutlived, listToRemind } from './content.store.ts'
import { accountsOf, type EnvelopeCore, toEnvelope } from './core.ts'
import { DAY_MS, type Envelope, KEPT_DAYS, REMINDER_AFTER_DAYS, signersInTurn } from './envelope.ts'
import { findEnvelope, noteReminded, noteTold, noteToldOfEnd, setState } from './envelope.store.ts'
import { eachInTurn } from '../each-in-turn.ts'
import { endLostAttempts, forgetOpenAttempts } from '../confirmation/signing.store.ts'
import { getTransition } from './transition.ts'

/** What happens to envelopes by the calendar; every step may run twice, and from many processes. */
export interface EnvelopeCare {
  /** Tells whoever is in turn and has not been told, or that the envelope of an account that was closed is over; by a job, so that no answer takes longer for people who have an account. */
  tellSigners(envelopeId: string): Promise<void>
  /** Expiry, reminders, attempts that a killed process left; returns how many envelopes were touched. */
  sweep(): Promise<number>
  /** Erases documents that have been kept long enough; returns how many envelopes lost theirs. */
  purge(): Promise<number>
  /** What a person who is gone for good had begun ends, and its documents go; what was signed stays on record by hash. */
  forget(tx: Sql, personId: string): Promise<void>
}

const BATCH = 100
/** Longer than any attempt takes: what is still begun then was killed. */
const LOST_AFTER_MS = 2 * 60_000

export function createEnvelopeCare(core: EnvelopeCore): EnvelopeCare {
  const { db, clock } = core.platform

  async function find(id: string): Promise<Envelope | undefined> {
    const found = await findEnvelope(db, id)
    return found && toEnvelope(core, found)
  }

  async function ownerOf({ ownerId }: Envelope): Promise<Account | undefined> {
    const account = ownerId === undefined ? undefined : await core.accounts.find(ownerId)
    return account?.status === 'active' ? account : undefined
  }

  /** Whoever was asked, or has signed, hears that it came to nothing. */
  async function tellOfEnd(envelope: Envelope): Promise<void> {
    for (const signer of envelope.signers.filter(({ toldAt, state }) => toldAt !== undefined && state !== 'refused')) {
      const [account] = await accountsOf(core, [signer])
      await db.transaction(async (tx) => {
        if (!(await noteToldOfEnd(tx, signer.id)) || !account || account.id === envelope.ownerId) return
        await core.ports.notify(tx, account, { notice: 'cancelled', envelopeId: envelope.id, params: {} })
      })
    }
  }

  async function tellSigners(id: string): Promise<void> {
    const envelope = await find(id)
    if (!envelope) return
    if (envelope.state === 'cancelled') return tellOfEnd(envelope)
    const owner = await ownerOf(envelope)
    for (const signer of signersInTurn(envelope).filter(({ toldAt }) => toldAt === undefined)) {
      const [account] = await accountsOf(core, [signer])
      await db.transaction(async (tx) => {
        if (!(await noteTold(tx, signer.id, clock.now())) || !account || account.id === envelope.ownerId) return
        await core.audit.record(tx, { type: 'signatures/signer-invited', actor: { kind: 'system' }, subject: account.id, clientId: envelope.clientId, data: { envelopeId: id } })
        await core.ports.notify(tx, account, { notice: 'invited', envelopeId: id, params: { name: owner?.citizen.reveal().name ?? '' } })
      })
    }
  }

  async function remind(id: string): Promise<void> {
    const found = await findEnvelope(db, id)
    const envelope = found && toEnvelope(core, found)
    const now = clock.now()
    for (const signer of envelope ? signersInTurn(envelope) : []) {
      const reminders = found?.signers.find((row) => row.id === signer.id)?.reminders ?? 0
      const days = REMINDER_AFTER_DAYS[reminders]
      if (days === undefined || !signer.toldAt || now.getTime() - signer.toldAt.getTime() < days * DAY_MS) continue
      const [account] = await accountsOf(core, [signer])
      await db.transaction(async (tx) => {
        if (!(await noteReminded(tx, signer.id, now, reminders)) || !account) return
        await core.ports.notify(tx, account, { notice: 'reminder', envelopeId: id, params: {} })
      })
    }
  }

  async function expire(id: string): Promise<void> {
    const seen = await find(id)
    const owner = seen && (await ownerOf(seen))
    // Whoever signed learns that it came to nothing, and whoever was asked that nothing waits for them.
    const told = seen ? (await accountsOf(core, seen.signers.filter(({ toldAt, state }) => toldAt !== undefined || state === 'signed'))).filter((account) => account.id !== seen.ownerId) : []
    await db.transaction(async (tx) => {
      const found = await findEnvelope(tx, id, { lock: true })
      const now = clock.now()
      const { state, expires_at: ends, contents_until: kept } = found?.envelope ?? { state: undefined }
      const isDraft = state === 'draft'
      if (!found || (isDraft ? kept > now : state !== 'waiting' || ends > now)) return
      const { to } = getTransition('expired', found.envelope.state, 'system')
      await setState(tx, id, { state: to, at: now, contentsUntil: isDraft ? now : new Date(now.getTime() + KEPT_DAYS.dropped * DAY_MS) })
      await core.audit.record(tx, { type: 'signatures/envelope-expired', actor: { kind: 'system' }, subject: found.envelope.owner_id ?? undefined, clientId: found.envelope.client_id ?? undefined, data: { envelopeId: id } })
      if (found.envelope.state !== 'waiting') return
      if (owner) await core.ports.notify(tx, owner, { notice: 'expired', envelopeId: id, params: {} })
      for (const account of told) await core.ports.notify(tx, account, { notice: 'lapsed', envelopeId: id, params: {} })
    })
  }

  async function endLost(): Promise<number> {
    const before = new Date(clock.now().getTime() - LOST_AFTER_MS)
    return db.transaction(async (tx) => {
      const lost = await endLostAttempts(tx, before, clock.now())
      for (const { id, envelopeId, accountId } of lost) {
        await core.audit.record(tx, { type: 'signatures/signing-lost', actor: { kind: 'system' }, subject: accountId, data: { envelopeId, attemptId: id } })
      }
      await forgetOpenAttempts(tx, new Date(clock.now().getTime() - DAY_MS))
      return lost.length
    })
  }

  return {
    tellSigners,
    async sweep() {
      const now = clock.now()
      const [expired, due] = [await listExpired(db, now, BATCH), await listToRemind(db, now, REMINDER_AFTER_DAYS, BATCH)]
      const lost = await endLost()
      // One that cannot be read keeps no other one waiting.
      await eachInTurn([...expired.map((id) => () => expire(id)), ...due.map((id) => () => remind(id))], (step) => step())
      return expired.length + due.length + lost
    },
    async purge() {
      const outlived = await listOutlived(db, clock.now(), BATCH)
      await eachInTurn(outlived, (envelopeId) =>
        db.transaction(async (tx) => {
          const documents = await eraseContents(tx, envelopeId, clock.now())
          await core.audit.record(tx, { type: 'signatures/documents-erased', actor: { kind: 'system' }, data: { envelopeId, documents } })
        }),
      )
      return outlived.length
    },
    async forget(tx, personId) {
      const now = clock.now()
      for (const envelopeId of await listOfPerson(tx, personId)) {
        const found = await findEnvelope(tx, envelopeId, { lock: true })
        if (found && ['draft', 'waiting'].includes(found.envelope.state)) await setState(tx, envelopeId, { state: 'cancelled', at: now, contentsUntil: now })
        if (found?.envelope.state === 'waiting') await core.ports.queueTelling(tx, envelopeId)
        const documents = await eraseContents(tx, envelopeId, now)
        await core.audit.record(tx, { type: 'signatures/documents-erased', actor: { kind: 'system' }, data: { envelopeId, documents } })
      }
    },
  }
}
