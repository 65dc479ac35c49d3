import Router from '@koa/router'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { createEntranceRoutes, type EntranceDependencies, type VisitAccounts } from '../../portal/index.ts'
import type { Proxies } from '../../proxies/index.ts'
import { AGENCY_PLACE, createAgencyPages } from './agency-pages.ts'
import { createAgencyTeamRoutes } from './agency-team.routes.ts'
import { createEntriesRoutes } from './entries.routes.ts'
import { createPowersRoutes } from './powers.routes.ts'

export interface AgencyAreaDependencies {
  /** With `AGENCY_PLACE`. */
  readonly entrance: EntranceDependencies
  readonly messages: Messages
  readonly accounts: VisitAccounts
  readonly proxies: Pick<Proxies, 'team' | 'servants' | 'roles' | 'entered' | 'mandates'>
}

/** The agencies' area under `/orgao`: their part of the catalogue of powers, what they enter, and who does it. */
export function createAgencyRoutes({ entrance, messages, accounts, proxies }: AgencyAreaDependencies): Router {
  const { sessions, views } = entrance
  const pages = createAgencyPages({ sessions, accounts, proxies, views, messages })
  const router = new Router()
  router.use(inRoom('admin'))
  router.get(AGENCY_PLACE.base, guard({}, (ctx) => pages.home(ctx)))
  router.use(createEntranceRoutes(entrance).router.routes())
  router.use(createPowersRoutes({ pages, roles: proxies.roles }).routes())
  router.use(createEntriesRoutes({ pages, proxies }).routes())
  router.use(createAgencyTeamRoutes({ pages, team: proxies.team, servants: proxies.servants, accounts }).routes())
  return router
}
