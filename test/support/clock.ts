import type { Clock } from '../../src/platform/clock.ts'

export interface FixedClock extends Clock {
  /** Moves the clock forward; negative values move it back. */
  advance(milliseconds: number): void
  set(date: Date): void
}

/** A clock that stands still until told otherwise. */
export function fixedClock(start: Date | string = '2026-11-22T12:00:00Z'): FixedClock {
  let now = new Date(start).getTime()
  return {
    now: () => new Date(now),
    advance: (milliseconds) => {
      now += milliseconds
    },
    set: (date) => {
      now = date.getTime()
    },
  }
}

/** Runs with the machine's clock, which the provider itself goes by, and can be moved ahead. */
export function movableClock(): FixedClock {
  let offset = 0
  return {
    now: () => new Date(Date.now() + offset),
    advance: (milliseconds) => {
      offset += milliseconds
    },
    set: (date) => {
      offset = date.getTime() - Date.now()
    },
  }
}
