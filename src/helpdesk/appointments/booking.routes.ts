import Router from '@koa/router'
import { z } from 'zod'
import { displayName, maskAddress, maskCpf } from '../../accounts/index.ts'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { isProblem } from '../../platform/problem.ts'
import { type AreaPages, seeOther, type Visit } from '../../portal/index.ts'
import { TICKET_KINDS } from '../queue/ticket.ts'
import type { Appointment } from './appointment.store.ts'
import type { Appointments } from './appointments.ts'
import { APPOINTMENT_PROBLEMS } from './problems.ts'

export interface BookingRoutesDependencies {
  readonly pages: AreaPages
  readonly appointments: Appointments
}

const PAGE = '/conta/agendamentos'
const OUTCOMES = ['booked', 'cancelled', 'taken', 'held', 'over', 'often'] as const
type Outcome = (typeof OUTCOMES)[number]
const query = z.object({
  unidade: z.uuid().optional(),
  assunto: z.enum(TICKET_KINDS).optional(),
  dia: z.iso.date().optional(),
  feito: z.enum(OUTCOMES).optional(),
})
type Query = z.output<typeof query>
const wish = z.object({ unit: z.uuid(), kind: z.enum(TICKET_KINDS), startsAt: z.iso.datetime('platform.field.required').transform((text) => new Date(text)) })
const cancelling = z.object({ appointment: z.uuid() })

/** Refusals that the page tells in place. */
function outcomeOf(error: unknown): Outcome {
  if (isProblem(error, APPOINTMENT_PROBLEMS.slotTaken)) return 'taken'
  if (isProblem(error, APPOINTMENT_PROBLEMS.appointmentHeld)) return 'held'
  if (isProblem(error, APPOINTMENT_PROBLEMS.appointmentOver)) return 'over'
  if (isProblem(error, APPOINTMENT_PROBLEMS.bookedTooOften)) return 'often'
  throw error
}

/** `/conta/agendamentos`: choose a unit, a day and an hour; see what the counter will have ready and what to bring; cancel. */
export function createBookingRoutes({ pages, appointments }: BookingRoutesDependencies): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))

  async function stepOf({ unidade, assunto, dia }: Query) {
    const units = await appointments.units()
    const unit = units.find(({ id }) => id === unidade)
    if (unit === undefined || assunto === undefined) return { units, kinds: TICKET_KINDS }
    const days = await appointments.days(unit.id)
    if (dia === undefined || !days.includes(dia)) return { units, kinds: TICKET_KINDS, unit, kind: assunto, days }
    return { units, kinds: TICKET_KINDS, unit, kind: assunto, days, day: dia, hours: await appointments.hours(unit.id, dia) }
  }
  async function viewOf(booked: Appointment, { account }: Visit) {
    const unit = (await appointments.units()).find(({ id }) => id === booked.unitId)
    const citizen = account.citizen.reveal()
    const mail = citizen.email === undefined ? undefined : maskAddress({ kind: 'email', value: citizen.email })
    const phone = citizen.phone === undefined ? undefined : maskAddress({ kind: 'phone', value: citizen.phone })
    return { ...booked, unit, ready: { name: displayName(citizen), cpf: maskCpf(citizen.cpf), birthDate: citizen.birthDate, contact: mail ?? phone } }
  }
  /** What the unit called off, with the way to another hour there. */
  async function calledOffOf({ account }: Visit) {
    const found = await appointments.calledOff(account.id)
    const unit = found && (await appointments.units()).find(({ id }) => id === found.unitId)
    return found && { startsAt: found.startsAt, unit, again: unit && `${PAGE}?${new URLSearchParams({ unidade: unit.id, assunto: found.kind })}` }
  }

  const open = pages.signedIn(async (ctx, visit, { query: asked }: { query: Query }) => {
    const booked = await appointments.booked(visit.account.id)
    const data = booked ? { booked: await viewOf(booked, visit) } : { ...(await stepOf(asked)), calledOff: await calledOffOf(visit) }
    pages.show(ctx, visit, { section: 'appointments', view: 'appointments', data: { ...data, told: asked.feito } })
  })
  const book = pages.signedIn(async (ctx, { account }, { body }: { body: z.output<typeof wish> }) => {
    const { unit: unitId, kind, startsAt } = body
    try {
      await appointments.book(account.id, { unitId, kind, startsAt })
      seeOther(ctx, `${PAGE}?feito=booked`)
    } catch (error) {
      seeOther(ctx, `${PAGE}?${new URLSearchParams({ unidade: unitId, assunto: kind, feito: outcomeOf(error) })}`)
    }
  })
  const cancel = pages.signedIn(async (ctx, { account }, { body }: { body: z.output<typeof cancelling> }) => {
    const outcome = await appointments.cancel(account.id, body.appointment).then((): Outcome => 'cancelled', outcomeOf)
    seeOther(ctx, `${PAGE}?feito=${outcome}`)
  })

  router.get(PAGE, guard({ query }, open))
  router.post(PAGE, guard({ body: wish }, book))
  router.post(`${PAGE}/desmarcar`, guard({ body: cancelling }, cancel))
  return router
}
