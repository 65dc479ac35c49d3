/** Codes and tokens of the signing APIs: 32 random bytes, of which only a hash is kept. */
import { createHash, randomBytes } from 'node:crypto'
import { equalSecrets } from '../../platform/keyring.ts'

/** How long a code may wait for its exchange (RFC 6749, 4.1.2: at most ten minutes; one is enough). */
export const CODE_SECONDS = 60

const SECRET_BYTES = 32

export const newSecret = (): Buffer => randomBytes(SECRET_BYTES)

const NO_SECRET = Buffer.alloc(0)

/** What the text says; nothing for any other spelling than ours, so that one secret is one text. */
export function secretOf(text: string): Buffer {
  const secret = Buffer.from(text, 'base64url')
  return secret.length === SECRET_BYTES && secret.toString('base64url') === text ? secret : NO_SECRET
}

/** Random secrets of 32 bytes need no slow hash, and are looked up by it. */
export function hashOf(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** PKCE (S256): a verifier that nobody announced is refused as a missing one is. */
export function isVerified(challenge: string | undefined, verifier: string | undefined): boolean {
  if (challenge === undefined) return verifier === undefined
  return verifier !== undefined && equalSecrets(createHash('sha256').update(verifier).digest('base64url'), challenge)
}
