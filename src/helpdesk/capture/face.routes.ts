import Router from '@koa/router'
import { z } from 'zod'
import { createAddressLimit } from '../../accounts/index.ts'
import { ImageRefused, PHOTO_LIMITS } from '../../biometrics/index.ts'
import { bytes, file, guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { LEAST_SHOTS } from '../attendance/attendance.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { FRAMES } from '../public-limit.routes.ts'
import type { Captures } from './captures.ts'

export interface FaceRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly captures: Captures
  readonly messages: Messages
}

const PAGE = '/balcao/atendimentos/:id/rosto'
const FRAME_BYTES = 1_000_000
const TYPES = ['image/jpeg', 'application/octet-stream']
/** How wide the shot will be that this frame is a small one of. */
const frameQuery = z.object({ largura: z.coerce.number().int().min(1).max(4000).optional() })
type FrameQuery = z.output<typeof frameQuery>
const upload = z.object({ file })
type Upload = z.output<typeof upload>
type Params = { params: AttendanceParams }

/** The face at the counter: what to change while the camera looks, then at least three shots; or files, without a script. */
export function createFaceRoutes({ pages, attendances, captures, messages }: FaceRoutesDependencies): Router {
  const router = new Router()
  const params = attendanceParams
  // By who is signed in: a unit's desks share an address.
  const frames = createAddressLimit({ allowance: FRAMES, networkOf: (accountId) => accountId })

  async function show(ctx: HttpContext, visit: DeskVisit, id: string, reasons: readonly string[] = []): Promise<void> {
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (attendance.holderId !== visit.account.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother)
    if (attendance.state !== 'open') throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    if (CASE_TYPES[attendance.reason].face === 'proves' && (await captures.agreement(id))?.given !== true) return seeOther(ctx, `${pageOfCase(id)}/concordancia`)
    const shots = (await captures.list(id)).filter(({ kind }) => kind === 'face')
    const pictures = shots.map((item) => `${pageOfCase(id)}/imagem/${item.id}`)
    const page = pageOfCase(id)
    const data = { id, page, protocol: attendance.protocol, pictures, leastShots: LEAST_SHOTS, reasons, scripts: ['counter-camera.js'] }
    pages.show(ctx, visit, { section: 'attendances', view: 'face', data })
  }

  const open = telling(pages, (ctx, visit, { params: { id } }: Params) => show(ctx, visit, id))
  const guide = pages.only('attendances', async (ctx, visit, { body, query }: { body: Buffer; query: FrameQuery }) => {
    frames.check(visit.account.id)
    frames.spend(visit.account.id)
    const reasons = await captures.guide(body, visit.unit.rules.faceProfile, query.largura).catch(reasonsOfRefused)
    ctx.status = 200
    ctx.body = { reasons: reasons.map((code) => messages.text(localeOf(ctx), code)) }
  })
  const shoot = pages.only('attendances', async (ctx, visit, { params: { id }, body }: Params & { body: Buffer }) => {
    const { reasons, shots } = await judge(visit, id, body)
    ctx.status = reasons.length === 0 ? 201 : 422
    ctx.body = { reasons: reasons.map((code) => messages.text(localeOf(ctx), code)), shots, enough: shots >= LEAST_SHOTS }
  })
  const take = telling(pages, async (ctx, visit, { params: { id }, body }: Params & { body: Upload }) => {
    const { reasons } = await judge(visit, id, body.file.bytes)
    if (reasons.length === 0) return seeOther(ctx, `${pageOfCase(id)}/rosto`)
    ctx.status = 422
    await show(ctx, visit, id, reasons)
  })
  const noFile = telling(pages, async (ctx, _visit, { params: { id } }: Params) => seeOther(ctx, `${pageOfCase(id)}?aviso=picture`))
  const clear = telling(pages, async (ctx, visit, { params: { id } }: Params) => {
    await captures.clearShots(id, handOf(visit, 'attendant'))
    seeOther(ctx, `${pageOfCase(id)}/rosto`)
  })

  async function judge(visit: DeskVisit, id: string, photo: Uint8Array): Promise<{ reasons: readonly string[]; shots: number }> {
    try {
      return await captures.addShot(id, photo, handOf(visit, 'attendant'), visit.unit.rules.faceProfile)
    } catch (error) {
      const shots = (await captures.list(id)).filter(({ kind }) => kind === 'face').length
      return { reasons: reasonsOfRefused(error), shots }
    }
  }

  const response = z.object({ reasons: z.array(z.string()), shots: z.number().optional(), enough: z.boolean().optional() })
  router.get(PAGE, guard({ params }, open))
  router.post(PAGE, guard({ params, consumes: 'upload', limitBytes: PHOTO_LIMITS.maxBytes, body: upload, onInvalid: noFile }, take))
  router.post(`${PAGE}/quadro`, guard({ params, query: frameQuery, consumes: 'bytes', contentTypes: TYPES, limitBytes: FRAME_BYTES, body: bytes, response }, guide))
  router.post(`${PAGE}/foto`, guard({ params, consumes: 'bytes', contentTypes: TYPES, limitBytes: PHOTO_LIMITS.maxBytes, body: bytes, response }, shoot))
  router.post(`${PAGE}/limpar`, guard({ params }, clear))
  return router
}

/** What is no usable picture at all is told like any other fault of one. */
function reasonsOfRefused(error: unknown): readonly string[] {
  if (error instanceof ImageRefused) return [`helpdesk.picture.${error.code}`]
  throw error
}
