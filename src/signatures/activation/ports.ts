import type { Level } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { CertifiedPerson } from '../authority/people.ts'
import type { Represented } from './activation.ts'

/** Somebody who wants to sign, as the rooms of accounts and assurance know them at this moment. */
export interface SignerFacts {
  readonly accountId: string
  readonly personId: string
  readonly status: 'active' | 'suspended' | 'closed'
  /** After a recovery of the account, for as long as its other credentials cannot be changed. */
  readonly isHeld: boolean
  readonly level: Level
  /** Whether what opens the account is what its owner set up: a proof of other ways is not theirs. Asked when it is needed. */
  readonly hasOwnWays: () => Promise<boolean>
  readonly person: Omit<CertifiedPerson, 'number' | 'as'>
}

/** What a citizen is told about their certificates, by mail and on the devices that they know. */
export const CERTIFICATE_NOTICES = ['issued', 'renewed', 'suspended', 'resumed', 'revoked', 'wrong-password', 'asked', 'lent'] as const
export type CertificateNotice = (typeof CERTIFICATE_NOTICES)[number]

/** What this room needs of those that know people. */
export interface SignerPorts {
  /** Undefined for no account. */
  findSigner(accountId: string): Promise<SignerFacts | undefined>
  /** Whether the account is active, and stays so until the end of the transaction; asked before other locks are taken. */
  holdActive(tx: Sql, accountId: string): Promise<boolean>
  /** Whether this person may sign for this party by this power now; whoever is represented sees the use. */
  mayRepresent(accountId: string, represented: Represented): Promise<boolean>
  /** The same without a use: whether it would be so. @throws when the register of companies does not answer */
  stillRepresents(accountId: string, represented: Represented): Promise<boolean>
  /** How a certificate names whom its holder represents: a company by its whole CNPJ, an agency with post and number of its servant. */
  certifiedAs(accountId: string, represented: Represented): Promise<CertifiedPerson['as']>
  /** Why a new password for signing cannot be used: a word of the accounts room, or `same` as the account's own. */
  findPasswordFault(accountId: string, password: string): Promise<string | undefined>
  /**
   * Whether this server itself saw a second factor, or a face, since then, in the request of this `nonce` and the sign-in that an id_token's
   * `sid` names.
   *
   * The token says so too; but what it is made from are rows, which somebody may have written.
   */
  hasProved(proof: { readonly accountId: string; readonly sid: string; readonly nonce: string; readonly since: Date }): Promise<boolean>
  /** By the base register; asked seldom. */
  isDeceased(signer: SignerFacts): Promise<boolean>
  /** Tells the citizen, in the transaction of what happened. */
  tell(tx: Sql, accountId: string, notice: CertificateNotice): Promise<void>
}
