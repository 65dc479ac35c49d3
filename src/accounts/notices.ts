import type { Sql } from '../platform/db.ts'
import { createFormats, LOCALES, type Formats, type Locale } from '../platform/http/locale.ts'
import type { MessageParams } from '../platform/http/messages.ts'
import type { Outbox } from '../platform/outbox.ts'
import type { Clock } from '../platform/clock.ts'
import { type Account, displayName } from './account.ts'
import { listReachable, listReachableFormer } from './contacts/contact.store.ts'
import { firstName } from './identity/person-name.ts'

/** Subject, text and (where a phone may be all there is) short text of each message. */
const MESSAGES = {
  'registration-code': { subject: 'accounts.mail.registration-code.subject', text: 'accounts.mail.registration-code.text' },
  'registration-repeated': { subject: 'accounts.mail.registration-repeated.subject', text: 'accounts.mail.registration-repeated.text' },
  welcome: { subject: 'accounts.mail.welcome.subject', text: 'accounts.mail.welcome.text' },
  'contact-code': { subject: 'accounts.mail.contact-code.subject', text: 'accounts.mail.contact-code.text', sms: 'accounts.sms.contact-code' },
  'recovery-code': { subject: 'accounts.mail.recovery-code.subject', text: 'accounts.mail.recovery-code.text', sms: 'accounts.sms.recovery-code' },
  'new-device': { subject: 'accounts.mail.new-device.subject', text: 'accounts.mail.new-device.text', sms: 'accounts.sms.new-device' },
  'password-changed': { subject: 'accounts.mail.password-changed.subject', text: 'accounts.mail.password-changed.text', sms: 'accounts.sms.password-changed' },
  'totp-enabled': { subject: 'accounts.mail.totp-enabled.subject', text: 'accounts.mail.totp-enabled.text', sms: 'accounts.sms.totp-enabled' },
  'totp-removed': { subject: 'accounts.mail.totp-removed.subject', text: 'accounts.mail.totp-removed.text', sms: 'accounts.sms.totp-removed' },
  'passkey-added': { subject: 'accounts.mail.passkey-added.subject', text: 'accounts.mail.passkey-added.text', sms: 'accounts.sms.passkey-added' },
  'passkey-removed': { subject: 'accounts.mail.passkey-removed.subject', text: 'accounts.mail.passkey-removed.text', sms: 'accounts.sms.passkey-removed' },
  'certificate-added': { subject: 'accounts.mail.certificate-added.subject', text: 'accounts.mail.certificate-added.text', sms: 'accounts.sms.certificate-added' },
  'certificate-removed': { subject: 'accounts.mail.certificate-removed.subject', text: 'accounts.mail.certificate-removed.text', sms: 'accounts.sms.certificate-removed' },
  'certificate-revoked': { subject: 'accounts.mail.certificate-revoked.subject', text: 'accounts.mail.certificate-revoked.text', sms: 'accounts.sms.certificate-revoked' },
  'certificate-ending': { subject: 'accounts.mail.certificate-ending.subject', text: 'accounts.mail.certificate-ending.text', sms: 'accounts.sms.certificate-ending' },
  'recovery-codes-made': { subject: 'accounts.mail.recovery-codes-made.subject', text: 'accounts.mail.recovery-codes-made.text', sms: 'accounts.sms.recovery-codes-made' },
  'recovery-code-used': { subject: 'accounts.mail.recovery-code-used.subject', text: 'accounts.mail.recovery-code-used.text', sms: 'accounts.sms.recovery-code-used' },
  'contact-changed': { subject: 'accounts.mail.contact-changed.subject', text: 'accounts.mail.contact-changed.text', sms: 'accounts.sms.contact-changed' },
  recovered: { subject: 'accounts.mail.recovered.subject', text: 'accounts.mail.recovered.text', sms: 'accounts.sms.recovered' },
  suspended: { subject: 'accounts.mail.suspended.subject', text: 'accounts.mail.suspended.text', sms: 'accounts.sms.suspended' },
  closed: { subject: 'accounts.mail.closed.subject', text: 'accounts.mail.closed.text', sms: 'accounts.sms.closed' },
  'ways-lost': { subject: 'accounts.mail.ways-lost.subject', text: 'accounts.mail.ways-lost.text', sms: 'accounts.sms.ways-lost' },
  unblocked: { subject: 'accounts.mail.unblocked.subject', text: 'accounts.mail.unblocked.text', sms: 'accounts.sms.unblocked' },
  'images-withdrawn': { subject: 'accounts.mail.images-withdrawn.subject', text: 'accounts.mail.images-withdrawn.text', sms: 'accounts.sms.images-withdrawn' },
  'proof-held': { subject: 'accounts.mail.proof-held.subject', text: 'accounts.mail.proof-held.text', sms: 'accounts.sms.proof-held' },
  'proof-restored': { subject: 'accounts.mail.proof-restored.subject', text: 'accounts.mail.proof-restored.text', sms: 'accounts.sms.proof-restored' },
  'counter-access': { subject: 'accounts.mail.counter-access.subject', text: 'accounts.mail.counter-access.text', sms: 'accounts.sms.counter-access' },
  'kiosk-entered': { subject: 'accounts.mail.kiosk-entered.subject', text: 'accounts.mail.kiosk-entered.text', sms: 'accounts.sms.kiosk-entered' },
  'death-noted': { subject: 'accounts.mail.death-noted.subject', text: 'accounts.mail.death-noted.text', sms: 'accounts.sms.death-noted' },
  'death-withdrawn': { subject: 'accounts.mail.death-withdrawn.subject', text: 'accounts.mail.death-withdrawn.text', sms: 'accounts.sms.death-withdrawn' },
} as const satisfies Record<string, { subject: string; text: string; sms?: string }>

