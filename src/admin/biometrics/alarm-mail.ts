import type { OutcomeAlarm } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { Outbox } from '../../platform/outbox.ts'
import { listOperatorAddresses } from '../operator.store.ts'

export interface AlarmMailDependencies {
  readonly outbox: Outbox
  readonly messages: Messages
  readonly publicUrl: string
}

/** Whoever acts on an alarm; auditors read the page. */
const TOLD = ['operator', 'admin'] as const

/** Tells operators that alarms opened: one mail each, however many opened, with nothing in it but that and where to look. */
export function createAlarmMail({ outbox, messages, publicUrl }: AlarmMailDependencies) {
  return async (tx: Sql, alarms: readonly OutcomeAlarm[]): Promise<void> => {
    if (!outbox.canSend('mail')) return
    const link = `${publicUrl}/operacao/biometria`
    for (const { email, locale } of await listOperatorAddresses(tx, TOLD)) {
      await outbox.send(tx, {
        channel: 'mail',
        to: email,
        purpose: 'admin/face-alarm',
        subject: messages.text(locale, 'admin.mail.face-alarm.subject'),
        text: messages.text(locale, 'admin.mail.face-alarm.text', { count: alarms.length, link }),
      })
    }
  }
}
