import type { Clock } from '../../../platform/clock.ts'
import type { Sql } from '../../../platform/db.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { Problem } from '../../../platform/problem.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { type AgencyUse, countCall, listUse, noteUse, purgeMinutes, type Span } from './quota.store.ts'

const MINUTE_MS = 60_000
/** Mato Grosso is four hours behind UTC all year: months begin at its midnight. */
const OFFSET_MS = 4 * 3_600_000

/** Whose calls are counted, and how many it may make. */
export interface MeteredClient {
  readonly id: string
  readonly policy: { readonly perMinute: number; readonly perMonth: number }
}

/** How much a client may use, in this minute and this month; each call says what is left (RateLimit headers). */
export interface Quotas {
  /** Every request that carries a token. @throws {Problem} agencies/too-many-calls with Retry-After */
  claimCall(ctx: HttpContext, client: MeteredClient): Promise<void>
  /** A request that costs: it is counted before the work. @throws {Problem} agencies/quota-spent with Retry-After */
  claimWork(ctx: HttpContext, client: MeteredClient, operation: string): Promise<void>
  /** The month's use of every client, for operators. */
  use(at?: Date): Promise<{ month: Date; use: AgencyUse[] }>
  sweep(): Promise<void>
}

export function createQuotas({ db, clock }: { db: Sql; clock: Clock }): Quotas {
  async function claim(ctx: HttpContext, client: MeteredClient, span: Span): Promise<Date> {
    const now = clock.now()
    const { startsAt, endsAt } = spanOf(span, now)
    const most = span === 'minute' ? client.policy.perMinute : client.policy.perMonth
    const used = await countCall(db, { clientId: client.id, span, startsAt, most })
    const seconds = Math.max(1, Math.ceil((endsAt.getTime() - now.getTime()) / 1000))
    ctx.append('RateLimit-Policy', `"${span}";q=${most};w=${Math.round((endsAt.getTime() - startsAt.getTime()) / 1000)}`)
    ctx.append('RateLimit', `"${span}";r=${most - (used ?? most)};t=${seconds}`)
    if (used !== undefined) return startsAt
    throw new Problem(span === 'minute' ? AGENCY_PROBLEMS.tooManyCalls : AGENCY_PROBLEMS.quotaSpent, { retryAfterSeconds: seconds })
  }

  return {
    claimCall: async (ctx, client) => void (await claim(ctx, client, 'minute')),
    async claimWork(ctx, client, operation) {
      await noteUse(db, client.id, await claim(ctx, client, 'month'), operation)
    },
    async use(at = clock.now()) {
      const { startsAt: month } = spanOf('month', at)
      return { month, use: await listUse(db, month) }
    },
    sweep: async () => void (await purgeMinutes(db, new Date(clock.now().getTime() - 10 * MINUTE_MS))),
  }
}

/** The minute or the month of Mato Grosso that a moment is in. */
export function spanOf(span: Span, now: Date): { startsAt: Date; endsAt: Date } {
  if (span === 'minute') {
    const start = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS
    return { startsAt: new Date(start), endsAt: new Date(start + MINUTE_MS) }
  }
  const there = new Date(now.getTime() - OFFSET_MS)
  const month = (ahead: number) => new Date(Date.UTC(there.getUTCFullYear(), there.getUTCMonth() + ahead, 1) + OFFSET_MS)
  return { startsAt: month(0), endsAt: month(1) }
}
