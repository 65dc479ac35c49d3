/** Mato Grosso is four hours behind UTC all year: months and days begin at its midnight. */
const OFFSET_MS = 4 * 3_600_000
export const DAY_MS = 86_400_000

/** A month of Mato Grosso, e.g. `2026-11`. */
export type Month = `${number}-${number}`

export const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/

export function parseMonth(text: string): Month | undefined {
  return isMonth(text) ? text : undefined
}

function isMonth(text: string): text is Month {
  return MONTH.test(text)
}

/** The month that a moment is in. */
export function monthOf(at: Date): Month {
  const text = new Date(at.getTime() - OFFSET_MS).toISOString().slice(0, 7)
  if (!isMonth(text)) throw new RangeError('a month of four-digit years is expected')
  return text
}

/** First moment of the month, and of the next one. */
export function spanOfMonth(month: Month): { startsAt: Date; endsAt: Date } {
  const [year, index] = [Number(month.slice(0, 4)), Number(month.slice(5, 7)) - 1]
  return { startsAt: new Date(Date.UTC(year, index, 1) + OFFSET_MS), endsAt: new Date(Date.UTC(year, index + 1, 1) + OFFSET_MS) }
}

/** The months of its half of the year up to this one: what the semester's compensation looks at. */
export function semesterUntil(month: Month): Month[] {
  const last = Number(month.slice(5, 7))
  const first = last <= 6 ? 1 : 7
  return Array.from({ length: last - first + 1 }, (_, index) => monthAt(month.slice(0, 4), first + index))
}

/** This month and those before it, the newest first. */
export function monthsBefore(month: Month, most: number): Month[] {
  const [year, index] = [Number(month.slice(0, 4)), Number(month.slice(5, 7)) - 1]
  return Array.from({ length: most }, (_, back) => monthOf(new Date(Date.UTC(year, index - back, 15))))
}

/** June and December: the month whose statement settles the semester. */
export function endsSemester(month: Month): boolean {
  return month.endsWith('-06') || month.endsWith('-12')
}

function monthAt(year: string, index: number): Month {
  const text = `${year}-${String(index).padStart(2, '0')}`
  if (!isMonth(text)) throw new RangeError('a month is expected')
  return text
}

/** The days of a month as Mato Grosso counts them, with their weekday (1 = Monday … 7 = Sunday) and first moment. */
export function daysOf(month: Month): { date: string; weekday: number; startsAt: Date }[] {
  const { startsAt, endsAt } = spanOfMonth(month)
  const count = Math.round((endsAt.getTime() - startsAt.getTime()) / DAY_MS)
  return Array.from({ length: count }, (_, index) => {
    const start = new Date(startsAt.getTime() + index * DAY_MS)
    const there = new Date(start.getTime() - OFFSET_MS)
    return { date: there.toISOString().slice(0, 10), weekday: there.getUTCDay() === 0 ? 7 : there.getUTCDay(), startsAt: start }
  })
}
