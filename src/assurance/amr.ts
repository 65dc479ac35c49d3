import type { Aal } from './acr.ts'

/** Authentication methods of a session, named as in RFC 8176; `pop` with `mfa` is a passkey that verified its user. */
export type Amr = 'pwd' | 'otp' | 'pop' | 'mfa' | 'user' | 'face'

/**
 * Authenticator assurance of a session from how it signed in (NIST SP 800-63B).
 *
 * A passkey that verified its user, or a password with a one-time code, is aal2. A face match re-authenticates a level but
 * is not a second authenticator of its own (63B 3.2.3), so it does not lift a password to aal2. aal3 needs a hardware key
 * with attestation, which is not offered: a request for it is refused as unmet.
 */
export function aalOf(amr: readonly string[]): Aal {
  const passkey = amr.includes('pop') && amr.includes('mfa')
  const passwordAndCode = amr.includes('pwd') && amr.includes('otp')
  return passkey || passwordAndCode ? 2 : 1
}

/** Adds what a later factor proved; the same method twice is listed once, and two kinds together are `mfa`. */
export function addAmr(amr: readonly string[], added: readonly string[]): string[] {
  const all = new Set([...amr, ...added])
  if (aalOf([...all]) >= 2) all.add('mfa')
  return [...all]
}
