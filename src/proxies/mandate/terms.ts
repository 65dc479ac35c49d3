import { isLevelAtLeast, type Level } from '../../assurance/index.ts'
import { Problem } from '../../platform/problem.ts'
import type { PartyKind, PartyRef } from '../party/party.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import type { MandateKind, Power, Role } from '../role/role.ts'
import { addDays, type Day } from './day.ts'
import type { Mandate } from './mandate.ts'

/** What a grantor wants to give. All powers are of one namespace: an agency sees a mandate whole or not at all. */
export interface GrantTerms {
  readonly kind?: 'procuracao' | 'advocaticia' | undefined
  /** By number and name; several with a `quorum` may act only together, without one each gets a mandate. */
  readonly delegates: readonly { readonly ref: PartyRef; readonly name: string }[]
  /** In the versions that were shown. */
  readonly powers: readonly Power[]
  readonly validFrom?: Day | undefined
  readonly validThrough: Day
  /** How many links may follow; 0 without. */
  readonly subDepth?: number | undefined
  readonly quorum?: number | undefined
  readonly instance?: string | undefined
}

const LONGEST_INSTANCE = 120
const MOST_DELEGATES = 10
const MOST_POWERS = 20
const MOST_AHEAD_DAYS = 365

export const beyond = (detail: string): Problem => new Problem(PROXIES_PROBLEMS.termsRefused, { detail })

/** What a first mandate may say, given what its roles allow. @throws {Problem} proxies/terms-refused with the name of the term */
export function checkTerms(terms: GrantTerms, roles: readonly Role[], about: { today: Day; represented: PartyKind; kind: MandateKind }): void {
  const { delegates, powers, quorum, subDepth = 0, validFrom = about.today, validThrough, instance } = terms
  if (delegates.length < 1 || delegates.length > MOST_DELEGATES) throw beyond('delegates')
  checkPowers(powers)
  if (instance !== undefined && (instance.trim() === '' || instance.length > LONGEST_INSTANCE)) throw beyond('instance')
  if (validFrom < about.today || validFrom > addDays(about.today, MOST_AHEAD_DAYS) || validThrough < validFrom) throw beyond('term')
  if (quorum !== undefined && (!Number.isInteger(quorum) || quorum < 2 || quorum > delegates.length)) throw beyond('quorum')
  if (!Number.isInteger(subDepth) || subDepth < 0) throw beyond('subDepth')
  for (const { definition } of roles) {
    if (!definition.kinds.includes(about.kind)) throw beyond('kind')
    if (!definition.representedKinds.some((kind) => kind === about.represented)) throw beyond('represented')
    if (delegates.some(({ ref }) => !definition.delegateKinds.includes(ref.kind))) throw beyond('delegates')
    if (validThrough >= addDays(validFrom, definition.longestDays)) throw beyond('term')
    if (subDepth > definition.subDepth) throw beyond('subDepth')
    if ((definition.joint === 'required' && quorum === undefined) || (definition.joint === 'never' && quorum !== undefined)) throw beyond('quorum')
  }
}

/** One namespace, each power once. @throws {Problem} proxies/terms-refused */
export function checkPowers(powers: readonly Power[]): void {
  const names = new Set(powers.map(({ code }) => code))
  const namespaces = new Set(powers.map(({ namespace }) => namespace))
  if (powers.length < 1 || powers.length > MOST_POWERS || names.size !== powers.length || namespaces.size !== 1) throw beyond('powers')
}

/**
 * A substabelecimento gives at most what the link above has: a part of its powers in the same versions, within its term, one link less.
 * @throws {Problem} proxies/terms-refused
 */
export function checkSubTerms(terms: GrantTerms, parent: Mandate, path: readonly Mandate[], today: Day): void {
  const { delegates, powers, quorum, subDepth = 0, validFrom = today, validThrough, instance } = terms
  checkPowers(powers)
  if (parent.subDepth < 1 || !Number.isInteger(subDepth) || subDepth < 0 || subDepth > parent.subDepth - 1) throw beyond('subDepth')
  if (delegates.length !== 1 || quorum !== undefined || parent.joint !== undefined) throw beyond('delegates')
  const has = ({ namespace, code, version }: Power) => parent.powers.some((one) => one.namespace === namespace && one.code === code && one.version === version)
  if (!powers.every(has)) throw beyond('powers')
  if (validFrom < today || validFrom < parent.validFrom || validThrough < validFrom) throw beyond('term')
  if (parent.validThrough !== undefined && validThrough > parent.validThrough) throw beyond('term')
  if (instance !== parent.instance) throw beyond('instance')
  if (path.length !== parent.path.length) throw beyond('chain')
}

/** The highest of the levels that roles ask of a side; nobody gives powers below prata. */
export function levelFor(roles: readonly Role[], side: 'grantorLevel' | 'delegateLevel'): Level {
  const lowest: Level = side === 'grantorLevel' ? 'prata' : 'bronze'
  return roles.map(({ definition }) => definition[side]).reduce((highest, level) => (isLevelAtLeast(highest, level) ? highest : level), lowest)
}
