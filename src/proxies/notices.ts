import { createFormats, type Locale } from '../platform/http/locale.ts'
import type { Outbox } from '../platform/outbox.ts'
import { findReachable } from './party/party.store.ts'
import type { Notify } from './ports.ts'

export interface NotifyDependencies {
  readonly outbox: Outbox
  /** `views/messages`; the platform's `Messages` fits. */
  readonly messages: { text(locale: Locale, key: string, params?: Readonly<Record<string, string>>): string }
  readonly publicUrl: string
}

/** By mail or SMS in the person's language: to one address, or to every one where something may have been stolen. */
export function createNotify({ outbox, messages, publicUrl }: NotifyDependencies): Notify {
  return async (tx, { accountId, notice, everywhere, params }) => {
    const { locale, addresses } = await findReachable(tx, accountId)
    const until = params['until'] ? createFormats(locale).date(params['until']) : messages.text(locale, 'proxies.instrument.no-end')
    const open = addresses.filter(({ channel }) => outbox.canSend(channel))
    for (const { channel, to } of everywhere ? open : open.slice(0, 1)) {
      const text = messages.text(locale, `proxies.notice.${notice}.text`, { ...params, until })
      const mail = { subject: messages.text(locale, `proxies.notice.${notice}.subject`), text: `${text}\n\n${publicUrl}/conta\n` }
      await outbox.send(tx, { channel, to, purpose: `proxies/${notice}`, ...(channel === 'mail' ? mail : { text }) })
    }
  }
}