export type Notice = keyof typeof MESSAGES

/** Whom a message goes to. */
export interface Recipient {
  readonly channel: 'mail' | 'sms'
  readonly to: string
  readonly locale: Locale
  readonly name: string
}

interface Destination {
  readonly channel: 'mail' | 'sms'
  readonly to: string
}

/** The texts of the room, as `views/messages` has them; the platform's `Messages` fits. */
export interface Translations {
  text(locale: Locale, key: string, params?: MessageParams): string
}

/** Tells citizens what happens to their accounts, in their language, in the transaction of what happens. */
export interface Notices {
  /** False for SMS where no provider is set up. */
  canSend(channel: 'mail' | 'sms'): boolean
  /** To one address, known to the account or not. */
  send(tx: Sql, recipient: Recipient, notice: Notice, params?: MessageParams): Promise<void>
  /** To the account's primary address: mail, or SMS where there is none. */
  tell(tx: Sql, account: Account, notice: Notice, params?: MessageParams): Promise<void>
  /** To every confirmed address of the account; those that the transaction is about to remove must still be there. */
  tellEverywhere(tx: Sql, account: Account, notice: Notice, params?: MessageParams): Promise<void>
  /** The same, and to addresses that were taken out since a moment: where somebody else did that, there its owner is. */
  tellFormerToo(tx: Sql, account: Account, since: Date, notice: Notice): Promise<void>
}

export interface NoticesDependencies {
  readonly outbox: Outbox
  readonly translations: Translations
  readonly clock: Clock
  readonly serviceName: string
  readonly publicUrl: string
}

/** Builds the room's messages over the outbox. */
export function createNotices({ outbox, translations, clock, serviceName, publicUrl }: NoticesDependencies): Notices {
  const formats = new Map<Locale, Formats>(LOCALES.map((locale) => [locale, createFormats(locale)]))

  async function send(tx: Sql, recipient: Recipient, notice: Notice, params: MessageParams = {}): Promise<void> {
    const { channel, to, locale } = recipient
    const keys: { subject: string; text: string; sms?: string } = MESSAGES[notice]
    const name = firstName(recipient.name)
    const all = { service: serviceName, url: publicUrl, name, when: formats.get(locale)?.dateTime(clock.now()) ?? '', ...params }
    const text = (key: string) => translations.text(locale, key, all)
    if (channel === 'sms') {
      if (keys.sms !== undefined) await outbox.send(tx, { channel, to, purpose: notice, text: text(keys.sms) })
      return
    }
    const body = [text('accounts.mail.greeting'), text(keys.text), text('accounts.mail.footer')].join('\n\n')
    await outbox.send(tx, { channel, to, purpose: notice, subject: text(keys.subject), text: `${body}\n` })
  }

  async function sendTo(tx: Sql, account: Account, to: readonly Destination[], notice: Notice, params?: MessageParams): Promise<void> {
    const name = displayName(account.citizen.reveal())
    for (const address of to.filter(({ channel }) => outbox.canSend(channel))) {
      await send(tx, { ...address, locale: account.locale, name }, notice, params)
    }
  }

  return {
    send,
    canSend: (channel) => outbox.canSend(channel),
    async tell(tx, account, notice, params) {
      const { email, phone } = account.citizen.reveal()
      const to: Destination[] = email !== undefined ? [{ channel: 'mail', to: email }] : phone !== undefined ? [{ channel: 'sms', to: phone }] : []
      await sendTo(tx, account, to, notice, params)
    },
    async tellFormerToo(tx, account, since, notice) {
      const all = [...(await listReachable(tx, account.id)), ...(await listReachableFormer(tx, account.id, since))]
      await sendTo(tx, account, [...new Map(all.map((one) => [one.to, one])).values()], notice)
    },
    tellEverywhere: async (tx, account, notice, params) => sendTo(tx, account, await listReachable(tx, account.id), notice, params),
  }
}
