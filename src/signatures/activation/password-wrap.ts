/** A private key that opens with its owner's password for signing, and with nothing that the server knows. */
import { argon2Sync, randomBytes } from 'node:crypto'
import { isProblem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import { openWith, sealWith } from '../../platform/keyring.ts'

/** Cost of one try (argon2id, one lane). */
export interface WrapCost {
  readonly memoryKib: number
  readonly passes: number
}

const FORMAT = 1
const SALT_BYTES = 16
const HEADER_BYTES = 1 + 4 + 1 + SALT_BYTES
/** More than this is no header of ours. */
const MOST_MEMORY_KIB = 1024 * 1024

/** Format, memory, passes, salt; then AES-256-GCM under the derived key. `context` names whose key it is. */
export function wrapKey(pkcs8: Uint8Array, password: string, context: string, cost: WrapCost): Buffer {
  const header = Buffer.concat([Buffer.from([FORMAT]), Buffer.alloc(4), Buffer.from([cost.passes]), randomBytes(SALT_BYTES)])
  header.writeUInt32BE(cost.memoryKib, 1)
  const key = derive(password, header)
  try {
    return Buffer.concat([header, sealWith(key, pkcs8, context)])
  } finally {
    key.fill(0)
  }
}

/** PKCS#8 of the key, for the caller to wipe; undefined for another password or another's key. */
export function unwrapKey(wrapped: Uint8Array, password: string, context: string): Buffer | undefined {
  const header = Buffer.from(wrapped.subarray(0, HEADER_BYTES))
  if (header.length < HEADER_BYTES || header[0] !== FORMAT || header.readUInt32BE(1) > MOST_MEMORY_KIB) return undefined
  const key = derive(password, header)
  try {
    return openWith(key, wrapped.subarray(HEADER_BYTES), context)
  } catch (error) {
    if (isProblem(error, PLATFORM_PROBLEMS.sealBroken)) return undefined
    throw error
  } finally {
    key.fill(0)
  }
}

/** NFC, as for the account's password. Blocks its thread. */
function derive(password: string, header: Buffer): Buffer {
  return argon2Sync('argon2id', {
    message: password.normalize('NFC'), nonce: header.subarray(HEADER_BYTES - SALT_BYTES), parallelism: 1, tagLength: 32, memory: header.readUInt32BE(1), passes: header[5] ?? 0,
  })
}
