import Router from '@koa/router'
import { inRoom } from '../../platform/http/app.ts'
import { seeOther } from '../pages.ts'
import { PAGE, type SigningDesk } from './desk.ts'
import { createDocumentRoutes } from './document.routes.ts'
import { createEnvelopeRoutes } from './envelope.routes.ts'
import { createListRoutes } from './list.routes.ts'
import { createSignRoutes } from './sign.routes.ts'
import { createUploads } from './upload.ts'

/** "Assinaturas" of the citizen's area. */
export function createSigningRoutes(desk: SigningDesk): Router {
  const router = new Router()
  router.use(inRoom('portal'), desk.pages.refusals)
  const uploads = createUploads(desk.pages)
  // Named pages before those of one envelope.
  for (const part of [createListRoutes(desk, uploads), createSignRoutes(desk), createDocumentRoutes(desk), createEnvelopeRoutes(desk, uploads)]) router.use(part.routes())
  // A reload, or a sign-in, after a form that was answered.
  router.get(`${PAGE}/:id/*rest`, (ctx) => seeOther(ctx, `${PAGE}/${encodeURIComponent(String(ctx.params['id']))}`))
  return router
}
