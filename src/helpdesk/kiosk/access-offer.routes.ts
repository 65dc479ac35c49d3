import Router from '@koa/router'
import QRCode from 'qrcode'
import { CODE_TTL_SECONDS } from '../../accounts/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { ACCESS_SECONDS, type Access } from './access.ts'
import { KIOSK_PAGE } from './kiosk.routes.ts'

export interface AccessOfferDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly access: Pick<Access, 'offer'>
  readonly publicUrl: string
}

const PAGE = '/balcao/atendimentos/:id/acesso'

/** The attendant's side of a way in for whoever has none: a QR code and six digits. What they open wants the citizen's own face. */
export function createAccessOfferRoutes({ pages, attendances, access, publicUrl }: AccessOfferDependencies): Router {
  const router = new Router()
  const params = attendanceParams
  async function show(ctx: HttpContext, visit: DeskVisit, id: string, offered?: { link: string; code: string }): Promise<void> {
    const { protocol } = await attendances.get(id, { unitId: visit.unit.id })
    const address = offered && `${publicUrl}${KIOSK_PAGE}/acesso/${offered.link}`
    const offer = offered && address && {
      code: offered.code, qr: await QRCode.toDataURL(address, { margin: 1, width: 320 }), minutes: ACCESS_SECONDS / 60, codeMinutes: CODE_TTL_SECONDS / 60,
    }
    if (offer) ctx.set('Cache-Control', 'no-store')
    pages.show(ctx, visit, { section: 'attendances', view: 'access-offer', data: { page: pageOfCase(id), protocol, offer } })
  }
  const open = telling(pages, (ctx, visit, { params: { id } }: { params: AttendanceParams }) => show(ctx, visit, id))
  const make = telling(pages, async (ctx, visit, { params: { id } }: { params: AttendanceParams }) => {
    await show(ctx, visit, id, await access.offer(id, handOf(visit, 'attendant')))
  })
  router.get(PAGE, guard({ params }, open))
  router.post(PAGE, guard({ params }, make))
  return router
}
