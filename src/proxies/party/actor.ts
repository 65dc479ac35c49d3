import { ACCOUNTS_PROBLEMS } from '../../accounts/index.ts'
import { isLevelAtLeast, type Level } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Core } from '../core.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { KnownCompany } from './company.store.ts'
import { documentsOfCompany, findPlace } from './company-register.ts'
import { documentsOf, type Party, parsePartyRef, type PartyRef, rootOf } from './party.ts'
import { type AccountFacts, findAccountFacts } from './party.store.ts'

/** Proof as fresh as a signature wants it. */
const FRESH_SECONDS = 300
/** Who took an account over must not be able to give it away. */
const HOLD_SECONDS = 86_400

/** Who asks, in which session, and the company for which they do it, if any. */
export interface Acting {
  readonly accountId: string
  readonly sessionId?: string | undefined
  /** CNPJ or root of a company that this person administers. */
  readonly company?: string | undefined
}

/** Whoever asks, as the registers know them now. */
export interface Actor {
  readonly facts: AccountFacts
  /** As which party they act: themselves, or a company that they bind. */
  readonly ref: PartyRef
  readonly company: KnownCompany | undefined
}

/** @throws {Problem} accounts/account-not-active, proxies/company-not-bound */
export async function getActor(core: Core, by: Acting): Promise<Actor> {
  const facts = await findAccountFacts(core.platform.db, by.accountId)
  if (facts?.status !== 'active') throw new Problem(ACCOUNTS_PROBLEMS.accountNotActive)
  if (by.company === undefined) return { facts, ref: personRef(facts.cpf), company: undefined }
  const ref = parsePartyRef(by.company)
  if (ref?.kind !== 'company') throw new Problem(PROXIES_PROBLEMS.companyUnknown)
  const company = await core.companies.find(rootOf(ref.cnpj))
  const isBound = company?.standing === 'regular' && findPlace(company, ref.cnpj)?.standing === 'regular' && company.administrators.some((cpf) => cpf === facts.cpf)
  if (!isBound) throw new Problem(PROXIES_PROBLEMS.companyUnknown)
  return { facts, ref, company }
}

export function personRef(cpf: string): PartyRef {
  const ref = parsePartyRef(cpf)
  if (ref?.kind !== 'person') throw new Error('a person without a CPF')
  return ref
}

/** Whether a party is the one as which somebody acts; who binds a company binds its establishments. */
export function isActor(actor: Actor, party: Pick<Party, 'kind' | 'document'>): boolean {
  if (actor.ref.kind === 'person') return party.kind === 'person' && party.document === actor.ref.cpf
  return actor.ref.kind === 'company' && party.kind === 'company' && rootOf(party.document) === rootOf(actor.ref.cnpj)
}

/** Under which documents what concerns an actor is found. */
export function actorDocuments({ ref, company }: Actor): string[] {
  return [...new Set([...documentsOf(ref), ...(company ? documentsOfCompany(company) : [])])]
}

/**
 * Whoever gives powers must have proved who they are a moment ago, at a level, on an account that nobody has just taken over.
 *
 * @throws {Problem} proxies/level-needed, proxies/freshness-needed, proxies/held
 */
export async function checkGiver(core: Core, by: Acting, actor: Actor, level: Level): Promise<void> {
  const now = core.platform.clock.now()
  const { session } = await checkMayGive(core, by, actor, level)
  const isRecent = (at: Date | undefined) => at !== undefined && now.getTime() - at.getTime() <= FRESH_SECONDS * 1000
  const isFresh = session !== undefined && session.endedAt === undefined && (isRecent(session.faceAt) || (session.aal >= 2 && isRecent(session.authenticatedAt)))
  if (!isFresh) throw new Problem(PROXIES_PROBLEMS.freshnessNeeded)
}

/** Whoever may give powers once they have proved who they are. @throws {Problem} proxies/level-needed, proxies/held */
export async function checkMayGive(core: Core, by: Acting, { facts }: Actor, level: Level): Promise<Standing> {
  const standing = await core.assurance.findStanding(facts.accountId, by.sessionId)
  if (!standing || !isLevelAtLeast(standing.level, level)) throw new Problem(PROXIES_PROBLEMS.levelNeeded, { detail: level })
  const { changedAt } = facts
  if (changedAt !== undefined && core.platform.clock.now().getTime() - changedAt.getTime() < HOLD_SECONDS * 1000) throw new Problem(PROXIES_PROBLEMS.held)
  return standing
}

type Standing = NonNullable<Awaited<ReturnType<Core['assurance']['findStanding']>>>

/** The same account once more inside a transaction: it may have been recovered or stopped meanwhile. */
export async function checkUnchanged(tx: Sql, { facts }: Actor): Promise<void> {
  const now = await findAccountFacts(tx, facts.accountId)
  if (now?.status !== 'active') throw new Problem(ACCOUNTS_PROBLEMS.accountNotActive)
  if (now.changedAt?.getTime() !== facts.changedAt?.getTime()) throw new Problem(PROXIES_PROBLEMS.held)
}
