import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { HALL, limitAddresses } from '../public-limit.routes.ts'
import type { Unit } from '../staff/unit.store.ts'
import { QUEUE_PROBLEMS } from './problems.ts'
import type { Queue } from './queue.ts'
import { labelOf, TICKET_KINDS } from './ticket.ts'
import { PRIORITY_REASONS, type PriorityReason } from './turn.ts'

export interface PanelDependencies {
  readonly views: Views
  readonly queue: Queue
}

/** Without scripts the screen asks again after this time. */
const REFRESH_SECONDS = 8

const code = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/).max(60)
const screen = z.object({ unit: code })
const tablet = z.object({ unit: code, key: z.string().min(1).max(60) })
const label = z.string().regex(/^[PHN]\d{3}$/)
const given = z.object({ senha: label.optional() })
const reason = z.enum(Object.keys(PRIORITY_REASONS) as [PriorityReason, ...PriorityReason[]], 'platform.field.required')
const form = z.object({ kind: z.enum(TICKET_KINDS, 'platform.field.required'), reason })
/** All that the screen's address gives away: numbers, desks and times. */
const shownCalls = z.object({
  calls: z.array(z.object({ label, desk: z.number(), at: z.iso.datetime(), calls: z.number() })),
  waiting: z.number(),
})

type Screen = z.output<typeof screen>
type Tablet = z.output<typeof tablet>
interface Asked<P> {
  readonly params: P
}

/** What everybody in the hall sees: the screen of calls, and the tablet at the entrance that gives numbers. No name, no CPF, no sign-in. */
export function createPanelRoutes({ views, queue }: PanelDependencies): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))
  router.use(['/painel', '/senha'], limitAddresses(HALL))

  async function getUnit(unitCode: string): Promise<Unit> {
    const unit = await queue.findUnit(unitCode)
    if (unit === undefined) throw new Problem(HTTP_PROBLEMS.notFound)
    return unit
  }
  async function getTabletUnit({ unit: unitCode, key }: Tablet): Promise<Unit> {
    const unit = await getUnit(unitCode)
    if (!(await queue.isTabletKey(unit.id, key))) throw new Problem(HTTP_PROBLEMS.notFound)
    return unit
  }
  async function callsOf(unit: Unit): Promise<z.output<typeof shownCalls>> {
    const { calls, waiting } = await queue.shown(unit.id)
    return {
      calls: calls.map((ticket) => ({ label: labelOf(ticket), desk: ticket.desk ?? 0, at: (ticket.calledAt ?? ticket.issuedAt).toISOString(), calls: ticket.calls })),
      waiting,
    }
  }
  const showTablet = async (ctx: HttpContext, params: Tablet, page: { errors?: FieldErrors; typed?: Typed; label?: string | undefined } = {}) => {
    const unit = await getTabletUnit(params)
    views.render(ctx, 'helpdesk/tablet', { unit, here: `/senha/${unit.code}/${params.key}`, kinds: TICKET_KINDS, reasons: Object.keys(PRIORITY_REASONS), ...page })
  }

  router.get(
    '/painel/:unit',
    guard({ params: screen }, async (ctx, { params }: Asked<Screen>) => {
      const unit = await getUnit(params.unit)
      views.render(ctx, 'helpdesk/panel', { unit, ...(await callsOf(unit)), refreshSeconds: REFRESH_SECONDS })
    }),
  )
  router.get(
    '/painel/:unit/chamadas',
    guard({ params: screen, response: shownCalls }, async (ctx, { params }: Asked<Screen>) => {
      ctx.body = await callsOf(await getUnit(params.unit))
    }),
  )
  router.get(
    '/senha/:unit/:key',
    guard({ params: tablet, query: given }, (ctx, { params, query }) => showTablet(ctx, params, { label: query.senha })),
  )
  router.post(
    '/senha/:unit/:key',
    guard(
      { params: tablet, body: form, keep: ['kind', 'reason'], onInvalid: (ctx, { params, errors, typed }) => showTablet(ctx, params, { errors, typed }) },
      async (ctx, { params, body }) => {
        const unit = await getTabletUnit(params)
        try {
          const ticket = await queue.issue({ unitId: unit.id, kind: body.kind, class: PRIORITY_REASONS[body.reason] }, 'tablet', { kind: 'system' })
          seeOther(ctx, `/senha/${unit.code}/${params.key}?senha=${labelOf(ticket)}`)
        } catch (error) {
          if (!isProblem(error, QUEUE_PROBLEMS.lineFull)) throw error
          ctx.status = 429
          await showTablet(ctx, params, { errors: { '': 'queue.tablet.full' }, typed: { ...body } })
        }
      },
    ),
  )
  return router
}
