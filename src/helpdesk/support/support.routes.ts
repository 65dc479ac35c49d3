import Router from '@koa/router'
import { z } from 'zod'
import { displayName, maskCpf, maskEmailAddress, maskMobilePhone, parseCpf } from '../../accounts/index.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { ACTS_A_DAY, LOOKS, protocolOf, SUPPORT_ACTS, SUPPORT_REASONS } from './case.ts'
import { SUPPORT_PROBLEMS } from './problems.ts'
import type { Support, SupportView } from './support.ts'

export interface SupportRoutesDependencies {
  readonly pages: DeskPages
  readonly support: Support
}

const PAGE = '/balcao/apoio'
const OUTCOMES = ['unlock', 'end-sessions', 'start-recovery', 'revoke-certificates', 'not-sent', 'often', 'closed', 'over'] as const
type Outcome = (typeof OUTCOMES)[number]
const query = z.object({ feito: z.enum(OUTCOMES).optional() })
const params = z.object({ id: z.uuid() })
const form = z.object({
  cpf: z.string().transform((text, ctx) => {
    const cpf = parseCpf(text)
    if (cpf === undefined) ctx.addIssue({ code: 'custom', message: 'accounts.field.cpf' })
    return cpf ?? z.NEVER
  }),
  reason: z.enum(SUPPORT_REASONS, 'platform.field.required'),
  note: z.string().trim().min(10, 'support.field.note').max(300, 'platform.field.too-long'),
})
const acting = z.object({ act: z.enum(SUPPORT_ACTS) })

interface Asked {
  readonly params: z.output<typeof params>
  readonly query: z.output<typeof query>
}
type Request = Parameters<Support['act']>[2]

/** Help for citizens at home, by attendants: a look with a reason, what can be explained, what can be done. */
export function createSupportRoutes({ pages, support }: SupportRoutesDependencies): Router {
  const router = new Router()

  async function show(ctx: HttpContext, visit: DeskVisit, page: { errors?: FieldErrors; typed?: Typed; outcome?: Outcome | undefined } = {}): Promise<void> {
    const open = (await support.listOpen(visit.unit.id, visit.account.id)).map((found) => ({ ...found, protocol: protocolOf(found) }))
    pages.show(ctx, visit, { section: 'support', view: 'support', data: { open, reasons: SUPPORT_REASONS, looks: LOOKS, ...page } })
  }
  const keyOf = ({ unit, account }: DeskVisit, id: string) => ({ id, unitId: unit.id, attendantId: account.id })

  const start = pages.only('support', (ctx, visit, { query: { feito } }: { query: Asked['query'] }) => show(ctx, visit, { outcome: feito }))
  const onInvalid = pages.only('support', (ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => show(ctx, visit, { errors, typed }))
  const open = pages.only('support', async (ctx, visit, { body }: { body: z.output<typeof form> }) => {
    const { cpf, reason, note } = body
    try {
      const opened = await support.open({ unitId: visit.unit.id, attendantId: visit.account.id, cpf, reason, note })
      if (opened) return seeOther(ctx, `${PAGE}/caso/${opened.id}`)
      ctx.status = 422
      await show(ctx, visit, { errors: { '': 'support.in-vain' } })
    } catch (error) {
      if (!isProblem(error, SUPPORT_PROBLEMS.ownAccount)) throw error
      ctx.status = 403
      await show(ctx, visit, { errors: { '': 'support.own' } })
    }
  })
  const look = pages.only('support', async (ctx, visit, { params: { id }, query: { feito } }: Asked) => {
    const view = await support.view(keyOf(visit, id))
    pages.show(ctx, visit, { section: 'support', view: 'support-case', data: { ...shownOf(view), outcome: feito, acts: SUPPORT_ACTS, most: ACTS_A_DAY } })
  })
  const act = pages.only('support', async (ctx, visit, asked: Pick<Asked, 'params'> & { body: z.output<typeof acting>; request: Request }) => {
    const { params: { id }, body } = asked
    const outcome = await support.act(keyOf(visit, id), body.act, asked.request).then((isDone): Outcome => (isDone ? body.act : 'not-sent'), (error: unknown): Outcome => {
      if (isProblem(error, SUPPORT_PROBLEMS.actedTooOften)) return 'often'
      throw error
    })
    seeOther(ctx, `${PAGE}/caso/${id}?feito=${outcome}`)
  })
  const close = pages.only('support', async (ctx, visit, { params: { id } }: Pick<Asked, 'params'>) => {
    const isClosed = await support.close(keyOf(visit, id))
    seeOther(ctx, `${PAGE}?feito=${isClosed ? 'closed' : 'over'}`)
  })

  router.get(PAGE, guard({ query }, start))
  router.post(PAGE, guard({ body: form, keep: ['cpf', 'reason', 'note'], onInvalid }, open))
  router.get(`${PAGE}/caso/:id`, guard({ params, query }, look))
  router.post(`${PAGE}/caso/:id/agir`, guard({ params, body: acting }, act))
  router.post(`${PAGE}/caso/:id/fechar`, guard({ params }, close))
  return router
}

/** Names to speak with, addresses to ask about, states: no address in full, no device, no place, no secret. */
function shownOf({ account, opened, acts: done, ...view }: SupportView) {
  const { status, statusReason, citizen, recoveredAt } = account
  const revealed = citizen.reveal()
  return {
    ...view,
    done,
    caseId: opened.id,
    expiresAt: opened.expiresAt,
    person: {
      name: displayName(revealed),
      cpf: maskCpf(revealed.cpf),
      email: revealed.email && maskEmailAddress(revealed.email),
      phone: revealed.phone && maskMobilePhone(revealed.phone),
    },
    state: { status, statusReason, recoveredAt },
  }
}
