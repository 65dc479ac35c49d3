import { createAddressLimit } from '../../accounts/index.ts'
import { createBodyHold } from '../../platform/http/body/hold.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext, HttpMiddleware } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { entranceTo } from '../area.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'
import { PAGE } from './desk.ts'

/** Of one form; who has more adds them in a second one. */
export const UPLOAD_BYTES = 40 * 1024 * 1024
/** What a form is more than its files. */
const FORM_BYTES = 64 * 1024
/** What has come of forms that are on their way, together: slow lines send for minutes. Beyond it the one is cut that holds most for how fast it comes. */
const BYTES_AT_ONCE = 10 * UPLOAD_BYTES
/** What one person may have announced. */
const BYTES_AT_ONCE_EACH = UPLOAD_BYTES + FORM_BYTES
const FORMS_AT_ONCE_EACH = 2
/** Each file is read by the renderer and by the signer before it is taken. */
const UPLOADS = { burst: 40, perSecond: 0.05 } as const

export const uploadLimits = { limitBytes: UPLOAD_BYTES + FORM_BYTES, isSlow: true } as const

/**
 * Who may send files, judged before a byte of them is read: signed in, not too often, and not too many at once.
 *
 * `tooLarge` shows what was too large on the page that it came from.
 */
export function createUploads(pages: Pick<AreaPages, 'findVisit'>) {
  const limit = createAddressLimit({ allowance: UPLOADS, networkOf: (accountId) => accountId })
  const hold = createBodyHold({ bytes: BYTES_AT_ONCE, bytesEach: BYTES_AT_ONCE_EACH, bodiesEach: FORMS_AT_ONCE_EACH, longest: uploadLimits.limitBytes })

  return (tooLarge: (ctx: HttpContext, visit: Visit) => Promise<void> | void): HttpMiddleware =>
    async (ctx, next) => {
      const visit = await pages.findVisit(ctx)
      if (visit === undefined) return seeOther(ctx, entranceTo(PAGE))
      const { id } = visit.account
      limit.check(id)
      limit.spend(id)
      try {
        await hold(ctx, id, next)
      } catch (error) {
        if (!isProblem(error, HTTP_PROBLEMS.tooLarge)) throw error
        ctx.status = 413
        await tooLarge(ctx, visit)
      }
    }
}
export type Uploads = ReturnType<typeof createUploads>
