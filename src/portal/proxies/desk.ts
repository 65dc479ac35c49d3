import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import { type Acting, PROXIES_PROBLEMS, type Proxies } from '../../proxies/index.ts'
import type { AreaData } from '../area.ts'
import { outcomeQuery } from '../outcome.ts'
import type { AreaPages, Page, Visit } from '../pages.ts'
import { explaining } from '../refusal.ts'

export type { Refusal } from '../refusal.ts'

/** What the pages about mandates share. */
export interface ProxyDesk {
  readonly pages: AreaPages
  readonly proxies: Proxies
  readonly sessions: PageSessions<AreaData>
  readonly clock: Clock
  /** What a relying party is called. */
  readonly clientName: (clientId: string) => Promise<string>
}

export const PAGE = '/conta/procuracoes'

/** Query of every page that can be in a company's name. */
export const nameQuery = outcomeQuery.extend({ empresa: z.string().regex(/^[A-Z0-9]{8,14}$/).optional() })
export type NameQuery = z.output<typeof nameQuery>

/** Who acts on a page: the citizen, or a company that they bind. The register judges whether they do. */
export function actingAs({ account, session }: Visit, company: string | undefined): Acting {
  return { accountId: account.id, sessionId: session.id, ...(company !== undefined && { company }) }
}

/** The same page in the name of a company. */
export function inName(href: string, company: string | undefined): string {
  return company === undefined ? href : `${href}?empresa=${encodeURIComponent(company)}`
}

/** Shows a page of the section that it belongs to: one's own mandates, or a company's. */
export function showIn({ pages }: ProxyDesk, ctx: HttpContext, visit: Visit, { company, ...page }: Omit<Page, 'section'> & { readonly company: string | undefined }): void {
  pages.show(ctx, visit, { ...page, section: company === undefined ? 'proxies' : 'companies', data: { ...page.data, company } })
}

/** What the register refuses and its pages explain. */
export const GRANT_REFUSALS = [
  PROXIES_PROBLEMS.freshnessNeeded, PROXIES_PROBLEMS.levelNeeded, PROXIES_PROBLEMS.held, PROXIES_PROBLEMS.delegateUnconfirmed, PROXIES_PROBLEMS.roleChanged,
  PROXIES_PROBLEMS.stepOutOfOrder, PROXIES_PROBLEMS.termsRefused, PROXIES_PROBLEMS.requestBlocked, PROXIES_PROBLEMS.tooManyRequests,
  PROXIES_PROBLEMS.actPending, PROXIES_PROBLEMS.companyUnknown, PROXIES_PROBLEMS.signatureNeeded,
]

/** Runs what may be refused; anything that the page cannot explain goes on up. */
export const refusalOf = explaining(GRANT_REFUSALS)
