import Router from '@koa/router'
import { z } from 'zod'
import { type OutcomeReport, type Outcomes, REPORT_DAYS, type ReportDays, SMALLEST_GROUP } from '../../biometrics/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { OperatorPages } from '../pages/operator-pages.ts'
import { outcomesCsv } from './outcome-rows.ts'
import { trendChart } from './trend-chart.ts'

const PATH = '/operacao/biometria'
const DEFAULT_DAYS = 28
const query = z.object({
  dias: z
    .enum(['7', '28', '90'])
    .transform((text): ReportDays => REPORT_DAYS.find((days) => String(days) === text) ?? DEFAULT_DAYS)
    .default(DEFAULT_DAYS),
})

export interface OutcomeRoutesDependencies {
  readonly pages: OperatorPages
  readonly outcomes: Pick<Outcomes, 'report'>
}

interface Asked {
  readonly query: { readonly dias: ReportDays }
}

/** `/operacao/biometria`: what came of face checks, how it moves, and what stands out; the same numbers as a file. */
export function createOutcomeRoutes({ pages, outcomes }: OutcomeRoutesDependencies): Router {
  const router = new Router()
  router.get(
    PATH,
    guard(
      { query },
      pages.only('biometrics', async (ctx, visit, { query: { dias } }: Asked) => {
        const report = await outcomes.report(dias)
        pages.show(ctx, visit, { section: 'biometrics', view: 'biometrics', data: viewOf(report) })
      }),
    ),
  )
  router.get(
    `${PATH}/resultados.csv`,
    guard(
      { query },
      pages.only('biometrics', async (ctx, _visit, { query: { dias } }: Asked) => {
        const report = await outcomes.report(dias)
        ctx.status = 200
        ctx.body = outcomesCsv(report)
        ctx.type = 'text/csv; charset=utf-8'
        ctx.set('Content-Disposition', `attachment; filename="biometria-${report.from}-${report.to}.csv"`)
      }),
    ),
  )
  return router
}

function viewOf(report: OutcomeReport): object {
  const periods = REPORT_DAYS.map((days) => ({ days, href: `${PATH}?dias=${days}`, current: days === report.days }))
  const charts = { refusal: trendChart(report, 'refusal'), falseRefusal: trendChart(report, 'false-refusal') }
  return { report, periods, charts, smallest: SMALLEST_GROUP, csvHref: `${PATH}/resultados.csv?dias=${report.days}` }
}
