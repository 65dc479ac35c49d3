import Router from '@koa/router'
import { z } from 'zod'
import { type Metering, type Month, monthOf, monthsBefore, parseMonth, POINT_CODE, type StatementView } from '../../biometrics/index.ts'
import type { Documents } from '../../platform/documents/documents.ts'
import { guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import type { OperatorPages } from '../pages/operator-pages.ts'
import { canChange } from './points.routes.ts'
import { cellsOf, factsOf, headsOf, semesterCells, semesterHeads, statementDocument } from './statement-document.ts'
import { statementCsv } from './statement-rows.ts'

const PATH = '/operacao/medicao'
const SHOWN_MONTHS = 12
/** A month that is none is not found, and is so after the request has proven to come from our page. */
const params = z.object({ contract: z.string().max(40).regex(POINT_CODE), month: z.string().max(20) })
interface Asked {
  readonly params: { readonly contract: string; readonly month: string }
}

function monthIn({ month: text }: Asked['params']): Month {
  const month = parseMonth(text)
  if (month === undefined) throw new Problem(HTTP_PROBLEMS.notFound)
  return month
}

export interface MeteringRoutesDependencies {
  readonly pages: OperatorPages
  readonly metering: Metering
  readonly documents: Pick<Documents, 'render'>
  readonly messages: Messages
  readonly now: () => Date
}

/** `/operacao/medicao`: the monthly statements of every contract, as page, CSV and PDF. */
export function createMeteringPages(deps: MeteringRoutesDependencies): Router {
  const { pages, metering, messages, now } = deps
  const router = new Router()
  router.get(
    PATH,
    guard(
      {},
      pages.only('metering', async (ctx, visit) => {
        const months = monthsBefore(monthOf(now()), SHOWN_MONTHS)
        const contracts = (await metering.contracts()).map((contract) => ({ contract, months: months.map((month) => ({ month, href: `${PATH}/${contract}/${month}` })) }))
        pages.show(ctx, visit, { section: 'metering', view: 'points/contracts', data: { contracts } })
      }),
    ),
  )
  router.get(
    `${PATH}/:contract/:month`,
    guard(
      { params },
      pages.only('metering', async (ctx, visit, { params: asked }: Asked) => {
        const [contract, month] = [asked.contract, monthIn(asked)]
        const view = await metering.statement(contract, month)
        const base = `${PATH}/${contract}/${month}`
        const data = { ...textsOf(messages, ctx, view), base, canClose: canChange(visit) && view.closedAt === undefined && month < monthOf(now()) }
        pages.show(ctx, visit, { section: 'metering', view: 'points/statement', data })
      }),
    ),
  )
  router.post(
    `${PATH}/:contract/:month/fechar`,
    guard(
      { params },
      pages.only('metering', async (ctx, visit, { params: asked }: Asked) => {
        const [contract, month] = [asked.contract, monthIn(asked)]
        if (!canChange(visit)) throw new Problem(HTTP_PROBLEMS.forbidden)
        await metering.close(contract, month, { kind: 'operator', id: visit.account.id })
        seeOther(ctx, `${PATH}/${contract}/${month}`)
      }),
    ),
  )
  addFiles(router, deps)
  return router
}

function addFiles(router: Router, { pages, metering, documents, messages, now }: MeteringRoutesDependencies): void {
  const send = (ctx: HttpContext, name: string, type: string, body: string | Buffer) => {
    ctx.status = 200
    ctx.body = body
    ctx.type = type
    ctx.set('Content-Disposition', `attachment; filename="${name}"`)
  }
  router.get(
    `${PATH}/:contract/:month/extrato.csv`,
    guard(
      { params },
      pages.only('metering', async (ctx, _visit, { params: asked }: Asked) => {
        const [contract, month] = [asked.contract, monthIn(asked)]
        const { statement } = await metering.statement(contract, month)
        send(ctx, `extrato-${contract}-${month}.csv`, 'text/csv; charset=utf-8', statementCsv(statement))
      }),
    ),
  )
  router.get(
    `${PATH}/:contract/:month/extrato.pdf`,
    guard(
      { params },
      pages.only('metering', async (ctx, _visit, { params: asked }: Asked) => {
        const [contract, month] = [asked.contract, monthIn(asked)]
        const view = await metering.statement(contract, month)
        const pdf = await documents.render(statementDocument(messages, localeOf(ctx), view, view.closedAt ?? now()))
        send(ctx, `extrato-${contract}-${month}.pdf`, 'application/pdf', pdf)
      }),
    ),
  )
}

/** The statement in the reader's words: the page adds nothing to the document's numbers. */
function textsOf(messages: Messages, ctx: HttpContext, { statement, closedAt }: StatementView): object {
  const locale = localeOf(ctx)
  const t = (key: string, params: Record<string, string | number> = {}) => messages.text(locale, key, params)
  return {
    statement, closedAt, facts: factsOf(messages, locale, statement), heads: headsOf(t), rows: statement.points.map((one) => ({ name: one.code, cells: cellsOf(locale, one) })),
    semester: { heads: semesterHeads(t), rows: statement.semester.map((one) => ({ name: one.month, cells: semesterCells(locale, one) })) },
  }
}
