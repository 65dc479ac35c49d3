import { z } from 'zod'

/** What an action of the area may have come to; told once on the page that it leads back to. */
export const OUTCOMES = [
  'email',
  'phone',
  'phone-removed',
  'password',
  'totp',
  'totp-removed',
  'passkey',
  'passkey-removed',
  'certificate',
  'certificate-removed',
  'session-ended',
  'others-ended',
  'device-forgotten',
  'consent-withdrawn',
  'level',
  'proxy-granted',
  'proxy-asked',
  'proxy-passed-on',
  'proxy-accepted',
  'proxy-refused',
  'proxy-renounced',
  'proxy-signed',
  'proxy-suspended',
  'proxy-resumed',
  'proxy-lifted',
  'proxy-joined',
  'proxy-revoked',
  'proxy-blocked',
  'proxy-withdrawn',
  'proxy-unblocked',
  'act-approved',
  'act-refused',
  'document-saved',
  'document-sent',
  'document-signed',
  'document-signed-time-later',
  'document-refused',
  'document-cancelled',
  'certificate-issued',
  'certificate-suspended',
  'certificate-resumed',
  'certificate-revoked',
  'icp-added',
  'icp-removed',
  'unmet',
  'refused',
] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Query of every page that actions lead back to. */
export const outcomeQuery = z.object({ feito: z.enum(OUTCOMES).optional() })
export type OutcomeQuery = z.output<typeof outcomeQuery>

/** The address of a page that tells what came of the action. */
export function tell(page: string, outcome: Outcome): string {
  return `${page}?feito=${outcome}`
}

/** Two of them are no success. */
export function toneOf(outcome: Outcome): 'success' | 'warning' {
  return outcome === 'unmet' || outcome === 'refused' ? 'warning' : 'success'
}
