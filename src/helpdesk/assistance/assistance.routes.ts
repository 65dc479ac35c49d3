import Router from '@koa/router'
import { z } from 'zod'
import { PHOTO_LIMITS } from '../../biometrics/index.ts'
import { file, guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { type MandateId, parseMandateId, PROXIES_PROBLEMS, type Role } from '../../proxies/index.ts'
import { seeOther } from '../../portal/index.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { findAttendance } from '../attendance/attendance.store.ts'
import { type AttendanceParams, attendanceParams, handOf, pageOfCase, telling } from '../attendance/case-pages.ts'
import type { Desk } from '../attendance/desk.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { Assistance, Help } from './assistance.ts'

export interface AssistanceRoutesDependencies {
  readonly pages: DeskPages
  readonly desk: Pick<Desk, 'db' | 'keyring'>
  readonly assistance: Assistance
}

const PAGE = '/balcao/atendimentos/:id/ajuda'
const TOLD = ['signed', 'used', 'ended', 'refused', 'picture', 'role-changed'] as const
const query = z.object({ feito: z.enum(TOLD).optional() })
const powerParams = attendanceParams.extend({ poder: z.string().regex(/^[a-z0-9-]+:[a-z0-9.-]+:\d{1,6}$/) })
const helpParams = attendanceParams.extend({ procuracao: z.uuid() })
const signing = z.object({ kind: z.literal('signature'), file })
const using = z.object({ servico: z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/).optional() })
type PowerParams = { params: z.output<typeof powerParams> }
type HelpParams = { params: z.output<typeof helpParams> }

/** Help at the counter: what can be done for the person today, the words and the signature, and the journal of what was done. */
export function createAssistanceRoutes({ pages, desk, assistance }: AssistanceRoutesDependencies): Router {
  const [router, params] = [new Router(), attendanceParams]

  async function getCase(visit: DeskVisit, id: string): Promise<Attendance> {
    const attendance = await findAttendance(desk.db, desk.keyring, id)
    if (attendance?.unitId !== visit.unit.id) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
    return attendance
  }
  async function getRole(poder: string): Promise<Role> {
    const role = (await assistance.offered()).find((one) => choiceOf(one) === poder)
    if (role === undefined) throw new Problem(PROXIES_PROBLEMS.roleChanged)
    return role
  }
  /** Refusals of the register lead back to the list, which tells them. */
  const back = <Input extends { params: AttendanceParams }>(done: (typeof TOLD)[number], work: (ctx: HttpContext, visit: DeskVisit, input: Input) => Promise<void>) =>
    telling(pages, async (ctx, visit, input: Input) => {
      const told = await work(ctx, visit, input).then(() => done, toldOf)
      seeOther(ctx, `${pageOfCase(input.params.id)}/ajuda?feito=${told}`)
    })

  const list = telling(pages, async (ctx, visit, { params: { id }, query: { feito } }: { params: AttendanceParams; query: z.output<typeof query> }) => {
    const attendance = await getCase(visit, id)
    const isOpen = assistance.isOpen(attendance, handOf(visit, 'attendant'))
    const locale = localeOf(ctx)
    const powers = isOpen ? (await assistance.offered()).map((role) => ({ value: choiceOf(role), title: role.definition.title[locale], text: role.definition.description[locale] })) : []
    const helps = (await assistance.list(id)).map((help) => cardOf(help, locale))
    pages.show(ctx, visit, { section: 'attendances', view: 'assistance', data: { page: pageOfCase(id), protocol: attendance.protocol, told: feito, isOpen, powers, helps } })
  })
  const ask = telling(pages, async (ctx, visit, { params: { id, poder } }: PowerParams) => {
    const attendance = await getCase(visit, id)
    if (!assistance.isOpen(attendance, handOf(visit, 'attendant'))) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
    const role = await getRole(poder)
    const page = `${pageOfCase(id)}/ajuda`
    const data = { page, poder, words: assistance.words({ attendance, role, unit: visit.unit }, localeOf(ctx)), title: role.definition.title[localeOf(ctx)], scripts: ['signature.js', 'speech.js'] }
    pages.show(ctx, visit, { section: 'attendances', view: 'assistance-sign', data })
  })
  const sign = back('signed', async (ctx, visit, { params: { id, poder }, body }: PowerParams & { body: z.output<typeof signing> }) => {
    const { namespace, code, version } = await getRole(poder)
    const signed = { power: { namespace, code, version }, picture: body.file.bytes, locale: localeOf(ctx), unit: visit.unit }
    await assistance.sign(id, signed, handOf(visit, 'attendant'))
  })
  const use = back('used', (_ctx, visit, { params: { id, procuracao }, body }: HelpParams & { body: z.output<typeof using> }) =>
    assistance.use(id, { mandateId: idOf(procuracao), service: body.servico, unit: visit.unit }, handOf(visit, 'attendant')),
  )
  const end = back('ended', (_ctx, visit, { params: { id, procuracao } }: HelpParams) => assistance.end(id, idOf(procuracao), handOf(visit, 'attendant')))
  const receipt = telling(pages, async (ctx, visit, { params: { id, procuracao } }: HelpParams) => {
    const pdf = await assistance.receipt(id, idOf(procuracao), handOf(visit, 'attendant'))
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Content-Disposition', `attachment; filename="ajuda-${procuracao}.pdf"`)
    ctx.type = 'application/pdf'
    ctx.body = pdf
  })
  const noFile = telling(pages, async (ctx, _visit, { params: { id } }: { params: AttendanceParams }) => seeOther(ctx, `${pageOfCase(id)}/ajuda?feito=picture`))

  router.get(PAGE, guard({ params, query }, list))
  router.get(`${PAGE}/poder/:poder`, guard({ params: powerParams }, ask))
  router.post(`${PAGE}/poder/:poder/arquivo`, guard({ params: powerParams, body: signing, consumes: 'upload', limitBytes: PHOTO_LIMITS.maxBytes, onInvalid: noFile }, sign))
  router.post(`${PAGE}/:procuracao/uso`, guard({ params: helpParams, body: using }, use))
  router.post(`${PAGE}/:procuracao/encerrar`, guard({ params: helpParams }, end))
  router.get(`${PAGE}/:procuracao/comprovante`, guard({ params: helpParams }, receipt))
  return router
}

const choiceOf = ({ namespace, code, version }: Role) => `${namespace}:${code}:${version}`

function idOf(text: string): MandateId {
  const id = parseMandateId(text)
  if (id === undefined) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
  return id
}

function toldOf(error: unknown): (typeof TOLD)[number] {
  const code = error instanceof Problem ? error.code : ''
  if (code === PROXIES_PROBLEMS.roleChanged.code || code === PROXIES_PROBLEMS.roleNotFound.code) return 'role-changed'
  if (code === PROXIES_PROBLEMS.stepOutOfOrder.code || code === PROXIES_PROBLEMS.delegateUnconfirmed.code) return 'refused'
  throw error
}

function cardOf({ mandate, role, signedAt, uses }: Help, locale: ReturnType<typeof localeOf>) {
  return {
    id: mandate.id, state: mandate.state, isLive: mandate.state === 'active', signedAt, title: role?.definition.title[locale] ?? mandate.powers[0]?.code,
    services: role?.definition.services ?? [], uses: uses.map(({ at }) => at),
  }
}
