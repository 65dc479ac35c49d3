import { isSameName, type Situation, withDeadline } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Core } from '../core.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { personRef } from './actor.ts'
import { findPlace } from './company-register.ts'
import { documentOf, type Party, type PartyRef, rootOf, type Standing } from './party.ts'
import { dayOf } from '../mandate/day.ts'
import { claimAttempt } from '../request/request.store.ts'
import { findParty, saveParty } from './party.store.ts'

const DEADLINE_MS = 5000

/** What the base register's situations mean here; a CPF that waits for regularisation is a person's all the same. */
const STANDING_OF: Readonly<Record<Situation, Standing>> = {
  regular: 'regular', pending: 'regular', suspended: 'suspended', cancelled: 'cancelled', void: 'cancelled', deceased: 'deceased',
}

/** What a register says of a party at this moment. */
export interface RegisteredParty {
  readonly ref: PartyRef
  /** As pages call it: the social name where there is one. */
  readonly name: string
  /** In the register, where it is another. */
  readonly registeredName?: string | undefined
  readonly standing: Standing
  /** When the register said so, where its answer is one that was kept; now without. */
  readonly saidAt?: Date | undefined
}

/**
 * Asks the base register, or the company register, which keeps its answers for a day.
 * @throws {Problem} accounts/register-unavailable, proxies/company-register-unavailable
 */
export async function lookUpParty(core: Core, ref: PartyRef): Promise<RegisteredParty | undefined> {
  if (ref.kind === 'organisation') return undefined
  if (ref.kind === 'person') {
    const record = await withDeadline(core.ports.register, DEADLINE_MS).find(ref.cpf)
    return record && { ref, name: record.socialName ?? record.name, registeredName: record.name, standing: STANDING_OF[record.situation] }
  }
  const company = await core.companies.find(rootOf(ref.cnpj))
  const place = company && findPlace(company, ref.cnpj)
  return place && { ref, ...place, registeredName: company.name, saidAt: company.checkedAt }
}

/**
 * A party whom somebody names by number and name: who knows only one of them learns nothing of the other.
 * @throws {Problem} proxies/delegate-not-confirmed
 */
export async function confirmParty(core: Core, { ref, name }: { ref: PartyRef; name: string }): Promise<RegisteredParty> {
  const found = await lookUpParty(core, ref)
  const isNamed = found !== undefined && [found.name, found.registeredName ?? found.name].some((known) => isSameName(known, name))
  if (!isNamed || found.standing !== 'regular') throw new Problem(PROXIES_PROBLEMS.delegateUnconfirmed)
  return found
}

/**
 * The human whose hand is under something, as the register knows them at this moment: the hand of somebody who is dead or whose CPF is
 * suspended signs for nobody, and what is written down of them is what the register said.
 * @throws {Problem} as `lookUpParty` does, and proxies/delegate-not-confirmed
 */
export async function lookUpSigner(core: Core, cpf: string): Promise<RegisteredParty> {
  const found = await lookUpParty(core, personRef(cpf))
  if (found?.standing !== 'regular') throw new Problem(PROXIES_PROBLEMS.delegateUnconfirmed)
  return found
}

/** The base register's word on a person is asked for again after a day. */
const STALE_MS = 86_400_000

/** Whether the base register knows somebody as living and in order. @throws {Problem} as `lookUpParty` does when it must be asked */
export async function isRegularPerson(core: Core, cpf: string): Promise<boolean> {
  const { db, clock } = core.platform
  const known = await findParty(db, cpf)
  if (known && clock.now().getTime() - known.standingAt.getTime() < STALE_MS) return known.standing === 'regular'
  const found = await lookUpParty(core, personRef(cpf))
  if (found) await db.transaction((tx) => keepParty(core, tx, found))
  return found?.standing === 'regular'
}

/** Tries of numbers with names in a day: more is no mistake of typing. */
const MOST_TRIES = 60

/** Counts one try, before it is judged. @throws {Problem} proxies/too-many-requests */
export async function claimTry({ platform: { db, clock } }: { readonly platform: Pick<Core['platform'], 'db' | 'clock'> }, accountId: string): Promise<void> {
  if (!(await claimAttempt(db, accountId, dayOf(clock.now()), MOST_TRIES))) throw new Problem(PROXIES_PROBLEMS.tooManyRequests, { retryAfterSeconds: 86_400 })
}

/** Writes down what the register said. */
export function keepParty(core: Core, tx: Sql, { ref, name, standing, saidAt = core.platform.clock.now() }: RegisteredParty): Promise<Party> {
  if (ref.kind === 'organisation') throw new Error('no register knows an organisation')
  return saveParty(tx, { kind: ref.kind, document: documentOf(ref), name, standing, now: saidAt })
}
