import { randomInt } from 'node:crypto'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { CheckEnd } from '../liveness/session.ts'
import { REPLAY_LIMITS } from '../liveness/signals/replay-signal.ts'
import { addAlarm, closeAlarm, listAlarms, lockOpenAlarms, type OutcomeAlarm } from './alarm.store.ts'
import { ALARM_LIMITS, changesOf, type Period } from './alarm.ts'
import { ageBandOf, lightBandOf, parseDeviceClass } from './group.ts'
import { addDays, localDay } from '../../platform/clock.ts'
import {
  addOutcome,
  countOutcomes,
  findGivenUp,
  findSubject,
  foldShards,
  forgetOutcomes,
  lockMark,
  type Outcome,
  setMark,
  wasRefusedSince,
} from './outcome.store.ts'
import { type OutcomeReport, periodOf, reportOf } from './report.ts'

/** Periods that reports are made of, in days. */
export const REPORT_DAYS = [7, 28, 90] as const
export type ReportDays = (typeof REPORT_DAYS)[number]

const SHARDS = 8
const HOUR_MS = 3600_000
const DAY_MS = 24 * HOUR_MS
/** Nothing that ends is written later than this after its moment, whatever process it ends in. */
const SETTLE_MS = 2 * 60_000
const KEEP_DAYS = 800
const MOST_ALARMS = 50

export interface OutcomesDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  /** Told in the transaction that opens alarms, once for all of them. */
  readonly onOpened?: (tx: Sql, alarms: readonly OutcomeAlarm[]) => Promise<void>
}

export interface AlarmsChanged {
  readonly opened: readonly OutcomeAlarm[]
  readonly closed: readonly OutcomeAlarm[]
}

/** Counters of what came of face checks, and alarms about groups of them. */
export interface Outcomes {
  /** Counts a judged check, in the transaction of its verdict: for `LivenessEngine.noteEnd`. */
  noteEnd(end: CheckEnd): Promise<(tx: Sql) => Promise<void>>
  /** What may be shown of the last days; no group of fewer than ten checks. */
  report(days: ReportDays): Promise<OutcomeReport>
  /** Counts what nobody finished, then opens and closes alarms; for a job every hour. Two at once do it once. */
  watch(): Promise<AlarmsChanged>
}

export function createOutcomes(deps: OutcomesDependencies): Outcomes {
  const { db, clock } = deps
  return {
    noteEnd: (end) => prepareNote(deps, end),
    async report(days) {
      const now = clock.now()
      const to = localDay(now)
      const counts = await countOutcomes(db, addDays(to, 1 - days), to)
      return reportOf({ counts, to, days, alarms: await listAlarms(db, new Date(now.getTime() - days * DAY_MS), MOST_ALARMS) })
    },
    async watch() {
      await db.transaction((tx) => countGivenUp(tx, clock.now()))
      return db.transaction((tx) => judgeAlarms(tx, deps))
    },
  }
}

/**
 * A person without a face to compare with is not counted: such a check runs to hide that there is none, and is refused whatever the engine is worth.
 *
 * Everything is looked up beforehand, for whoever it is, so that neither the transaction nor its time depends on it.
 */
async function prepareNote(
  { db, clock }: OutcomesDependencies,
  { session, subjectId, frames, verdict }: CheckEnd,
): Promise<(tx: Sql) => Promise<void>> {
  const now = clock.now()
  const subject = await findSubject(db, subjectId)
  const wasRefused = await wasRefusedSince(db, session.accountId, new Date(now.getTime() - HOUR_MS))
  const day = localDay(now)
  const outcome: Outcome = {
    day,
    result: verdict.passed ? (wasRefused ? 'passed-after-refusal' : 'passed') : verdict.k > 0 ? 'refused' : 'not-acquired',
    reason: verdict.reasons[0] ?? '',
    device: parseDeviceClass(session.plan.options.device),
    light: lightBandOf(frames),
    age: ageBandOf(subject?.birthDate, day),
    livenessClass: verdict.passed ? verdict.class : '',
    modelSet: verdict.padModel === undefined ? verdict.modelId : `${verdict.modelId}+pad`,
  }
  return async (tx) => {
    if (subject?.hasFace) await addOutcome(tx, outcome, randomInt(SHARDS))
  }
}

async function countGivenUp(tx: Sql, now: Date): Promise<void> {
  const after = await lockMark(tx, new Date(now.getTime() - REPLAY_LIMITS.days * DAY_MS))
  const until = new Date(now.getTime() - SETTLE_MS)
  if (until <= after) return
  const found = await findGivenUp(tx, after, until)
  const kinds = Map.groupBy(found, ({ day, device, age, hasFrames }) => [day, device, age, hasFrames].join(' '))
  for (const [, same] of [...kinds].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [first] = same
    if (!first) continue
    const { day, device, age, hasFrames } = first
    const reason = hasFrames ? 'left-midway' : 'left-before-camera'
    await addOutcome(
      tx,
      { day, device, age, reason, result: 'given-up', light: 'unknown', livenessClass: '', modelSet: 'none' },
      0,
      same.length,
    )
  }
  await setMark(tx, until)
  const today = localDay(now)
  await foldShards(tx, addDays(today, -1))
  await forgetOutcomes(tx, addDays(today, -KEEP_DAYS), new Date(now.getTime() - KEEP_DAYS * DAY_MS))
}

async function periodsOf(tx: Sql, today: string): Promise<{ recent: Period; baseline: Period; whole: Period }> {
  const { windowDays, baselineDays } = ALARM_LIMITS
  const from = addDays(today, 1 - windowDays)
  const period = async (first: string, last: string) => periodOf(await countOutcomes(tx, first, last))
  return {
    recent: await period(from, today),
    baseline: await period(addDays(from, -baselineDays), addDays(from, -1)),
    whole: await period(addDays(today, 1 - baselineDays), today),
  }
}

async function judgeAlarms(tx: Sql, { clock, audit, onOpened }: OutcomesDependencies): Promise<AlarmsChanged> {
  const now = clock.now()
  const changes = changesOf({ ...(await periodsOf(tx, localDay(now))), open: await lockOpenAlarms(tx), now })
  const actor = { kind: 'system' } as const
  const closed: OutcomeAlarm[] = []
  for (const { key, reason } of changes.closed) {
    const alarm = await closeAlarm(tx, key, reason, now)
    if (!alarm) continue
    closed.push(alarm)
    await audit.record(tx, { type: 'biometrics/alarm-closed', actor, data: { ...namesOf(alarm), reason } })
  }
  const opened: OutcomeAlarm[] = []
  for (const found of changes.opened) {
    const alarm = await addAlarm(tx, { ...found, openedAt: now })
    if (!alarm) continue
    opened.push(alarm)
    const { direction, expected, seen } = alarm
    await audit.record(tx, { type: 'biometrics/alarm-opened', actor, data: { ...namesOf(alarm), direction, expected, seen } })
  }
  if (opened.length > 0) await onOpened?.(tx, opened)
  return { opened, closed }
}

function namesOf({ id, rule, measure, dimension, group }: OutcomeAlarm) {
  return { alarmId: id, rule, measure, dimension, group }
}
