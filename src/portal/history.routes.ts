import Router from '@koa/router'
import { z } from 'zod'
import type { AccountId, PersonId } from '../accounts/index.ts'
import type { Audit, LedgerEntry } from '../audit/index.ts'
import { guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import type { AreaData } from './area.ts'
import type { AreaPages } from './pages.ts'

const PAGE = 30

/** One line of the ledger in the citizen's words. */
export interface LedgerLine {
  readonly what: string
  readonly who: string | undefined
  readonly at: Date
  readonly icon: string
  readonly tone: 'warning' | undefined
  readonly notMe: string | undefined
}

export interface Ledger {
  readonly audit: Pick<Audit, 'ledger'>
  readonly messages: Messages
  readonly clientName: (clientId: string) => Promise<string>
}

export interface HistoryRoutesDependencies {
  readonly pages: AreaPages
  readonly ledger: Ledger
  readonly views: Views
  readonly sessions: PageSessions<AreaData>
  /** Suspends the account, ends every session and withdraws recent remote evidence. */
  readonly reportMisuse: (accountId: AccountId, personId: PersonId) => Promise<void>
}

const paging = z.object({ antes: z.coerce.number().int().positive().optional() })
const about = z.object({ entry: z.coerce.number().int().positive().optional() })

/** The ledger of every use, and "não fui eu". */
export function createHistoryRoutes({ pages, ledger, views, sessions, reportMisuse }: HistoryRoutesDependencies): Router {
  const router = new Router()

  router.get('/conta/historico', guard({ query: paging }, pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof paging> }) => {
    const found = await ledger.audit.ledger(visit.account.id, { before: query.antes, limit: PAGE + 1 })
    const shown = found.slice(0, PAGE)
    const older = found.length > PAGE ? shown.at(-1)?.id : undefined
    pages.show(ctx, visit, { section: 'history', view: 'history', data: { entries: await linesOf(ctx, ledger, shown), older } })
  })))

  router.get('/conta/nao-fui-eu', guard({ query: about }, pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof about> }) => {
    const entry = query.entry === undefined ? undefined : await findEntry(visit.account.id, query.entry)
    const [line] = await linesOf(ctx, ledger, entry === undefined ? [] : [entry])
    pages.show(ctx, visit, { section: 'history', view: 'not-me', data: { entryId: entry?.id, entry: line && { ...line, notMe: undefined } } })
  })))

  async function findEntry(accountId: AccountId, id: number): Promise<LedgerEntry | undefined> {
    const [entry] = await ledger.audit.ledger(accountId, { before: id + 1, limit: 1 })
    return entry?.id === id ? entry : undefined
  }

  router.post('/conta/nao-fui-eu', guard({ body: about }, pages.signedIn(async (ctx, visit) => {
    await reportMisuse(visit.account.id, visit.account.personId)
    await sessions.end(ctx)
    ctx.status = 200
    views.render(ctx, 'portal/suspended', {})
  })))

  return router
}

/** Events that deserve a second look are marked; what the citizen did just now on this page does not need "não fui eu". */
const ICONS: Readonly<Record<string, string>> = {
  'accounts/signed-in': 'user', 'oidc/authorized': 'building', 'oidc/consent-given': 'plug', 'oidc/consent-withdrawn': 'plug',
  'assurance/evidence-added': 'shield-check', 'assurance/evidence-withdrawn': 'shield', 'accounts/password-changed': 'lock',
  'accounts/recovered': 'key', 'accounts/suspended': 'alert', 'accounts/session-ended': 'logout',
}
const WARNINGS: ReadonlySet<string> = new Set([
  'accounts/sign-in-refused', 'accounts/recovery-started', 'accounts/recovered', 'accounts/passkey-suspect', 'accounts/suspended',
  'accounts/registration-repeated', 'accounts/recovery-refused', 'oidc/refresh-token-reused',
])

/** Ledger entries as lines to read; an event that has no text of its own is still listed, by a general one. */
export async function linesOf(ctx: HttpContext, { messages, clientName }: Ledger, entries: readonly LedgerEntry[]): Promise<LedgerLine[]> {
  const t = (key: string, params?: Record<string, string>) => messages.text(localeOf(ctx), key, params)
  return Promise.all(
    entries.map(async ({ id, at, type, actor, clientId }) => {
      const key = `portal.event.${type.replace('/', '-')}`
      const client = clientId === undefined ? undefined : t('portal.history.for-client', { client: await clientName(clientId) })
      const who = actor.kind === 'operator' ? t('portal.history.by-operator') : (client ?? (actor.kind === 'system' ? t('portal.history.by-system') : undefined))
      const tone = WARNINGS.has(type) ? 'warning' : undefined
      return { what: t(messages.has(key) ? key : 'portal.event.other'), who, at, icon: ICONS[type] ?? 'check', tone, notMe: `/conta/nao-fui-eu?entry=${id}` }
    }),
  )
}
