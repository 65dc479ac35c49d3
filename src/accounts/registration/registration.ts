import { randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import type { Locale } from '../../platform/http/locale.ts'
import type { Account } from '../account.ts'
import { findAccount, findAccountByCpf, removeFactors } from '../account.store.ts'
import { insertContact } from '../contacts/contact.store.ts'
import { citizen, type Core, type Facts, originOf, SYSTEM, type Tools } from '../core.ts'
import { type BaseRecord, type BaseRegister, isConsistent } from '../identity/base-register.ts'
import { parseCpf } from '../identity/cpf.ts'
import { isDeathNoted } from '../identity/noted-deaths.store.ts'
import { parseEmailAddress } from '../identity/email-address.ts'
import { CODE_TTL_SECONDS, LINK_TTL_SECONDS, type Token, type TokenSecrets } from '../token/one-time-tokens.ts'
import { checkRegistrable, renewWays } from '../ways/ways.ts'
import { type FieldFault, type ParsedForm, parseForm, type RegistrationForm } from './form.ts'
import { type NewRegistration, pendingRegistration, type PendingRegistration } from './pending.ts'
import { insertAccount, lockRegistration } from './registration.store.ts'

const KIND = 'registration'

interface Wait {
  readonly kind: 'wait'
  readonly retryAfterSeconds: number
}

export type RegistrationStart =
  /** A code is on its way, or the CPF has an account already and its owner was told: the same answer. */
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'invalid'; readonly faults: readonly FieldFault[] }
  /** CPF, name and birth date are not one person's in the base register. */
  | { readonly kind: 'mismatch' }
  /** The data are right, but the register does not list the CPF as regular. */
  | { readonly kind: 'irregular' }
  | Wait

export type RegistrationConfirmation =
  | {
      readonly kind: 'confirmed'
      readonly account: Account
      /** True in the browser that registered: only there it may be signed in at once. */
      readonly sameBrowser: boolean
    }
  | { readonly kind: 'wrong'; readonly attemptsLeft: number }
  /** Used, over, unknown or another browser's; or the CPF got an account, or its person's death was noted, meanwhile. */
  | { readonly kind: 'gone' }
  | Wait

/** Opening an account: nothing is in the tables before the e-mail address is confirmed. */
export interface Registration {
  /** `binding` ties the code to the browser (the interaction's id, a cookie's value). */
  start(asked: { form: RegistrationForm; locale: Locale; binding: string; facts: Facts }): Promise<RegistrationStart>
  /** A new code to the same address, at most 5 messages in 10 minutes; the former code is dead. */
  resend(pending: { id: string; binding: string }): Promise<{ kind: 'sent' } | { kind: 'gone' } | Wait>
  confirm(presented: { id: string; binding: string; code: string }): Promise<RegistrationConfirmation>
  /** The mail's link, in any browser, for 24 hours; `binding` of this browser, if it has one. */
  confirmByLink(presented: { link: string; binding?: string | undefined }): Promise<RegistrationConfirmation>
}

/** Adds what later rooms know of a new account (its bronze evidence) in the same transaction; from `app.ts`. */
export type AccountCreated = (tx: Sql, account: Account) => Promise<void>

export interface RegistrationDependencies {
  readonly core: Core
  readonly tools: Tools
  /** With a deadline on it. */
  readonly register: BaseRegister
  readonly accountCreated: AccountCreated
}

