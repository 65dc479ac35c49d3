import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../platform/problem.ts'
import { Sensitive } from '../platform/sensitive.ts'
import { ADMIN_PROBLEMS } from './problems.ts'

const MASTER_KEY_BYTES = 32

/** A new master key as text: 32 random bytes in base64url. */
export function newMasterKey(): string {
  return randomBytes(MASTER_KEY_BYTES).toString('base64url')
}

/**
 * The master key in a file, never taken from the command line, where every process of the machine could read it.
 *
 * @throws {Problem} admin/master-key-unreadable
 */
export function readMasterKeyFile(file: string): Sensitive<Buffer> {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new Problem(ADMIN_PROBLEMS.masterKeyUnreadable, { detail: `o arquivo ${file} não abre`, cause })
  }
  const key = Buffer.from(text, 'base64url')
  const isKey = key.length === MASTER_KEY_BYTES && key.toString('base64url') === text.replace(/=+$/, '')
  if (!isKey) throw new Problem(ADMIN_PROBLEMS.masterKeyUnreadable, { detail: `${file} não contém 32 bytes em base64url` })
  return new Sensitive(key)
}

export interface StoredMasterKey {
  /** Makes the new key the one that the server reads; the old file stays beside it for backups made before. */
  install(): string
}

/**
 * Writes the key beside the current one, on the disk before anything is wrapped under it, and puts it in place when asked.
 *
 * Two steps, because the keys in the database and the file cannot change in one: a crash between them leaves both files.
 */
export function storeMasterKey(dataDir: string, key: Sensitive<Buffer>): StoredMasterKey {
  const current = join(dataDir, 'master.key')
  const draft = join(dataDir, 'master.key.nova')
  const previous = join(dataDir, 'master.key.anterior')
  const descriptor = openSync(draft, 'w', 0o600)
  writeSync(descriptor, `${key.reveal().toString('base64url')}\n`)
  fsyncSync(descriptor)
  closeSync(descriptor)
  return {
    install() {
      if (existsSync(current)) renameSync(current, previous)
      renameSync(draft, current)
      return current
    },
  }
}
