import Router from '@koa/router'
import type { z } from 'zod'
import { type Management, managementView, periodQuery, sendReport } from '../../helpdesk/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { OperatorPages } from './operator-pages.ts'

const PAGE = '/operacao/balcoes'

export interface CountersRoutesDependencies {
  readonly pages: OperatorPages
  readonly management: Pick<Management, 'ofAll'>
}

interface Asked {
  readonly query: z.output<typeof periodQuery>
}

/** `/operacao/balcoes`: all counters together, in numbers without names. */
export function createCountersRoutes({ pages, management }: CountersRoutesDependencies): Router {
  const router = new Router()
  router.get(
    PAGE,
    guard(
      { query: periodQuery },
      pages.only('counters', async (ctx, visit, { query: { dias } }: Asked) => {
        pages.show(ctx, visit, { section: 'counters', view: 'counters', data: managementView(await management.ofAll(dias), PAGE) })
      }),
    ),
  )
  router.get(
    `${PAGE}/relatorio.csv`,
    guard(
      { query: periodQuery },
      pages.only('counters', async (ctx, _visit, { query: { dias } }: Asked) => sendReport(ctx, await management.ofAll(dias), 'todas')),
    ),
  )
  return router
}
