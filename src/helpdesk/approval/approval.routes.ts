import Router from '@koa/router'
import { z } from 'zod'
import { formatCpf, parseCpf } from '../../accounts/index.ts'
import type { ImageStore } from '../../biometrics/index.ts'
import { type FieldErrors, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { type Attendance, documentSchema } from '../attendance/attendance.ts'
import { differencesOf } from '../attendance/attendance.store.ts'
import type { Attendances } from '../attendance/attendances.ts'
import { type AttendanceParams, attendanceParams, handOf } from '../attendance/case-pages.ts'
import type { Captures } from '../capture/captures.ts'
import { serveImage } from '../capture/serve-image.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import { recordAfter } from '../cases/effects.ts'
import type { Requests } from '../cases/requests.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { type Approvals, REFUSALS } from './approvals.ts'

export interface ApprovalRoutesDependencies {
  readonly pages: DeskPages
  readonly attendances: Attendances
  readonly captures: Captures
  readonly approvals: Approvals
  readonly pictures: { readonly images: Pick<ImageStore, 'list' | 'openFor'>; readonly requests: Requests }
}

const PAGE = '/balcao/aprovacoes'
const OUTCOMES = ['approved', 'done', 'refused', 'four-eyes', 'halted', 'step-out-of-order', 'reason-unfit', 'no-reference'] as const
/** Refusals that a tick of the sheet mends. */
const UNTICKED: Readonly<Record<string, string>> = { 'eyes-needed': 'compared', 'ask-needed': 'asked' }
const query = z.object({ aviso: z.enum(OUTCOMES).optional() })
const approving = z.object({ compared: z.literal('sim').optional(), asked: z.literal('sim').optional() })
const refusing = z.object({ reason: z.enum(REFUSALS, 'platform.field.required') })
type Params = { params: AttendanceParams }

/** The supervisor's desk: cases of others that wait, each with its images, its checks, and what differs from the record. */
export function createApprovalRoutes(deps: ApprovalRoutesDependencies): Router {
  const { pages, attendances, captures, approvals, pictures: { images, requests } } = deps
  const [router, params] = [new Router(), attendanceParams]
  const list = pages.only('approvals', async (ctx, visit, { query: { aviso } }: { query: z.output<typeof query> }) => {
    pages.show(ctx, visit, { section: 'approvals', view: 'approvals', data: { rows: await waitingFor(deps, visit), told: aviso } })
  })
  const getForDecision = async (visit: DeskVisit, id: string): Promise<Attendance> => {
    const attendance = await attendances.get(id, { unitId: visit.unit.id })
    if (!(await approvals.mayDecide(attendance, handOf(visit, 'supervisor')))) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
    if (attendance.state !== 'awaiting-approval') throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    return attendance
  }
  async function show(ctx: HttpContext, visit: DeskVisit, id: string, errors?: FieldErrors): Promise<void> {
    const attendance = await getForDecision(visit, id)
    await attendances.noteSeen(attendance, handOf(visit, 'supervisor'))
    const data = { ...(await sheetOf(deps, attendance)), ...(errors && { errors }) }
    pages.show(ctx, visit, { section: 'approvals', view: 'approval', data })
  }
  /** What was not ticked is said on the sheet; another refusal leads back to the list, which tells it. */
  const deciding = <Input extends Params>(work: (visit: DeskVisit, input: Input) => Promise<'approved' | 'done' | 'refused'>) =>
    pages.only('approvals', async (ctx, visit, input: Input) => {
      const told = await work(visit, input).catch((error: unknown) => {
        const name = error instanceof Problem ? error.code.replace('helpdesk/', '') : ''
        if (name in UNTICKED || OUTCOMES.some((outcome) => outcome === name)) return name
        throw error
      })
      const field = UNTICKED[told]
      if (field === undefined) return seeOther(ctx, `${PAGE}?aviso=${told}`)
      ctx.status = 422
      await show(ctx, visit, input.params.id, { [field]: `helpdesk.told.${told}` })
    })

  const open = pages.only('approvals', (ctx, visit, { params: { id } }: Params) => show(ctx, visit, id))
  const approve = deciding(async (visit, { params: { id }, body }: Params & { body: z.output<typeof approving> }) => {
    const { reason } = await attendances.get(id, { unitId: visit.unit.id })
    await approvals.approve(id, handOf(visit, 'supervisor'), { compared: body.compared === 'sim', asked: body.asked === 'sim' })
    return CASE_TYPES[reason].face === 'enrols' ? 'approved' : 'done'
  })
  const refuse = deciding(async (visit, { params: { id }, body }: Params & { body: z.output<typeof refusing> }) => {
    await approvals.refuse(id, handOf(visit, 'supervisor'), body.reason)
    return 'refused'
  })
  const wrong = pages.only('approvals', (ctx, visit, { params: { id }, errors }: Params & { errors: FieldErrors }) => show(ctx, visit, id, errors))
  const image = pages.only('approvals', async (ctx, visit, { params: { id, item } }: { params: { id: string; item: string } }) => {
    await getForDecision(visit, id)
    serveImage(ctx, await captures.open(id, item))
  })
  const before = pages.only('approvals', async (ctx, visit, { params: { id } }: Params) => {
    const { personId } = await getForDecision(visit, id)
    const face = await lastFace(images, personId)
    if (face === undefined) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
    serveImage(ctx, await images.openFor(face, { actor: { kind: 'operator', id: visit.account.id }, purpose: 'counter-approval' }))
  })

  router.get(PAGE, guard({ query }, list))
  router.get(`${PAGE}/:id`, guard({ params }, open))
  router.post(`${PAGE}/:id/aprovar`, guard({ params, body: approving, onInvalid: wrong }, approve))
  router.post(`${PAGE}/:id/recusar`, guard({ params, body: refusing, onInvalid: wrong }, refuse))
  router.get(`${PAGE}/:id/imagem/:item`, guard({ params: z.object({ id: z.uuid(), item: z.uuid() }) }, image))
  const asked = pages.only('approvals', async (ctx, visit, { params: { id, item } }: { params: { id: string; item: string } }) => {
    serveImage(ctx, await requests.openImage(await getForDecision(visit, id), item, handOf(visit, 'supervisor')))
  })
  router.get(`${PAGE}/:id/pedido/:item`, guard({ params: z.object({ id: z.uuid(), item: z.uuid() }) }, asked))
  router.get(`${PAGE}/:id/anterior`, guard({ params }, before))
  return router
}

/** What waits in the unit; one's own is listed without a way in. */
async function waitingFor({ attendances, approvals }: ApprovalRoutesDependencies, visit: DeskVisit): Promise<object[]> {
  const waiting = await attendances.list(visit.unit.id, ['awaiting-approval'])
  return Promise.all(
    waiting.map(async (one) => ({
      protocol: one.protocol,
      reason: one.reason,
      changedAt: one.changedAt,
      isHalted: one.haltedAt !== undefined,
      href: (await approvals.mayDecide(one, handOf(visit, 'supervisor'))) ? `${PAGE}/${one.id}` : undefined,
    })),
  )
}

/** Everything that the supervisor compares. */
async function sheetOf({ captures, attendances, pictures: { images, requests } }: ApprovalRoutesDependencies, attendance: Attendance): Promise<object> {
  const { id, protocol, reason, checks, personId } = attendance
  const items = await captures.list(id)
  const facts = attendance.facts.reveal()
  const cpf = parseCpf(facts.cpf)
  const known = await attendances.known(attendance)
  const shown = items.filter(({ hasBytes, contentType }) => hasBytes && contentType !== 'image/x-wsq')
  const document = documentSchema.safeParse(items.find(({ kind }) => kind === 'document')?.facts.reveal())
  return {
    id,
    page: `${PAGE}/${id}`,
    protocol,
    reason,
    checks,
    person: { ...facts, cpf: cpf && formatCpf(cpf) },
    document: document.data,
    pictures: shown.map(({ id: item, kind, slot }) => ({ href: `${PAGE}/${id}/imagem/${item}`, kind, slot })),
    differences: differencesOf(recordAfter(attendance, known), known),
    asks: { face: CASE_TYPES[reason].face, request: facts.request, ...(await requests.choices(attendance)) },
    before: await beforeOf(images, personId, id),
    bound: await attendances.bound(attendance),
    agreement: await captures.agreement(id),
    refusals: REFUSALS,
  }
}

async function lastFace(images: Pick<ImageStore, 'list'>, personId: string): Promise<string | undefined> {
  const faces = (await images.list(personId)).filter(({ kind, trusted, withdrawnAt, erasedAt }) => kind === 'face' && trusted && !withdrawnAt && !erasedAt)
  return faces.toSorted((a, b) => b.capturedAt.getTime() - a.capturedAt.getTime())[0]?.id
}

async function beforeOf(images: Pick<ImageStore, 'list'>, personId: string, id: string): Promise<string | undefined> {
  return (await lastFace(images, personId)) === undefined ? undefined : `${PAGE}/${id}/anterior`
}
