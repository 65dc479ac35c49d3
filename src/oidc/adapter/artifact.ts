import type { JsonObject } from 'oidc-provider'

/** Lost with the server that holds them, people sign in again and nothing spent comes back; see docs/adr/0002. */
const VOLATILE = new Set([
  'Session',
  'Interaction',
  'AuthorizationCode',
  'AccessToken',
  'ClientCredentials',
  'DeviceCode',
  'PushedAuthorizationRequest',
  'RefreshAnswer',
])

/** Whether a model may live where a crash empties it. Grants, refresh tokens, replay marks and registration tokens may not. */
export function isVolatile(model: string): boolean {
  return VOLATILE.has(model)
}

/** One stored protocol artefact, with what its validity hangs on where the store could read both at once. */
export interface FoundArtifact {
  readonly payload: JsonObject
  readonly consumedAt?: Date | undefined
  /** The live grant under `payload.grantId`; `null` when there is none, absent when it was not looked up. */
  readonly grant?: JsonObject | null
  /** The live session under `payload.sessionUid`; the same rules. */
  readonly session?: JsonObject | null
}

export interface NewArtifact {
  readonly model: string
  readonly id: string
  readonly payload: JsonObject
  /** `undefined`: does not expire. */
  readonly expiresAt: Date | undefined
}

export interface SessionRecord {
  readonly id: string
  readonly payload: JsonObject
}

export interface GrantRecord {
  readonly id: string
  readonly clientId: string
  /** Seconds since 1970. */
  readonly issuedAt: number | undefined
}

/**
 * Where protocol artefacts are kept. Ids given here are already digests: no store ever sees a usable token.
 *
 * Nothing expired is found, and each write is in force for every process when its promise is fulfilled. A store that
 * cannot answer throws; it never says "not found" or "not used yet" instead.
 */
export interface ArtifactStore {
  upsert(artifact: NewArtifact): Promise<void>
  /** Stores what must not exist yet; false when it does. Of any number of parallel calls one gets true. */
  insertOnce(artifact: NewArtifact): Promise<boolean>
  find(model: string, id: string): Promise<FoundArtifact | undefined>
  findByUid(uid: string): Promise<FoundArtifact | undefined>
  findByUserCode(userCode: string): Promise<FoundArtifact | undefined>
  /** Compare-and-set: of any number of parallel calls one gets true, and none after expiry. */
  consume(model: string, id: string): Promise<boolean>
  destroy(model: string, id: string): Promise<void>
  revokeByGrantId(model: string, grantId: string): Promise<void>
  /** Live sessions of an account. */
  sessionsOf(accountId: string): Promise<SessionRecord[]>
  /** Live grants of an account, of one client or of all. */
  grantsOf(accountId: string, clientId?: string): Promise<GrantRecord[]>
  /** Removes what has expired, a bounded number at a time; returns how many. */
  purge(): Promise<number>
}
