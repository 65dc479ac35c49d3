import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { DeskPages } from '../desk-pages.ts'
import { LEAST_ANSWERS } from '../satisfaction/surveys.ts'
import { barChart } from './bar-chart.ts'
import { type Management, type ManagementReport, type PeriodDays, PERIODS } from './report.ts'
import { managementCsv } from './report-csv.ts'

export interface ManagementRoutesDependencies {
  readonly pages: DeskPages
  readonly management: Management
}

const PAGE = '/balcao/gestao'
const DEFAULT_DAYS = 28

/** Query of a report's pages. */
export const periodQuery = z.object({
  dias: z
    .enum(['7', '28', '90'])
    .transform((text): PeriodDays => PERIODS.find((days) => String(days) === text) ?? DEFAULT_DAYS)
    .default(DEFAULT_DAYS),
})
interface Asked {
  readonly query: z.output<typeof periodQuery>
}

/** `/balcao/gestao`: what happened in the manager's own unit, drawn and as a file. */
export function createManagementRoutes({ pages, management }: ManagementRoutesDependencies): Router {
  const router = new Router()
  const open = pages.only('management', async (ctx, visit, { query: { dias } }: Asked) => {
    const report = await management.ofUnit(visit.unit.id, dias)
    pages.show(ctx, visit, { section: 'management', view: 'management', data: managementView(report, PAGE) })
  })
  const file = pages.only('management', async (ctx, visit, { query: { dias } }: Asked) => sendReport(ctx, await management.ofUnit(visit.unit.id, dias), visit.unit.code))

  router.get(PAGE, guard({ query: periodQuery }, open))
  router.get(`${PAGE}/relatorio.csv`, guard({ query: periodQuery }, file))
  return router
}

/** What the template of a report draws from. */
export function managementView(report: ManagementReport, page: string): object {
  const minutes = ({ median }: { readonly median: number }) => Math.round(median / 60)
  return {
    report,
    periods: PERIODS.map((days) => ({ days, href: `${page}?dias=${days}`, current: days === report.days })),
    charts: {
      attendances: barChart(report.attendances.map(({ day, count }) => ({ day, value: count }))),
      waits: barChart(report.waits.map((found) => ({ day: found.day, value: minutes(found) }))),
    },
    csvHref: `${page}/relatorio.csv?dias=${report.days}`,
    least: LEAST_ANSWERS,
  }
}

/** The report as a file. */
export function sendReport(ctx: HttpContext, report: ManagementReport, name: string): void {
  ctx.status = 200
  ctx.body = managementCsv(report)
  ctx.type = 'text/csv; charset=utf-8'
  ctx.set('Content-Disposition', `attachment; filename="gestao-${name}-${report.from}-${report.to}.csv"`)
}
