import type { Aal, Level } from '../assurance/index.ts'
import type { Sql } from '../platform/db.ts'

/** Who did it, for the audit record. */
export interface Actor {
  readonly kind: 'citizen' | 'system' | 'operator' | 'client'
  readonly id?: string | undefined
}

export interface AuditEntry {
  readonly type: string
  readonly actor: Actor
  /** The person whose ledger shows it. */
  readonly subject?: string | undefined
  readonly clientId?: string | undefined
  readonly data: Readonly<Record<string, unknown>>
}

/** The audit room, as this room uses it. */
export interface AuditPort {
  record(sql: Sql, entry: AuditEntry): Promise<void>
  /** The entry's values for the audit room's `eventInsertion`. */
  prepare(entry: AuditEntry): unknown[]
}

/** A person as relying parties may come to know them; which part of it is the scopes' matter. */
export interface Subject {
  readonly accountId: string
  readonly cpf: string
  readonly name: string
  readonly socialName?: string | undefined
  readonly birthDate: string
  readonly email?: { readonly address: string; readonly verified: boolean } | undefined
  readonly phone?: { readonly number: string; readonly verified: boolean } | undefined
}

/** What a session of a person is worth at this moment. */
export interface Standing {
  readonly level: Level
  readonly aal: Aal
  readonly amr: readonly string[]
  readonly authenticatedAt: Date
  readonly faceAt?: Date | undefined
  /** False once the sign-in session was ended, idle or old: nobody is signed in by it any more. */
  readonly isLive: boolean
}

/** One piece of live evidence, for `verified_claims`. */
export interface EvidenceFact {
  readonly method: string
  readonly source: string
  readonly grants: Level
  readonly obtainedAt: Date
}

/** A person behind an account, and what their session is worth. */
export interface Person {
  /** `undefined` when the account may not be used now, suspended, closed or unknown: its tokens are dead. */
  readonly subject: Subject | undefined
  /** The level from live evidence and how this session signed in, also after the session's end (refresh tokens outlive it). */
  readonly standing: Standing | undefined
}

/** What `app.ts` hands in from the rooms that know people. */
export interface OidcPorts {
  /** Read anew at each call; without a session there is a subject and no standing. */
  findPerson(accountId: string, sessionUid: string | undefined): Promise<Person>
  listEvidence(accountId: string): Promise<readonly EvidenceFact[]>
  /** A session of the protocol is over: the sign-in session of the same id ends with it. */
  sessionEnded(sessionUid: string, reason: string): Promise<void>
}
