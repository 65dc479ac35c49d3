import type { ClientInstance } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { insertNotice, type LogoutNotice, markDelivered, markFailed, purgeNotices, takeDueNotices } from './notice.store.ts'

/** Waits between attempts; after the last one the relying party is given up (it learns at its next token request). */
const RETRY_SECONDS = [10, 30, 120, 600, 3600, 6 * 3600]
const KEEP_DAYS = 30

export interface NoticeDeps {
  readonly db: Database
  readonly clock: Clock
  readonly findClient: (id: string) => Promise<ClientInstance | undefined>
  /** Makes, signs and sends one logout token; throws when the relying party does not take it. */
  readonly deliver: (client: ClientInstance, accountId: string, sid: string | undefined) => Promise<void>
}

/** Back-channel logout (OpenID Connect Back-Channel Logout 1.0), at least once, without anybody waiting for it. */
export interface LogoutNotices {
  /** Durable when fulfilled; the first attempt then begins by itself. Nothing for a relying party that registered no address for it. */
  send(notice: { clientId: string; accountId: string; sid: string | undefined; reason: string }): Promise<void>
  /** Attempts what is due; run every few seconds. Returns how many were delivered. */
  deliverDue(): Promise<number>
  purge(): Promise<number>
  /** Waits for attempts under way. */
  settle(): Promise<void>
}

export function createLogoutNotices({ db, clock, findClient, deliver }: NoticeDeps): LogoutNotices {
  const underWay = new Set<Promise<unknown>>()

  async function attempt(notice: LogoutNotice): Promise<boolean> {
    try {
      const client = await findClient(notice.clientId)
      if (client?.backchannelLogoutUri) await deliver(client, notice.accountId, notice.sid)
      await markDelivered(db, notice.id, clock.now())
      return true
    } catch (error) {
      const wait = RETRY_SECONDS[notice.attempts]
      const retryAt = wait === undefined ? undefined : later(clock.now(), wait)
      await markFailed(db, notice.id, { error: error instanceof Error ? error.message : 'failed', now: clock.now(), retryAt })
      return false
    }
  }

  return {
    async send(given) {
      if (!(await findClient(given.clientId))?.backchannelLogoutUri) return
      const now = clock.now()
      const notice = await insertNotice(db, { ...given, now, firstRetryAt: later(now, RETRY_SECONDS[0] ?? 0) })
      const first: Promise<unknown> = attempt(notice)
        .catch(() => false)
        .finally(() => underWay.delete(first))
      underWay.add(first)
    },
    async deliverDue() {
      const now = clock.now()
      const due = await takeDueNotices(db, now, later(now, 60))
      const results = await Promise.all(due.map(attempt))
      return results.filter(Boolean).length
    },
    purge: () => purgeNotices(db, later(clock.now(), -KEEP_DAYS * 86_400)),
    async settle() {
      await Promise.all(underWay)
    },
  }
}

function later(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1000)
}
