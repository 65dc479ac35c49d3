import { createHash } from 'node:crypto'
import type { Audit, AuditActor } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database, Sql } from '../../../platform/db.ts'
import { Problem } from '../../../platform/problem.ts'
import { canonicalJson } from '../../agencies/receipt/canonical.ts'
import { POINT_PROBLEMS } from '../problems.ts'
import { selectPoints, selectSpells } from '../registry/point.store.ts'
import { availabilityOf, slotsOf, wasActive } from './availability.ts'
import { type MonthRest, settleSemester } from './franchise.ts'
import { countEntries, type RecordFault, selectJournalFaults, selectStateFaults } from './journal.store.ts'
import { endsSemester, type Month, semesterUntil, spanOfMonth } from './month.ts'
import { type Plan, readPlan } from './plan.ts'
import { selectReady, selectWorking } from './signs.store.ts'
import { type MeteredPoint, type Statement, statementOf, statementSchema } from './statement.ts'
import {
  findPlan, findStatement, hasClosedSince, insertStatement, lockContract, putPlan, selectContracts, selectStatementFaults, selectStatements,
} from './statement.store.ts'

export interface StatementView {
  readonly statement: Statement
  /** Absent while the month is open: then the numbers are those of now. */
  readonly closedAt: Date | undefined
}

/** What the image service costs, counted from its journal. */
export interface Metering {
  contracts(): Promise<string[]>
  /** From this month on; earlier months keep theirs. @throws {Problem} points/plan-invalid, points/month-closed */
  setPlan(contract: string, fromMonth: Month, plan: unknown, actor: AuditActor): Promise<Plan>
  /** @throws {Problem} points/plan-missing */
  statement(contract: string, month: Month): Promise<StatementView>
  /** @throws {Problem} points/plan-missing, points/month-open, points/month-closed */
  close(contract: string, month: Month, actor: AuditActor): Promise<StatementView>
  /** What in journal, states, plans and statements does not go together with the audit record, or with itself. */
  verify(): Promise<RecordFault[]>
}

export interface MeteringDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
}

/** After which no transaction of the month can still be on its way. */
const SETTLED_MS = 3_600_000
const BATCH = 100

