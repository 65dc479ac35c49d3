import { argon2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { HashCost } from '../settings.ts'

const SALT_BYTES = 16
const TAG_BYTES = 32

interface ParsedHash extends HashCost {
  readonly salt: Buffer
  readonly tag: Buffer
}

/**
 * The PHC string of an argon2id hash with a fresh 16-byte salt. Blocks its thread: only hash workers call it.
 *
 * Node's own argon2 rather than the `argon2` package: that one computes on libuv's four threads, which token signing shares
 * (16 parallel logins push /token from 2 ms to 180 ms, specs/security.md 1.2), and keeps 19 MiB in the arena of each of them.
 * Measured here, m=19 MiB t=2 p=1, best of 100: 25.0 ms against 21.6 ms; memory after 100 hashes 89 MB against 149 MB.
 */
export function hashPassword(password: string, cost: HashCost): string {
  const salt = randomBytes(SALT_BYTES)
  const tag = derive(password, { ...cost, salt, tag: Buffer.alloc(TAG_BYTES) })
  return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.parallelism}$${encode(salt)}$${encode(tag)}`
}

/** True when the password gives this hash, at the hash's own cost. Blocks its thread. */
export function verifyPassword(password: string, phc: string): boolean {
  const stored = parseHash(phc)
  return stored !== undefined && timingSafeEqual(derive(password, stored), stored.tag)
}

/** True when the hash was made at another cost than today's, or cannot be read. */
export function isOutdatedHash(phc: string, cost: HashCost): boolean {
  const stored = parseHash(phc)
  return stored?.memoryKib !== cost.memoryKib || stored.passes !== cost.passes || stored.parallelism !== cost.parallelism
}

function parseHash(phc: string): ParsedHash | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc)
  if (!match) return undefined
  const [, memoryKib, passes, parallelism, salt = '', tag = ''] = match
  return {
    memoryKib: Number(memoryKib), passes: Number(passes), parallelism: Number(parallelism), salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}

/** NFC, so that the same password typed on another keyboard is the same (ASVS 6.2.9, RFC 8265 §4.2). */
function derive(password: string, { memoryKib, passes, parallelism, salt, tag }: ParsedHash): Buffer {
  return argon2Sync('argon2id', {
    message: password.normalize('NFC'), nonce: salt, parallelism, tagLength: tag.length, memory: memoryKib, passes,
  })
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
