import Router from '@koa/router'
import { z } from 'zod'
import { formatCpf, parseCpf } from '../../accounts/index.ts'
import { type FieldErrors, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { seeOther } from '../../portal/index.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf } from '../attendance/case-pages.ts'
import type { Captures } from '../capture/captures.ts'
import { serveImage } from '../capture/serve-image.ts'
import { bestShot } from '../capture/template.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import type { FraudReviews } from './fraud-reviews.ts'
import { REASONS_OF_KIND, REVIEW_REASONS, type ReviewKind } from './review.store.ts'

export interface FraudRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Pick<Attendances, 'noteSeen'>
  readonly reviews: FraudReviews
  readonly captures: Captures
}

const PAGE = '/balcao/fraudes'
const query = z.object({ feito: z.enum(['confirmed', 'dismissed', 'image-confirmed', 'image-dismissed', 'doubt-confirmed', 'doubt-dismissed']).optional() })
const TOLD_BY_KIND: Partial<Record<ReviewKind, string>> = { 'wrong-person': 'image-', 'second-look': 'doubt-' }
const deciding = z.object({ reason: z.enum(REVIEW_REASONS, 'platform.field.required') })
type Params = { params: AttendanceParams }

/** Cases that the face search stopped; both sides are on one page, for the reviewer alone. */
export function createFraudRoutes({ pages, attendances, reviews, captures }: FraudRoutesDependencies): Router {
  const router = new Router()
  const params = attendanceParams

  const list = pages.only('fraud', async (ctx, visit, { query: { feito } }: { query: z.output<typeof query> }) => {
    const rows = (await reviews.list(handOf(visit, 'supervisor'))).map(({ id, kind, createdAt }) => ({ href: `${PAGE}/${id}`, kind, createdAt }))
    pages.show(ctx, visit, { section: 'fraud', view: 'frauds', data: { rows, told: feito } })
  })
  async function show(ctx: HttpContext, visit: DeskVisit, id: string, errors?: FieldErrors): Promise<void> {
    const { review, attendance, other } = await reviews.open(id, handOf(visit, 'supervisor'))
    await attendances.noteSeen(attendance, handOf(visit, 'supervisor'))
    const shot = bestShot(await captures.list(attendance.id))
    const facts = attendance.facts.reveal()
    const cpfOf = (text: string | undefined) => {
      const cpf = parseCpf(text ?? '')
      return cpf && formatCpf(cpf)
    }
    const sides = {
      now: { picture: shot && `${PAGE}/${id}/captura`, name: facts.name, cpf: cpfOf(facts.cpf) },
      other: { picture: `${PAGE}/${id}/outra`, name: other?.name, cpf: cpfOf(other?.cpf) },
    }
    const data = { page: `${PAGE}/${id}`, kind: review.kind, protocol: attendance.protocol, sides, reasons: REASONS_OF_KIND[review.kind], look: review.kind === 'second-look' ? `/balcao/conferencias/${attendance.id}` : undefined, ...(errors && { errors }) }
    pages.show(ctx, visit, { section: 'fraud', view: 'fraud', data })
  }
  const open = pages.only('fraud', (ctx, visit, { params: { id } }: Params) => show(ctx, visit, id))
  const wrong = pages.only('fraud', (ctx, visit, { params: { id }, errors }: Params & { errors: FieldErrors }) => show(ctx, visit, id, errors))
  const decide = pages.only('fraud', async (ctx, visit, { params: { id }, body }: Params & { body: z.output<typeof deciding> }) => {
    const { kind, state } = await reviews.decide(id, handOf(visit, 'supervisor'), body.reason)
    seeOther(ctx, `${PAGE}?feito=${TOLD_BY_KIND[kind] ?? ''}${state}`)
  })
  const capture = pages.only('fraud', async (ctx, visit, { params: { id } }: Params) => {
    const { attendance } = await reviews.open(id, handOf(visit, 'supervisor'))
    serveImage(ctx, await captures.open(attendance.id, bestShot(await captures.list(attendance.id))?.id ?? attendance.id))
  })
  const other = pages.only('fraud', async (ctx, visit, { params: { id } }: Params) => {
    serveImage(ctx, await reviews.otherImage(id, handOf(visit, 'supervisor')))
  })

  router.get(PAGE, guard({ query }, list))
  router.get(`${PAGE}/:id`, guard({ params }, open))
  router.post(`${PAGE}/:id`, guard({ params, body: deciding, onInvalid: wrong }, decide))
  router.get(`${PAGE}/:id/captura`, guard({ params }, capture))
  router.get(`${PAGE}/:id/outra`, guard({ params }, other))
  return router
}
