import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import { Problem } from '../problem.ts'
import { PLATFORM_PROBLEMS } from '../problems.ts'
import type { Sensitive } from '../sensitive.ts'
import { KEY_BYTES } from './cipher.ts'

const FILE = 'master.key'

/**
 * The master key of the configuration, else of the file in `dataDir`.
 *
 * The file is made only for a database without keys: beside one that has keys a new master key would only hide that the old one is lost.
 */
export function readMasterKey(given: Sensitive<Buffer> | undefined, dataDir: string, mayCreate: boolean): Buffer {
  if (given) return given.reveal()
  if (dataDir === 'memory') return randomBytes(KEY_BYTES)
  const file = path.resolve(dataDir, FILE)
  const known = readKeyFile(file)
  if (known) return known
  if (!mayCreate)
    throw new Problem(PLATFORM_PROBLEMS.masterKeyWrong, { detail: `${FILE} is missing; give MASTER_KEY or bring the file back` })
  createKeyFile(file)
  return readMasterKey(given, dataDir, false)
}

function readKeyFile(file: string): Buffer | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const key = Buffer.from(text.trim(), 'base64url')
  if (key.length !== KEY_BYTES)
    throw new Problem(PLATFORM_PROBLEMS.masterKeyWrong, { detail: `${FILE} does not hold 32 bytes in base64url` })
  return key
}

/**
 * Readable by the owner only, whole from its first moment, and on the disk before anything is sealed under it. A file made meanwhile by
 * another process is kept.
 */
function createKeyFile(file: string): void {
  const folder = path.dirname(file)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  const descriptor = openSync(draft, 'wx', 0o600)
  writeSync(descriptor, `${randomBytes(KEY_BYTES).toString('base64url')}\n`)
  fsyncSync(descriptor)
  closeSync(descriptor)
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    unlinkSync(draft)
  }
  syncFolder(folder)
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
