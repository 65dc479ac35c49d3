import Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { UnitRulesDesk } from './unit-rules.ts'

export interface RulesRoutesDependencies {
  readonly pages: DeskPages
  readonly rules: UnitRulesDesk
}

const PAGE = '/balcao/regras'
const query = z.object({ feito: z.literal('sim').optional() })
const params = z.object({ unit: z.uuid() })
const form = z.object({
  face: z.enum(['capture-point', 'reference'], 'platform.field.required'),
  match: z.enum(['fmr1e-4', 'fmr1e-5'], 'platform.field.required'),
  share: z
    .string()
    .regex(/^\d{1,3}$/, 'helpdesk.field.share')
    .transform(Number)
    .refine((share) => share <= 100, 'helpdesk.field.share'),
})
interface Of {
  readonly params: z.output<typeof params>
}

/** `/balcao/regras`: what a unit takes, how strictly it compares, and how many of its approvals are looked at again. */
export function createRulesRoutes({ pages, rules }: RulesRoutesDependencies): Router {
  const router = new Router()

  async function show(ctx: HttpContext, visit: DeskVisit, unitId: string, more: { errors?: FieldErrors; typed?: Typed; isDone?: boolean } = {}): Promise<void> {
    const { unit: of, asked, floor } = await rules.view(unitId, visit.unit.id)
    const below = unitId === visit.unit.id ? await rules.listBelow(unitId) : []
    const data = { of, asked, floor, page: `${PAGE}/${unitId}`, isOwn: unitId === visit.unit.id, below: below.map(({ id, name, municipality }) => ({ href: `${PAGE}/${id}`, name, municipality })), ...more }
    pages.show(ctx, visit, { section: 'rules', view: 'rules', data })
  }
  const own = pages.only('rules', (ctx, visit) => show(ctx, visit, visit.unit.id))
  const open = pages.only('rules', (ctx, visit, { params: { unit }, query: { feito } }: Of & { query: z.output<typeof query> }) =>
    show(ctx, visit, unit, { isDone: feito === 'sim' }))
  const onInvalid = pages.only('rules', (ctx, visit, { params: { unit }, errors, typed }: Of & { errors: FieldErrors; typed: Typed }) => show(ctx, visit, unit, { errors, typed }))
  const ask = pages.only('rules', async (ctx, visit, { params: { unit }, body: { face, match, share } }: Of & { body: z.output<typeof form> }) => {
    try {
      await rules.ask(unit, { faceProfile: face, matchPoint: match, sampleShare: share }, { id: visit.account.id, managerOf: visit.unit.id })
    } catch (error) {
      const isTold = error instanceof Problem && [HELPDESK_PROBLEMS.rulesLooser.code, HELPDESK_PROBLEMS.ownShare.code].some((code) => code === error.code)
      if (!isTold) throw error
      ctx.status = 422
      return show(ctx, visit, unit, { errors: { '': `${error.code}.text` }, typed: { face, match, share: String(share) } })
    }
    seeOther(ctx, `${PAGE}/${unit}?feito=sim`)
  })

  router.get(PAGE, guard({}, own))
  router.get(`${PAGE}/:unit`, guard({ params, query }, open))
  router.post(`${PAGE}/:unit`, guard({ params, body: form, keep: ['face', 'match', 'share'], onInvalid }, ask))
  return router
}