export function createMetering({ db, clock, audit }: MeteringDependencies): Metering {
  async function planOf(sql: Sql, contract: string, month: Month): Promise<Plan | undefined> {
    const text = await findPlan(sql, contract, month)
    return text === undefined ? undefined : readPlan(JSON.parse(text))
  }

  async function pointsOf(sql: Sql, contract: string, month: Month, plan: Plan): Promise<MeteredPoint[]> {
    const points = (await selectPoints(sql)).filter((point) => point.contract === contract)
    const ids = points.map(({ id }) => id)
    const span = spanOfMonth(month)
    const spells = Map.groupBy(await selectSpells(sql, ids), ({ pointId }) => pointId)
    const counts = new Map((await countEntries(sql, contract, [month])).map((count) => [count.pointId, count]))
    const working = new Set(await selectWorking(sql, span))
    const ready = await selectReady(sql, ids, span)
    const slots = slotsOf(month, plan, clock.now())
    return points
      .map(({ id: pointId, code, unitCode, title }) => {
        const own = spells.get(pointId) ?? []
        const { processes = 0, offline = 0 } = counts.get(pointId) ?? {}
        const signs = { ready: new Set(ready.get(pointId)), working }
        return { pointId, code, unitCode, title, processes, offline, wasActive: wasActive(own, span), ...availabilityOf(slots, own, signs) }
      })
      .filter((point) => point.wasActive || point.processes > 0)
  }

  /** What earlier months of the semester left over: of closed ones as they were closed. */
  async function restsBefore(sql: Sql, contract: string, month: Month): Promise<MonthRest[]> {
    const rests: MonthRest[] = []
    for (const earlier of semesterUntil(month).slice(0, -1)) {
      const { statement } = (await viewOf(sql, contract, earlier)) ?? {}
      if (statement?.plan.kind === 'fixed') rests.push({ month: earlier, payable: statement.payable, unused: statement.unused, excessCents: statement.plan.excessCents })
    }
    return rests
  }

  async function compute(sql: Sql, contract: string, month: Month): Promise<Statement | undefined> {
    const plan = await planOf(sql, contract, month)
    if (plan === undefined) return undefined
    const points = await pointsOf(sql, contract, month, plan)
    const rests = endsSemester(month) ? await restsBefore(sql, contract, month) : []
    const settle = (rest: { payable: number; unused: number }) =>
      endsSemester(month) && plan.kind === 'fixed' ? settleSemester([...rests, { month, ...rest, excessCents: plan.excessCents }]) : []
    return statementOf({ contract, month, plan, points, settle })
  }

  async function viewOf(sql: Sql, contract: string, month: Month): Promise<StatementView | undefined> {
    const closed = await findStatement(sql, contract, month)
    if (closed) return { statement: statementSchema.parse(JSON.parse(closed.body)), closedAt: closed.closedAt }
    const statement = await compute(sql, contract, month)
    return statement && { statement, closedAt: undefined }
  }

  const planMissing = () => new Problem(POINT_PROBLEMS.planMissing)

  /** The semester is settled on what is closed: nothing of it can change any more. */
  async function checkEarlierClosed(tx: Sql, contract: string, month: Month): Promise<void> {
    if (!endsSemester(month)) return
    for (const earlier of semesterUntil(month).slice(0, -1)) {
      const view = await viewOf(tx, contract, earlier)
      if (view && view.closedAt === undefined) throw new Problem(POINT_PROBLEMS.monthOpen, { detail: earlier })
    }
  }

  return {
    contracts: () => selectContracts(db),
    async setPlan(contract, fromMonth, given, actor) {
      const plan = readPlan(given)
      const text = JSON.stringify(plan)
      await db.transaction(async (tx) => {
        await lockContract(tx, contract)
        if (await hasClosedSince(tx, contract, fromMonth)) throw new Problem(POINT_PROBLEMS.monthClosed)
        await putPlan(tx, { contract, fromMonth, plan: text }, actor.id ?? actor.kind, clock.now())
        await audit.record(tx, { type: 'biometrics/plan-set', actor, data: { contract, fromMonth, sha256: sha256(text) } })
      })
      return plan
    },
    async statement(contract, month) {
      const view = await viewOf(db, contract, month)
      if (view === undefined) throw planMissing()
      return view
    },
    close: (contract, month, actor) =>
      db.transaction(async (tx) => {
        await lockContract(tx, contract)
        const now = clock.now()
        if (now.getTime() < spanOfMonth(month).endsAt.getTime() + SETTLED_MS) throw new Problem(POINT_PROBLEMS.monthOpen)
        await checkEarlierClosed(tx, contract, month)
        if (await findStatement(tx, contract, month)) throw new Problem(POINT_PROBLEMS.monthClosed)
        const statement = await compute(tx, contract, month)
        if (statement === undefined) throw planMissing()
        const body = JSON.stringify(statement)
        if (!(await insertStatement(tx, { contract, month, body }, actor.id ?? actor.kind, now))) throw new Problem(POINT_PROBLEMS.monthClosed)
        await audit.record(tx, { type: 'biometrics/statement-closed', actor, data: { contract, month, sha256: sha256(body) } })
        return { statement, closedAt: now }
      }),
    async verify() {
      const faults = [...(await selectJournalFaults(db)), ...(await selectStateFaults(db)), ...(await selectStatementFaults(db))]
      for (let after = { contract: '', month: '' }; ; ) {
        const rows = await selectStatements(db, after, BATCH)
        for (const { contract, month, body } of rows) if (!(await addsUp(db, body, contract, month))) faults.push({ what: 'statement-wrong', which: `${contract} ${month}` })
        const last = rows.at(-1)
        if (rows.length < BATCH || last === undefined) return faults
        after = last
      }
    },
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Whether a closed statement is what its own plan makes of the journal as it is now, to the last process. */
async function addsUp(sql: Sql, body: string, contract: string, month: Month): Promise<boolean> {
  const read = statementSchema.safeParse(parsed(body))
  if (!read.success) return false
  const { data: statement } = read
  const counts = await countEntries(sql, contract, [month])
  const processes = new Map(counts.map((count) => [count.pointId, count]))
  const points = statement.points.map(({ pointId, code, unitCode, title, wasActive: active, expected, available }): MeteredPoint => {
    const { processes: counted = 0, offline = 0 } = processes.get(pointId) ?? {}
    return { pointId, code, unitCode, title, wasActive: active, expected, available, processes: counted, offline }
  })
  const isWhole = counts.every(({ pointId }) => statement.points.some((line) => line.pointId === pointId))
  const rests = statement.semester.filter((rest) => rest.month !== month)
  const again = statementOf({
    contract, month, plan: statement.plan, points,
    settle: (rest) => (statement.semester.length > 0 && statement.plan.kind === 'fixed' ? settleSemester([...rests, { month, ...rest, excessCents: statement.plan.excessCents }].map(restOf)) : []),
  })
  return isWhole && canonicalJson(again) === canonicalJson(statement)
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const restOf = ({ month, payable, unused, excessCents }: MonthRest): MonthRest => ({ month, payable, unused, excessCents })
