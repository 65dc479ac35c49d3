import { type Account, type AccountId, SIGNED_IN_COLUMNS, SIGNED_IN_TABLES, type SignedInRow, type SignInSession, toSignedIn } from '../accounts/index.ts'
import type { Sql } from '../platform/db.ts'

/** An account with one of its sessions and the names of the levels that its live evidence grants. */
export interface StandingRecord {
  readonly account: Account
  readonly session: SignInSession | undefined
  readonly grants: readonly string[]
}

/** Live as `evidenceState` says; `test/assurance` holds the two against each other. */
const LIVE_GRANTS = `ARRAY(SELECT e.grants FROM evidence e WHERE e.person_id = a.person_id
  AND (e.withdrawn_at IS NULL OR e.withdrawn_at > $3) AND (e.expires_at IS NULL OR e.expires_at > $3))`

/** Everything that decides what a session is worth, as one statement: every protocol request asks, so each round trip saved counts. */
export async function findStanding(sql: Sql, accountId: AccountId, sessionId: string | undefined, now: Date): Promise<StandingRecord | undefined> {
  const [row] = await sql.query<SignedInRow & { grants: string[] }>(
    `SELECT ${SIGNED_IN_COLUMNS}, ${LIVE_GRANTS} AS grants FROM ${SIGNED_IN_TABLES} WHERE a.id = $1`,
    [accountId, sessionId ?? null, now],
  )
  return row && { ...toSignedIn(row), grants: row.grants }
}
