/** When a group's rate has left its band: pure rules over tallies. */
import { type BandRule, bandOf, placeIn } from './band.ts'
import type { Dimension } from './group.ts'
import { EMPTY_TALLY, MEASURES, type Measure, restOf, type Share, shareOf, type Tally } from './tally.ts'

/** `drift`: against the same group's earlier weeks · `differential`: against everybody else in the same weeks. */
export const ALARM_RULES = ['drift', 'differential'] as const
export type AlarmRule = (typeof ALARM_RULES)[number]

/** `all` is everybody, with the name `all`. */
export type Watched = Dimension | 'all'

export interface AlarmKey {
  readonly rule: AlarmRule
  readonly measure: Measure
  readonly dimension: Watched
  readonly group: string
}

export interface AlarmState extends AlarmKey {
  readonly direction: 'above' | 'below'
  /** What was expected when it opened: stays, so that a lasting change does not become what is expected meanwhile. */
  readonly expected: Share
  readonly seen: Share
  readonly openedAt: Date
}

export interface AlarmChanges {
  readonly opened: readonly Omit<AlarmState, 'openedAt'>[]
  readonly closed: readonly { readonly key: AlarmKey; readonly reason: 'back-in-band' | 'new-baseline' }[]
}

/** Tallies of a period: everybody's, and each group's. */
export interface Period {
  readonly all: Tally
  readonly groups: ReadonlyMap<Dimension, ReadonlyMap<string, Tally>>
}

export interface AlarmInput {
  /** The last days, what went before them, and the whole of the weeks that groups are compared in. */
  readonly recent: Period
  readonly baseline: Period
  readonly whole: Period
  readonly open: readonly AlarmState[]
  readonly now: Date
}

/**
 * Opens at 3.5 standard errors and closes at 2 (a rate at the edge must not ring every hour). One-sided 3.5 is 2.3e-4: of some forty rates
 * with some 120 independent windows a year about one false alarm a year is due to chance.
 */
export const ALARM_LIMITS = {
  windowDays: 3,
  baselineDays: 28,
  drift: { opens: { sigmas: 3.5, gap: 0.02 }, closes: { sigmas: 2, gap: 0.01 }, leastSeen: 50, leastExpected: 200 },
  differential: { opens: { sigmas: 3.5, gap: 0.03 }, closes: { sigmas: 2, gap: 0.015 }, leastSeen: 100, leastExpected: 200 },
} as const

/** Which groups of people are compared with each other. Light is not: that the dark is refused more often is what the reasons are there for. */
const COMPARED: readonly Dimension[] = ['age', 'device']
/** Whose drift is watched; a class is what a passed check is worth, so nobody of one is ever refused. */
const DRIFTING: readonly Dimension[] = ['device', 'light', 'age', 'model']

interface Question extends AlarmKey {
  readonly expected: Share
  readonly seen: Share
}

/**
 * What opens and what closes now.
 *
 * Too few checks change nothing. That a group is refused less than the others is only the other side of one that is refused more. While
 * everybody's rate has drifted no alarm is opened for the drift of a part: it is one event, not twenty.
 */
export function changesOf(input: AlarmInput): AlarmChanges {
  const isOpen = (question: AlarmKey) => input.open.some((alarm) => isSame(alarm, question))
  const closed = input.open.flatMap((alarm) => closing(alarm, input))
  const opened: Omit<AlarmState, 'openedAt'>[] = []
  const hasDrifted = (measure: Measure) =>
    [...input.open, ...opened].some((alarm) => alarm.rule === 'drift' && alarm.dimension === 'all' && alarm.measure === measure)
  for (const question of questionsOf(input)) {
    if (isOpen(question)) continue
    if (question.rule === 'drift' && question.dimension !== 'all' && hasDrifted(question.measure)) continue
    const direction = placeOf(question, 'opens')
    if (direction === 'above' || (direction === 'below' && question.rule === 'drift')) opened.push({ ...question, direction })
  }
  return { opened, closed }
}

/** Everybody first, so that what follows knows. */
function questionsOf({ recent, baseline, whole }: AlarmInput): Question[] {
  const everybody = { dimension: 'all', group: 'all' } as const
  return MEASURES.flatMap((measure) => [
    { rule: 'drift' as const, measure, ...everybody, expected: shareOf(measure, baseline.all), seen: shareOf(measure, recent.all) },
    ...DRIFTING.flatMap((dimension) =>
      namesOf(recent, dimension).map((group) => ({
        rule: 'drift' as const,
        measure,
        dimension,
        group,
        expected: find(baseline, dimension, group, measure),
        seen: find(recent, dimension, group, measure),
      })),
    ),
    ...COMPARED.flatMap((dimension) =>
      namesOf(whole, dimension).map((group) => ({
        rule: 'differential' as const,
        measure,
        dimension,
        group,
        ...againstTheRest(whole, dimension, group, measure),
      })),
    ),
  ])
}

/** `unknown` is no group of people. */
function namesOf({ groups }: Period, dimension: Dimension): string[] {
  return [...(groups.get(dimension)?.keys() ?? [])].filter((name) => name !== 'unknown')
}

function tallyIn({ all, groups }: Period, dimension: Watched, group: string): Tally {
  return (dimension === 'all' ? all : groups.get(dimension)?.get(group)) ?? EMPTY_TALLY
}

function find(period: Period, dimension: Watched, group: string, measure: Measure): Share {
  return shareOf(measure, tallyIn(period, dimension, group))
}

function againstTheRest(whole: Period, dimension: Watched, group: string, measure: Measure): { expected: Share; seen: Share } {
  const own = tallyIn(whole, dimension, group)
  return { expected: shareOf(measure, restOf(whole.all, own)), seen: shareOf(measure, own) }
}

/** Undefined where there are too few checks to say. */
function placeOf(
  { rule, expected, seen }: Pick<Question, 'rule' | 'expected' | 'seen'>,
  limit: 'opens' | 'closes',
): 'above' | 'inside' | 'below' | undefined {
  const limits = ALARM_LIMITS[rule]
  if (seen.total < limits.leastSeen || expected.total < limits.leastExpected) return undefined
  const band: BandRule = limits[limit]
  return placeIn(bandOf(expected, seen.total, band), seen)
}

/** A drift that has lasted as long as the baseline is what is expected from now on; a difference between groups never becomes so. */
function closing(alarm: AlarmState, { recent, whole, now }: AlarmInput): AlarmChanges['closed'] {
  const { rule, measure, dimension, group } = alarm
  const isDrift = rule === 'drift'
  const question = isDrift
    ? { rule, expected: alarm.expected, seen: find(recent, dimension, group, measure) }
    : { rule, ...againstTheRest(whole, dimension, group, measure) }
  if (placeOf(question, 'closes') === 'inside') return [{ key: alarm, reason: 'back-in-band' }]
  const isOld = now.getTime() - alarm.openedAt.getTime() >= ALARM_LIMITS.baselineDays * 86_400_000
  return isDrift && isOld ? [{ key: alarm, reason: 'new-baseline' }] : []
}

export function isSame(left: AlarmKey, right: AlarmKey): boolean {
  return left.rule === right.rule && left.measure === right.measure && left.dimension === right.dimension && left.group === right.group
}
