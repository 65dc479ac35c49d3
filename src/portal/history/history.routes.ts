import Router from '@koa/router'
import { z } from 'zod'
import type { AccountId } from '../../accounts/index.ts'
import type { LedgerEntry } from '../../audit/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import type { Views } from '../../platform/http/views.ts'
import type { AreaData } from '../area.ts'
import type { AreaPages, Visit } from '../pages.ts'
import { type Ledger, linesOf } from './ledger-line.ts'

const PAGE_LINES = 30

/** Stops everything that somebody else may have started: the account, its sessions, what a camera gave lately. */
export type ReportMisuse = (visit: Pick<Visit, 'account'>, entryId: number | undefined) => Promise<void>

export interface HistoryRoutesDependencies {
  readonly pages: AreaPages
  readonly ledger: Ledger
  readonly views: Views
  readonly sessions: PageSessions<AreaData>
  readonly reportMisuse: ReportMisuse
}

const position = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER)
const paging = z.object({ antes: position.optional() })
const about = z.object({ entry: position.optional() })
type Paging = z.output<typeof paging>
type About = z.output<typeof about>

/** The ledger of every use, and "não fui eu". */
export function createHistoryRoutes({ pages, ledger, views, sessions, reportMisuse }: HistoryRoutesDependencies): Router {
  const router = new Router()

  const list = pages.signedIn(async (ctx, visit, { query }: { query: Paging }) => {
    const { id } = visit.account
    const found = await ledger.audit.ledger(id, { before: query.antes, limit: PAGE_LINES + 1 })
    const shown = found.slice(0, PAGE_LINES)
    const older = found.length > PAGE_LINES ? shown.at(-1)?.id : undefined
    const entries = await linesOf(ctx, ledger, id, shown)
    pages.show(ctx, visit, { section: 'history', view: 'history', data: { entries, older, isFirst: query.antes === undefined } })
  })
  const ask = pages.signedIn(async (ctx, visit, { query }: { query: About }) => {
    const entry = await findEntry(ledger, visit.account.id, query.entry)
    const [line] = await linesOf(ctx, ledger, visit.account.id, entry === undefined ? [] : [entry])
    const data = { entryId: entry?.id, entry: line && { ...line, notMe: undefined } }
    pages.show(ctx, visit, { section: 'history', view: 'not-me', data })
  })
  const disown = pages.signedIn(async (ctx, visit, { body }: { body: About }) => {
    const entry = await findEntry(ledger, visit.account.id, body.entry)
    await reportMisuse(visit, entry?.id)
    await sessions.end(ctx)
    ctx.status = 200
    views.render(ctx, 'portal/suspended', {})
  })

  router.get('/conta/historico', guard({ query: paging }, list))
  router.get('/conta/nao-fui-eu', guard({ query: about }, ask))
  router.post('/conta/nao-fui-eu', guard({ body: about }, disown))
  return router
}

/** One line of this account; another's is as good as none. */
async function findEntry({ audit }: Ledger, accountId: AccountId, id: number | undefined): Promise<LedgerEntry | undefined> {
  if (id === undefined) return undefined
  const [entry] = await audit.ledger(accountId, { before: id + 1, limit: 1 })
  return entry?.id === id ? entry : undefined
}
