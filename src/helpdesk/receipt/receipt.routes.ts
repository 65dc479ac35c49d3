import Router from '@koa/router'
import { z } from 'zod'
import type { Documents } from '../../platform/documents/documents.ts'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Views } from '../../platform/http/views.ts'
import { Problem } from '../../platform/problem.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, telling } from '../attendance/case-pages.ts'
import type { DeskPages } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { Receipts } from './receipts.ts'

export interface ReceiptRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly receipts: Receipts
  readonly documents: Pick<Documents, 'render'>
}

/** The receipt as a file to print, for whoever holds the case, once it was sent for approval. */
export function createReceiptRoutes({ pages, attendances, receipts, documents }: ReceiptRoutesDependencies): Router {
  const router = new Router()
  const print = telling(pages, async (ctx, visit, { params: { id } }: { params: AttendanceParams }) => {
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (attendance.holderId !== visit.account.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother)
    if (attendance.state === 'open' || attendance.state === 'captured') throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    const file = await documents.render(await receipts.write(attendance, localeOf(ctx)))
    ctx.status = 200
    ctx.set('Content-Disposition', `attachment; filename="comprovante-${attendance.protocol}.pdf"`)
    ctx.type = 'application/pdf'
    ctx.body = file
  })
  router.get('/balcao/atendimentos/:id/comprovante', guard({ params: attendanceParams }, print))
  return router
}

const checking = z.object({ id: z.uuid(), code: z.string().regex(/^[\w-]{20}$/) })

/** Where anybody checks a receipt by the address in its QR code; nothing here names the person. */
export function createReceiptCheckRoutes({ receipts, views }: { receipts: Pick<Receipts, 'check'>; views: Views }): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))
  const check = guard({ params: checking }, async (ctx, { params: { id, code } }) => {
    const found = await receipts.check(id, code)
    ctx.status = found === undefined ? 404 : 200
    const shown = found && {
      protocol: found.attendance.protocol,
      state: found.attendance.state,
      reason: found.attendance.reason,
      openedAt: found.attendance.openedAt,
      unit: found.unit,
      kinds: found.kinds,
    }
    views.render(ctx, 'helpdesk/receipt', { found: shown })
  })
  router.get('/comprovante/:id/:code', check)
  return router
}
