import { z } from 'zod'
import { ImageRefused } from '../../biometrics/index.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { DeskHandler, DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { StaffRole } from '../staff/role.ts'
import type { Hand } from './desk.ts'

export const attendanceParams = z.object({ id: z.uuid() })
export type AttendanceParams = z.output<typeof attendanceParams>

const { reasonUnfit, requestUnfit, noReference, heldByAnother, stepOutOfOrder, captureIncomplete, halted, ownCase, alreadyBound, fourEyes, consentRefused, consentNeeded, waysNeeded, receiptNoAddress, receiptTooOften } = HELPDESK_PROBLEMS
const TOLD = ['held-by-another', 'step-out-of-order', 'capture-incomplete', 'halted', 'own-case', 'already-bound', 'four-eyes', 'consent-refused', 'consent-needed', 'ways-needed', 'picture', 'reason-unfit', 'request-unfit', 'no-reference', 'receipt-sent', 'receipt-no-address', 'receipt-too-often'] as const
const TOLD_PROBLEMS: ReadonlySet<string> = new Set([heldByAnother, stepOutOfOrder, captureIncomplete, halted, ownCase, alreadyBound, fourEyes, consentRefused, consentNeeded, waysNeeded, reasonUnfit, requestUnfit, noReference, receiptNoAddress, receiptTooOften].map(({ code }) => code))

/** Query of a case's page: what the last action came to. */
export const toldQuery = z.object({ aviso: z.enum(TOLD).optional() })

export const pageOfCase = (id: string): string => `/balcao/atendimentos/${id}`

/** Who acts, in which role, where. */
export function handOf({ account, unit }: DeskVisit, role: StaffRole): Hand {
  return { id: account.id, role, unitId: unit.id }
}

/** A handler of the attendants' whose refusals lead back to the case's page, which tells them; nothing that was captured is lost. */
export function telling<Input extends { params: AttendanceParams }>(pages: DeskPages, handler: DeskHandler<Input>): (ctx: HttpContext, input: Input) => Promise<void> {
  return pages.only('attendances', async (ctx, visit, input: Input) => {
    try {
      await handler(ctx, visit, input)
    } catch (error) {
      const told = toldOf(error)
      if (told === undefined) throw error
      seeOther(ctx, `${pageOfCase(input.params.id)}?aviso=${told}`)
    }
  })
}

function toldOf(error: unknown): string | undefined {
  if (error instanceof ImageRefused) return 'picture'
  return error instanceof Problem && TOLD_PROBLEMS.has(error.code) ? error.code.replace('helpdesk/', '') : undefined
}
