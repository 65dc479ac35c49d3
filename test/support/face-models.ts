import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')
const MANIFEST = path.join(ROOT, 'models/manifest.json')

/** Folder with the publishers' files: named by the environment, or beside the checkout; undefined when there is none. */
export function originalModelsDir(): string | undefined {
  const named = process.env.MT_MODELS_FROM
  if (named) return named
  const beside = path.resolve(ROOT, '../shared/models')
  return existsSync(path.join(beside, 'yunet')) ? beside : undefined
}

/**
 * A folder where all fetched nets are installed; undefined when this machine has no originals.
 *
 * Installed once per machine and manifest, by the operator's own command; built-in nets may be kept there too.
 */
export function standardModelsDir(): string | undefined {
  const from = originalModelsDir()
  if (!from) return undefined
  const manifest = readFileSync(MANIFEST, 'utf8')
  const directory = path.join(tmpdir(), `mt-login-models-${createHash('sha256').update(manifest).digest('hex').slice(0, 16)}`)
  if (!filesOf(manifest).every((file) => existsSync(path.join(directory, file)))) {
    execFileSync(process.execPath, ['scripts/build-models.ts', directory, '--from', from], { cwd: ROOT, stdio: 'pipe' })
  }
  return directory
}

/** Why a test that needs the fetched nets does not run, for `test`'s `skip`. */
export function withoutStandardModels(): string | false {
  return originalModelsDir() ? false : 'the published nets are not on this machine (MT_MODELS_FROM)'
}

function filesOf(manifest: string): string[] {
  const parsed: unknown = JSON.parse(manifest)
  if (typeof parsed !== 'object' || parsed === null || !('fetched' in parsed) || !Array.isArray(parsed.fetched)) return []
  return parsed.fetched.map(({ file }) => String(file))
}
