import { type Account, displayName } from '../accounts/index.ts'
import type { Sql } from '../platform/db.ts'
import type { Messages, MessageParams } from '../platform/http/messages.ts'
import type { Outbox } from '../platform/outbox.ts'

/** Tells a citizen what the counter did, at the primary address and in their language, in the transaction of the deed. False without an address. */
export type TellCitizen = (tx: Sql, account: Account, notice: string, params?: MessageParams) => Promise<boolean>

export interface CitizenNoticeDependencies {
  readonly outbox: Outbox
  readonly messages: Pick<Messages, 'text' | 'has'>
  readonly publicUrl: string
}

/** Texts are `<room>.mail.<notice>.subject` and `.text`, where the room is the first word of `notice`: `support.session-ended`. */
export function createTellCitizen({ outbox, messages, publicUrl }: CitizenNoticeDependencies): TellCitizen {
  return async (tx, account, notice, params = {}) => {
    const citizen = account.citizen.reveal()
    const [room = '', name = ''] = notice.split('.')
    const all = { name: displayName(citizen).split(' ')[0] ?? '', url: publicUrl, ...params }
    const text = (part: string) => messages.text(account.locale, `${room}.mail.${name}.${part}`, all)
    if (citizen.email !== undefined && outbox.canSend('mail')) {
      await outbox.send(tx, { channel: 'mail', to: citizen.email, purpose: notice, subject: text('subject'), text: text('text') })
      return true
    }
    if (citizen.phone === undefined || !outbox.canSend('sms')) return false
    await outbox.send(tx, { channel: 'sms', to: citizen.phone, purpose: notice, text: text('short') })
    return true
  }
}
