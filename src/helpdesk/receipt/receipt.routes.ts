import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { isDraft } from '../attendance/attendance.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import type { DeskPages } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { LINK, limitAddresses } from '../public-limit.routes.ts'
import type { ReceiptMailDependencies, ReceiptMails } from './receipt-mail.ts'
import type { Receipts } from './receipts.ts'

export interface ReceiptRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly makeFile: ReceiptMailDependencies['makeFile']
  readonly mails: Pick<ReceiptMails, 'send'>
}

/** The receipt as a file to print or in a message to the citizen, by whoever holds the case, once it was sent for approval. */
export function createReceiptRoutes({ pages, attendances, makeFile, mails }: ReceiptRoutesDependencies): Router {
  const router = new Router()
  const print = telling(pages, async (ctx, visit, { params: { id } }: { params: AttendanceParams }) => {
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (attendance.holderId !== visit.account.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother)
    if (isDraft(attendance)) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    sendFile(ctx, { protocol: attendance.protocol, file: await makeFile(attendance, localeOf(ctx)) })
  })
  const send = telling(pages, async (ctx, visit, { params: { id } }: { params: AttendanceParams }) => {
    await mails.send(id, handOf(visit, 'attendant'))
    seeOther(ctx, `${pageOfCase(id)}?aviso=receipt-sent`)
  })
  router.get('/balcao/atendimentos/:id/comprovante', guard({ params: attendanceParams }, print))
  router.post('/balcao/atendimentos/:id/comprovante', guard({ params: attendanceParams }, send))
  return router
}

function sendFile(ctx: HttpContext, { protocol, file }: { protocol: string; file: Buffer }): void {
  ctx.status = 200
  ctx.set('Cache-Control', 'no-store')
  ctx.set('Content-Disposition', `attachment; filename="comprovante-${protocol}.pdf"`)
  ctx.type = 'application/pdf'
  ctx.body = file
}

const checking = z.object({ id: z.uuid(), code: z.string().regex(/^[\w-]{20}$/) })

const taking = z.object({ token: z.string().regex(/^[\w-]{43}$/) })

export interface PublicReceiptDependencies {
  readonly receipts: Pick<Receipts, 'check'>
  readonly mails: Pick<ReceiptMails, 'isOpen' | 'take'>
  readonly views: Views
}

/** Where anybody checks a receipt by the address in its QR code, and the citizen fetches the one that was sent; nothing here names the person. */
export function createPublicReceiptRoutes({ receipts, mails, views }: PublicReceiptDependencies): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))
  router.use(['/comprovante', '/comprovantes'], limitAddresses(LINK))
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
      role: found.attendance.holderRole,
      by: found.by,
    }
    views.render(ctx, 'helpdesk/receipt', { found: shown })
  })
  router.get('/comprovante/:id/:code', check)
  const show = (ctx: HttpContext, token: string, isOpen: boolean): void => {
    ctx.status = isOpen ? 200 : 410
    ctx.set('Cache-Control', 'no-store')
    views.render(ctx, 'helpdesk/receipt-link', { isOpen, action: `/comprovantes/${token}` })
  }
  router.get(
    '/comprovantes/:token',
    guard({ params: taking }, async (ctx, { params: { token } }) => show(ctx, token, await mails.isOpen(token))),
  )
  router.post(
    '/comprovantes/:token',
    guard({ params: taking }, async (ctx, { params: { token } }) => {
      const taken = await mails.take(token, localeOf(ctx))
      if (taken === undefined) return show(ctx, token, false)
      sendFile(ctx, taken)
    }),
  )
  return router
}
