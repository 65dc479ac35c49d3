import type { LedgerEntry } from '../../audit/index.ts'
import { REASON_CODES, type ReasonCode } from '../../biometrics/index.ts'

/** One refusal as it can be explained: what was refused, when, and what to do about it. */
export interface ExplainedRefusal {
  readonly what: 'face' | 'agency-face' | 'recovery' | 'sign-in'
  readonly at: Date
  /** Codes that are also keys of the citizen's own texts; for sign-ins the part that did not fit. */
  readonly reasons: readonly string[]
}

const WHAT_OF: Readonly<Record<string, ExplainedRefusal['what']>> = {
  'oidc/face-check-refused': 'face',
  'biometrics/agency-validation-refused': 'agency-face',
  'accounts/recovery-refused': 'recovery',
  'accounts/sign-in-refused': 'sign-in',
}
const SIGN_IN_PARTS: ReadonlySet<string> = new Set(['password', 'totp', 'recovery-code', 'passkey', 'suspended', 'closed'])
const REFUSAL_DAYS = 90
const MOST = 8

/** The last refusals in a ledger, newest first: reasons as they were stored, scores never. */
export function refusalsIn(entries: readonly LedgerEntry[], now: Date): ExplainedRefusal[] {
  const since = now.getTime() - REFUSAL_DAYS * 86_400_000
  return entries
    .flatMap(({ type, at, data }) => {
      const what = WHAT_OF[type]
      return what === undefined || at.getTime() < since ? [] : [{ what, at, reasons: reasonsOf(what, data) }]
    })
    .slice(0, MOST)
}

function reasonsOf(what: ExplainedRefusal['what'], data: Readonly<Record<string, unknown>>): string[] {
  if (what === 'sign-in') return typeof data['reason'] === 'string' && SIGN_IN_PARTS.has(data['reason']) ? [data['reason']] : []
  if (what === 'recovery') return typeof data['method'] === 'string' ? [data['method']] : []
  const stored: readonly unknown[] = Array.isArray(data['reasons']) ? data['reasons'] : []
  return REASON_CODES.filter((code: ReasonCode) => stored.includes(code))
}
