import Router from '@koa/router'
import type { Contacts } from '../accounts/index.ts'
import { inRoom } from '../platform/http/app.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import { type Closing, createClosingRoutes } from './closing.routes.ts'
import { createContactRoutes } from './data/contact.routes.ts'
import { createDataRoutes } from './data/data.routes.ts'
import { createDevicesRoutes, type KnownDevices, type OpenSessions } from './devices.routes.ts'
import { createEntranceRoutes, type EntranceDependencies, type Prove } from './entrance.routes.ts'
import { createHistoryRoutes, type ReportMisuse } from './history/history.routes.ts'
import type { Ledger } from './history/ledger-line.ts'
import { createHomeRoutes, type Overview } from './home.routes.ts'
import { createLevelRoutes } from './level.routes.ts'
import { type AreaAccounts, type AreaPages, createAreaPages, type Visit } from './pages.ts'
import { createSecurityRoutes, type Factors } from './security/security.routes.ts'
import { type ConnectedSystems, createSystemsRoutes } from './systems.routes.ts'

/** What the area needs from the rooms before it, grouped by who supplies it. */
export interface PortalDependencies {
  readonly entrance: EntranceDependencies
  readonly messages: Messages
  readonly accounts: AreaAccounts & { readonly contacts: Contacts; readonly factors: Factors; readonly minPasswordLength: number }
  readonly account: {
    readonly openSessions: OpenSessions
    readonly knownDevices: KnownDevices
    readonly systems: ConnectedSystems
    readonly overview: Overview
    readonly closing: Closing
  }
  readonly history: { readonly ledger: Ledger; readonly reportMisuse: ReportMisuse }
}

/** The area's routes, and who is signed in to it, for pages beside it. */
export interface Portal {
  readonly routes: Router
  /** The frame of the area, for parts of it that later rooms own. */
  readonly pages: AreaPages
  readonly prove: Prove
  findVisit(ctx: HttpContext): Promise<Visit | undefined>
}

/** The citizen's area under `/conta`. */
export function createPortalRoutes({ entrance, messages, accounts, account, history }: PortalDependencies): Portal {
  const { sessions, views } = entrance
  const { contacts, factors, minPasswordLength } = accounts
  const { overview, openSessions, knownDevices, systems, closing } = account
  const pages = createAreaPages({ sessions, views, accounts, messages })
  const { router: entranceRoutes, signOut, prove } = createEntranceRoutes(entrance)
  const routes = new Router()
  routes.use(inRoom('portal'), pages.refusals)
  const parts = [
    entranceRoutes,
    createHomeRoutes({ pages, overview, ledger: history.ledger, views }),
    createDataRoutes({ pages, contacts }),
    createClosingRoutes({ pages, closing, sessions, messages, views }),
    createContactRoutes({ pages, contacts, sessions }),
    createLevelRoutes({ pages, explain: overview.explain }),
    createSecurityRoutes({ pages, factors, sessions, messages, minPasswordLength }),
    createDevicesRoutes({ pages, openSessions, knownDevices, signOut }),
    createSystemsRoutes({ pages, systems }),
    createHistoryRoutes({ pages, ledger: history.ledger, views, sessions, reportMisuse: history.reportMisuse }),
  ]
  for (const part of parts) routes.use(part.routes())
  return { routes, pages, prove, findVisit: pages.findVisit }
}
