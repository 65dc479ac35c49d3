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
  return {
    async read() {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      })
      return text === undefined ? undefined : headSchema.parse(JSON.parse(text))
    },
    async write({ seq, hash }) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(`${file}.part`, `${JSON.stringify({ seq, hash: hash.toString('hex') })}\n`, { mode: 0o600 })
      await rename(`${file}.part`, file)
    },
  }
}

/** A head that is noted nowhere: tests, and processes without a disk (their log has the checkpoints). */
export const noHeadFile: HeadFile = { read: async () => undefined, write: async () => {} }
