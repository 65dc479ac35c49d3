import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Problem } from '../problem.ts'
import { PLATFORM_PROBLEMS } from '../problems.ts'

export const KEY_BYTES = 32
const ALGORITHM = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM with a random nonce: nonce ‖ tag ‖ ciphertext. `context` is authenticated, not stored. */
export function sealWith(key: Uint8Array, plain: Uint8Array | string, context: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, iv)
  cipher.setAAD(Buffer.from(context))
  const encrypted = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
  const rest = cipher.final()
  return Buffer.concat([iv, cipher.getAuthTag(), encrypted, rest])
}

/**
 * What `sealWith` took, with the same key and context.
 *
 * @throws {Problem} platform/seal-broken for any change of bytes, key or context.
 */
export function openWith(key: Uint8Array, sealed: Uint8Array, context: string): Buffer {
  try {
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
  } catch (cause) {
    throw new Problem(PLATFORM_PROBLEMS.sealBroken, { cause })
  }
}

/** Whether two secrets are equal, in a time that tells neither their content nor where they differ. */
export function equalSecrets(left: string | Uint8Array, right: string | Uint8Array): boolean {
  return timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest())
}
