/** Data folders of a demonstration that has started once, so that a test file's server starts in a second instead of ten. */
import { createHash, randomUUID } from 'node:crypto'
import { cpSync, globSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { madeOnce } from './made-once.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const NAME = /^mt-login-seeded-/
const KEPT_MS = 3_600_000
const NETS = 'models'

/** Changes with any source, so that no folder of older code is used. */
function sourceVersion(): string {
  const hash = createHash('sha256')
  for (const name of globSync(['src/**/*.{ts,csv,json}', 'prisma/**/*.sql'], { cwd: ROOT }).sort())
    hash.update(name).update(readFileSync(path.join(ROOT, name)))
  return hash.digest('hex').slice(0, 16)
}

/** A new folder with everything that a first start leaves; `fill` is that first start, done once for all test files. */
export async function seededFolder(fill: (folder: string) => Promise<void>): Promise<string> {
  const template = path.join(tmpdir(), `mt-login-seeded-${process.getuid?.() ?? 0}-${sourceVersion()}`)
  await madeOnce(template, () => build(template, fill))
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-app-'))
  const nets = path.join(template, NETS)
  cpSync(template, folder, { recursive: true, filter: (source) => source !== nets })
  // Files that nobody writes to again: a second name for each will do.
  mkdirSync(path.join(folder, NETS))
  for (const name of readdirSync(nets)) linkSync(path.join(nets, name), path.join(folder, NETS, name))
  return folder
}

async function build(template: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const draft = `${template}.${randomUUID()}`
  await fill(draft)
  // Two processes may have built at once: the first one stays.
  try {
    renameSync(draft, template)
  } catch {
    rmSync(draft, { recursive: true, force: true })
  }
  for (const old of globSync(path.join(tmpdir(), 'mt-login-seeded-*'))) {
    const age = Date.now() - (statSync(old, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (NAME.test(path.basename(old)) && old !== template && age > KEPT_MS) rmSync(old, { recursive: true, force: true })
  }
}
