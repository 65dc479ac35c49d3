import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from '../problem.ts'
import { PLATFORM_PROBLEMS } from '../problems.ts'

/**
 * Holds the data folder for this process; the returned function lets it go.
 *
 * The embedded database has no lock of its own and two writers destroy it. Node has no flock(2), but SQLite's exclusive lock is one of the
 * operating system's, so a killed process leaves nothing behind and no pid has to be guessed.
 *
 * @throws {Problem} platform/database-in-use
 */
export function lockDataDir(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = new DatabaseSync(path.join(folder, 'lock'))
  try {
    lock.exec('PRAGMA journal_mode = OFF; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new Problem(PLATFORM_PROBLEMS.databaseInUse, { detail: 'Stop the other process, or give this one its own DATA_DIR.', cause })
  }
  return () => lock.close()
}
