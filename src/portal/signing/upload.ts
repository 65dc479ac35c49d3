import { createAddressLimit } from '../../accounts/index.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext, HttpMiddleware } from '../../platform/http/request-facts.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import { entranceTo } from '../area.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'
import { PAGE } from './desk.ts'

/** Of one form; who has more adds them in a second one. */
export const UPLOAD_BYTES = 40 * 1024 * 1024
/** What a form is more than its files. */
const FORM_BYTES = 64 * 1024
/** What forms that are on their way may hold in memory together: slow lines send for minutes. */
const BYTES_AT_ONCE = 10 * UPLOAD_BYTES
/** Of these, one person's: whoever sends slowly does not keep the others out. */
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
  let held = 0
  const ofPerson = new Map<string, { forms: number; bytes: number }>()

  function take(id: string, bytes: number): void {
    const own = ofPerson.get(id) ?? { forms: 0, bytes: 0 }
    const isTooMuch = own.forms >= FORMS_AT_ONCE_EACH || (own.forms > 0 && own.bytes + bytes > BYTES_AT_ONCE_EACH) || held + bytes > BYTES_AT_ONCE
    if (isTooMuch) throw new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: 10 })
    held += bytes
    ofPerson.set(id, { forms: own.forms + 1, bytes: own.bytes + bytes })
  }
  function give(id: string, bytes: number): void {
    held -= bytes
    const own = ofPerson.get(id)
    if (!own || own.forms <= 1) ofPerson.delete(id)
    else ofPerson.set(id, { forms: own.forms - 1, bytes: own.bytes - bytes })
  }

  return (tooLarge: (ctx: HttpContext, visit: Visit) => Promise<void> | void): HttpMiddleware =>
    async (ctx, next) => {
      const visit = await pages.findVisit(ctx)
      if (visit === undefined) return seeOther(ctx, entranceTo(PAGE))
      const { id } = visit.account
      limit.check(id)
      limit.spend(id)
      const bytes = bytesOf(ctx)
      take(id, bytes)
      try {
        await next()
      } catch (error) {
        if (!isProblem(error, HTTP_PROBLEMS.tooLarge)) throw error
        ctx.status = 413
        await tooLarge(ctx, visit)
      } finally {
        give(id, bytes)
      }
    }
}
export type Uploads = ReturnType<typeof createUploads>

/** As long as it says that it is; as long as it may be where it does not say. More than that is refused before it is read. */
function bytesOf(ctx: HttpContext): number {
  const said = Number(ctx.get('Content-Length') || Number.NaN)
  return Number.isFinite(said) ? Math.min(said, uploadLimits.limitBytes) : uploadLimits.limitBytes
}
