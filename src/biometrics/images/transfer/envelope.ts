/**
 * A file sealed for one reader: by a passphrase (scrypt) or a public key (X25519).
 *
 * Format: `MTLSEAL1\n`, one line of JSON (how the key is had), then pieces of 64 KiB, each AES-256-GCM with a counter and a mark of the last
 * one in its nonce, the head's lines authenticated with the first. A piece that was changed, moved, repeated or left out does not open.
 */
import {
  createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject, randomBytes, scryptSync,
} from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import { Problem } from '../../../platform/problem.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'
import { readAt } from './tar-reader.ts'

const MAGIC = 'MTLSEAL1\n'
const PIECE = 64 * 1024
const TAG = 16
const KEY = 32
const LONGEST_HEAD = 4096
const SCRYPT = { N: 1 << 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const

const headSchema = z.discriminatedUnion('by', [
  z.object({ by: z.literal('passphrase'), salt: z.base64url() }).strict(),
  z.object({ by: z.literal('x25519'), ephemeral: z.base64url(), reader: z.base64url() }).strict(),
])
type Head = z.infer<typeof headSchema>

/** Who shall read it, or who reads it. */
export type Lock = { readonly passphrase: string } | { readonly publicKey: KeyObject }
export type Unlock = { readonly passphrase: string } | { readonly privateKey: KeyObject }

const refused = (detail: string, cause?: unknown) => new Problem(IMAGE_PROBLEMS.archiveSealed, { detail, cause })
const raw = (key: KeyObject) => key.export({ type: 'spki', format: 'der' }).toString('base64url')

function isX25519(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'x25519'
}

/** A PEM file's X25519 key. @throws {Problem} biometrics/archive-sealed */
export function readSealKey(pem: string, kind: 'public' | 'private'): KeyObject {
  try {
    const key = kind === 'public' ? createPublicKey(pem) : createPrivateKey(pem)
    if (isX25519(key)) return key
  } catch (cause) {
    throw refused('the key file is not a PEM key', cause)
  }
  throw refused('the key is not of type X25519')
}

function lock(to: Lock): { head: Head; key: Buffer } {
  if ('passphrase' in to) {
    const salt = randomBytes(16)
    return { head: { by: 'passphrase', salt: salt.toString('base64url') }, key: scryptSync(to.passphrase.normalize('NFC'), salt, KEY, SCRYPT) }
  }
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const shared = diffieHellman({ privateKey, publicKey: to.publicKey })
  const head: Head = { by: 'x25519', ephemeral: raw(publicKey), reader: raw(to.publicKey) }
  return { head, key: derived(shared, head) }
}

const derived = (shared: Buffer, head: Head & { by: 'x25519' }) => Buffer.from(hkdfSync('sha256', shared, `${head.ephemeral}.${head.reader}`, 'mt-login export', KEY))

function unlock(head: Head, by: Unlock): Buffer {
  if (head.by === 'passphrase') {
    if (!('passphrase' in by)) throw refused('it was sealed by a passphrase')
    return scryptSync(by.passphrase.normalize('NFC'), Buffer.from(head.salt, 'base64url'), KEY, SCRYPT)
  }
  if (!('privateKey' in by)) throw refused('it was sealed for a key')
  const publicKey = createPublicKey({ key: Buffer.from(head.ephemeral, 'base64url'), format: 'der', type: 'spki' })
  if (!isX25519(publicKey)) throw refused('its head is damaged')
  return derived(diffieHellman({ privateKey: by.privateKey, publicKey }), head)
}

function nonce(counter: number, isLast: boolean): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUIntBE(counter, 4, 6)
  bytes[11] = isLast ? 1 : 0
  return bytes
}

/** Takes bytes and gives the sealed ones to `write`; `end` must be called, or the file does not open. */
export async function createSealer(to: Lock, write: (bytes: Buffer) => Promise<unknown>) {
  const { head, key } = lock(to)
  const start = `${MAGIC}${JSON.stringify(head)}\n`
  await write(Buffer.from(start))
  let rest = Buffer.alloc(0)
  let counter = 0
  const piece = (bytes: Buffer, isLast: boolean) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(counter, isLast))
    if (counter++ === 0) cipher.setAAD(Buffer.from(start))
    return write(Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]))
  }
  return {
    async write(bytes: Buffer): Promise<void> {
      rest = Buffer.concat([rest, bytes])
      let at = 0
      // One piece is held back: only the end knows which is the last.
      for (; rest.length - at > PIECE; at += PIECE) await piece(rest.subarray(at, at + PIECE), false)
      rest = Buffer.from(rest.subarray(at))
    },
    end: () => piece(rest, true),
  }
}

/** True when a file begins as a sealed one. */
export async function isSealed(file: FileHandle): Promise<boolean> {
  return (await readAt(file, 0, MAGIC.length)).toString('latin1') === MAGIC
}

/** Gives every piece of a sealed file to `write`, each authenticated before. @throws {Problem} biometrics/archive-sealed */
export async function unseal(file: FileHandle, by: Unlock, write: (bytes: Buffer) => Promise<unknown>): Promise<void> {
  const { size } = await file.stat()
  const begin = (await readAt(file, 0, LONGEST_HEAD)).toString('latin1')
  const end = begin.indexOf('\n', MAGIC.length)
  if (!begin.startsWith(MAGIC) || end === -1) throw refused('it is not a sealed archive')
  const start = begin.slice(0, end + 1)
  const key = unlock(parseHead(start.slice(MAGIC.length)), by)
  let at = start.length
  for (let counter = 0; at < size || counter === 0; counter++) {
    const sealed = await readAt(file, at, PIECE + TAG)
    at += sealed.length
    const isLast = at >= size
    if (sealed.length < TAG) throw refused('it is cut off')
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter, isLast), { authTagLength: TAG })
      if (counter === 0) decipher.setAAD(Buffer.from(start))
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
      await write(Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG)), decipher.final()]))
    } catch (cause) {
      throw refused('the key is another, or the file was changed', cause)
    }
  }
}

function parseHead(text: string): Head {
  try {
    return headSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw refused('its head is damaged', cause)
  }
}
