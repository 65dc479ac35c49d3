import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'

/** A folder in memory, and the room that a whole run wants there and beside it. */
const MEMORY = '/dev/shm'
const WANTED_BYTES = 6 * 1024 ** 3

function hasRoom(): boolean {
  if (!existsSync(MEMORY)) return false
  const { bavail, bsize } = statfsSync(MEMORY)
  return Math.min(bavail * bsize, process.availableMemory()) >= WANTED_BYTES
}

/**
 * Puts the temporary folder of this process and its children in memory where there is plenty, until the process ends.
 *
 * For a run of all tests: its servers wait for the disk to keep each commit more than they compute. Who names a `TMPDIR` keeps it.
 */
export function scratchInMemory(): void {
  if (process.env['TMPDIR'] !== undefined || !hasRoom()) return
  const folder = mkdtempSync(`${MEMORY}/mt-login-tests-`)
  // PostgreSQL runs as a user of its own and has to get through.
  chmodSync(folder, 0o711)
  process.env['TMPDIR'] = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}
