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
const OUTCOMES = ['added', 'ended', 'same', 'named', 'unnamed', 'unnamed-same'] as const
const query = z.object({ feito: z.enum(OUTCOMES).optional() })
const params = z.object({ espaco: z.string().max(32) })
const form = z.object({ cpf: z.string().transform((text, ctx) => parseCpf(text) ?? refuse(ctx)), papel: z.enum(AGENCY_ROLES, 'platform.field.required') })
const ending = z.object({ lugar: z.uuid() })
/** As a certificate shows them. */
const naming = z.object({
  quem: z.uuid('platform.field.required'),
  cargo: z.string().normalize('NFC').trim().regex(/^\p{L}[\p{L}\p{M}\p{N} .,()/ªº-]{1,63}$/u, 'orgao.field.post'),
  matricula: z.string().trim().regex(/^\d{1,10}$/, 'orgao.field.register'),
})
const unnaming = z.object({ servidor: z.uuid() })
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
  readonly servants: Proxies['servants']
  readonly accounts: Pick<VisitAccounts, 'find'>
}

interface More {
  readonly errors?: FieldErrors
  readonly typed?: Typed
  readonly outcome?: string | undefined
}
type Show = (ctx: HttpContext, visit: AgencyVisit, space: Space, more?: More) => Promise<void>

function createShow({ pages, team, servants, accounts }: AgencyTeamDependencies): Show {
  const nameOf = async (accountId: string) => {
    const account = await accounts.find(accountId)
    return account && displayName(account.citizen.reveal())
  }
  return async (ctx, visit, space, more = {}) => {
    const people = await Promise.all(
      (await team.listOf(space.code)).map(async ({ id, accountId, role, endsAt }) => {
        return { id, accountId, role, endsAt, name: await nameOf(accountId), isSelf: accountId === visit.account.id }
      }),
    )
    const signing = await Promise.all(
      (await servants.listOf(space.code)).map(async ({ id, accountId, post, register, endsAt }) => ({ id, post, register, endsAt, name: await nameOf(accountId) })),
    )
    const free = people.filter((one, at) => one.name !== undefined && !one.isSelf && people.findIndex(({ accountId }) => accountId === one.accountId) === at)
    const others = spacesOf(visit, 'team').filter(({ code }) => code !== space.code).map(({ code, title }) => ({ title, href: `${PAGE}/${code}` }))
    pages.show(ctx, visit, { section: 'team', view: 'team', data: { people, signing, free, others, agency: space.title, action: `${PAGE}/${space.code}`, roles: AGENCY_ROLES, ...more } })
  }
}

/** `/orgao/equipe`: who of the agency does what, and signs as its servant, by its manager. */
export function createAgencyTeamRoutes(deps: AgencyTeamDependencies): Router {
  const { pages, team } = deps
  const router = new Router()
  const show = createShow(deps)

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
  addServantRoutes(router, deps, show)
  return router
}

function addServantRoutes(router: Router, { pages, servants }: AgencyTeamDependencies, show: Show): void {
  const onInvalid = pages.only('team', (ctx, visit, { params: { espaco }, errors, typed }: Named & { errors: FieldErrors; typed: Typed }) => show(ctx, visit, spaceIn(visit, espaco, ['manager']), { errors, typed }))
  const name = pages.only('team', async (ctx, visit, { params: { espaco }, body: { quem, cargo, matricula } }: Named & { body: z.output<typeof naming> }) => {
    const space = spaceIn(visit, espaco, ['manager'])
    const refusal = await refusalOf(() => servants.name({ namespace: espaco, placeId: quem, post: cargo.replaceAll(/ +/g, ' '), register: matricula }, visit.account.id))
    if (refusal === undefined) return seeOther(ctx, `${PAGE}/${espaco}?feito=named`)
    ctx.status = 422
    await show(ctx, visit, space, { errors: { '': `${refusal}.text` }, typed: { quem, cargo, matricula } })
  })
  const unname = pages.only('team', async (ctx, visit, { params: { espaco }, body: { servidor } }: Named & { body: z.output<typeof unnaming> }) => {
    spaceIn(visit, espaco, ['manager'])
    const isEnded = await servants.end(espaco, servidor, visit.account.id)
    seeOther(ctx, `${PAGE}/${espaco}?feito=${isEnded ? 'unnamed' : 'unnamed-same'}`)
  })
  router.post(`${PAGE}/:espaco/servidores`, guard({ params, body: naming, keep: ['quem', 'cargo', 'matricula'], onInvalid }, name))
  router.post(`${PAGE}/:espaco/servidores/encerrar`, guard({ params, body: unnaming }, unname))
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
