import { addDays as civilDaysLater, localDay, momentOf } from '../../platform/clock.ts'

declare const dayBrand: unique symbol

/** A calendar day, `2027-06-30`; terms are counted in days of Mato Grosso, the last one included. */
export type Day = string & { readonly [dayBrand]: true }

const DAY_MS = 86_400_000

export function dayOf(at: Date): Day {
  return localDay(at) as Day
}

/** The day in a text from outside, or `undefined`: `2027-02-30` is none. */
export function parseDay(text: string): Day | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const at = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text ? undefined : (text as Day)
}

export function addDays(day: Day, days: number): Day {
  return civilDaysLater(day, days) as Day
}

/** The first moment after a day. */
export function endOfDay(day: Day): Date {
  return momentOf(addDays(day, 1), 0)
}

/** The last day before somebody's birthday at an age. */
export function lastDayBefore(birthDate: string, age: number): Day {
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number)
  return new Date(Date.UTC(year + age, month - 1, day) - DAY_MS).toISOString().slice(0, 10) as Day
}
