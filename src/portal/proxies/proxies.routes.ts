import Router from '@koa/router'
import { inRoom } from '../../platform/http/app.ts'
import { createActRoutes } from './acts.routes.ts'
import { createCompanyRoutes } from './companies.routes.ts'
import type { ProxyDesk } from './desk.ts'
import { createGrantRoutes } from './grant.routes.ts'
import { createOthersRoutes } from './grant-others.routes.ts'
import { createMandateRoutes } from './mandate.routes.ts'
import { createOverviewRoutes } from './overview.routes.ts'
import { createSignatureRoutes, type GrantSigning } from './grant-signature.routes.ts'
import { createRequestRoutes } from './requests.routes.ts'

/** "Procurações" and the "Área Empresarial" of the citizen's area. */
export function createProxyRoutes(desk: ProxyDesk, signing: GrantSigning): Router {
  const router = new Router()
  router.use(inRoom('portal'), desk.pages.refusals)
  // Named pages before those of one mandate.
  const parts = [createOverviewRoutes(desk), createGrantRoutes(desk, signing.grants), createSignatureRoutes(desk, signing), createOthersRoutes(desk), createRequestRoutes(desk), createActRoutes(desk), createMandateRoutes(desk), createCompanyRoutes(desk)]
  for (const part of parts) router.use(part.routes())
  return router
}
