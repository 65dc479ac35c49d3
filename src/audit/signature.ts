import type { KeyObject } from 'node:crypto'
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { Keyring } from '../platform/keyring.ts'

/** Signs and checks checkpoints; the public key lets an auditor check them without us. */
export interface CheckpointSigner {
  readonly keyId: string
  readonly publicKeyPem: string
  sign(checkpoint: SignedPart): Buffer
  isValid(checkpoint: SignedPart, signature: Uint8Array): boolean
}

export interface SignedPart {
  readonly seq: number
  readonly hash: Uint8Array
  readonly at: Date
}

/** PKCS #8 of an Ed25519 private key up to its 32-byte seed. @see RFC 8410 §7 */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Ed25519 with a key derived from the keyring's hash key, so that it outlives every rotation and needs no table. */
export function createCheckpointSigner(keyring: Pick<Keyring, 'hash'>): CheckpointSigner {
  const seed = keyring.hash('ed25519', 'audit-checkpoint')
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  return {
    keyId: keyIdOf(publicKey),
    publicKeyPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (checkpoint) => sign(null, signedBytes(checkpoint), privateKey),
    isValid: (checkpoint, signature) => verify(null, signedBytes(checkpoint), publicKey, signature),
  }
}

function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
    .slice(0, 16)
}

function signedBytes({ seq, hash, at }: SignedPart): Buffer {
  return Buffer.from(`mt-login audit checkpoint\n${seq}\n${Buffer.from(hash).toString('hex')}\n${at.toISOString()}`)
}
