import type { Limit } from './limits.ts'

/** Counters that this process keeps for itself beside the database's, so that setting rows back gives nobody more tries. */
export interface Remembered {
  /** Milliseconds until it would allow an attempt; none when it allows one now. */
  waitMs(limit: Limit, nowMs: number): number | undefined
  count(limit: Limit, nowMs: number): void
  giveBack(key: string): void
  clear(key: string): void
}

interface Count {
  points: number
  lastMs: number
  untilMs: number
}

/** More than are under way at any time; beyond it those that are over go first. */
const MOST = 20_000
const LONG_RUN = 100

/** Of limits that are marked as remembered; the others' counts are the database's alone. */
export function createRemembered(): Remembered {
  const counts = new Map<string, Count>()

  function live(key: string, nowMs: number): Count | undefined {
    const found = counts.get(key)
    return found && found.untilMs > nowMs ? found : undefined
  }

  function makeRoom(nowMs: number): void {
    if (counts.size < MOST) return
    for (const [key, { untilMs }] of counts) if (untilMs <= nowMs) counts.delete(key)
    for (const key of counts.keys()) {
      if (counts.size < MOST) break
      counts.delete(key)
    }
  }

  return {
    waitMs(limit, nowMs) {
      const found = limit.isRemembered ? live(limit.key, nowMs) : undefined
      if (found === undefined || found.points < limit.free) return undefined
      const end = limit.kind === 'window' ? found.untilMs : found.lastMs + delayOf(limit, found.points)
      return end > nowMs ? end - nowMs : undefined
    },
    count(limit, nowMs) {
      if (!limit.isRemembered) return
      const found = live(limit.key, nowMs)
      makeRoom(nowMs)
      const untilMs = found && limit.kind === 'window' ? found.untilMs : nowMs + limit.spanMs
      counts.set(limit.key, { points: (found?.points ?? 0) + 1, lastMs: nowMs, untilMs })
    },
    giveBack(key) {
      const found = counts.get(key)
      if (found && found.points > 0) found.points -= 1
    },
    clear: (key) => void counts.delete(key),
  }
}

function delayOf({ delayMs, maxDelayMs, free, spanMs }: Limit, points: number): number {
  return points >= LONG_RUN ? spanMs : Math.min(maxDelayMs, delayMs * 2 ** Math.min(points - free, 20))
}
