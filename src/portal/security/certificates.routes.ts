import type Router from '@koa/router'
import { z } from 'zod'
import type { Certificates } from '../../accounts/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { allowFormAction } from '../../platform/http/security-headers.ts'
import { tell } from '../outcome.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'

const HOME = '/conta/seguranca'
const PAGE = `${HOME}/certificado`
const back = z.object({ bilhete: z.string().regex(/^[\w-]{43}$/).optional() })
type Back = z.output<typeof back>
const params = z.object({ id: z.uuid() })
type Params = z.output<typeof params>

export interface CertificateFactorRoutesDependencies {
  readonly pages: AreaPages
  readonly factors: { readonly certificates: Certificates }
}

/** ICP-Brasil certificates as ways in: what they are for, the way to the host that asks for one and back, and the end of one. */
export function addCertificateRoutes(router: Router, { pages, factors: { certificates } }: CertificateFactorRoutesDependencies): void {
  const show = async (ctx: HttpContext, visit: Visit, why?: string) => {
    const host = await certificates.host()
    if (host !== undefined) allowFormAction(ctx, [host])
    pages.show(ctx, visit, { section: 'security', view: 'certificate-factor', data: { isOpen: host !== undefined, why } })
  }
  const begin = pages.fresh(async (ctx, visit) => {
    if ((await certificates.host()) === undefined) return seeOther(ctx, PAGE)
    const address = await certificates.begin({ use: 'enrol', accountId: visit.account.id, binding: visit.session.id }, PAGE)
    if (address !== undefined) return seeOther(ctx, address)
    ctx.status = 429
    await show(ctx, visit, 'too-many')
  })
  const finish = pages.fresh(async (ctx, visit, { query: { bilhete = '' } }: { query: Back }) => {
    const outcome = await certificates.add(visit.changer, bilhete)
    if (outcome.kind === 'added') return seeOther(ctx, tell(HOME, 'certificate'))
    ctx.status = outcome.why === 'unchecked' ? 503 : 422
    await show(ctx, visit, outcome.why)
  })
  const remove = pages.fresh(async (ctx, visit, input: { params: Params }) => {
    const isOurs = (await certificates.list(visit.account.id)).some(({ id }) => id === input.params.id)
    if (isOurs) await certificates.remove(visit.changer, input.params.id)
    seeOther(ctx, isOurs ? tell(HOME, 'certificate-removed') : HOME)
  })

  router.get(PAGE, guard({}, pages.fresh((ctx, visit) => show(ctx, visit))))
  router.post(PAGE, guard({}, begin))
  router.get(`${PAGE}/retorno`, guard({ query: back }, async (ctx, input) => {
    const { bilhete } = input.query
    if (bilhete === undefined) return seeOther(ctx, PAGE)
    // Burnt also when nobody is signed in: it was for another browser.
    if ((await pages.findVisit(ctx)) === undefined) {
      await certificates.discard(bilhete)
      return seeOther(ctx, PAGE)
    }
    await finish(ctx, input)
  }))
  router.post(`${PAGE}/:id/remover`, guard({ params }, remove))
}
