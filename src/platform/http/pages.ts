import Router from '@koa/router'
import { z } from 'zod'
import { guard } from './guard.ts'
import type { Messages } from './messages.ts'
import type { Views } from './views.ts'

const problemParams = z.object({ room: z.string().regex(/^[a-z]{2,20}$/), code: z.string().regex(/^[a-z][a-z0-9-]{1,60}$/) })

/** Pages that belong to no room: accessibility, privacy, and what each public problem code means (RFC 9457 `type`). */
export function createPlatformPages({ views, messages }: { views: Views; messages: Messages }): Router {
  const router = new Router()
  router.get(
    '/acessibilidade',
    guard({}, (ctx) => views.render(ctx, 'platform/accessibility')),
  )
  router.get(
    '/privacidade',
    guard({}, (ctx) => views.render(ctx, 'platform/privacy')),
  )
  router.get(
    '/problems/:room/:code',
    guard({ params: problemParams }, (ctx, { params }) => {
      const code = `${params.room}/${params.code}`
      if (!messages.has(`${code}.title`)) return ctx.throw(404)
      views.render(ctx, 'platform/problem-kind', { code })
    }),
  )
  router.get(
    '/robots.txt',
    guard({}, (ctx) => {
      ctx.type = 'text/plain'
      ctx.body = 'User-agent: *\nDisallow: /\n'
    }),
  )
  return router
}
