import Router from '@koa/router'
import type { Metering, Outcomes, PointOverview, Points } from '../../biometrics/index.ts'
import type { Documents } from '../../platform/documents/documents.ts'
import type { Management } from '../../helpdesk/index.ts'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { createEntranceRoutes, type EntranceDependencies, seeOther, type VisitAccounts } from '../../portal/index.ts'
import { createOutcomeRoutes } from '../biometrics/outcomes.routes.ts'
import { createCountersRoutes } from './counters.routes.ts'
import { createMeteringPages } from '../points/metering.routes.ts'
import { createPointPages } from '../points/points.routes.ts'
import { createOperatorPages, OPERATOR_PLACE } from './operator-pages.ts'

export interface OperationsDependencies {
  /** With `OPERATOR_PLACE`. */
  readonly entrance: EntranceDependencies
  readonly messages: Messages
  readonly accounts: VisitAccounts
  readonly figures: { readonly outcomes: Pick<Outcomes, 'report'>; readonly management: Pick<Management, 'ofAll'> }
  readonly imaging: {
    readonly points: Pick<Points, 'get' | 'move'>
    readonly overview: PointOverview
    readonly metering: Metering
    readonly documents: Pick<Documents, 'render'>
    readonly now: () => Date
  }
}

/** The operators' area under `/operacao`: its entrance and its pages. */
export function createOperationsRoutes({ entrance, messages, accounts, figures, imaging }: OperationsDependencies): Router {
  const { sessions, views } = entrance
  const { outcomes, management } = figures
  const pages = createOperatorPages({ sessions, accounts, views, messages })
  const router = new Router()
  router.use(inRoom('admin'))
  router.get(
    OPERATOR_PLACE.base,
    guard({}, (ctx) => seeOther(ctx, '/operacao/biometria')),
  )
  router.use(createEntranceRoutes(entrance).router.routes())
  router.use(createOutcomeRoutes({ pages, outcomes }).routes())
  router.use(createCountersRoutes({ pages, management }).routes())
  router.use(createPointPages({ pages, ...imaging }).routes())
  router.use(createMeteringPages({ pages, messages, ...imaging }).routes())
  return router
}
