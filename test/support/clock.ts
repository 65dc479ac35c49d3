import { mock } from 'node:test'
import type { Clock } from '../../src/platform/clock.ts'

export interface FixedClock extends Clock {
  /** Moves the clock forward; negative values move it back. */
  advance(milliseconds: number): void
  set(date: Date): void
  /** Time passes only by `advance` while `work` runs, and has caught up with the machine's afterwards where the clock goes by that. */
  stand<T>(work: () => Promise<T>): Promise<T>
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
    stand: (work) => work(),
  }
}

/** Runs with the machine's clock, which the provider itself goes by, and can be moved ahead. */
export function movableClock(): FixedClock {
  let offset = 0
  let standsAt: number | undefined
  const machine = () => standsAt ?? Date.now()
  return {
    now: () => new Date(machine() + offset),
    advance: (milliseconds) => {
      offset += milliseconds
    },
    set: (date) => {
      offset = date.getTime() - machine()
    },
    async stand(work) {
      standsAt = machine()
      try {
        return await work()
      } finally {
        standsAt = undefined
      }
    },
  }
}

export interface PacedClock extends Clock {
  /** From now on the machine's clock counts this many seconds for one of this clock's. */
  setPace(pace: number): void
}

/** Runs with the machine's clock, or in slow motion. */
export function pacedClock(): PacedClock {
  let [pace, from, since] = [1, Date.now(), performance.now()]
  const now = () => from + (performance.now() - since) / pace
  return {
    now: () => new Date(now()),
    setPace: (wanted) => {
      ;[pace, from, since] = [wanted, now(), performance.now()]
    },
  }
}

const STEP_MS = 30_000
const SPARE_MS = 15_000

/** Moves on to the next step of authenticator apps where this one is nearly over: the code before it, just made, must still count when it arrives. */
export function leaveEndOfStep(clock: FixedClock): void {
  const left = STEP_MS - (clock.now().getTime() % STEP_MS)
  if (left < SPARE_MS) clock.advance(left)
}

/** Moves on to the next eight o'clock in Mato Grosso, so that neither midnight nor the end of a month comes in the middle of a test. */
export function beginDay(clock: FixedClock): void {
  const at = clock.now()
  at.setUTCHours(36, 0, 0, 0)
  clock.set(at)
}

/** Moves on to the first minute of the next hour, so that what is counted by the hour is counted in one. */
export function beginHour(clock: FixedClock): void {
  clock.set(new Date(Math.ceil(clock.now().getTime() / 3_600_000) * 3_600_000 + 60_000))
}

/** Runs `work` while the process's stop-watch stands still: no allowance by the second grows again, however slow the machine. */
export async function atOneMoment<T>(work: () => Promise<T>): Promise<T> {
  const at = performance.now()
  const standing = mock.method(performance, 'now', () => at)
  try {
    return await work()
  } finally {
    standing.mock.restore()
  }
}
