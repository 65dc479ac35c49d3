import { addDays, localDay, localMinutes, momentOf, weekdayOf } from '../../platform/clock.ts'

/** One weekday's hours, in minutes of the local day. */
export interface Opening {
  readonly weekday: number
  readonly opens: number
  readonly closes: number
  readonly slotMinutes: number
  /** People that are attended in one slot. */
  readonly capacity: number
}

export interface Slot {
  readonly startsAt: Date
  readonly endsAt: Date
  readonly capacity: number
}

/** How far ahead hours are given, and how short before. */
export const BOOKING_DAYS = 30
export const NOTICE_MINUTES = 60

/** The hours of one day; none when the unit is closed. A slot that would end after closing is none. */
export function slotsOf(openings: readonly Opening[], day: string): Slot[] {
  const opening = openings.find(({ weekday }) => weekday === weekdayOf(day))
  if (opening === undefined) return []
  const { opens, closes, slotMinutes, capacity } = opening
  const count = Math.floor((closes - opens) / slotMinutes)
  return Array.from({ length: count }, (_, index) => {
    const begins = opens + index * slotMinutes
    return { startsAt: momentOf(day, begins), endsAt: momentOf(day, begins + slotMinutes), capacity }
  })
}

/** Days on which an hour may be booked at `now`, the closed ones left out. */
export function bookableDays(openings: readonly Opening[], closed: ReadonlySet<string>, now: Date): string[] {
  const today = localDay(now)
  return Array.from({ length: BOOKING_DAYS + 1 }, (_, ahead) => addDays(today, ahead)).filter(
    (day) => !closed.has(day) && slotsOf(openings, day).some(({ startsAt }) => isSoonEnough(startsAt, now)),
  )
}

/** The slot that begins at this moment, if it may be booked at `now`. */
export function findSlot(openings: readonly Opening[], closed: ReadonlySet<string>, startsAt: Date, now: Date): Slot | undefined {
  const day = localDay(startsAt)
  if (closed.has(day) || !isSoonEnough(startsAt, now) || day > addDays(localDay(now), BOOKING_DAYS)) return undefined
  return slotsOf(openings, day).find((slot) => slot.startsAt.getTime() === startsAt.getTime())
}

/**
 * A change of a unit's hours: one weekday's, or a day without any; or none but that a full hour loses whom it has no place for.
 *
 * Where the weekday has fewer places than people, whoever booked last goes if `callsOffBeyond` says so, and else everybody stays.
 */
export type HoursChange =
  | { readonly weekday: number; readonly opening: Opening | undefined; readonly callsOffBeyond?: boolean }
  | { readonly closedDay: string }
  | { readonly fullHour: Date }

/** An hour in which more people are expected than it has places. */
export interface FullHour {
  readonly startsAt: Date
  readonly booked: number
  readonly capacity: number
}

interface Booked {
  readonly startsAt: Date
}

/** The hour of the unit in which somebody comes, whatever the hours were when they booked. */
function hourOf(openings: readonly Opening[], startsAt: Date): { key: number; capacity: number } | undefined {
  const day = localDay(startsAt)
  const opening = openings.find(({ weekday }) => weekday === weekdayOf(day))
  const at = localMinutes(startsAt)
  if (opening === undefined || at < opening.opens || at >= opening.closes) return undefined
  const begins = opening.opens + Math.floor((at - opening.opens) / opening.slotMinutes) * opening.slotMinutes
  return { key: momentOf(day, begins).getTime(), capacity: opening.capacity }
}

function byHour<T extends Booked>(openings: readonly Opening[], booked: readonly T[]): [number, { capacity: number; people: T[] }][] {
  const hours = new Map<number, { capacity: number; people: T[] }>()
  for (const one of booked) {
    const hour = hourOf(openings, one.startsAt)
    if (hour === undefined) continue
    const found = hours.get(hour.key) ?? { capacity: hour.capacity, people: [] }
    found.people.push(one)
    hours.set(hour.key, found)
  }
  return [...hours]
}

/** Whom the hours have no place for, of people in the order of their booking: who booked last. */
export function beyondPlaces<T extends Booked>(openings: readonly Opening[], booked: readonly T[]): T[] {
  return byHour(openings, booked).flatMap(([, { capacity, people }]) => people.slice(capacity))
}

/** Hours with more people than places, in order. */
export function fullHours(openings: readonly Opening[], booked: readonly Booked[]): FullHour[] {
  return byHour(openings, booked)
    .filter(([, { capacity, people }]) => people.length > capacity)
    .map(([key, { capacity, people }]) => ({ startsAt: new Date(key), booked: people.length, capacity }))
    .sort((one, other) => one.startsAt.getTime() - other.startsAt.getTime())
}

/** Whether somebody comes in the hour that begins then. */
export const isInHour = (openings: readonly Opening[], hour: Date, startsAt: Date): boolean => hourOf(openings, startsAt)?.key === hour.getTime()

/** Whether a booked hour cannot be kept after the change: on the closed day, or on the weekday and not wholly within its new hours. */
export function isHitBy(change: HoursChange, startsAt: Date): boolean {
  const day = localDay(startsAt)
  if ('closedDay' in change) return day === change.closedDay
  if ('fullHour' in change) return false
  if (weekdayOf(day) !== change.weekday) return false
  const { opening } = change
  if (opening === undefined) return true
  const at = localMinutes(startsAt)
  return at < opening.opens || at + opening.slotMinutes > opening.closes
}

export function isSoonEnough(startsAt: Date, now: Date): boolean {
  return startsAt.getTime() - now.getTime() >= NOTICE_MINUTES * 60_000
}

/** `HH:MM` of a day as minutes; `undefined` for anything else. */
export function parseMinutes(text: string): number | undefined {
  const [, hours = '', minutes = ''] = /^(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? []
  const value = Number(hours) * 60 + Number(minutes)
  return hours !== '' && Number(minutes) < 60 && value <= 1440 ? value : undefined
}

export function formatMinutes(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}
