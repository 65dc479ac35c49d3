import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { endByMandate, type Ended, markKilled, purgeChoices, retryKill, takeToKill } from './representation.store.ts'

/** Grants younger than this may have no row in the store yet. */
const KEEP_MS = 3_600_000
/** After a crash another round takes what this one had taken. */
const LEASE_SECONDS = 30
const MOST_WAIT_SECONDS = 60
/** What ends at once, e.g. with a company, is killed at once; what is more waits for the next second. */
const MOST_BATCHES = 20
/** Each waits for the database most of its time; a few at once leave its connections to others. */
const LANES = 4

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
  readonly log: { error(fields: object, text: string): void }
  readonly revokeGrant: (grantId: string) => Promise<void>
  /** Tells the relying party that the session in which it knows this person is over. */
  readonly notify: (about: { accountId: string; clientId: string; sessionUid: string | undefined; reason: string }) => Promise<void>
}

/** The end of mandates, as far as tokens go. */
export interface Ending {
  /**
   * Kills the tokens of what has ended; every second. Returns how many grants.
   *
   * One that fails holds up no other: it is said in the log and tried again, later each time and for as long as it takes.
   */
  killEnded(): Promise<number>
  purge(): Promise<number>
}

export function createEnding({ db, clock, log, revokeGrant, notify }: EndingDeps): Ending {
  const inSeconds = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000)

  async function kill({ grantId, accountId, clientId, sessionUid, reason, attempts }: Ended): Promise<boolean> {
    try {
      await revokeGrant(grantId)
      // Who turned to another party did so themself, at the relying party's asking.
      if (reason !== 'switched') await notify({ accountId, clientId, sessionUid, reason: 'representation-ended' })
      await markKilled(db, grantId, clock.now())
      return true
    } catch (error) {
      log.error({ clientId, attempts, error }, 'tokens of an ended representation could not be killed')
      await retryKill(db, grantId, inSeconds(Math.min(MOST_WAIT_SECONDS, 2 ** Math.min(attempts, 10))))
      return false
    }
  }

  return {
    async killEnded() {
      let killed = 0
      for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
        const ended = await takeToKill(db, clock.now(), inSeconds(LEASE_SECONDS))
        const lane = async () => {
          for (let one = ended.shift(); one !== undefined; one = ended.shift()) if (await kill(one)) killed += 1
        }
        if (ended.length === 0) break
        await Promise.all(Array.from({ length: LANES }, lane))
      }
      return killed
    },
    purge: () => purgeChoices(db, new Date(clock.now().getTime() - KEEP_MS)),
  }
}
