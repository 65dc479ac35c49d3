import { z } from 'zod'
import { Problem } from '../../../platform/problem.ts'
import { POINT_PROBLEMS } from '../problems.ts'

const cents = z.int().min(0).max(1_000_000_000)
const minute = z.string().regex(/^([01]\d|2[0-4]):[0-5][05]$/)

/** When points are to be able to capture, by the clock of Mato Grosso; steps of five minutes. */
const hours = z
  .strictObject({
    /** 1 = Monday … 7 = Sunday. */
    weekdays: z.array(z.int().min(1).max(7)).min(1).max(7),
    opens: minute,
    closes: minute,
    /** Holidays and other days on which nobody is expected. */
    closedDays: z.array(z.iso.date()).max(60).default([]),
  })
  .refine(({ opens, closes }) => opens < closes && closes <= '24:00')

const everyPlan = { hours, /** Availability that the contract promises, in thousandths. */ promisedPermille: z.int().min(0).max(1000).default(980) }

/** What a contract pays; whole centavos. */
export const planSchema = z.discriminatedUnion('kind', [
  /** A price for each active point and month, which covers its franchise; a price for each process beyond it. */
  z.strictObject({ kind: z.literal('fixed'), pointCents: cents, franchise: z.int().min(0).max(100_000).default(200), excessCents: cents, ...everyPlan }),
  /** Each process has its price; there is no franchise and nothing to compensate. */
  z.strictObject({ kind: z.literal('per-process'), processCents: cents, ...everyPlan }),
])
export type Plan = z.output<typeof planSchema>

/** @throws {Problem} points/plan-invalid */
export function readPlan(plan: unknown): Plan {
  const read = planSchema.safeParse(plan)
  if (read.success) return read.data
  throw new Problem(POINT_PROBLEMS.planInvalid, { detail: read.error.issues.map(({ path }) => path.join('/') || 'kind').join(', ') })
}

export const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
