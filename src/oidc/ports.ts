import type { Aal, Level } from '../assurance/index.ts'
import type { Sql } from '../platform/db.ts'
import type { Locale } from '../platform/http/locale.ts'

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

/** A person (CPF) or a company (CNPJ) on whose behalf somebody acts. */
export interface RepresentedParty {
  readonly partyId: string
  readonly type: 'PF' | 'PJ'
  readonly name: string
  /** CPF or CNPJ without punctuation. */
  readonly document: string
  readonly birthDate?: string | undefined
  /** Where the person has an account here: whose ledger shows the use, and what relying parties know them by. */
  readonly accountId?: string | undefined
  readonly personId?: string | undefined
}

/** What one person may do for one party at this moment: by one mandate, or as an administrator in the company register. */
export interface Representation {
  /** Names this way of representing among those of the person: the mandate's id, or one made of the party's. */
  readonly id: string
  readonly mandateId: string | undefined
  readonly kind: string
  readonly represented: RepresentedParty
  /** Codes of the powers, `namespace:code`. */
  readonly powers: readonly string[]
  /** What each power is called, in the languages of the pages. */
  readonly titles: readonly Readonly<Record<Locale, string>>[]
  /** First and last day, both inclusive; no last day where it is open. */
  readonly validFrom?: string | undefined
  readonly validThrough?: string | undefined
  readonly mayDelegate: boolean
  /** Acts need so many people; a sign-in alone gives no such power. */
  readonly quorum?: number | undefined
  /** Through whom it came (substabelecimento), nearest first. */
  readonly through: readonly Pick<RepresentedParty, 'partyId' | 'accountId'>[]
  /** What the powers demand of the person who acts. */
  readonly minimumLevel: Level
}

/** One use of a representation at a relying party, for whoever gave it. */
export interface RepresentationUse {
  readonly accountId: string
  readonly clientId: string
  readonly representation: Representation
  readonly kind: 'sign-in' | 'refresh' | 'switch' | 'api' | 'service'
  /** The API or service that was used. */
  readonly about?: string | undefined
}

/** The register of who may act for whom, as the protocol asks it. */
export interface RepresentationPort {
  /** Everything that this person may do now for others within these namespaces of agencies. */
  list(accountId: string, namespaces: readonly string[]): Promise<readonly Representation[]>
  /** One of them, judged anew; `undefined` when it does not bear any more, or never was this person's. */
  find(accountId: string, id: string, namespaces: readonly string[]): Promise<Representation | undefined>
  /**
   * Judges once more and writes the use down where whoever gave it sees it; false, and nothing written, when it does not bear any more.
   *
   * `also` runs in the same transaction, which holds the mandate: it ends wholly before or wholly after.
   */
  noteUse(use: RepresentationUse, also: (tx: Sql) => Promise<void>): Promise<boolean>
}

/** What `app.ts` hands in from the rooms that know people. */
export interface OidcPorts {
  readonly representation: RepresentationPort
  /** Read anew at each call; without a session there is a subject and no standing. */
  findPerson(accountId: string, sessionUid: string | undefined): Promise<Person>
  listEvidence(accountId: string): Promise<readonly EvidenceFact[]>
  /** A session of the protocol is over: the sign-in session of the same id ends with it. */
  sessionEnded(sessionUid: string, reason: string): Promise<void>
}
