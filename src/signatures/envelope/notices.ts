import type { Account } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Locale } from '../../platform/http/locale.ts'
import type { Outbox } from '../../platform/outbox.ts'

/** What people are told about envelopes; texts are `assinaturas.notice.<name>` in `views/messages`. */
export type SigningNotice = 'invited' | 'reminder' | 'completed' | 'refused' | 'expired' | 'cancelled' | 'signed' | 'time-missing' | 'lapsed'

/** Tells an account's owner, in the transaction of what happened; the address leads to the envelope, and needs their sign-in. */
export type NotifySigner = (tx: Sql, account: Account, told: { notice: SigningNotice; envelopeId: string; params: Readonly<Record<string, string>> }) => Promise<void>

export interface NotifySignerDependencies {
  readonly outbox: Outbox
  /** `views/messages`; the platform's `Messages` fits. */
  readonly messages: { text(locale: Locale, key: string, params?: Readonly<Record<string, string>>): string }
  readonly publicUrl: string
}

/** By mail, or by SMS to whoever has no confirmed address. Names of documents stay in the area: mails are read by others too. */
export function createNotifySigner({ outbox, messages, publicUrl }: NotifySignerDependencies): NotifySigner {
  return async (tx, { citizen, locale }, { notice, envelopeId, params }) => {
    const { email, phone } = citizen.reveal()
    const text = `${messages.text(locale, `assinaturas.notice.${notice}.text`, params)}\n\n${publicUrl}/conta/assinaturas/${envelopeId}\n`
    const purpose = `signatures/${notice}`
    if (email !== undefined) return outbox.send(tx, { channel: 'mail', to: email, purpose, subject: messages.text(locale, `assinaturas.notice.${notice}.subject`, params), text })
    if (phone !== undefined && outbox.canSend('sms')) await outbox.send(tx, { channel: 'sms', to: phone, purpose, text })
  }
}
