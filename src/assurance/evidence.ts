import type { LivenessClass } from '../biometrics/index.ts'
import { LEVELS, type Level } from './level.ts'

/** How a piece of evidence (selo) came to be; the names are stored and shown to relying parties, so they never change. */
export const METHODS = ['registration', 'face-match', 'attended', 'counter-documents', 'govbr', 'icp-brasil'] as const
export type Method = (typeof METHODS)[number]

/** One selo: what raises a person's level, from when until when. Withdrawn or expired evidence stays for the record. */
export interface Evidence {
  readonly id: string
  readonly personId: string
  readonly method: Method
  /** Who vouches, e.g. `base-register`, `image-store`, `govbr`. */
  readonly source: string
  readonly grants: Level
  readonly obtainedAt: Date
  /** `undefined` = as long as its source stands. */
  readonly expiresAt?: Date | undefined
  readonly withdrawnAt?: Date | undefined
  readonly livenessClass?: LivenessClass | undefined
  readonly imageId?: string | undefined
  readonly operatorId?: string | undefined
  readonly location?: string | undefined
}

export type EvidenceState = 'live' | 'expired' | 'withdrawn'

/** Whether a piece of evidence counts at `now`, and if not, why not. */
export function evidenceState(item: Evidence, now: Date): EvidenceState {
  if (item.withdrawnAt !== undefined && item.withdrawnAt <= now) return 'withdrawn'
  if (item.expiresAt !== undefined && item.expiresAt <= now) return 'expired'
  return 'live'
}

/**
 * Highest level any live evidence grants; `bronze` when none does.
 *
 * An account exists only once its data agreed with the base register and a contact was confirmed, which is what bronze
 * means. Expired evidence is ignored rather than removed: the audit trail still cites it.
 */
export function levelAt(evidence: readonly Evidence[], now: Date): Level {
  return highestOf(evidence.filter((item) => evidenceState(item, now) === 'live').map((item) => item.grants))
}

/** Highest of the levels that live evidence grants; `bronze` when there is none. */
export function highestOf(grants: readonly string[]): Level {
  return LEVELS.findLast((level) => grants.includes(level)) ?? 'bronze'
}
