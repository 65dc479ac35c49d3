import type { AccountId } from '../account.ts'
import type { SessionSettings } from '../settings.ts'

/** One sign-in of a citizen in one browser, and how it was proved. */
export interface SignInSession {
  readonly id: string
  readonly accountId: AccountId
  readonly deviceId: string | undefined
  /** Methods, RFC 8176 names: `pwd`, `otp`, `pop`, `user`, `hwk`/`swk`, `sc`, `pin`, `mfa`, `face`. */
  readonly amr: readonly string[]
  readonly aal: 1 | 2
  readonly authenticatedAt: Date
  readonly faceAt: Date | undefined
  readonly faceClass: string | undefined
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly endedAt: Date | undefined
}

/** Methods of sign-ins by the face at a counter: with the right to make one way in, and without any. */
export const AT_COUNTER = 'counter'
export const AT_KIOSK = 'kiosk'

/** A face alone, which nobody can keep to themselves, changes no way in. */
export function isByFaceAlone({ amr }: Pick<SignInSession, 'amr'>): boolean {
  return !amr.includes('pwd') && !amr.includes('pop')
}

/** Why sessions end; shown in the citizen's list. */
export const END_REASONS = ['signed-out', 'citizen', 'password-changed', 'recovered', 'suspended', 'closed', 'device-removed', 'expired', 'support'] as const
export type EndReason = (typeof END_REASONS)[number]

/**
 * aal2 with a passkey that verified its user, a card or token that its PIN opened, or a password with a one-time code or a key (NIST SP 800-63B);
 * aal1 otherwise.
 *
 * A face match re-authenticates a level but is no second authenticator (63B 3.2.3). aal3 needs an attested hardware key: not offered.
 */
export function aalOf(amr: readonly string[]): 1 | 2 {
  const has = (method: string) => amr.includes(method)
  const device = has('pop') && (has('user') || (has('sc') && has('pin')))
  return device || (has('pwd') && (has('otp') || has('pop'))) ? 2 : 1
}

/** The methods with what a further proof adds; two kinds together are `mfa`. */
export function addMethods(amr: readonly string[], added: readonly string[]): string[] {
  const all = new Set([...amr, ...added])
  if (aalOf([...all]) === 2) all.add('mfa')
  return [...all]
}

/** False when it was ended, has been idle too long or is too old in all (checklist 19). */
export function isLiveSession(session: SignInSession, now: Date, { idleSeconds, totalSeconds }: SessionSettings): boolean {
  const idle = (now.getTime() - session.lastSeenAt.getTime()) / 1000
  const total = (now.getTime() - session.createdAt.getTime()) / 1000
  return session.endedAt === undefined && idle <= idleSeconds && total <= totalSeconds
}
