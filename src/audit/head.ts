import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Head } from './chain.ts'

/** Where the newest seal is noted outside the database, so that a tail cut off inside is missed. */
export interface HeadFile {
  read(): Promise<Head | undefined>
  write(head: Head): Promise<void>
}

const headSchema = z.object({
  seq: z.int(),
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .transform((hex) => Buffer.from(hex, 'hex')),
})

/** The head in `audit-head.json` of this folder. Several processes may have one each; any of them catches a cut. */
export function headFile(folder: string): HeadFile {
  const file = path.resolve(folder, 'audit-head.json')
  // The command line may note its own beside a server, and this process may seal twice at a time: neither takes the other's draft away.
  const draft = `${file}.${process.pid}.part`
  let newest = 0
  let writing: Promise<void> = Promise.resolve()
  const note = async ({ seq, hash }: Head) => {
    if (seq < newest) return
    newest = seq
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(draft, `${JSON.stringify({ seq, hash: hash.toString('hex') })}\n`, { mode: 0o600 })
    await rename(draft, file)
  }
  return {
    async read() {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      })
      return text === undefined ? undefined : headSchema.parse(JSON.parse(text))
    },
    write: (head) => (writing = writing.catch(() => {}).then(() => note(head))),
  }
}

/** A head that is noted nowhere: tests, and processes without a disk (their log has the checkpoints). */
export const noHeadFile: HeadFile = { read: async () => undefined, write: async () => {} }
