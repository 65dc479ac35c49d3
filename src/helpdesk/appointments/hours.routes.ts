import Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { seeOther } from '../../portal/index.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import type { Queue } from '../queue/queue.ts'
import type { Appointments } from './appointments.ts'
import { formatMinutes, type HoursChange, parseMinutes } from './slots.ts'

export interface HoursRoutesDependencies {
  readonly pages: DeskPages
  readonly queue: Queue
  readonly appointments: Appointments
}

const PAGE = '/balcao/horarios'
/** Hours that the question names one by one. */
const SHOWN_HOURS = 10
const OUTCOMES = ['opening', 'closed-day', 'full-hour', 'rule', 'tablet'] as const
const query = z.object({ feito: z.enum(OUTCOMES).optional(), avisadas: z.coerce.number().int().min(0).max(100_000).optional() })
type Query = z.output<typeof query>

const minutes = z.string().transform((text, ctx) => {
  const value = parseMinutes(text)
  if (value === undefined) ctx.addIssue({ code: 'custom', message: 'appointments.field.time' })
  return value ?? z.NEVER
})
const number = (least: number, most: number) => z.coerce.number('appointments.field.number').int('appointments.field.number').min(least, 'appointments.field.number').max(most, 'appointments.field.number')
const weekday = number(0, 6)
/** Said once the page has told who loses an hour by the change. */
const confirmed = z.literal('sim').optional()
const openingForm = z
  .object({ weekday, opens: minutes, closes: minutes, slotMinutes: number(5, 240), capacity: number(1, 100), confirmed, beyond: z.enum(['keep', 'call-off']).optional() })
  .refine(({ opens, closes, slotMinutes }) => opens + slotMinutes <= closes, { message: 'appointments.field.closes', path: ['closes'] })
const closing = z.object({ weekday, confirmed })
const closedDay = z.object({ day: z.iso.date('appointments.field.day'), change: z.enum(['close', 'open']), confirmed })
const fullHour = z.object({ hour: z.iso.datetime().transform((text) => new Date(text)), confirmed })
const ruleForm = z.object({ lawRun: number(1, 10), bookedRun: number(1, 10) })

interface Asked<B> {
  readonly body: B
}
interface Refused {
  readonly errors: FieldErrors
  readonly typed: Typed
}

