import Router from '@koa/router'
import QRCode from 'qrcode'
import { z } from 'zod'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { Attendance } from '../attendance/attendance.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { SCREEN_STATES } from './consent.ts'
import { type Consents, PAIRING_SECONDS } from './consents.ts'
import { SCREEN_PAGE } from './screen.routes.ts'

export interface ConsentRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly consents: Pick<Consents, 'offer' | 'release' | 'stateOf' | 'answerOf'>
  readonly publicUrl: string
}

const asksWays = ({ reason }: Attendance): boolean => CASE_TYPES[reason].request === 'kept-ways'

const PAGE = '/balcao/atendimentos/:id/concordancia'
/** Another address for each answer, so that the script which saw it arrive reads the page anew. */
const seenQuery = z.object({ visto: z.enum(SCREEN_STATES).optional() })
type Params = { params: AttendanceParams }

/** The attendant's side of the second screen: the code for it, and what the citizen answered, as soon as they did. */
export function createConsentRoutes({ pages, attendances, consents, publicUrl }: ConsentRoutesDependencies): Router {
  const router = new Router()
  const params = attendanceParams

  async function show(ctx: HttpContext, visit: DeskVisit, id: string, offered?: { link: string; code: string }): Promise<void> {
    const attendance = await getHeld(visit, id)
    const address = offered && `${publicUrl}${SCREEN_PAGE}/${offered.link}`
    const offer = offered && address && { code: offered.code, address, qr: await QRCode.toDataURL(address, { margin: 1, width: 320 }), minutes: PAIRING_SECONDS / 60 }
    const [state, answer] = [await consents.stateOf(id), await consents.answerOf(id)]
    const data = { page: pageOfCase(id), protocol: attendance.protocol, asksWays: attendance.state === 'captured', state, answer, offer, typed: publicUrl.replace(/^https?:\/\//, '') + SCREEN_PAGE }
    pages.show(ctx, visit, { section: 'attendances', view: 'consent', data: { ...data, scripts: ['watch.js'] } })
  }
  async function getHeld(visit: DeskVisit, id: string) {
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (attendance.holderId !== visit.account.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother)
    if (attendance.state !== 'open' && !(attendance.state === 'captured' && asksWays(attendance))) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    return attendance
  }

  const open = telling(pages, (ctx, visit, { params: { id } }: Params) => show(ctx, visit, id))
  const offer = telling(pages, async (ctx, visit, { params: { id } }: Params) => {
    await show(ctx, visit, id, await consents.offer(id, handOf(visit, 'attendant')))
  })
  const release = telling(pages, async (ctx, visit, { params: { id } }: Params) => {
    await consents.release(id, handOf(visit, 'attendant'))
    seeOther(ctx, `${pageOfCase(id)}/concordancia`)
  })
  const watch = pages.only('attendances', async (ctx, visit, { params: { id } }: Params) => {
    await attendances.get(id, { unitId: visit.unit.id })
    ctx.body = { state: await consents.stateOf(id) }
  })

  router.get(PAGE, guard({ params, query: seenQuery }, open))
  router.post(PAGE, guard({ params }, offer))
  router.post(`${PAGE}/desligar`, guard({ params }, release))
  router.get(`${PAGE}/estado`, guard({ params, response: z.object({ state: z.enum(SCREEN_STATES) }) }, watch))
  return router
}
