/** What follows from what was seen, in one word for each signature. */
import type { SeenSignature, SeenTimeStamp } from './verify-pdf.ts'

/** What we say of one signature, worst first. */
export const VERDICTS = ['forged', 'changed', 'unreadable', 'revoked', 'expired', 'unknown', 'valid'] as const
export type Verdict = (typeof VERDICTS)[number]

/** `unchecked`: of another's certificate, when nothing that came along tells. */
export const REVOCATIONS = ['good', 'revoked-before', 'revoked-after', 'unchecked'] as const
export type Revocation = (typeof REVOCATIONS)[number]

export interface Judgement {
  readonly verdict: Verdict
  readonly revocation: Revocation | undefined
}

export function verdictOf({ fault, unchanged, path, stampFault, expired }: SeenSignature, revocation: Revocation | undefined): Verdict {
  if (fault === 'range' || fault === 'signature-wrong' || fault === 'certificate-other') return 'forged'
  if (fault === 'content-changed') return 'changed'
  if (fault !== undefined || stampFault) return 'unreadable'
  if (!unchanged) return 'changed'
  if (path.length === 0) return 'unknown'
  if (revocation === 'revoked-before') return 'revoked'
  return expired ? 'expired' : 'valid'
}

/** Of others' certificates, by the evidence that came along: the whole path must be told of for `good`. */
export function revocationByEvidence({ path, stampedAt }: Pick<SeenSignature, 'path' | 'stampedAt'>): Revocation {
  const revoked = path.flatMap(({ evidence, revokedAt }) => (evidence === 'revoked' && revokedAt ? [revokedAt] : []))
  if (revoked.some((at) => stampedAt === undefined || at <= stampedAt)) return 'revoked-before'
  if (revoked.length > 0) return 'revoked-after'
  return path.every(({ evidence }) => evidence === 'good') ? 'good' : 'unchecked'
}

export type TimeStampVerdict = 'forged' | 'changed' | 'unreadable' | 'unknown' | 'valid'

export function timeStampVerdictOf({ fault, at, unchanged }: SeenTimeStamp): TimeStampVerdict {
  if (fault) return fault === 'range' ? 'forged' : 'unreadable'
  if (!unchanged) return 'changed'
  return at ? 'valid' : 'unknown'
}
