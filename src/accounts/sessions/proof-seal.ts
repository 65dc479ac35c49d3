/** Seals over what a session proved, by a key that is not in the database: a row that somebody wrote proves nothing. */
import { equalSecrets, type Keyring } from '../../platform/keyring.ts'

type Hash = Pick<Keyring, 'hash'>

/** What was proved, when, in which session of whom. */
export interface Proved {
  readonly id: string
  readonly accountId: string
  readonly at: Date
}

/** A sign-in and its strength. A face is beside it: it has a seal of its own. */
export interface ProvedSignIn extends Proved {
  readonly aal: number
  readonly amr: readonly string[]
}

/** The same, for one request: its `nonce` names what the person wants. */
export interface ProvedWill extends ProvedSignIn {
  readonly nonce: string | undefined
}

export function aalSeal({ hash }: Hash, proved: ProvedSignIn): Buffer {
  return hash(JSON.stringify(signInParts(proved)), 'session-aal')
}

/** Nothing for a sign-in that is weaker than aal2, or for no request's sake. */
export function willSeal({ hash }: Hash, { nonce, ...proved }: ProvedWill): Buffer | null {
  return nonce === undefined || proved.aal < 2 ? null : hash(JSON.stringify([...signInParts(proved), nonce]), 'session-will')
}

/** Of a face, in one request. */
export function faceSeal({ hash }: Hash, { id, accountId, at, nonce }: Proved & Pick<ProvedWill, 'nonce'>): Buffer {
  return hash(JSON.stringify([id, accountId, at.getTime(), nonce ?? '']), 'session-face')
}

/** Binds a passkey's key to its account. */
export function passkeySeal({ hash }: Hash, { accountId, credentialId, publicKey }: { readonly accountId: string; readonly credentialId: Buffer; readonly publicKey: Buffer }): Buffer {
  return hash(`${accountId}|${credentialId.toString('base64url')}|${publicKey.toString('base64url')}`, 'passkey')
}

/** Binds a certificate that is a way in to its account. */
export function certificateSeal({ hash }: Hash, { accountId, fingerprint }: { readonly accountId: string; readonly fingerprint: Buffer }): Buffer {
  return hash(`${accountId}|${fingerprint.toString('hex')}`, 'certificate-factor')
}

export function isSeal(stored: Buffer | null | undefined, expected: Buffer | null): boolean {
  return stored !== null && stored !== undefined && expected !== null && equalSecrets(stored, expected)
}

function signInParts({ id, accountId, at, aal, amr }: ProvedSignIn): unknown[] {
  return [id, accountId, at.getTime(), aal, amr.filter((method) => method !== 'face').sort()]
}
