import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { OutgoingMessage, Transport } from './transports.ts'

const MOST_KEPT = 200

const messageSchema = z.object({
  id: z.string(),
  channel: z.enum(['mail', 'sms']),
  purpose: z.string(),
  at: z.coerce.date(),
  to: z.string(),
  subject: z.string().optional(),
  text: z.string(),
  html: z.string().optional(),
})

/** A message as the demo's page shows it. */
export type DemoMessage = z.infer<typeof messageSchema>

/** Writes each mail as `.eml`, and beside it what the demo's page needs. */
export function mailFiles(folder: string, from: string): Transport {
  return {
    async deliver(message) {
      const { createTransport } = await import('nodemailer')
      const composer = createTransport({ streamTransport: true, buffer: true }, { from })
      const { to, subject, text, html } = message
      const composed = await composer.sendMail({
        to: { name: '', address: to },
        subject,
        text,
        ...(html && { html }),
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      await keep(folder, message, '.eml', composed.message.toString())
    },
  }
}

/** Writes each SMS as `.txt`. */
export function smsFiles(folder: string): Transport {
  return { deliver: (message) => keep(folder, message, '.txt', `Para: ${message.to}\n\n${message.text}\n`) }
}

async function keep(folder: string, message: OutgoingMessage, extension: string, content: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const name = path.join(folder, `${message.at.toISOString().replaceAll(/[:.]/g, '-')}-${message.id}`)
  await whole(`${name}${extension}`, content)
  await whole(`${name}.json`, JSON.stringify(message))
  await prune(folder)
}

/** A reader never sees half a file. */
async function whole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.part`, content, { mode: 0o600 })
  await rename(`${file}.part`, file)
}

async function prune(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  for (const name of names.slice(0, -MOST_KEPT)) {
    for (const extension of ['.json', '.eml', '.txt']) await rm(path.join(folder, name.replace(/\.json$/, extension)), { force: true })
  }
}

/** The newest messages that were written as files, newest first; empty when there are none. */
export async function recentDemoMessages(dataDir: string, limit = 30): Promise<DemoMessage[]> {
  const folder = path.resolve(dataDir, 'outbox')
  const names = await readdir(folder).catch(() => [])
  const newest = names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .reverse()
    .slice(0, limit)
  const messages = await Promise.all(
    newest.map(async (name) => messageSchema.safeParse(JSON.parse(await readFile(path.join(folder, name), 'utf8')))),
  )
  return messages.flatMap((message) => (message.success ? [message.data] : []))
}
