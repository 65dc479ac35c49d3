import Router from '@koa/router'
import QRCode from 'qrcode'
import { CODE_TTL_SECONDS } from '../../accounts/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { BINDING_SECONDS, type Bindings } from './bindings.ts'

export interface OfferRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly bindings: Bindings
  readonly publicUrl: string
}

const PAGE = '/balcao/atendimentos/:id/conta'

/** The counter's side: a QR code and six digits for the citizen's own device. Staff who open the link themselves are refused like anybody. */
export function createOfferRoutes({ pages, attendances, bindings, publicUrl }: OfferRoutesDependencies): Router {
  const router = new Router()
  const params = attendanceParams

  async function show(ctx: HttpContext, visit: DeskVisit, id: string, offered?: { link: string; code: string }): Promise<void> {
    const { protocol } = await attendances.get(id, { unitId: visit.unit.id })
    const address = offered && `${publicUrl}/conta/balcao/${offered.link}`
    const offer = offered && address && { code: offered.code, qr: await QRCode.toDataURL(address, { margin: 1, width: 320 }), minutes: BINDING_SECONDS / 60, codeMinutes: CODE_TTL_SECONDS / 60 }
    const data = { page: pageOfCase(id), protocol, binding: await bindings.stateOf(id), offer, site: publicUrl.replace(/^https?:\/\//, '') }
    pages.show(ctx, visit, { section: 'attendances', view: 'bind-offer', data: { ...data, address: `${data.site}/conta/balcao` } })
  }
  const open = telling(pages, (ctx, visit, { params: { id } }: { params: AttendanceParams }) => show(ctx, visit, id))
  const offer = telling(pages, async (ctx, visit, { params: { id } }: { params: AttendanceParams }) => {
    await show(ctx, visit, id, await bindings.offer(id, handOf(visit, 'attendant')))
  })
  router.get(PAGE, guard({ params }, open))
  router.post(PAGE, guard({ params }, offer))
  return router
}
