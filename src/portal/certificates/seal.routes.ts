import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { allowFormAction } from '../../platform/http/security-headers.ts'
import { isProblem } from '../../platform/problem.ts'
import { HOST_PAGE, type Icp, SIGNATURE_PROBLEMS } from '../../signatures/index.ts'
import { tell } from '../outcome.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'

/** Where a citizen shows an ICP-Brasil certificate for ouro, and takes it back. */
export const CERTIFICATE_PAGE = '/conta/nivel/certificado'

const LEVEL = '/conta/nivel'
const back = z.object({ bilhete: z.string().regex(/^[\w-]{43}$/).optional() })

export interface CertificateSealDependencies {
  readonly pages: AreaPages
  readonly icp: Pick<Icp, 'begin' | 'finish' | 'find' | 'authorities'>
  /** Ends the seal at the citizen's own wish. */
  readonly remove: (visit: Visit) => Promise<void>
  /** The host that asks browsers for a certificate; absent where there is none. */
  readonly hostUrl: string | undefined
}

/** An ICP-Brasil certificate as a seal: what it is, the way to its host and back, and its end. */
export function createCertificateSealRoutes({ pages, icp, remove, hostUrl }: CertificateSealDependencies): Router {
  const router = new Router()
  const show = async (ctx: HttpContext, visit: Visit, data: object = {}) => {
    const isOpen = hostUrl !== undefined && (await icp.authorities()).length > 0
    if (isOpen) allowFormAction(ctx, [hostUrl])
    pages.show(ctx, visit, { section: 'level', view: 'certificate', data: { current: await icp.find(visit.account.id), isOpen, ...data } })
  }
  const begin = pages.fresh(async (ctx, visit) => {
    if (hostUrl === undefined || (await icp.authorities()).length === 0) return seeOther(ctx, CERTIFICATE_PAGE)
    try {
      const request = await icp.begin({ accountId: visit.account.id, sessionId: visit.session.id }, CERTIFICATE_PAGE)
      seeOther(ctx, `${hostUrl}${HOST_PAGE}?pedido=${request}`)
    } catch (error) {
      if (!isProblem(error, SIGNATURE_PROBLEMS.tooManyActivations)) throw error
      ctx.status = error.status
      await show(ctx, visit, { why: 'too-many' })
    }
  })

  router.use(inRoom('portal'), pages.refusals)
  router.get(CERTIFICATE_PAGE, guard({}, pages.signedIn((ctx, visit) => show(ctx, visit))))
  router.post(CERTIFICATE_PAGE, guard({}, begin))
  router.get(`${CERTIFICATE_PAGE}/retorno`, guard({ query: back }, async (ctx, { query: { bilhete } }) => {
    if (bilhete === undefined) return seeOther(ctx, CERTIFICATE_PAGE)
    const visit = await pages.findVisit(ctx)
    // Burnt also when nobody is signed in: it was for another browser.
    const outcome = await icp.finish(bilhete, visit && { accountId: visit.account.id, sessionId: visit.session.id })
    if (visit === undefined) return seeOther(ctx, CERTIFICATE_PAGE)
    if (outcome.kind === 'accepted') return seeOther(ctx, tell(LEVEL, 'icp-added'))
    ctx.status = outcome.why === 'unchecked' ? 503 : 403
    await show(ctx, visit, { why: outcome.why })
  }))
  router.post(`${CERTIFICATE_PAGE}/remover`, guard({}, pages.signedIn(async (ctx, visit) => {
    await remove(visit)
    seeOther(ctx, tell(LEVEL, 'icp-removed'))
  })))
  router.get(`${CERTIFICATE_PAGE}/remover`, guard({}, (ctx) => seeOther(ctx, CERTIFICATE_PAGE)))
  return router
}
