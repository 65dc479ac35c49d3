import Router from '@koa/router'
import { z } from 'zod'
import { displayName, maskCpf } from '../../accounts/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { seeOther, type VisitAccounts } from '../../portal/index.ts'
import type { Appointment } from '../appointments/appointment.store.ts'
import type { Appointments } from '../appointments/appointments.ts'
import { APPOINTMENT_PROBLEMS } from '../appointments/problems.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import type { Surveys } from '../satisfaction/surveys.ts'
import { QUEUE_PROBLEMS } from './problems.ts'
import type { Queue } from './queue.ts'
import { CALLERS_STEPS, labelOf, TICKET_KINDS } from './ticket.ts'
import { PRIORITY_REASONS, type PriorityReason } from './turn.ts'

export interface QueueRoutesDependencies {
  readonly pages: DeskPages
  readonly queue: Queue
  readonly appointments: Pick<Appointments, 'expected' | 'arrive'>
  readonly accounts: Pick<VisitAccounts, 'find'>
  readonly surveys: Pick<Surveys, 'askAboutTicket' | 'linkOf'>
}

const PAGE = '/balcao/fila'
const desk = z.coerce.number('queue.field.desk').int('queue.field.desk').min(1, 'queue.field.desk').max(99, 'queue.field.desk')
const OUTCOMES = ['nobody', 'moved', 'busy', 'full', 'issued', 'arrived', 'over', 'other-day', 'finished'] as const
const label = z.string().regex(/^[PHN]\d{3}$/)
const query = z.object({ guiche: desk.optional(), feito: z.enum(OUTCOMES).optional(), senha: label.optional(), pesquisa: z.string().regex(/^[\w-]{43}$/).optional() })
type Query = z.output<typeof query>

const reason = z.enum(Object.keys(PRIORITY_REASONS) as [PriorityReason, ...PriorityReason[]], 'platform.field.required')
const calling = z.object({ guiche: desk })
const stepping = z.object({ guiche: desk, ticket: z.uuid(), step: z.enum(CALLERS_STEPS) })
const changing = z.object({ guiche: desk.optional(), ticket: z.uuid(), step: z.enum(['return', 'leave']) })
const issuing = z.object({ guiche: desk.optional(), kind: z.enum(TICKET_KINDS, 'platform.field.required'), reason })
const arriving = z.object({ guiche: desk.optional(), appointment: z.uuid(), reason })

type Outcome = (typeof OUTCOMES)[number]

/** Refusals of the line that the page tells in place. */
function outcomeOf(error: unknown): Outcome {
  if (isProblem(error, QUEUE_PROBLEMS.ticketMoved)) return 'moved'
  if (isProblem(error, QUEUE_PROBLEMS.ticketOpen)) return 'busy'
  if (isProblem(error, QUEUE_PROBLEMS.lineFull)) return 'full'
  if (isProblem(error, APPOINTMENT_PROBLEMS.appointmentOver)) return 'over'
  if (isProblem(error, APPOINTMENT_PROBLEMS.appointmentOtherDay)) return 'other-day'
  throw error
}

interface Told {
  readonly feito?: Outcome
  readonly senha?: string
  readonly pesquisa?: string | undefined
}

