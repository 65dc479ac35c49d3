import type { Audit, AuditActor } from '../audit/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database, Sql } from '../platform/db.ts'
import type { RequestFacts } from '../platform/http/request-facts.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { AccountId } from './account.ts'
import type { Notices } from './notices.ts'
import type { Passwords } from './password/passwords.ts'
import type { AccountsSettings } from './settings.ts'
import { type Limits, networkOf } from './throttle/limits.ts'
import type { Throttle } from './throttle/throttle.ts'
import type { OneTimeTokens } from './token/one-time-tokens.ts'

/** What every part of the room stands on. */
export interface Core {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Keyring
  readonly audit: Audit
  readonly settings: AccountsSettings
}

/** What the parts of the room share. */
export interface Tools {
  readonly tokens: OneTimeTokens
  readonly passwords: Passwords
  readonly throttle: Throttle
  readonly limits: Limits
  readonly notices: Notices
}

/** What the room needs to know of a request. */
export type Facts = Pick<RequestFacts, 'ip' | 'userAgent' | 'deviceCookie'>

/** The citizen as the actor of an audit event. */
export function citizen(accountId: AccountId): AuditActor {
  return { kind: 'citizen', id: accountId }
}

export const SYSTEM: AuditActor = { kind: 'system' }

/** Where a request came from, for the audit record: comparable, not readable. */
export function originOf(core: Pick<Core, 'keyring'>, facts: Pick<Facts, 'ip'>): string {
  return core.keyring.hash(networkOf(facts.ip), 'audit-origin').toString('base64url', 0, 12)
}

/**
 * Ends the protocol's side of sessions (tokens, refresh tokens, back-channel logout); from `app.ts`.
 *
 * Called inside the transaction that ends our records, with its `tx`, so that what it queues there (a job) commits with them;
 * nothing else of the database may be used in it.
 */
export type EndOidcSessions = (tx: Sql, ended: EndedSessions) => Promise<void>

export interface EndedSessions {
  readonly accountId: AccountId
  readonly sessionIds: readonly string[]
  readonly reason: string
  /** Also what was granted beyond the sessions (`offline_access`): the account was recovered, suspended or closed. */
  readonly offlineToo: boolean
}
