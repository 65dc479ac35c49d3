import Router from '@koa/router'
import { z } from 'zod'
import { displayName, parseCpf } from '../../accounts/index.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther, type VisitAccounts } from '../../portal/index.ts'
import { AGENCY_ROLES, PROXIES_PROBLEMS, type Proxies } from '../../proxies/index.ts'
import { type AgencyPages, type AgencyVisit, spaceIn, spacesOf, type Space } from './agency-pages.ts'

const PAGE = '/orgao/equipe'
const OUTCOMES = ['added', 'ended', 'same'] as const
const query = z.object({ feito: z.enum(OUTCOMES).optional() })
const params = z.object({ espaco: z.string().max(32) })
const form = z.object({ cpf: z.string().transform((text, ctx) => parseCpf(text) ?? refuse(ctx)), papel: z.enum(AGENCY_ROLES, 'platform.field.required') })
const ending = z.object({ lugar: z.uuid() })
interface Named {
  readonly params: z.output<typeof params>
}

function refuse(ctx: z.RefinementCtx): typeof z.NEVER {
  ctx.addIssue({ code: 'custom', message: 'accounts.field.cpf' })
  return z.NEVER
}

/** Refusals that belong to the form. */
const FORM_PROBLEMS: readonly string[] = [PROXIES_PROBLEMS.staffUnfit, PROXIES_PROBLEMS.notForOneself, PROXIES_PROBLEMS.tooManyRequests].map(({ code }) => code)

export interface AgencyTeamDependencies {
  readonly pages: AgencyPages
  readonly team: Proxies['team']
  readonly accounts: Pick<VisitAccounts, 'find'>
}

/** `/orgao/equipe`: who of the agency does what, by its manager. */
export function createAgencyTeamRoutes({ pages, team, accounts }: AgencyTeamDependencies): Router {
  const router = new Router()

  interface More {
    readonly errors?: FieldErrors
    readonly typed?: Typed
    readonly outcome?: string | undefined
  }
  async function show(ctx: HttpContext, visit: AgencyVisit, space: Space, more: More = {}): Promise<void> {
    const people = await Promise.all(
      (await team.listOf(space.code)).map(async ({ id, accountId, role, endsAt }) => {
        const account = await accounts.find(accountId)
        return { id, role, endsAt, name: account && displayName(account.citizen.reveal()), isSelf: accountId === visit.account.id }
      }),
    )
    const others = spacesOf(visit, 'team').filter(({ code }) => code !== space.code).map(({ code, title }) => ({ title, href: `${PAGE}/${code}` }))
    pages.show(ctx, visit, { section: 'team', view: 'team', data: { people, others, agency: space.title, action: `${PAGE}/${space.code}`, roles: AGENCY_ROLES, ...more } })
  }

  const home = pages.only('team', (ctx, visit) => seeOther(ctx, `${PAGE}/${spacesOf(visit, 'team')[0]?.code ?? ''}`))
  const open = pages.only('team', (ctx, visit, { params: { espaco }, query: { feito } }: Named & { query: z.output<typeof query> }) => show(ctx, visit, spaceIn(visit, espaco, ['manager']), { outcome: feito }))
  const onInvalid = pages.only('team', (ctx, visit, { params: { espaco }, errors, typed }: Named & { errors: FieldErrors; typed: Typed }) => show(ctx, visit, spaceIn(visit, espaco, ['manager']), { errors, typed }))
  const add = pages.only('team', async (ctx, visit, { params: { espaco }, body: { cpf, papel } }: Named & { body: z.output<typeof form> }) => {
    const space = spaceIn(visit, espaco, ['manager'])
    const refusal = await refusalOf(() => team.add({ namespace: espaco, cpf, role: papel }, { accountId: visit.account.id }))
    if (refusal === undefined) return seeOther(ctx, `${PAGE}/${espaco}?feito=added`)
    ctx.status = 422
    await show(ctx, visit, space, { errors: { '': refusal === PROXIES_PROBLEMS.tooManyRequests.code ? 'orgao.field.tries' : `${refusal}.text` }, typed: { papel } })
  })
  const end = pages.only('team', async (ctx, visit, { params: { espaco }, body: { lugar } }: Named & { body: z.output<typeof ending> }) => {
    const space = spaceIn(visit, espaco, ['manager'])
    let isEnded = false
    const refusal = await refusalOf(async () => {
      isEnded = await team.end(espaco, lugar, visit.account.id)
    })
    if (refusal === undefined) return seeOther(ctx, `${PAGE}/${espaco}?feito=${isEnded ? 'ended' : 'same'}`)
    ctx.status = 422
    await show(ctx, visit, space, { errors: { '': `${refusal}.text` } })
  })

  router.get(PAGE, guard({}, home))
  router.get(`${PAGE}/:espaco`, guard({ params, query }, open))
  router.post(`${PAGE}/:espaco`, guard({ params, body: form, keep: ['cpf', 'papel'], onInvalid }, add))
  router.post(`${PAGE}/:espaco/encerrar`, guard({ params, body: ending }, end))
  return router
}

async function refusalOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!(error instanceof Problem) || !FORM_PROBLEMS.includes(error.code)) throw error
    return error.code
  }
}
