import type { OutcomeAlarm } from './alarm.store.ts'
import type { Period } from './alarm.ts'
import { DIMENSIONS, type Dimension } from './group.ts'
import { addDays } from '../../platform/clock.ts'
import type { Count } from './outcome.store.ts'
import { hiddenGroups, protectSmall, SMALLEST_GROUP } from './small-groups.ts'
import { addTallies, checksOf, EMPTY_TALLY, type Tally, tallyOf } from './tally.ts'

/** The name of what was merged because it was too few by itself. */
export const MERGED = 'few'

/** A group that may be shown. */
export interface GroupTally {
  readonly name: string
  readonly tally: Tally
}

export interface ReasonCount {
  readonly name: string
  readonly checks: number
}

export interface OutcomeReport {
  readonly days: number
  readonly from: string
  readonly to: string
  /** Undefined of fewer than ten checks: then nothing else is told either. */
  readonly total: Tally | undefined
  /** Every day of the period; without a tally where there were too few checks. */
  readonly trend: readonly { readonly day: string; readonly tally: Tally | undefined }[]
  readonly groups: Readonly<Record<Dimension, readonly GroupTally[]>>
  /** Of checks refused or not acquired, by the reason that was told first; the most frequent first. */
  readonly reasons: readonly ReasonCount[]
  readonly alarms: readonly OutcomeAlarm[]
}

/** Counts as tallies by group; everybody's from the days. */
export function periodOf(counts: readonly Count[]): Period {
  const groups = new Map(DIMENSIONS.map((dimension) => [dimension, talliesBy(counts, dimension)] as const))
  return { all: addTallies([...talliesBy(counts, 'day').values()]), groups }
}

function talliesBy(counts: readonly Count[], by: Count['by']): Map<string, Tally> {
  const parts = Map.groupBy(
    counts.filter((count) => count.by === by),
    ({ name }) => name,
  )
  return new Map([...parts].map(([name, part]) => [name, tallyOf(part)]))
}

export interface ReportInput {
  readonly counts: readonly Count[]
  readonly to: string
  readonly days: number
  readonly alarms: readonly OutcomeAlarm[]
}

/** What may be shown of a period: no group, reason or day of fewer than ten checks by itself. */
export function reportOf({ counts, to, days, alarms }: ReportInput): OutcomeReport {
  const from = addDays(to, 1 - days)
  const { all, groups } = periodOf(counts)
  const isEnough = checksOf(all) >= SMALLEST_GROUP
  const told = (dimension: Dimension): GroupTally[] => (isEnough ? toldGroups(groups.get(dimension) ?? new Map()) : [])
  return {
    days,
    from,
    to,
    alarms,
    total: isEnough ? all : undefined,
    trend: trendOf(talliesBy(counts, 'day'), from, days),
    groups: { device: told('device'), light: told('light'), age: told('age'), model: told('model'), class: told('class') },
    reasons: isEnough ? toldReasons(counts) : [],
  }
}

function trendOf(byDay: ReadonlyMap<string, Tally>, from: string, days: number): OutcomeReport['trend'] {
  const hidden = hiddenGroups([...byDay].map(([day, tally]) => [day, checksOf(tally)] as const))
  return Array.from({ length: days }, (_, index) => {
    const day = addDays(from, index)
    return { day, tally: hidden.has(day) ? undefined : byDay.get(day) }
  })
}

/** An empty name is no group: only a passed check has a class. */
function toldGroups(tallies: ReadonlyMap<string, Tally>): GroupTally[] {
  const all = [...tallies]
    .filter(([name]) => name !== '')
    .map(([name, tally]) => ({ name, tally }))
    .sort((a, b) => checksOf(b.tally) - checksOf(a.tally) || (a.name < b.name ? -1 : 1))
  const { shown, merged } = protectSmall(all, ({ tally }) => checksOf(tally))
  const together = addTallies([EMPTY_TALLY, ...merged.map(({ tally }) => tally)])
  return checksOf(together) < SMALLEST_GROUP ? [...shown] : [...shown, { name: MERGED, tally: together }]
}

function toldReasons(counts: readonly Count[]): ReasonCount[] {
  const failed = counts.filter(({ by, result }) => by === 'reason' && (result === 'refused' || result === 'not-acquired'))
  const sums = [...Map.groupBy(failed, ({ name }) => name)].map(([name, part]) => ({
    name,
    checks: part.reduce((sum, { checks }) => sum + checks, 0),
  }))
  const { shown, merged } = protectSmall(
    sums.sort((a, b) => b.checks - a.checks || (a.name < b.name ? -1 : 1)),
    ({ checks }) => checks,
  )
  const together = merged.reduce((sum, { checks }) => sum + checks, 0)
  return together < SMALLEST_GROUP ? [...shown] : [...shown, { name: MERGED, checks: together }]
}
