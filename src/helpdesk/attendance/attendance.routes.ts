import Router from '@koa/router'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, maskCpf, parseAccountId, parseCpf } from '../../accounts/index.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { type FinishCapture, missingOf } from '../approval/checks.ts'
import type { Bindings } from '../binding/bindings.ts'
import type { Captures } from '../capture/captures.ts'
import { serveImage } from '../capture/serve-image.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import type { Consents } from '../consent/consents.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { ReceiptMails } from '../receipt/receipt-mail.ts'
import { type Attendance, FINGERS, isDraft, isLive, LEAST_SHOTS, LIVE_STATES, REASONS } from './attendance.ts'
import type { Attendances } from './attendances.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling, toldQuery } from './case-pages.ts'

export interface AttendanceRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Attendances
  readonly captures: Captures
  readonly finishCapture: FinishCapture
  /** What the citizen did on devices of their own. */
  readonly citizen: { readonly bindings: Pick<Bindings, 'stateOf'>; readonly consents: Pick<Consents, 'stateOf'>; readonly mails: Pick<ReceiptMails, 'addressOf'> }
}

const PAGE = '/balcao/atendimentos'
const form = z.object({
  cpf: z.string().transform((text, ctx) => parseCpf(text) ?? refuse(ctx)),
  reason: z.enum(REASONS, 'platform.field.required'),
})
type Form = z.output<typeof form>
const taking = z.object({ from: z.string().transform((text, ctx) => parseAccountId(text) ?? refuse(ctx)) })
type Taking = z.output<typeof taking>

function refuse(ctx: z.RefinementCtx): typeof z.NEVER {
  ctx.addIssue({ code: 'custom', message: 'accounts.field.cpf' })
  return z.NEVER
}

const { cpfUnknown, cpfIrregular, reasonUnfit, ownCase, alreadyOpen, tooManyDrafts } = HELPDESK_PROBLEMS
/** Refusals that belong to the form that opens a case. */
const FORM_PROBLEMS: ReadonlySet<string> = new Set(
  [cpfUnknown, cpfIrregular, reasonUnfit, ownCase, alreadyOpen, tooManyDrafts, ACCOUNTS_PROBLEMS.registerUnavailable].map(({ code }) => code),
)

