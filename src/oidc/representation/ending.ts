import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { endByMandate, listToKill, markKilled, purgeChoices } from './representation.store.ts'

/** Grants younger than this may have no row in the store yet. */
const KEEP_MS = 3_600_000

/**
 * Ends what is acted under a mandate, in the transaction that ends it: once it has committed no token is given out under it, refresh and
 * introspection refuse, and within a second the grants are gone and back-channel logout is on its way.
 */
export async function endRepresentations(tx: Sql, mandateId: string, now: Date): Promise<void> {
  await endByMandate(tx, mandateId, now)
}

export interface EndingDeps {
  readonly db: Database
  readonly clock: Clock
  readonly revokeGrant: (grantId: string) => Promise<void>
  /** Tells the relying party that the session in which it knows this person is over. */
  readonly notify: (about: { accountId: string; clientId: string; sessionUid: string | undefined; reason: string }) => Promise<void>
}

/** The end of mandates, as far as tokens go. */
export interface Ending {
  /** Kills the tokens of what has ended; every second. Returns how many grants. */
  killEnded(): Promise<number>
  purge(): Promise<number>
}

export function createEnding({ db, clock, revokeGrant, notify }: EndingDeps): Ending {
  return {
    async killEnded() {
      const ended = await listToKill(db)
      for (const { grantId, accountId, clientId, sessionUid, reason } of ended) {
        await revokeGrant(grantId)
        // Who turned to another party did so themself, at the relying party's asking.
        if (reason !== 'switched') await notify({ accountId, clientId, sessionUid, reason: 'representation-ended' })
        await markKilled(db, grantId, clock.now())
      }
      return ended.length
    },
    purge: () => purgeChoices(db, new Date(clock.now().getTime() - KEEP_MS)),
  }
}
