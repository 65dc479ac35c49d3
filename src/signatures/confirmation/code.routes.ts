import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { type HttpContext, requestFacts } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { isProblem } from '../../platform/problem.ts'
import { parseCode } from '../../proxies/index.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { SignatureRecords } from './records.ts'

const PAGE = '/verificar'

export interface CodeRouteDependencies {
  readonly views: Views
  readonly records: Pick<SignatureRecords, 'byCode'>
  /** By address. @throws {Problem} platform/too-many */
  readonly claimAddress: (ip: string) => void
}

/** The public page behind a stamp's code and QR: whether there is such a signature, and of which file. */
export function createCodeRoutes({ views, records, claimAddress }: CodeRouteDependencies): Router {
  const router = new Router()
  router.use(inRoom('signatures'))
  const unknown = (ctx: HttpContext) => {
    ctx.status = 404
    views.render(ctx, 'signatures/code', { found: undefined })
  }
  router.get(
    `${PAGE}/codigo`,
    guard({ query: z.object({ codigo: z.string().max(60).optional() }) }, (ctx, { query: { codigo } }) => {
      if (codigo === undefined) return views.render(ctx, 'signatures/code', { isAsking: true })
      const code = parseCode(codigo)
      if (code === undefined) return unknown(ctx)
      ctx.redirect(`${PAGE}/${code}`)
    }),
  )
  router.get(
    `${PAGE}/:code`,
    guard({ params: z.object({ code: z.string().max(60) }) }, async (ctx, { params: { code } }) => {
      claimAddress(requestFacts(ctx).ip)
      const found = await records.byCode(code).catch((error: unknown) => {
        if (isProblem(error, SIGNATURE_PROBLEMS.signatureUnknown)) return undefined
        throw error
      })
      ctx.set('X-Robots-Tag', 'noindex')
      if (!found) return unknown(ctx)
      views.render(ctx, 'signatures/code', { found })
    }),
  )
  return router
}
