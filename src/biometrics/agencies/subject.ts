import type { Cpf } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { type MatchRule, nobodysTemplate } from '../liveness/match-rule.ts'
import type { LivenessPeople } from '../liveness/session.ts'
import type { ImageStore } from '../images/image-store.ts'
import { findPerson, findPersonByCpf, type KnownPerson } from './subject.store.ts'

/** Whom a call is about, as far as anything may depend on it. */
export interface Subject {
  /** The person's id; for a CPF that nobody here has, an id derived from it, so that everything goes on in the same way. */
  readonly id: string
  readonly person: KnownPerson | undefined
}

export type FindSubject = (cpf: Cpf) => Promise<Subject>

export function createFindSubject({ db, keyring }: { db: Sql; keyring: Pick<Keyring, 'hash'> }): FindSubject {
  return async (cpf) => {
    const stranger = uuidOf(keyring.hash(cpf, 'agency-stranger'))
    const person = await findPersonByCpf(db, cpf)
    return { id: person?.personId ?? stranger, person }
  }
}

/** Whoever closed their account wants no agency to look: nothing of theirs is handed out while the images wait for their erasure. */
export function hasLeft(person: KnownPerson | undefined): boolean {
  return person?.accountStatus === 'closed'
}

/** In whose ledger an event about this person is shown: the account's, or the person's own until there is one. */
export function ledgerOf(person: KnownPerson | undefined): { subject?: string } {
  return person ? { subject: person.accountId ?? person.personId } : {}
}

function uuidOf(digest: Buffer): string {
  const hex = digest.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Where a check without a door would be counted: still never at the account's. */
const NOBODYS_DOOR = 'agency'

/** Of a template of nobody; another than the model's is as far from everybody. */
const DIMENSION = 128

export interface AgencyPeopleDependencies {
  readonly db: Sql
  readonly images: Pick<ImageStore, 'findReference'>
  readonly rule: MatchRule
  /** Tries of a person at a door; throws a Problem when there are no more. */
  readonly attempts: Pick<AgencyAttempts, 'claim' | 'left'>
}

/**
 * The people of the agencies' face checks: the caller's `accountId` is a subject's id here.
 *
 * Without a reference, without a person, and with an account that its owner or the state has stopped, the check runs and is refused like
 * that of a stranger: its course tells nobody who is known here. Tries are counted apart from the person's own.
 */
export function createAgencyPeople({ db, images, rule, attempts }: AgencyPeopleDependencies): LivenessPeople {
  return {
    async findReference(subjectId, modelId) {
      // Both are asked for whoever it is, so that the time tells nothing either.
      const [person, found] = await Promise.all([findPerson(db, subjectId), images.findReference(subjectId, modelId)])
      const isOpen = person !== undefined && (person.accountStatus === undefined || person.accountStatus === 'active')
      if (found && isOpen) return { modelId: found.modelId, template: found.descriptor, inPerson: found.inPerson }
      return { modelId, template: nobodysTemplate(rule, DIMENSION), inPerson: false }
    },
    claimAttempt: (subjectId, door = NOBODYS_DOOR) => attempts.claim(subjectId, door),
    attemptsLeft: (subjectId, door = NOBODYS_DOOR) => attempts.left(subjectId, door),
  }
}

/** Tries at face checks of one person at one agency's door; other than any account's, so that agencies cannot use up a citizen's own. */
export interface AgencyAttempts {
  claim(subjectId: string, door: string): Promise<void>
  left(subjectId: string, door: string): Promise<number>
  /** After a passed check, in its transaction. */
  clear(subjectId: string, tx: Sql, door: string): Promise<void>
}

/** The door of one agency. */
export function doorOf(clientId: string): string {
  return `agency/${clientId}`
}
