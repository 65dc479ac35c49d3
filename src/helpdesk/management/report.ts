import { type Account, displayName } from '../../accounts/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { addDays, localDay, momentOf } from '../../platform/clock.ts'
import type { Satisfaction, Surveys } from '../satisfaction/surveys.ts'
import { type AttendantTally, type Question, questionsOf } from './questions.ts'
import {
  type Approver, countApprovals, countAttendancesByDay, countAttendancesByState, countRefusals, type DayCount, type DayWait, type NamedCount, type PointQuality,
  qualityByPoint, tallyAttendants, waitsByClass, waitsByDay,
} from './report.store.ts'

/** Periods that reports are made of, in days, today included. */
export const PERIODS = [7, 28, 90] as const
export type PeriodDays = (typeof PERIODS)[number]

/** What managers see of their unit, and operators of all units. Citizens are counted, never named. */
export interface ManagementReport {
  readonly from: string
  readonly to: string
  readonly days: PeriodDays
  /** Every day of the period. */
  readonly attendances: readonly DayCount[]
  readonly states: readonly NamedCount[]
  readonly refusals: readonly NamedCount[]
  readonly waits: readonly DayWait[]
  readonly waitsByClass: readonly { readonly name: string; readonly called: number; readonly median: number; readonly p90: number }[]
  readonly points: readonly PointQuality[]
  readonly satisfaction: Satisfaction
  /** Staff by name, for the unit's own manager; absent in the report on all units. */
  readonly staff: StaffReport | undefined
}

export interface StaffReport {
  readonly approvers: readonly (Approver & { readonly name: string })[]
  readonly attendants: readonly (AttendantTally & { readonly name: string })[]
  readonly questions: readonly (Question & { readonly name: string })[]
  readonly sentences: readonly { readonly score: number; readonly text: string }[]
}

export interface Management {
  /** One unit's report, with its staff. */
  ofUnit(unitId: string, days: PeriodDays): Promise<ManagementReport>
  /** All units together, without anybody's name. */
  ofAll(days: PeriodDays): Promise<ManagementReport>
}

export interface ManagementDependencies {
  readonly db: Sql
  readonly clock: Clock
  readonly surveys: Pick<Surveys, 'result' | 'sentences'>
  readonly findAccount: (id: string) => Promise<Account | undefined>
}

export function createManagement(deps: ManagementDependencies): Management {
  return {
    async ofUnit(unitId, days) {
      const report = await reportOf(deps, unitId, days)
      return { ...report, staff: await staffOf(deps, unitId, days) }
    },
    ofAll: (days) => reportOf(deps, undefined, days),
  }
}

function spanOf(clock: Clock, days: PeriodDays) {
  const to = localDay(clock.now())
  const from = addDays(to, 1 - days)
  return { to, from, span: { from: momentOf(from, 0), until: momentOf(addDays(to, 1), 0) } }
}

async function reportOf({ db, clock, surveys }: ManagementDependencies, unitId: string | undefined, days: PeriodDays): Promise<ManagementReport> {
  const { to, from, span } = spanOf(clock, days)
  const scope = { unitId, ...span }
  const counted = new Map((await countAttendancesByDay(db, scope)).map(({ day, count }) => [day, count]))
  return {
    from,
    to,
    days,
    attendances: Array.from({ length: days }, (_, index) => addDays(from, index)).map((day) => ({ day, count: counted.get(day) ?? 0 })),
    states: await countAttendancesByState(db, scope),
    refusals: await countRefusals(db, scope),
    waits: await waitsByDay(db, scope),
    waitsByClass: await waitsByClass(db, scope),
    points: await qualityByPoint(db, scope),
    satisfaction: await surveys.result(unitId, { from, to }),
    staff: undefined,
  }
}

async function staffOf({ db, clock, surveys, findAccount }: ManagementDependencies, unitId: string, days: PeriodDays): Promise<StaffReport> {
  const { from, to, span } = spanOf(clock, days)
  const scope = { unitId, ...span }
  const [approvers, tallies] = [await countApprovals(db, scope), await tallyAttendants(db, scope)]
  const ids = new Set([...approvers.map(({ supervisorId }) => supervisorId), ...tallies.map(({ attendantId }) => attendantId)])
  const names = new Map<string, string>()
  for (const id of ids) {
    const account = await findAccount(id)
    names.set(id, account ? displayName(account.citizen.reveal()) : '?')
  }
  const nameOf = (id: string) => names.get(id) ?? '?'
  return {
    approvers: approvers.map((found) => ({ ...found, name: nameOf(found.supervisorId) })),
    attendants: tallies.map((found) => ({ ...found, name: nameOf(found.attendantId) })),
    questions: questionsOf(tallies).map((found) => ({ ...found, name: nameOf(found.attendantId) })),
    sentences: await surveys.sentences(unitId, { from, to }),
  }
}
