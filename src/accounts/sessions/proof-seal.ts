/** Seals over what a session proved, by a key that is not in the database: a row that somebody wrote proves nothing. */
import { equalSecrets, type Keyring } from '../../platform/keyring.ts'

type Hash = Pick<Keyring, 'hash'>

/** What was proved, when, in which session of whom. */
export interface Proved {
  readonly id: string
  readonly accountId: string
  readonly at: Date
}

export function aalSeal({ hash }: Hash, { id, accountId, at, aal }: Proved & { readonly aal: number }): Buffer {
  return hash(`${id}|${accountId}|${at.getTime()}|${aal}`, 'session-aal')
}

export function faceSeal({ hash }: Hash, { id, accountId, at }: Proved): Buffer {
  return hash(`${id}|${accountId}|${at.getTime()}`, 'session-face')
}

/** Binds a passkey's key to its account. */
export function passkeySeal({ hash }: Hash, { accountId, credentialId, publicKey }: { readonly accountId: string; readonly credentialId: Buffer; readonly publicKey: Buffer }): Buffer {
  return hash(`${accountId}|${credentialId.toString('base64url')}|${publicKey.toString('base64url')}`, 'passkey')
}

/** Binds a certificate that is a way in to its account. */
export function certificateSeal({ hash }: Hash, { accountId, fingerprint }: { readonly accountId: string; readonly fingerprint: Buffer }): Buffer {
  return hash(`${accountId}|${fingerprint.toString('hex')}`, 'certificate-factor')
}

export function isSeal(stored: Buffer | null | undefined, expected: Buffer): boolean {
  return stored !== null && stored !== undefined && equalSecrets(stored, expected)
}
