import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Views } from '../../platform/http/views.ts'
import { isProblem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { parseCode } from './code.ts'
import type { Instruments } from './instruments.ts'

const BASE = '/procuracoes/verificar'

/** The public page: a code from paper says whether the mandate counts now, and no more than needed. */
export function createVerificationPages({ views, instruments }: { views: Views; instruments: Pick<Instruments, 'verify'> }): Router {
  const router = new Router()
  router.use(inRoom('proxies'))
  router.get(
    BASE,
    guard({ query: z.object({ codigo: z.string().max(60).optional() }) }, (ctx, { query: { codigo } }) => {
      const code = codigo === undefined ? undefined : parseCode(codigo)
      if (code !== undefined) return ctx.redirect(`${BASE}/${code}`)
      if (codigo !== undefined) ctx.status = 404
      views.render(ctx, 'proxies/verify', { isUnknown: codigo !== undefined })
    }),
  )
  router.get(
    `${BASE}/:code`,
    guard({ params: z.object({ code: z.string().max(60) }) }, async (ctx, { params: { code } }) => {
      const found = await instruments.verify(code).catch((error: unknown) => {
        if (isProblem(error, PROXIES_PROBLEMS.instrumentMissing)) return undefined
        throw error
      })
      // What counts now may not count in a minute: no copy of the page is kept, and no search engine has it.
      ctx.set('Cache-Control', 'no-store')
      ctx.set('X-Robots-Tag', 'noindex')
      if (!found) {
        ctx.status = 404
        return views.render(ctx, 'proxies/verify', { isUnknown: true })
      }
      const locale = localeOf(ctx)
      const powers = found.roles.map(({ definition }) => ({ title: definition.title[locale], text: definition.description[locale] }))
      views.render(ctx, 'proxies/verified', { found, powers })
    }),
  )
  return router
}