/** The line as the staff of a unit see and move it. */
export function createQueueRoutes({ pages, queue, appointments, accounts, surveys }: QueueRoutesDependencies): Router {
  const router = new Router()

  /** Does it, tells what came of it, and goes back to the desk's page. */
  async function then(ctx: HttpContext, guiche: number | undefined, act: () => Promise<Told>): Promise<void> {
    const told = await act().catch((error: unknown): Told => ({ feito: outcomeOf(error) }))
    const facts = Object.entries({ guiche, ...told }).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
    seeOther(ctx, `${PAGE}?${new URLSearchParams(facts)}`)
  }
  const by = (visit: DeskVisit) => ({ unitId: visit.unit.id, attendantId: visit.account.id })
  const staff = ({ account }: DeskVisit) => ({ kind: 'operator', id: account.id }) as const

  const open = pages.only('queue', async (ctx, visit, { query: asked }: { query: Query }) => {
    const tickets = await queue.today(visit.unit.id)
    const mine = await queue.openOf(visit.account.id)
    const expected = await Promise.all((await appointments.expected(visit.unit.id)).map((found) => lineOf(found, accounts)))
    const data = {
      desk: asked.guiche ?? mine?.desk,
      outcome: asked.feito,
      label: asked.senha,
      survey: asked.pesquisa === undefined ? undefined : await surveyOf(surveys.linkOf(asked.pesquisa)),
      mine: mine && { ...mine, label: labelOf(mine) },
      waiting: tickets.filter(({ state }) => state === 'waiting').map((ticket) => ({ ...ticket, label: labelOf(ticket) })),
      missed: tickets.filter(({ state }) => state === 'missed').map((ticket) => ({ ...ticket, label: labelOf(ticket) })),
      expected,
      panelHref: `/painel/${visit.unit.code}`,
      kinds: TICKET_KINDS,
      reasons: Object.keys(PRIORITY_REASONS),
    }
    pages.show(ctx, visit, { section: 'queue', view: 'queue', data })
  })
  const call = pages.only('queue', (ctx, visit, { body: { guiche } }: { body: z.output<typeof calling> }) =>
    then(ctx, guiche, async () => ((await queue.callNext({ ...by(visit), desk: guiche })) === undefined ? { feito: 'nobody' } : {})),
  )
  const step = pages.only('queue', (ctx, visit, { body }: { body: z.output<typeof stepping> }) =>
    then(ctx, body.guiche, async () => {
      const ticket = await queue.goOn(by(visit), body.ticket, body.step)
      return body.step === 'finish' ? { feito: 'finished', pesquisa: await surveys.askAboutTicket(ticket) } : {}
    }),
  )
  const change = pages.only('queue', (ctx, visit, { body }: { body: z.output<typeof changing> }) =>
    then(ctx, body.guiche, async () => {
      await queue.change(by(visit), body.ticket, body.step)
      return {}
    }),
  )
  const issue = pages.only('queue', (ctx, visit, { body }: { body: z.output<typeof issuing> }) =>
    then(ctx, body.guiche, async () => {
      const asked = { unitId: visit.unit.id, kind: body.kind, class: PRIORITY_REASONS[body.reason] }
      return { feito: 'issued', senha: labelOf(await queue.issue(asked, 'desk', staff(visit))) }
    }),
  )
  const arrive = pages.only('queue', (ctx, visit, { body }: { body: z.output<typeof arriving> }) =>
    then(ctx, body.guiche, async () => {
      const at = { unitId: visit.unit.id, class: PRIORITY_REASONS[body.reason] }
      return { feito: 'arrived', senha: labelOf(await appointments.arrive(at, body.appointment, visit.account.id)) }
    }),
  )

  router.get(PAGE, guard({ query }, open))
  router.post(`${PAGE}/chamar`, guard({ body: calling }, call))
  router.post(`${PAGE}/passo`, guard({ body: stepping }, step))
  router.post(`${PAGE}/mudar`, guard({ body: changing }, change))
  router.post(`${PAGE}/senha`, guard({ body: issuing }, issue))
  router.post(`${PAGE}/chegou`, guard({ body: arriving }, arrive))
  return router
}

async function surveyOf(href: string): Promise<{ href: string; qr: string }> {
  const { toDataURL } = await import('qrcode')
  return { href, qr: await toDataURL(href) }
}

/** Who is expected, as much of it as the counter needs to find the right one. */
async function lineOf({ id, startsAt, kind, accountId }: Appointment, accounts: Pick<VisitAccounts, 'find'>) {
  const citizen = (await accounts.find(accountId))?.citizen.reveal()
  return { id, startsAt, kind, name: citizen && callingName(displayName(citizen)), cpf: citizen && maskCpf(citizen.cpf) }
}

/** A first name and initials: enough to call somebody who stands there, and not who the day's visitors are. */
function callingName(name: string): string {
  const [first = '', ...rest] = name.split(' ')
  return [first, ...rest.filter((word) => word.length > 2).map((word) => `${word.slice(0, 1)}.`)].join(' ')
}