/** The unit's cases, opening one, and its page with what is done and what is missing. */
export function createAttendanceRoutes(deps: AttendanceRoutesDependencies): Router {
  const { pages, attendances, captures } = deps
  const router = new Router()

  async function list(ctx: HttpContext, visit: DeskVisit, more: { errors?: FieldErrors; typed?: Typed } = {}): Promise<void> {
    const live = await attendances.list(visit.unit.id, LIVE_STATES)
    const ended = await attendances.list(visit.unit.id, ['approved', 'refused', 'abandoned', 'expired'])
    const rows = (cases: Attendance[]) => cases.map((one) => summaryOf(one, visit))
    const data = { live: rows(live), ended: rows(ended.slice(0, 10)), reasons: REASONS, ...more }
    pages.show(ctx, visit, { section: 'attendances', view: 'attendances', data })
  }

  const open = pages.only('attendances', async (ctx, visit, { body }: { body: Form }) => {
    const opened = await attendances.open(body, handOf(visit, 'attendant')).catch(refusalOf)
    if (typeof opened !== 'string') return seeOther(ctx, pageOfCase(opened.id))
    ctx.status = 422
    await list(ctx, visit, { errors: { '': `helpdesk.told.${opened}` } })
  })

  const show = pages.only('attendances', async (ctx, visit, { params, query }: { params: AttendanceParams; query: z.output<typeof toldQuery> }) => {
    const attendance = await attendances.get(params.id, { unitId: visit.unit.id })
    const isHolder = attendance.holderId === visit.account.id
    const data = { ...summaryOf(attendance, visit), told: query.aviso, binding: await deps.citizen.bindings.stateOf(params.id), ...(isHolder && (await detailsOf(deps, attendance))) }
    pages.show(ctx, visit, { section: 'attendances', view: 'attendance', data })
  })
  const step = (work: (visit: DeskVisit, id: string) => Promise<unknown>) =>
    telling(pages, async (ctx, visit, { params }: { params: AttendanceParams }) => {
      await work(visit, params.id)
      seeOther(ctx, pageOfCase(params.id))
    })
  const takeOver = telling(pages, async (ctx, visit, { params, body }: { params: AttendanceParams; body: Taking }) => {
    await attendances.takeOver(params.id, body.from, handOf(visit, 'attendant'))
    seeOther(ctx, pageOfCase(params.id))
  })

  const params = attendanceParams
  const onInvalid = pages.only('attendances', (ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => list(ctx, visit, { errors, typed }))
  const plainList = pages.only('attendances', (ctx, visit) => list(ctx, visit))
  router.get(PAGE, guard({}, plainList))
  router.post(PAGE, guard({ body: form, keep: ['cpf', 'reason'], onInvalid }, open))
  router.get(`${PAGE}/:id`, guard({ params, query: toldQuery }, show))
  router.post(`${PAGE}/:id/assumir`, guard({ params, body: taking }, takeOver))
  const steps = {
    conferir: (visit: DeskVisit, id: string) => deps.finishCapture(id, handOf(visit, 'attendant'), visit.unit.rules.matchPoint),
    enviar: (visit: DeskVisit, id: string) => attendances.submit(id, handOf(visit, 'attendant')),
    refazer: (visit: DeskVisit, id: string) => attendances.recapture(id, handOf(visit, 'attendant')),
    desistir: (visit: DeskVisit, id: string) => attendances.abandon(id, handOf(visit, 'attendant')),
  }
  for (const [name, work] of Object.entries(steps)) router.post(`${PAGE}/:id/${name}`, guard({ params }, step(work)))
  const image = pages.only('attendances', async (ctx, visit, { params: { id, item } }: { params: { id: string; item: string } }) => {
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (attendance.holderId !== visit.account.id || !isDraft(attendance)) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
    serveImage(ctx, await captures.open(id, item))
  })
  router.get(`${PAGE}/:id/imagem/:item`, guard({ params: z.object({ id: z.uuid(), item: z.uuid() }) }, image))
  return router
}

/** What the form says of a refusal that belongs to it. */
function refusalOf(error: unknown): string {
  if (error instanceof Problem && FORM_PROBLEMS.has(error.code)) return error.code.replace(/^\w+./, '')
  throw error
}

/** What everybody of the unit may see: that there is a case, whose it is by the middle of the CPF, and who holds it by role. */
function summaryOf(attendance: Attendance, visit: DeskVisit) {
  const { id, protocol, reason, state, holderId, holderRole, haltedAt, changedAt } = attendance
  const cpf = parseCpf(attendance.facts.reveal().cpf)
  return {
    id,
    protocol,
    reason,
    state,
    holderId,
    holderRole,
    changedAt,
    cpf: cpf && maskCpf(cpf),
    isHalted: haltedAt !== undefined && state !== 'refused',
    isHolder: holderId === visit.account.id,
    decision: attendance.decision,
    asks: { face: CASE_TYPES[reason].face, evidence: CASE_TYPES[reason].evidence, request: CASE_TYPES[reason].request },
    page: pageOfCase(id),
  }
}

async function detailsOf({ captures, citizen: { consents, mails } }: AttendanceRoutesDependencies, attendance: Attendance) {
  const items = await captures.list(attendance.id)
  const agreement = await captures.agreement(attendance.id)
  const count = (kind: string) => items.filter((item) => item.kind === kind).length
  const { name, socialName, birthDate, request } = attendance.facts.reveal()
  return {
    // Of a case that is over, the protocol and the middle of the CPF are enough.
    ...(isLive(attendance) && { person: { name: socialName ?? name, birthDate } }),
    missing: missingOf(attendance, items, agreement),
    agreement,
    screen: await consents.stateOf(attendance.id),
    receiptTo: await mails.addressOf(attendance.id),
    scripts: ['watch.js'],
    checks: attendance.checks,
    done: {
      document: count('document') > 0 && count('document-front') > 0,
      shots: count('face'),
      leastShots: LEAST_SHOTS,
      signature: count('signature') > 0,
      request: request !== undefined,
      fingers: count('fingerprint'),
      allFingers: FINGERS.length,
    },
  }
}
