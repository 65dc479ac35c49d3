import Router from '@koa/router'
import { inRoom } from '../platform/http/app.ts'
import { createDataRoutes } from './data.routes.ts'
import { createDevicesRoutes, type OpenSessions } from './devices.routes.ts'
import { createEntranceRoutes, type EntranceDependencies } from './entrance.routes.ts'
import { createHistoryRoutes, type HistoryRoutesDependencies, type Ledger } from './history.routes.ts'
import { createHomeRoutes, type Hold, type Overview } from './home.routes.ts'
import { createLevelRoutes } from './level.routes.ts'
import { type AreaPagesDependencies, createAreaPages } from './pages.ts'
import { createSecurityRoutes, type Factors } from './security.routes.ts'
import { type ConnectedSystems, createSystemsRoutes } from './systems.routes.ts'
import type { Contacts } from '../accounts/index.ts'

/** What the area needs from the rooms before it, grouped by who supplies it. */
export interface PortalDependencies {
  readonly entrance: EntranceDependencies
  readonly area: Omit<AreaPagesDependencies, 'sessions' | 'views'>
  readonly account: {
    readonly contacts: Contacts
    readonly factors: Factors
    readonly openSessions: OpenSessions
    readonly systems: ConnectedSystems
    readonly overview: Overview
  }
  readonly history: { readonly ledger: Ledger; readonly reportMisuse: HistoryRoutesDependencies['reportMisuse'] }
  readonly settings: Hold & { readonly minPasswordLength: number }
}

/** The citizen's area under `/conta`. */
export function createPortalRoutes({ entrance, area, account, history, settings }: PortalDependencies): Router {
  const { sessions, views } = entrance
  const { messages } = area
  const pages = createAreaPages({ sessions, views, ...area })
  const { overview } = account
  const router = new Router()
  router.use(inRoom('portal'), pages.refusals)
  const parts = [
    createEntranceRoutes(entrance),
    createHomeRoutes({ pages, overview, ledger: history.ledger, entrance, hold: settings }),
    createDataRoutes({ pages, contacts: account.contacts, sessions }),
    createLevelRoutes({ pages, explain: overview.explain }),
    createSecurityRoutes({ pages, factors: account.factors, sessions, messages, settings }),
    createDevicesRoutes({ pages, openSessions: account.openSessions }),
    createSystemsRoutes({ pages, systems: account.systems }),
    createHistoryRoutes({ pages, ledger: history.ledger, views, sessions, reportMisuse: history.reportMisuse }),
  ]
  for (const part of parts) router.use(part.routes())
  return router
}
