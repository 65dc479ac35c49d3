import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import { type AccountId, displayName } from '../account.ts'
import { noteCredentialChange } from '../account.store.ts'
import { asChanger, type Changer, changing } from '../change-guard.ts'
import { citizen, type Core, type Tools } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { CODE_TTL_SECONDS } from '../token/one-time-tokens.ts'
import { type Address, type Contact, type ContactKind, parseAddress } from './contact.ts'
import { insertContact, listContacts, removePrimary } from './contact.store.ts'

const KIND = 'contact'

const payload = z.object({ kind: z.enum(['email', 'phone']), value: z.string() })

export type ContactConfirmation =
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'wrong'; readonly attemptsLeft: number }
  /** Used, over or unknown: ask for a new code. */
  | { readonly kind: 'gone' }

/** The addresses that an account can be reached at: one mail address and one mobile number at a time, history kept. */
export interface Contacts {
  list(accountId: AccountId, options?: { former?: boolean }): Promise<Contact[]>
  /** False where no SMS provider is set up: do not offer a phone. */
  canUsePhone(): boolean
  /**
   * Sends a code to a new address; nothing changes before it is confirmed. Again for another code.
   *
   * @throws {Problem} accounts/contact-refused, accounts/too-many-attempts and what a change may meet.
   */
  start(changer: Changer, asked: { kind: ContactKind; value: string }): Promise<{ id: string; address: Address }>
  /**
   * Puts the confirmed address in the former one's place and tells every address, the former one too.
   *
   * @throws {Problem} accounts/too-many-attempts and what a change may meet.
   */
  confirm(changer: Changer, presented: { id: string; code: string }): Promise<ContactConfirmation>
  /** @throws {Problem} accounts/last-contact, accounts/contact-refused when there is none, and what a change may meet. */
  remove(changer: Changer, kind: ContactKind): Promise<void>
}

export function createContacts(core: Core, { tokens, throttle, limits, notices }: Omit<Tools, 'passwords'>): Contacts {
  const { db, clock, audit } = core

  /** In the transaction: the former address out, the new one in. */
  async function replace(changer: Changer, tokenId: string, address: Address): Promise<boolean> {
    return changing(core, changer, async (tx, account) => {
      if (!(await tokens.consume(tx, tokenId))) return false
      const now = clock.now()
      const actor = citizen(account.id)
      await notices.tellEverywhere(tx, account, 'contact-changed')
      const removed = await removePrimary(tx, account.id, address.kind, now)
      const contactId = randomUUID()
      await insertContact(tx, { id: contactId, accountId: account.id, address, now })
      await noteCredentialChange(tx, account.id, now)
      const kind = address.kind
      if (removed) await audit.record(tx, { type: 'accounts/contact-removed', actor, subject: account.id, data: { contactId: removed, kind } })
      await audit.record(tx, { type: 'accounts/contact-added', actor, subject: account.id, data: { contactId, kind } })
      return true
    })
  }

  return {
    list: (accountId, { former = false } = {}) => listContacts(db, accountId, { former }),
    canUsePhone: () => notices.canSend('sms'),
    async start(changer, { kind, value }) {
      const address = parseAddress(kind, value)
      const channel = kind === 'email' ? 'mail' : 'sms'
      if (address === undefined || !notices.canSend(channel)) throw new Problem(ACCOUNTS_PROBLEMS.contactRefused)
      await throttle.checkAdmitted([limits.message(address.value), limits.message(`contact:${changer.accountId}`)])
      return asChanger(core, changer, async (tx, account) => {
        await tokens.consumeAllOf(tx, account.id, KIND)
        const text = JSON.stringify(address)
        const secrets = await tokens.create(tx, { kind: KIND, ttlSeconds: CODE_TTL_SECONDS, accountId: account.id, binding: account.id, payload: text })
        const recipient = { channel, to: address.value, locale: account.locale, name: displayName(account.citizen.reveal()) } as const
        await notices.send(tx, recipient, 'contact-code', { code: secrets.code, minutes: CODE_TTL_SECONDS / 60 })
        return { id: secrets.id, address }
      })
    },
    async confirm(changer, { id, code }) {
      const limit = limits.codes(`contact:${changer.accountId}`)
      await throttle.checkAdmitted([limit])
      const check = await tokens.checkCode({ kind: KIND, id, binding: changer.accountId, code })
      if (check.kind !== 'right') return check
      await throttle.clear([limit])
      const stored = payload.parse(JSON.parse(check.token.payload ?? '{}'))
      const address = parseAddress(stored.kind, stored.value)
      if (address === undefined) throw new Error('a sealed address cannot be read')
      return { kind: (await replace(changer, id, address)) ? 'confirmed' : 'gone' }
    },
    remove: (changer, kind) =>
      changing(core, changer, async (tx, account) => {
        const { email, phone } = account.citizen.reveal()
        if ((kind === 'email' ? email : phone) === undefined) throw new Problem(ACCOUNTS_PROBLEMS.contactRefused)
        if ((kind === 'email' ? phone : email) === undefined) throw new Problem(ACCOUNTS_PROBLEMS.lastContact)
        await notices.tellEverywhere(tx, account, 'contact-changed')
        const contactId = await removePrimary(tx, account.id, kind, clock.now())
        await noteCredentialChange(tx, account.id, clock.now())
        await audit.record(tx, { type: 'accounts/contact-removed', actor: citizen(account.id), subject: account.id, data: { contactId, kind } })
      }),
  }
}