/** A unit's opening hours, closed days, the rule of its line and its tablet; by its managers. */
export function createHoursRoutes({ pages, queue, appointments }: HoursRoutesDependencies): Router {
  const router = new Router()

  async function show(ctx: HttpContext, visit: DeskVisit, page: { errors?: FieldErrors; typed?: Typed; outcome?: string | undefined; toldCount?: number | undefined }): Promise<void> {
    const { id, code } = visit.unit
    const openings = (await appointments.openings(id)).map((found) => ({ ...found, opens: formatMinutes(found.opens), closes: formatMinutes(found.closes) }))
    const data = {
      openings,
      closedDays: await appointments.closedDays(id),
      fullHours: await appointments.fullHours(id),
      rule: await queue.rule(id),
      tabletHref: `/senha/${code}/${await queue.tabletKey(id)}`,
      panelHref: `/painel/${code}`,
      ...page,
    }
    pages.show(ctx, visit, { section: 'hours', view: 'hours', data })
  }
  const onInvalid = pages.only('hours', (ctx, visit, { errors, typed }: Refused) => show(ctx, visit, { errors, typed }))
  const told = (ctx: HttpContext, outcome: (typeof OUTCOMES)[number], count = 0) => seeOther(ctx, `${PAGE}?feito=${outcome}${count > 0 ? `&avisadas=${count}` : ''}`)

  const open = pages.only('hours', (ctx, visit, { query: { feito, avisadas } }: { query: Query }) => show(ctx, visit, { outcome: feito, toldCount: avisadas }))
  /** Asks first when somebody loses an hour by it; then changes, and says how many were told. */
  async function change(ctx: HttpContext, visit: DeskVisit, asked: { change: HoursChange; fields: Record<string, string | number>; isConfirmed: boolean }): Promise<void> {
    const { unit, account } = visit
    const hit = asked.isConfirmed ? [] : await appointments.hitBy(unit.id, asked.change)
    const crowded = asked.isConfirmed ? [] : await appointments.crowdedBy(unit.id, asked.change)
    if (hit.length + crowded.length > 0) {
      const hoursOf = (all: readonly { readonly startsAt: Date }[]) => ({
        count: all.length,
        hours: all.slice(0, SHOWN_HOURS).map(({ startsAt }) => startsAt),
      })
      return pages.show(ctx, visit, { section: 'hours', view: 'hours-hit', data: { hit: hoursOf(hit), crowded: hoursOf(crowded), action: ctx.path, fields: asked.fields, back: PAGE } })
    }
    const count = await appointments.changeHours(unit.id, asked.change, account.id)
    told(ctx, outcomeOf(asked.change), count)
  }
  const setOpening = pages.only('hours', (ctx, visit, { body: { confirmed: said, beyond, ...opening } }: Asked<z.output<typeof openingForm>>) =>
    change(ctx, visit, {
      change: { weekday: opening.weekday, opening, callsOffBeyond: said === 'sim' && beyond === 'call-off' },
      fields: { ...opening, opens: formatMinutes(opening.opens), closes: formatMinutes(opening.closes) },
      isConfirmed: said === 'sim',
    }),
  )
  const close = pages.only('hours', (ctx, visit, { body }: Asked<z.output<typeof closing>>) =>
    change(ctx, visit, { change: { weekday: body.weekday, opening: undefined }, fields: { weekday: body.weekday }, isConfirmed: body.confirmed === 'sim' }),
  )
  const setClosed = pages.only('hours', async (ctx, visit, { body }: Asked<z.output<typeof closedDay>>) => {
    if (body.change === 'close') return change(ctx, visit, { change: { closedDay: body.day }, fields: { day: body.day, change: 'close' }, isConfirmed: body.confirmed === 'sim' })
    await appointments.reopenDay(visit.unit.id, body.day, visit.account.id)
    told(ctx, 'closed-day')
  })
  const easeHour = pages.only('hours', (ctx, visit, { body }: Asked<z.output<typeof fullHour>>) =>
    change(ctx, visit, { change: { fullHour: body.hour }, fields: { hour: body.hour.toISOString() }, isConfirmed: body.confirmed === 'sim' }),
  )
  const setRule = pages.only('hours', async (ctx, { unit, account }, { body }: Asked<z.output<typeof ruleForm>>) => {
    await queue.setRule(unit.id, body, account.id)
    told(ctx, 'rule')
  })
  const changeTablet = pages.only('hours', async (ctx, { unit, account }) => {
    await queue.changeTabletKey(unit.id, account.id)
    told(ctx, 'tablet')
  })

  router.get(PAGE, guard({ query }, open))
  router.post(PAGE, guard({ body: openingForm, keep: ['weekday', 'opens', 'closes', 'slotMinutes', 'capacity'], onInvalid }, setOpening))
  router.post(`${PAGE}/fechar`, guard({ body: closing }, close))
  router.post(`${PAGE}/dia`, guard({ body: closedDay, keep: ['day'], onInvalid }, setClosed))
  router.post(`${PAGE}/excesso`, guard({ body: fullHour }, easeHour))
  router.post(`${PAGE}/fila`, guard({ body: ruleForm, keep: ['lawRun', 'bookedRun'], onInvalid }, setRule))
  router.post(`${PAGE}/totem`, guard({}, changeTablet))
  return router
}

function outcomeOf(change: HoursChange): (typeof OUTCOMES)[number] {
  if ('fullHour' in change) return 'full-hour'
  return 'closedDay' in change ? 'closed-day' : 'opening'
}
