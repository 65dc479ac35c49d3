import type { Oidc } from '../oidc/index.ts'
import { purgeEndedPageSessions } from '../platform/http/page-session.ts'
import type { Foundation } from './foundation.ts'
import { END_SESSIONS_JOB, type Rooms } from './rooms.ts'

const LOGOUT_EVERY_MS = 1000

/** Work beside the requests: jobs, the mail relay, the seals of the audit record, due sign-out notices. */
export interface Background {
  start(): Promise<void>
  stop(): Promise<void>
}

export function createBackground({ db, clock, jobs, outbox, log }: Foundation, { audit, accounts, liveness }: Rooms, oidc: Oidc): Background {
  jobs.work(END_SESSIONS_JOB, async ({ accountId, sessionIds, reason, offlineToo }) => {
    const actor = { kind: 'system' } as const
    const ended = { accountId: String(accountId), reason: String(reason), actor, offlineToo: offlineToo === true }
    const ids = String(sessionIds).split(' ').filter((id) => id !== '')
    if (ended.offlineToo) await oidc.sessions.end(ended)
    else for (const sessionUid of ids) await oidc.sessions.end({ ...ended, sessionUid })
  })
  jobs.schedule('oidc-purge', '*/5 * * * *', async () => void (await oidc.purgeExpired()))
  jobs.schedule('oidc-rotate-keys', '17 3 * * *', async () => void (await oidc.keys.rotate()))
  jobs.schedule('accounts-purge', '7 * * * *', accounts.purge)
  jobs.schedule('page-sessions-purge', '23 * * * *', async () => void (await purgeEndedPageSessions(db, clock.now())))
  jobs.schedule('liveness-sweep', '* * * * *', liveness.sweep)
  jobs.schedule('database-maintain', '41 * * * *', db.maintain)

  let timer: NodeJS.Timeout | undefined
  let delivering: Promise<unknown> = Promise.resolve()
  let isStopped = false
  const deliver = () => {
    if (isStopped) return
    timer = setTimeout(() => {
      delivering = oidc.deliverLogouts().catch((error: unknown) => log.warn('sign-out notices failed', { error })).finally(deliver)
    }, LOGOUT_EVERY_MS).unref()
  }

  return {
    async start() {
      audit.start()
      await outbox.start()
      deliver()
      await jobs.start()
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await Promise.all([jobs.stop(), outbox.stop(), delivering])
    },
  }
}
