import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Keyring } from '../../platform/keyring.ts'

const SECRET_BYTES = 32

/** A new client secret of 256 random bits; shown once, never stored. */
export function createSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

/**
 * What is stored of a secret: a keyed hash.
 *
 * A fast one, because the secret is random and each token request checks it (spec 1.6); the client's id is hashed with it, so that a
 * hash moved to another row opens nothing.
 */
export function hashSecret(keyring: Pick<Keyring, 'hash'>, clientId: string, secret: string): Buffer {
  return keyring.hash(JSON.stringify([clientId, secret]), 'oidc-client-secret')
}

export function isSecret(keyring: Pick<Keyring, 'hash'>, clientId: string, secret: string, stored: Buffer): boolean {
  const given = hashSecret(keyring, clientId, secret)
  return given.length === stored.length && timingSafeEqual(given, stored)
}
