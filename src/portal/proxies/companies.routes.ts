import Router from '@koa/router'
import { z } from 'zod'
import { formatCnpj, maskCpf } from '../../accounts/index.ts'
import { guard } from '../../platform/http/guard.ts'
import { Problem } from '../../platform/problem.ts'
import { type Mandate, parseCnpjRoot, PROXIES_PROBLEMS } from '../../proxies/index.ts'
import { mandateCard, mayBePassedOn } from './cards.ts'
import { actingAs, type ProxyDesk } from './desk.ts'

export const COMPANIES = '/conta/empresas'
const params = z.object({ raiz: z.string().refine((text) => parseCnpjRoot(text) === text) })

/** "Área Empresarial": the companies that the register says somebody binds, their people and what these may do. */
export function createCompanyRoutes(desk: ProxyDesk): Router {
  const { pages, proxies } = desk
  const router = new Router()

  router.get(COMPANIES, pages.section({ section: 'companies', view: 'proxies/companies' }, async ({ account }) => ({ companies: await proxies.companies.listOf(account.citizen.reveal().cpf) })))

  const people = pages.signedIn(async (ctx, visit, { params: { raiz } }: { params: { raiz: string } }) => {
    const root = parseCnpjRoot(raiz)
    const company = root && (await proxies.companies.find(root))
    const given = await proxies.mandates.listGiven(actingAs(visit, raiz))
    if (!company) throw new Problem(PROXIES_PROBLEMS.companyUnknown)
    /** What a mandate is limited to, where it is not the whole company. */
    const placeOf = ({ represented }: Mandate) => (company.establishments.some(({ cnpj }) => cnpj === represented.document) ? represented.name : undefined)
    const open = given.filter(({ endedAt, state }) => endedAt === undefined && state !== 'draft')
    const signers = await proxies.mandates.signersOf(open)
    const people = await Promise.all(open.map(async (mandate) => ({ ...(await mandateCard(ctx, desk, mandate)), place: placeOf(mandate), signers: signers.get(mandate.id) ?? [] })))
    const held = (await proxies.mandates.listReceived(actingAs(visit, raiz))).filter(({ endedAt }) => endedAt === undefined)
    const received = await Promise.all(held.map(async (mandate) => ({ ...(await mandateCard(ctx, desk, mandate)), mayPassOn: mayBePassedOn(mandate) })))
    const administrators = company.administrators.map((cpf) => ({ document: maskCpf(cpf), isYou: cpf === visit.account.citizen.reveal().cpf }))
    const places = company.establishments.map(({ cnpj, name, standing }) => ({ cnpj, name, number: formatCnpj(cnpj), isOpen: company.standing === 'regular' && standing === 'regular' }))
    pages.show(ctx, visit, { section: 'companies', view: 'proxies/company', data: { company, administrators, places, people, received } })
  })
  router.get(`${COMPANIES}/:raiz`, guard({ params }, people))
  return router
}
