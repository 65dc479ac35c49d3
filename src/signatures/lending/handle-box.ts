/** A box that only the holder of a handle opens: the citizen answers when the client is not there, and nothing that lies here until then opens it. */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto'
import { openWith, sealWith } from '../../platform/keyring.ts'

/** PKCS#8 of an X25519 key, up to its 32 bytes (RFC 8410, 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex')
/** SPKI of one. */
const SPKI_BYTES = 44

/** The public key that goes with a handle; only this is kept. */
export function publicKeyOf(handle: Buffer): Buffer {
  return spkiOf(privateKeyOf(handle))
}

/** The bytes for the holder of the handle alone; other `terms` do not open them. */
export function sealToHandle(publicKey: Buffer, bytes: Uint8Array, terms: string): Buffer {
  const ephemeral = generateKeyPairSync('x25519').privateKey
  const own = spkiOf(ephemeral)
  return Buffer.concat([own, sealWith(keyBetween(ephemeral, publicKey, [own, publicKey]), bytes, terms)])
}

/** @throws {Problem} platform/seal-broken */
export function openByHandle(handle: Buffer, box: Buffer, terms: string): Buffer {
  const [secret, other] = [privateKeyOf(handle), box.subarray(0, SPKI_BYTES)]
  return openWith(keyBetween(secret, other, [other, spkiOf(secret)]), box.subarray(SPKI_BYTES), terms)
}

function privateKeyOf(handle: Buffer): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', handle, Buffer.alloc(0), 'mt-login signing handle 1', 32))
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
}

const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' })

/** node:crypto refuses keys of small order, which would make a secret that everybody knows. */
function keyBetween(privateKey: KeyObject, spki: Buffer, parties: readonly Buffer[]): Buffer {
  const shared = diffieHellman({ privateKey, publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }) })
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat(parties), 'mt-login handle box 1', 32))
}
