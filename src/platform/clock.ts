/** The only source of the current time in rooms, so that tests can move it. */
export interface Clock {
  now(): Date
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() }

/** The state's time zone (IANA): days, terms and opening hours are those of Mato Grosso's clocks; a day is `YYYY-MM-DD`. */
export const CIVIL_ZONE = 'America/Cuiaba'
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const parts = new Intl.DateTimeFormat('en-CA', {
  timeZone: CIVIL_ZONE, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
})

/** The day of a moment in Mato Grosso, as `YYYY-MM-DD`. */
export function localDay(at: Date): string {
  return parts.format(at).slice(0, 10)
}

/** Minutes since midnight in Mato Grosso. */
export function localMinutes(at: Date): number {
  const [hours = '0', minutes = '0'] = parts.format(at).slice(-5).split(':')
  return Number(hours) * 60 + Number(minutes)
}

/** The moment at which Mato Grosso's clocks show these minutes of a day; right as well where summer time is in force. */
export function momentOf(day: string, minutes: number): Date {
  const naive = new Date(`${day}T00:00:00Z`).getTime() + minutes * MINUTE_MS
  const shown = (at: number) => new Date(`${localDay(new Date(at))}T00:00:00Z`).getTime() + localMinutes(new Date(at)) * MINUTE_MS
  const guess = naive + (naive - shown(naive))
  return new Date(guess + (naive - shown(guess)))
}

/** The last second of a day in Mato Grosso; `undefined` for a text that is no day of the calendar. */
export function lastMomentOf(text: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const start = new Date(`${text}T00:00:00Z`)
  if (Number.isNaN(start.getTime()) || addDays(text, 0) !== text) return undefined
  return new Date(momentOf(addDays(text, 1), 0).getTime() - 1000)
}

/** 0 = Sunday. */
export function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay()
}

/** The day so many days later; earlier for a negative number. */
export function addDays(day: string, count: number): string {
  return new Date(new Date(`${day}T00:00:00Z`).getTime() + count * DAY_MS).toISOString().slice(0, 10)
}
