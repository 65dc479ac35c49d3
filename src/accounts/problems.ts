import type { ProblemKind } from '../platform/problem.ts'

/** The accounts room's problem kinds; a code is also the key of its text in views/messages. */
export const ACCOUNTS_PROBLEMS = {
  unknownAccount: { code: 'accounts/unknown-account', status: 404, title: 'No such account' },
  accountNotActive: { code: 'accounts/account-not-active', status: 403, title: 'The account is not active' },
  registerUnavailable: { code: 'accounts/register-unavailable', status: 503, title: 'The base register does not answer' },
  tooManyAttempts: { code: 'accounts/too-many-attempts', status: 429, title: 'Too many attempts' },
  wrongCode: { code: 'accounts/wrong-code', status: 422, title: 'The code is wrong' },
  contactRefused: { code: 'accounts/contact-refused', status: 422, title: 'The address cannot be used' },
  lastContact: { code: 'accounts/last-contact', status: 409, title: 'The last confirmed address cannot be removed' },
  unknownFactor: { code: 'accounts/unknown-factor', status: 404, title: 'No such sign-in method' },
  passkeyRefused: { code: 'accounts/passkey-refused', status: 422, title: 'The passkey could not be confirmed' },
  unknownSession: { code: 'accounts/unknown-session', status: 404, title: 'No such session' },
  reauthenticationNeeded: { code: 'accounts/reauthentication-needed', status: 403, title: 'Sign in again to change this' },
  changesHeld: { code: 'accounts/changes-held', status: 403, title: 'Changes wait for 24 hours after a recovery' },
  waysUnconfirmed: { code: 'accounts/ways-unconfirmed', status: 403, title: 'The ways into this account are not the ones that its owner set up' },
  stepOutOfOrder: { code: 'accounts/step-out-of-order', status: 409, title: 'This step is not open now' },
} as const satisfies Record<string, ProblemKind>
