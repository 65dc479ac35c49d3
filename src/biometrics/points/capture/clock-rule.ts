import { Problem } from '../../../platform/problem.ts'
import { POINT_PROBLEMS } from '../problems.ts'

/** How the point's clock stands to ours; stored with every capture beside both times. */
export const CLOCK_MARKS = ['fits', 'late', 'went-back'] as const
export type ClockMark = (typeof CLOCK_MARKS)[number]

const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** What a clock that nobody set may be ahead. */
export const MOST_AHEAD_MS = 5 * MINUTE_MS
/** A capture that is sent as it happens: what a slow link may take. */
export const LIVE_MS = 30 * MINUTE_MS
/** Batches of a post without a link are sent within three days; later ones are taken and marked. */
export const LATE_MS = 3 * DAY_MS
/** Older than this nothing is taken: a clock that is years behind looks the same. */
export const OLDEST_MS = 45 * DAY_MS

export interface ClockFacts {
  /** By the point's clock. */
  readonly capturedAt: Date
  /** Of a batch: when it was signed, by the same clock, and when the one before it was. */
  readonly signedAt?: Date
  readonly before?: Date | undefined
}

/**
 * The mark of a capture's time: refused when the point's clock is ahead of ours, or the capture is older than captures may be.
 *
 * No time of a capture is ever corrected: both clocks are stored, and what is billed goes by ours alone.
 * @throws {Problem} points/clock-ahead, points/clock-behind
 */
export function markOfClock({ capturedAt, signedAt, before }: ClockFacts, now: Date): ClockMark {
  const latest = Math.max(capturedAt.getTime(), signedAt?.getTime() ?? 0)
  if (latest > now.getTime() + MOST_AHEAD_MS) throw new Problem(POINT_PROBLEMS.clockAhead)
  if (signedAt !== undefined && capturedAt > signedAt) throw new Problem(POINT_PROBLEMS.clockAhead, { detail: 'captured after it was signed' })
  const age = now.getTime() - capturedAt.getTime()
  if (age > (signedAt === undefined ? DAY_MS : OLDEST_MS)) throw new Problem(POINT_PROBLEMS.clockBehind)
  if (before !== undefined && signedAt !== undefined && signedAt < before) return 'went-back'
  return age > (signedAt === undefined ? LIVE_MS : LATE_MS) ? 'late' : 'fits'
}
