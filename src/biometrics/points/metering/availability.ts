import type { PointSpell } from '../registry/point.ts'
import { daysOf, type Month } from './month.ts'
import { minutesOf, type Plan } from './plan.ts'
import { SLOT_MS } from './signs.ts'

/** Slots of five minutes in which a point should have been able to capture, and in which it said so while the service worked. */
export interface Availability {
  readonly expected: number
  readonly available: number
}

/** The slots of a month's service hours until `until`, in seconds since 1970. */
export function slotsOf(month: Month, { hours }: Pick<Plan, 'hours'>, until: Date): number[] {
  const [opens, closes] = [minutesOf(hours.opens), minutesOf(hours.closes)]
  const days = daysOf(month).filter(({ date, weekday }) => hours.weekdays.includes(weekday) && !hours.closedDays.includes(date))
  const ends = until.getTime() - SLOT_MS
  return days.flatMap(({ startsAt }) => {
    const first = startsAt.getTime() + opens * 60_000
    const count = ((closes - opens) * 60_000) / SLOT_MS
    return Array.from({ length: count }, (_, index) => first + index * SLOT_MS).filter((slot) => slot <= ends).map((slot) => slot / 1000)
  })
}

/**
 * How much of its service hours a point was available.
 *
 * A slot counts as available only when the point said in it that it can capture, never that it cannot, and the service's own probe worked:
 * silence of either is unavailability. While a point was suspended or retired, nothing is expected of it.
 */
export function availabilityOf(slots: readonly number[], spells: readonly PointSpell[], signs: { readonly ready: ReadonlySet<number>; readonly working: ReadonlySet<number> }): Availability {
  const expected = slots.filter((slot) => stateAt(spells, slot * 1000) === 'active')
  return { expected: expected.length, available: expected.filter((slot) => signs.ready.has(slot) && signs.working.has(slot)).length }
}

function stateAt(spells: readonly PointSpell[], moment: number): PointSpell['state'] | undefined {
  return spells.findLast(({ at }) => at.getTime() <= moment)?.state
}

/** Whether the point was active at any moment of the span: then it has the month's franchise and its fixed price. */
export function wasActive(spells: readonly PointSpell[], { startsAt, endsAt }: { readonly startsAt: Date; readonly endsAt: Date }): boolean {
  return stateAt(spells, startsAt.getTime()) === 'active' || spells.some(({ state, at }) => state === 'active' && at >= startsAt && at < endsAt)
}

/** Whole numbers, so that 98 % is 98 % and not a rounding; nothing expected is nothing broken. */
export function isKept({ expected, available }: Availability, promisedPermille: number): boolean {
  return available * 1000 >= expected * promisedPermille
}
