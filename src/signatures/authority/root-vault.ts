import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { z } from 'zod'

/** scrypt at 256 MiB: half a second for whoever has both halves, and no list of guesses for whoever found the file. */
const COST = { N: 2 ** 18, r: 8, p: 1, maxmem: 300 * 1024 * 1024 } as const
export const SHORTEST_HALF = 12

const fileSchema = z.strictObject({
  format: z.literal('mt-login-root-key/1'),
  salt: z.base64(),
  iv: z.base64(),
  tag: z.base64(),
  key: z.base64(),
})

/** The two halves of the passphrase, each known to one person alone. */
export type Halves = readonly [first: string, second: string]

/** The lengths stand in between, so that no other pair of halves is the same text. */
function keyOf([first, second]: Halves, salt: Buffer): Buffer {
  const text = [first, second].map((half) => half.normalize('NFC')).map((half) => `${half.length}:${half}`).join('|')
  return scryptSync(text, salt, 32, COST)
}

/** The root's key as text that only both halves open (scrypt, AES-256-GCM). */
export function lockRootKey(pkcs8: Buffer, halves: Halves): string {
  const [salt, iv] = [randomBytes(16), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', keyOf(halves, salt), iv)
  const key = Buffer.concat([cipher.update(pkcs8), cipher.final()])
  const text = (bytes: Buffer) => bytes.toString('base64')
  return `${JSON.stringify({ format: 'mt-login-root-key/1', salt: text(salt), iv: text(iv), tag: text(cipher.getAuthTag()), key: text(key) }, null, 2)}\n`
}

/** PKCS#8 of the root's key; undefined when a half is wrong, without saying which. @throws for a file that is none of ours. */
export function openRootKey(file: string, halves: Halves): Buffer | undefined {
  const { salt, iv, tag, key } = fileSchema.parse(JSON.parse(file))
  const bytes = (text: string) => Buffer.from(text, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(halves, bytes(salt)), bytes(iv), { authTagLength: 16 }).setAuthTag(bytes(tag))
  try {
    return Buffer.concat([decipher.update(bytes(key)), decipher.final()])
  } catch {
    return undefined
  }
}
