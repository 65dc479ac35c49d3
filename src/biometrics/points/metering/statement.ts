import { z } from 'zod'
import { type Availability, isKept } from './availability.ts'
import { compensate, type MonthCredit, sum } from './franchise.ts'
import { MONTH } from './month.ts'
import { type Plan, planSchema } from './plan.ts'

const count = z.int().nonnegative()
const slots = { expected: count, available: count }

const line = z.strictObject({
  pointId: z.uuid(), code: z.string(), unitCode: z.string(), title: z.string(), wasActive: z.boolean(), processes: count, offline: count, franchise: count, excess: count, unused: count,
  received: count, given: count, payable: count, cents: count, ...slots,
})

const credit = z.strictObject({ month: z.string().regex(MONTH), payable: count, unused: count, excessCents: count, credited: count, creditCents: count })

/** A contract's month, as it is stored when it is closed. */
export const statementSchema = z.strictObject({
  version: z.literal(1),
  contract: z.string(),
  month: z.string().regex(MONTH),
  plan: planSchema,
  points: z.array(line),
  processes: count,
  excess: count,
  compensated: count,
  payable: count,
  unused: count,
  /** Of the fixed plan: the points' prices; of the other: 0. */
  fixedCents: count,
  /** For processes: beyond the franchise, or each. */
  processesCents: count,
  /** In June and December: what the months of the semester give back. */
  semester: z.array(credit),
  creditCents: count,
  /** May be below zero when a semester gives back more than its last month costs. */
  totalCents: z.int(),
  ...slots,
  promiseKept: z.boolean(),
})
export type Statement = z.output<typeof statementSchema>
export type StatementLine = z.output<typeof line>

/** A point as a month's statement is made from it. */
export interface MeteredPoint extends Availability {
  readonly pointId: string
  readonly code: string
  readonly unitCode: string
  readonly title: string
  readonly processes: number
  readonly offline: number
  readonly wasActive: boolean
}

export interface StatementFacts {
  readonly contract: string
  readonly month: string
  readonly plan: Plan
  readonly points: readonly MeteredPoint[]
  /** What the semester before this month and this month give back, in its last month. */
  readonly settle: (rest: { readonly payable: number; readonly unused: number }) => readonly MonthCredit[]
}

/** The statement of a month: every number follows from the plan and the points' counts, none is kept apart. */
export function statementOf({ contract, month, plan, points, settle }: StatementFacts): Statement {
  const franchise = plan.kind === 'fixed' ? plan.franchise : 0
  const uses = points.map((point) => ({ ...point, franchise: point.wasActive ? franchise : 0 }))
  const shares = plan.kind === 'fixed' ? compensate(uses) : uses.map((use) => ({ ...use, excess: 0, unused: 0, received: 0, given: 0, payable: use.processes }))
  const shareOf = new Map(shares.map((share) => [share.code, share]))
  const lines = [...uses].sort((a, b) => (a.code < b.code ? -1 : 1)).map((use): StatementLine => {
    const share = shareOf.get(use.code)
    const [excess = 0, unused = 0, received = 0, given = 0, payable = 0] = share ? [share.excess, share.unused, share.received, share.given, share.payable] : []
    const cents = plan.kind === 'fixed' ? (use.wasActive ? plan.pointCents : 0) + payable * plan.excessCents : payable * plan.processCents
    return { ...use, excess, unused, received, given, payable, cents }
  })
  const total = (member: 'processes' | 'excess' | 'received' | 'payable' | 'unused' | 'expected' | 'available') => sum(lines.map((one) => one[member]))
  const payable = total('payable')
  const unused = total('unused') - total('received')
  const semester = plan.kind === 'fixed' ? [...settle({ payable, unused })] : []
  const fixedCents = plan.kind === 'fixed' ? points.filter(({ wasActive }) => wasActive).length * plan.pointCents : 0
  const processesCents = payable * (plan.kind === 'fixed' ? plan.excessCents : plan.processCents)
  const creditCents = sum(semester.map((credited) => credited.creditCents))
  const availability = { expected: total('expected'), available: total('available') }
  return {
    version: 1, contract, month, plan, points: lines, processes: total('processes'), excess: total('excess'), compensated: total('received'), payable, unused,
    fixedCents, processesCents, semester, creditCents, totalCents: fixedCents + processesCents - creditCents, ...availability,
    promiseKept: isKept(availability, plan.promisedPermille),
  }
}
