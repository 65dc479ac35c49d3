/** Pictures and the like that are dear to make and always come out the same, made once for all test processes. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'

/** What `make` gives, or gave before for the same `key` and the same source file and image library. */
export async function kept(source: string, key: unknown, make: () => Promise<Buffer>): Promise<Buffer> {
  const folder = path.join(tmpdir(), `mt-login-kept-${process.getuid?.() ?? 0}`)
  const name = createHash('sha256').update(readFileSync(source)).update(JSON.stringify([key, sharp.versions]))
  const file = path.join(folder, name.digest('hex').slice(0, 32))
  if (existsSync(file)) return readFileSync(file)
  const made = await make()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, made)
  renameSync(draft, file)
  return made
}
