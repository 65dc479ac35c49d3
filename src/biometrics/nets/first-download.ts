import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { InstallOptions, InstallProgress } from './installation.ts'
import type { OpenAddress } from './originals.ts'

/** What came of the try: `not-now` when one failed less than a day ago, `stopped` by the caller's signal. */
export type FirstDownload =
  | { readonly state: 'present' | 'not-now' | 'installed' | 'stopped' }
  | { readonly state: 'failed'; readonly reason: string }

export interface FirstDownloadOptions {
  readonly modelsDir: string
  readonly onProgress?: (progress: InstallProgress) => void
  readonly signal?: AbortSignal
  /** For tests. */
  readonly publisher?: InstallOptions['publisher']
}

/** A start waits so long for a publisher's first word, and so long for all of it. */
const FIRST_ANSWER_MS = 900
const DEADLINE_MS = 8000
const NEXT_TRY_MS = 86_400_000
const MANIFEST_FILE = new URL('../../../models/manifest.json', import.meta.url)

/**
 * Fetches the published nets at a start, when they are missing and no try has failed within a day.
 *
 * A closed network is noticed by the first refused or unanswered connection, so that it costs less than a second, once. Nothing is
 * loaded for it when the files are there: the server checks their sums when it chooses its nets.
 */
export async function downloadOnce(options: FirstDownloadOptions): Promise<FirstDownload> {
  const { modelsDir, publisher } = options
  const nets = publisher?.nets ?? publishedNets(await readFile(MANIFEST_FILE, 'utf8'))
  if (nets.every(({ file }) => existsSync(path.join(modelsDir, file)))) return { state: 'present' }
  if (await triedLately(modelsDir)) return { state: 'not-now' }
  const reason = await download(
    options,
    nets.map(({ name }) => name),
  )
  if (options.signal?.aborted) return { state: 'stopped' }
  if (reason === undefined) return { state: 'installed' }
  await rememberFailure(modelsDir, reason)
  return { state: 'failed', reason }
}

/** Lets the next start try again. */
export async function forgetFailure(modelsDir: string): Promise<void> {
  await rm(markerOf(modelsDir), { force: true })
}

/** Why not every net is there now; undefined when all are. */
async function download(
  { modelsDir, onProgress, signal, publisher }: FirstDownloadOptions,
  names: readonly string[],
): Promise<string | undefined> {
  const [{ installModels, ModelInstallError }, { ManifestError }, { openHttps }] = await Promise.all([
    import('./installation.ts'),
    import('./manifest.ts'),
    import('./originals.ts'),
  ])
  const giveUp = new AbortController()
  const silence = setTimeout(() => giveUp.abort(new Error(`no answer within ${FIRST_ANSWER_MS} ms`)), FIRST_ANSWER_MS)
  const openAddress: OpenAddress = async (address, deadline) => {
    try {
      const response = await (publisher?.openAddress ?? openHttps)(address, deadline)
      clearTimeout(silence)
      return response
    } catch (error) {
      // The command tries again after a pause; a start has no time for it.
      giveUp.abort(new Error(`${new URL(address).host}: ${reasonOf(error)}`))
      throw error
    }
  }
  try {
    await installModels({
      modelsDir,
      names,
      onProgress,
      deadlineMs: DEADLINE_MS,
      signal: signal ? AbortSignal.any([signal, giveUp.signal]) : giveUp.signal,
      publisher: { firstPauseMs: 200, ...publisher, openAddress },
    })
    return undefined
  } catch (error) {
    if (error instanceof ModelInstallError) return error.failures[0]?.reason.message ?? error.message
    if (error instanceof ManifestError) return error.message
    throw error
  } finally {
    clearTimeout(silence)
  }
}

/** Names and files of the manifest's fetched nets, read without the checks that load half the program. */
function publishedNets(manifest: string): { name: string; file: string }[] {
  const parsed: unknown = JSON.parse(manifest)
  if (typeof parsed !== 'object' || parsed === null || !('fetched' in parsed) || !Array.isArray(parsed.fetched)) return []
  return parsed.fetched.map(({ name, file }: { name: unknown; file: unknown }) => ({ name: String(name), file: String(file) }))
}

function markerOf(modelsDir: string): string {
  return path.join(modelsDir, '.download-tried')
}

async function triedLately(modelsDir: string): Promise<boolean> {
  const marker = await stat(markerOf(modelsDir)).catch(() => undefined)
  const age = marker && Date.now() - marker.mtimeMs
  return age !== undefined && age >= 0 && age < NEXT_TRY_MS
}

/** A folder that cannot be written costs another try at the next start, and the server says itself what else it costs. */
async function rememberFailure(modelsDir: string, reason: string): Promise<void> {
  await mkdir(modelsDir, { recursive: true })
    .then(() => writeFile(markerOf(modelsDir), `${reason}\n`))
    .catch(() => undefined)
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return String(cause.code)
  return error instanceof Error ? error.message : 'unknown failure'
}
