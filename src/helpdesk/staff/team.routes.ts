import Router from '@koa/router'
import { z } from 'zod'
import { displayName, parseCpf } from '../../accounts/index.ts'
import { lastMomentOf } from '../../platform/clock.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { DeskPages, DeskVisit, StaffAccounts } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { STAFF_ROLES } from './role.ts'
import type { Staff } from './staff.ts'

export interface TeamRoutesDependencies {
  readonly pages: DeskPages
  readonly staff: Staff
  readonly accounts: Pick<StaffAccounts, 'find' | 'publicCodeOf'>
}

const PAGE = '/balcao/equipe'
const OUTCOMES = ['granted', 'ended', 'suspended', 'resumed', 'same'] as const
const query = z.object({ feito: z.enum(OUTCOMES).optional() })

const form = z.object({
  cpf: z.string().transform((text, ctx) => parseCpf(text) ?? refuse(ctx, 'accounts.field.cpf')),
  /** A unit below, for its manager; the manager's own for everybody else. */
  unit: z.uuid().optional(),
  role: z.enum(STAFF_ROLES, 'platform.field.required'),
  until: z.string().transform((text, ctx) => lastMomentOf(text) ?? refuse(ctx, 'helpdesk.field.until')),
})
type Form = z.output<typeof form>
const changing = z.object({ role: z.uuid(), change: z.enum(['end', 'suspend', 'resume']) })
type Changing = z.output<typeof changing>

function refuse(ctx: z.RefinementCtx, message: string): typeof z.NEVER {
  ctx.addIssue({ code: 'custom', message })
  return z.NEVER
}

/** Refusals that belong to the form; their texts are the problems' own. */
const FORM_PROBLEMS: ReadonlySet<string> = new Set(
  [HELPDESK_PROBLEMS.staffUnfit, HELPDESK_PROBLEMS.roleHeld, HELPDESK_PROBLEMS.notForOneself, HELPDESK_PROBLEMS.notAbove, HELPDESK_PROBLEMS.endRefused].map(
    ({ code }) => code,
  ),
)
const OUTCOME_OF = { end: 'ended', suspend: 'suspended', resume: 'resumed' } as const

/** A unit's staff: who is there, giving a role, ending and suspending one. */
export function createTeamRoutes({ pages, staff, accounts }: TeamRoutesDependencies): Router {
  const router = new Router()

  async function show(ctx: HttpContext, visit: DeskVisit, more: { errors?: FieldErrors; typed?: Typed; outcome?: string | undefined } = {}): Promise<void> {
    const people = await Promise.all(
      (await staff.listIn(visit.unit.id)).map(async (role) => {
        const account = await accounts.find(role.accountId)
        return { ...role, code: accounts.publicCodeOf(role.accountId), person: account && displayName(account.citizen.reveal()), isSelf: role.accountId === visit.account.id }
      }),
    )
    const below = await staff.listUnitsBelow(visit.unit.id)
    pages.show(ctx, visit, { section: 'team', view: 'team', data: { people, below, ...more } })
  }

  const open = pages.only('team', (ctx, visit, { query: { feito } }: { query: z.output<typeof query> }) => show(ctx, visit, { outcome: feito }))
  const onInvalid = pages.only('team', (ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => show(ctx, visit, { errors, typed }))
  const grant = pages.only('team', async (ctx, visit, { body }: { body: Form }) => {
    const { cpf, role, until, unit = visit.unit.id } = body
    try {
      await staff.grant({ unitId: unit, cpf, role, endsAt: until }, visit.account.id)
    } catch (error) {
      if (!(error instanceof Problem) || !FORM_PROBLEMS.has(error.code)) throw error
      ctx.status = 422
      return show(ctx, visit, { errors: { '': `helpdesk.refused.${error.code.replace(/^helpdesk./, '')}` } })
    }
    seeOther(ctx, `${PAGE}?feito=granted`)
  })
  const change = pages.only('team', async (ctx, visit, { body }: { body: Changing }) => {
    const isChanged = await staff.change(body.role, body.change, visit.account.id)
    seeOther(ctx, `${PAGE}?feito=${isChanged ? OUTCOME_OF[body.change] : 'same'}`)
  })

  router.get(PAGE, guard({ query }, open))
  router.post(PAGE, guard({ body: form, keep: ['cpf', 'role', 'until'], onInvalid }, grant))
  router.post(`${PAGE}/mudar`, guard({ body: changing }, change))
  return router
}
