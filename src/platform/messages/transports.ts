import path from 'node:path'
import type { Transporter } from 'nodemailer'
import type { Sensitive } from '../sensitive.ts'
import { mailFiles, smsFiles } from './files.ts'

export interface OutgoingMessage {
  readonly id: string
  readonly channel: 'mail' | 'sms'
  readonly purpose: string
  readonly at: Date
  readonly to: string
  readonly subject?: string | undefined
  readonly text: string
  readonly html?: string | undefined
}

/** One way out. Resolves once the message is in other hands; throws otherwise. */
export interface Transport {
  deliver(message: OutgoingMessage): Promise<void>
}

export interface Transports {
  readonly mail: Transport
  /** Absent where no provider is set up. */
  readonly sms?: Transport
}

export interface TransportOptions {
  readonly smtpUrl?: Sensitive<string> | undefined
  readonly mailFrom: string
  readonly dataDir: string
  /** Writes SMS to files, and mails too without a mail server. */
  readonly demo: boolean
}

/** Mail by SMTP, or by files in `DATA_DIR/outbox` without a mail server; SMS by files in the demo only. */
export function createTransports({ smtpUrl, mailFrom, dataDir, demo }: TransportOptions): Transports {
  const folder = path.resolve(dataDir, 'outbox')
  return { mail: smtpUrl ? smtp(smtpUrl, mailFrom) : mailFiles(folder, mailFrom), ...(demo && { sms: smsFiles(folder) }) }
}

const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }

function smtp(url: Sensitive<string>, from: string): Transport {
  let opened: Promise<Transporter> | undefined
  const open = async () => (await import('nodemailer')).createTransport({ url: url.reveal(), ...TIMEOUTS }, { from })
  return {
    async deliver({ id, to, subject, text, html }) {
      // The same id at every attempt lets the receiving side drop a second copy.
      const messageId = `<${id}@${from.match(/@([\w.-]+)/)?.[1] ?? 'mt-login'}>`
      const headers = { 'Auto-Submitted': 'auto-generated' }
      opened ??= open()
      const transporter = await opened
      await transporter.sendMail({
        to: { name: '', address: to },
        subject,
        text,
        ...(html && { html }),
        messageId,
        headers,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
    },
  }
}
