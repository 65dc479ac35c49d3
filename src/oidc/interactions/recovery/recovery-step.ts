import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, type RecoveryHandle, type RecoveryView } from '../../../accounts/index.ts'
import type { FieldErrors } from '../../../platform/http/guard.ts'
import type { HttpContext, HttpMiddleware } from '../../../platform/http/request-facts.ts'
import { isProblem } from '../../../platform/problem.ts'
import type { Pages } from '../pages.ts'
import { INTERACTION_PROBLEMS } from '../problems.ts'

/** Address of whatever step a recovery stands at. */
export const RECOVERY_STEP = '/recuperar/passo'

/** What the browser's recovery session holds: the recovery, and the interaction to go back to. */
export const recoverySession = z.object({ id: z.string(), binding: z.string(), uid: z.string().optional(), agreed: z.boolean().optional() })
export type RecoverySession = z.infer<typeof recoverySession>

/** One recovery as this browser and the accounts room know it. */
export interface RecoveryStanding {
  readonly session: RecoverySession
  readonly handle: RecoveryHandle
  readonly view: RecoveryView
  /** Where an owed certificate can be shown. */
  readonly certificateHost: string | undefined
}

/** What a page of a recovery says besides its own. */
export interface StepData {
  readonly errors?: FieldErrors
  readonly refusal?: string
  readonly notice?: string
  readonly wait?: { readonly key: string; readonly count: number }
}

/** The page of the step where a recovery stands. */
export function stepPage({ step, factors }: RecoveryView, { agreed }: RecoverySession): { name: string; data: object } {
  switch (step) {
    case 'face':
      return agreed ? { name: 'recovery-camera', data: {} } : { name: 'recovery-face', data: {} }
    case 'second-factor':
      return { name: 'recovery-factor', data: { factors } }
    case 'new-password':
      return { name: 'recovery-password', data: {} }
    default:
      return { name: 'recovery-code', data: { way: step === 'email-sent' ? 'email' : 'recovery-code' } }
  }
}

export function goTo(ctx: HttpContext, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

/** Whoever goes back in the browser lands where the recovery stands; one that is over says how to begin again. */
export function backToStep(pages: Pages): HttpMiddleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      if (ctx.accepts('json', 'html') === 'json') throw error
      if (isProblem(error, ACCOUNTS_PROBLEMS.stepOutOfOrder)) return goTo(ctx, RECOVERY_STEP)
      if (!isProblem(error, INTERACTION_PROBLEMS.recoveryOver)) throw error
      ctx.status = 410
      pages.plain(ctx, 'recovery-invalid')
    }
  }
}
