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
/** Forms that are read at the same time: each may hold so many bytes in memory. */
const AT_ONCE = 6
/** Of these, forms of one person: whoever sends slowly does not keep the others out. */
const AT_ONCE_EACH = 2
/** Each file is read by the renderer and by the signer before it is taken. */
const UPLOADS = { burst: 40, perSecond: 0.05 } as const

export const uploadLimits = { limitBytes: UPLOAD_BYTES + FORM_BYTES } as const

/**
 * Who may send files, judged before a byte of them is read: signed in, not too often, and not too many at once.
 *
 * `tooLarge` shows what was too large on the page that it came from.
 */
export function createUploads(pages: Pick<AreaPages, 'findVisit'>) {
  const limit = createAddressLimit({ allowance: UPLOADS, networkOf: (accountId) => accountId })
  let running = 0
  const ofPerson = new Map<string, number>()

  return (tooLarge: (ctx: HttpContext, visit: Visit) => Promise<void> | void): HttpMiddleware =>
    async (ctx, next) => {
      const visit = await pages.findVisit(ctx)
      if (visit === undefined) return seeOther(ctx, entranceTo(PAGE))
      limit.check(visit.account.id)
      limit.spend(visit.account.id)
      const { id } = visit.account
      const own = ofPerson.get(id) ?? 0
      if (running >= AT_ONCE || own >= AT_ONCE_EACH) throw new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: 10 })
      running += 1
      ofPerson.set(id, own + 1)
      try {
        await next()
      } catch (error) {
        if (!isProblem(error, HTTP_PROBLEMS.tooLarge)) throw error
        ctx.status = 413
        await tooLarge(ctx, visit)
      } finally {
        running -= 1
        const left = (ofPerson.get(id) ?? 1) - 1
        if (left > 0) ofPerson.set(id, left)
        else ofPerson.delete(id)
      }
    }
}
export type Uploads = ReturnType<typeof createUploads>
