import Router from '@koa/router'
import { z } from 'zod'
import { formatCpf, parseCpf } from '../../accounts/index.ts'
import { type FieldErrors, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf } from '../attendance/case-pages.ts'
import { serveImage } from '../capture/serve-image.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { DOUBTS } from './sample.ts'
import type { Samples, SecondLook } from './samples.ts'

export interface SampleRoutesDependencies {
  readonly pages: DeskPages
  readonly samples: Samples
  readonly noteSeen: Attendances['noteSeen']
}

const PAGE = '/balcao/conferencias'
const query = z.object({ feito: z.enum(['matches', 'contradicted', 'decided']).optional() })
const judging = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('matches') }),
  z.object({ verdict: z.literal('contradicted'), reason: z.enum(DOUBTS, 'platform.field.required') }),
])
type Params = { params: AttendanceParams }

/** Second looks at approvals that the server drew: the list, each with what its approver saw, and the verdict. */
export function createSampleRoutes({ pages, samples, noteSeen }: SampleRoutesDependencies): Router {
  const [router, params] = [new Router(), attendanceParams]
  const list = pages.only('samples', async (ctx, visit, { query: { feito } }: { query: z.output<typeof query> }) => {
    const rows = (await samples.list(handOf(visit, 'supervisor'))).map(({ attendanceId, ...one }) => ({ ...one, href: `${PAGE}/${attendanceId}` }))
    pages.show(ctx, visit, { section: 'samples', view: 'samples', data: { rows, told: feito } })
  })
  async function show(ctx: HttpContext, visit: DeskVisit, id: string, errors?: FieldErrors): Promise<void> {
    const hand = handOf(visit, 'supervisor')
    const look = await samples.open(id, hand)
    await noteSeen(look.attendance, hand)
    pages.show(ctx, visit, { section: 'samples', view: 'sample', data: { ...sheetOf(look), ...(errors && { errors }) } })
  }
  const open = pages.only('samples', (ctx, visit, { params: { id } }: Params) => show(ctx, visit, id))
  const wrong = pages.only('samples', (ctx, visit, { params: { id }, errors }: Params & { errors: FieldErrors }) => show(ctx, visit, id, errors))
  const judge = pages.only('samples', async (ctx, visit, { params: { id }, body }: Params & { body: z.output<typeof judging> }) => {
    const told = await samples.judge(id, handOf(visit, 'supervisor'), body.verdict === 'matches' ? undefined : body.reason).then(
      () => body.verdict,
      (error: unknown) => {
        if (isProblem(error, HELPDESK_PROBLEMS.reviewDecided)) return 'decided'
        throw error
      },
    )
    seeOther(ctx, `${PAGE}?feito=${told}`)
  })
  const image = pages.only('samples', async (ctx, visit, { params: { id, item } }: { params: { id: string; item: string } }) => {
    serveImage(ctx, await samples.openImage(id, item, handOf(visit, 'supervisor')))
  })

  router.get(PAGE, guard({ query }, list))
  router.get(`${PAGE}/:id`, guard({ params }, open))
  router.post(`${PAGE}/:id`, guard({ params, body: judging, onInvalid: wrong }, judge))
  router.get(`${PAGE}/:id/imagem/:item`, guard({ params: z.object({ id: z.uuid(), item: z.uuid() }) }, image))
  return router
}

/** What the approver compared, from where it is kept since. */
function sheetOf({ attendance, sample, images, before, isWaiting }: SecondLook): object {
  const { id, protocol, reason, checks } = attendance
  const [facts, seen] = [attendance.facts.reveal(), sample.seen.reveal()]
  const cpf = parseCpf(facts.cpf)
  const shown = images.filter(({ width, contentType }) => width > 0 && contentType !== 'image/x-wsq')
  return {
    page: `${PAGE}/${id}`,
    isWaiting,
    protocol,
    reason,
    checks,
    person: { ...facts, cpf: cpf && formatCpf(cpf) },
    document: seen?.document,
    differences: seen?.differences ?? [],
    pictures: shown.map(({ id: item, kind, slot }) => ({ href: `${PAGE}/${id}/imagem/${item}`, kind, slot })),
    before: before && `${PAGE}/${id}/imagem/${before.id}`,
    doubts: DOUBTS,
  }
}
