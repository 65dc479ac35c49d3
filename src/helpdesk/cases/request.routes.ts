import Router from '@koa/router'
import { z } from 'zod'
import { parsePersonName } from '../../accounts/index.ts'
import { type FieldErrors, guard, listOf, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { Attendance } from '../attendance/attendance.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import { serveImage } from '../capture/serve-image.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { CASE_TYPES } from './case-type.ts'
import { type CaseRequest, WRONG_FINDINGS } from './request.ts'
import type { Requests } from './requests.ts'

export interface RequestRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'get'>
  readonly requests: Requests
}

const PAGE = '/balcao/atendimentos/:id/pedido'
const yes = z.literal('sim').optional()
const form = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('social-name'), socialName: z.string().trim().max(80) }),
  z.object({ kind: z.literal('lost-phone'), passkeys: listOf(z.uuid()), totp: yes, phone: yes }),
  z.object({
    kind: z.literal('wrong-person'),
    images: listOf(z.uuid()).refine((ids) => ids.length > 0, 'helpdesk.field.images'),
    finding: z.enum(WRONG_FINDINGS, 'platform.field.required'),
    note: z.string().trim().min(1, 'platform.field.required').max(500),
  }),
])
type Form = z.output<typeof form>
const BAD_NAME: FieldErrors = { socialName: 'helpdesk.field.social-name' }

/** What the person asks for, where their reason has a request: a social name, the lost ways in, the images that are not theirs. */
export function createRequestRoutes({ pages, attendances, requests }: RequestRoutesDependencies): Router {
  const router = new Router()
  const params = attendanceParams

  async function getDraft(visit: DeskVisit, id: string): Promise<Attendance> {
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (attendance.holderId !== visit.account.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother)
    const { request } = CASE_TYPES[attendance.reason]
    if (attendance.state !== 'open' || request === undefined || request === 'kept-ways') throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    return attendance
  }
  async function show(ctx: HttpContext, visit: DeskVisit, id: string, more: { errors?: FieldErrors; typed?: Typed } = {}): Promise<void> {
    const attendance = await getDraft(visit, id)
    if (more.errors !== undefined) ctx.status = 422
    const { request } = attendance.facts.reveal()
    const data = {
      page: pageOfCase(id), protocol: attendance.protocol, kind: CASE_TYPES[attendance.reason].request, request,
      ...(await requests.choices(attendance)), findings: WRONG_FINDINGS, ...more,
    }
    pages.show(ctx, visit, { section: 'attendances', view: 'request', data })
  }

  const open = telling(pages, (ctx, visit, { params: { id } }: { params: AttendanceParams }) => show(ctx, visit, id))
  const wrong = telling(pages, (ctx, visit, { params: { id }, errors, typed }: { params: AttendanceParams; errors: FieldErrors; typed: Typed }) =>
    show(ctx, visit, id, { errors, typed }),
  )
  const save = telling(pages, async (ctx, visit, { params: { id }, body }: { params: AttendanceParams; body: Form }) => {
    const request = requestOf(body)
    if (request === undefined) return show(ctx, visit, id, { errors: BAD_NAME })
    await requests.save(id, request, handOf(visit, 'attendant'))
    seeOther(ctx, pageOfCase(id))
  })
  const image = pages.only('attendances', async (ctx, visit, { params: { id, image: imageId } }: { params: { id: string; image: string } }) => {
    serveImage(ctx, await requests.openImage(await getDraft(visit, id), imageId, handOf(visit, 'attendant')))
  })
  router.get(PAGE, guard({ params }, open))
  router.post(PAGE, guard({ params, body: form, keep: ['finding', 'note'], onInvalid: wrong }, save))
  router.get(`${PAGE}/imagem/:image`, guard({ params: z.object({ id: z.uuid(), image: z.uuid() }) }, image))
  return router
}

function requestOf(typed: Form): CaseRequest | undefined {
  switch (typed.kind) {
    case 'social-name': {
      const socialName = typed.socialName === '' ? '' : parsePersonName(typed.socialName)
      return socialName === undefined ? undefined : { kind: typed.kind, socialName }
    }
    case 'lost-phone':
      return { kind: typed.kind, passkeyIds: typed.passkeys, totp: typed.totp === 'sim', phone: typed.phone === 'sim' }
    case 'wrong-person':
      return { kind: typed.kind, imageIds: typed.images, finding: typed.finding, note: typed.note }
  }
}
