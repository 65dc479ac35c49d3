import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { syncTree } from './synced-fs.ts'

/** A database that is being made for the first time. */
export interface SetUp {
  /** All of it is on the disk: from now on the folder counts as a database. */
  finish(): Promise<void>
}

/**
 * Makes the folder ready for a first start, or undefined when a whole database is there.
 *
 * A mark beside the folder lasts until the set-up is on the disk, so what a killed first start left behind is cleared and made anew; nobody
 * was told yet that anything is stored in it.
 */
export function beginSetUp(folder: string): SetUp | undefined {
  const mark = `${folder}.unfinished`
  if (existsSync(mark)) rmSync(folder, { recursive: true, force: true })
  else if (existsSync(path.join(folder, 'PG_VERSION'))) return undefined
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(mark, '')
  return {
    async finish() {
      await syncTree(folder)
      rmSync(mark)
    },
  }
}