export function createRegistration({ core, tools, register, accountCreated }: RegistrationDependencies): Registration {
  const { db, clock, audit, settings } = core
  const { tokens, passwords, throttle, limits, notices } = tools

  function sendCode(tx: Sql, pending: NewRegistration, { code, link }: TokenSecrets): Promise<void> {
    const recipient = { channel: 'mail', to: pending.email, locale: pending.locale, name: pending.socialName ?? pending.name } as const
    const address = `${settings.publicUrl}/cadastro/confirmar?t=${link}`
    return notices.send(tx, recipient, 'registration-code', { code, link: address, minutes: CODE_TTL_SECONDS / 60 })
  }

  /** The owner of the account is told; who asked sees the same page as everybody. */
  async function begin(asked: Begin): Promise<string> {
    const { existing, pending, binding, facts } = asked
    return db.transaction(async (tx) => {
      const payload: PendingRegistration = existing ? { kind: 'decoy', email: pending.email } : pending
      const secrets = await tokens.create(tx, { kind: KIND, ttlSeconds: LINK_TTL_SECONDS, binding, payload: JSON.stringify(payload) })
      if (existing === undefined) await sendCode(tx, pending, secrets)
      else {
        await notices.tell(tx, existing, 'registration-repeated')
        const data = { origin: originOf(core, facts) }
        await audit.record(tx, { type: 'accounts/registration-repeated', actor: SYSTEM, subject: existing.id, data })
      }
      return secrets.id
    })
  }

  async function hashNew(form: ParsedForm, record: BaseRecord, password: string): Promise<string | FieldFault> {
    const names = [form.name, record.name, ...(record.socialName ? [record.socialName] : [])]
    const owner = { cpf: form.cpf, names, emails: [form.email], birthDate: form.birthDate }
    const fault = await passwords.findFault(password, owner)
    return fault === undefined ? passwords.hash(password) : { field: 'password', code: fault }
  }

  async function start({ form: typed, locale, binding, facts }: Parameters<Registration['start']>[0]): Promise<RegistrationStart> {
    const form = parseForm(typed, clock.now())
    if (Array.isArray(form)) return { kind: 'invalid', faults: form }
    const begun = limits.start('registration', facts.ip)
    const guesses = limits.codes(`registration:${form.cpf}`)
    const admission = await throttle.admit([begun, guesses])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    const record = await register.find(form.cpf)
    if (record === undefined || !isConsistent(record, form)) return { kind: 'mismatch' }
    await throttle.giveBack([guesses])
    if (record.situation !== 'regular') return { kind: 'irregular' }
    const passwordHash = await hashNew(form, record, typed.password)
    if (typeof passwordHash !== 'string') {
      await throttle.giveBack([begun])
      return { kind: 'invalid', faults: [passwordHash] }
    }
    const message = await throttle.admit([limits.message(form.email)])
    if (!message.admitted) return { kind: 'wait', retryAfterSeconds: message.waitSeconds }
    const known = await findAccountByCpf(db, form.cpf)
    const { name, socialName, birthDate } = record
    const pending: NewRegistration = {
      kind: 'new', cpf: form.cpf, name, birthDate, email: form.email, passwordHash, locale, ...(socialName !== undefined && { socialName }),
    }
    return { kind: 'started', id: await begin({ existing: known?.status === 'closed' ? undefined : known, pending, binding, facts }) }
  }

  async function resend({ id, binding }: { id: string; binding: string }): ReturnType<Registration['resend']> {
    const token = await tokens.find({ kind: KIND, id, binding })
    if (token === undefined) return { kind: 'gone' }
    const pending = pendingOf(token)
    const admission = await throttle.admit([limits.message(pending.email)])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    return db.transaction(async (tx) => {
      const secrets = await tokens.renew(tx, id)
      if (secrets !== undefined && pending.kind === 'new') await sendCode(tx, pending, secrets)
      return { kind: secrets === undefined ? 'gone' : 'sent' }
    })
  }

  /** Person, account, address, audit and welcome, or none of them. @throws {Problem} accounts/ways-unconfirmed */
  async function createAccount(token: Token, pending: NewRegistration): Promise<Account | undefined> {
    const cpf = parseCpf(pending.cpf)
    const email = parseEmailAddress(pending.email)
    if (cpf === undefined || email === undefined) throw new Error('a sealed registration holds no CPF or address')
    return db.transaction(async (tx) => {
      if (!(await tokens.consume(tx, token.id))) return undefined
      const contactId = randomUUID()
      await lockRegistration(tx, cpf)
      // A registration waits for its address up to a day.
      if (await isDeathNoted(tx, cpf)) return undefined
      const before = await findAccountByCpf(tx, cpf)
      if (before === undefined || before.status === 'closed') await checkRegistrable(core, tx, cpf, before?.id)
      const created = await renewWays(core, tx, async (ways) => {
        const inserted = await insertAccount(ways, { ...pending, socialName: pending.socialName, cpf, now: clock.now() })
        if (inserted === undefined) return undefined
        // Whatever may lie with a closed account is nobody's way in.
        if (inserted.reopened) await removeFactors(ways, inserted.id, clock.now())
        await insertContact(ways, { id: contactId, accountId: inserted.id, address: { kind: 'email', value: email }, now: clock.now() })
        return inserted
      })
      if (created === undefined) return undefined
      const account = await findAccount(tx, created.id)
      if (account === undefined) throw new Error('the new account is not there')
      await audit.record(tx, {
        type: 'accounts/registered', actor: citizen(account.id), subject: account.id, data: { contactId, reopened: created.reopened },
      })
      await accountCreated(tx, account)
      await notices.tell(tx, account, 'welcome')
      return account
    })
  }

  async function finish(token: Token, sameBrowser: boolean): Promise<RegistrationConfirmation> {
    const pending = pendingOf(token)
    const account = pending.kind === 'new' ? await createAccount(token, pending) : undefined
    return account === undefined ? { kind: 'gone' } : { kind: 'confirmed', account, sameBrowser }
  }

  return {
    start,
    resend,
    async confirm({ id, binding, code }) {
      const known = await tokens.find({ kind: KIND, id, binding })
      if (known === undefined) return { kind: 'gone' }
      const limit = limits.codes(pendingOf(known).email)
      const admission = await throttle.admit([limit])
      if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
      const check = await tokens.checkCode({ kind: KIND, id, binding, code })
      if (check.kind !== 'right') return check
      await throttle.clear([limit])
      return finish(check.token, true)
    },
    async confirmByLink({ link, binding }) {
      const token = await tokens.findByLink(KIND, link)
      return token === undefined ? { kind: 'gone' } : finish(token, binding !== undefined && token.binding === binding)
    },
  }
}

interface Begin {
  readonly existing: Account | undefined
  readonly pending: NewRegistration
  readonly binding: string
  readonly facts: Facts
}

function pendingOf(token: Token): PendingRegistration {
  return pendingRegistration.parse(JSON.parse(token.payload ?? '{}'))
}
