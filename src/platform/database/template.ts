import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { syncTree } from './synced-fs.ts'

/**
 * An empty database, made when the packages are installed: a first start copies it instead of running PostgreSQL's set-up tool, which is
 * half of such a start and a second WebAssembly instance of 200 MB. Nothing secret is in it: the embedded database has no password.
 *
 * It lies among the packages, whose code is trusted anyway, and is named by the version that made it.
 */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/mt-login/', import.meta.url))

export function templateFolder(): string {
  const program = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const described: { version: string } = JSON.parse(readFileSync(path.join(path.dirname(program), '../package.json'), 'utf8'))
  return path.join(CACHE, `pglite-${described.version}`)
}

/** Copies the template into an empty folder, and says whether there was one. */
export function copyTemplate(folder: string, template = templateFolder()): boolean {
  if (!existsSync(template)) return false
  cpSync(template, folder, { recursive: true })
  return true
}

/** Has the template made by `make` where there is none; it appears whole and on the disk, or not at all. */
export async function makeTemplate(make: (folder: string) => Promise<void>, template = templateFolder()): Promise<'made' | 'present'> {
  if (existsSync(template)) return 'present'
  await mkdir(path.dirname(template), { recursive: true })
  const folder = mkdtempSync(`${template}.`)
  try {
    await make(folder)
    await syncTree(folder)
    await rename(folder, template)
    return 'made'
  } catch (error) {
    // Another process may have been quicker.
    if (existsSync(template)) return 'present'
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
