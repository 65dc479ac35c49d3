import { isLevelAtLeast, type Level } from '../../assurance/index.ts'
import type { Day } from '../mandate/day.ts'
import type { MandateState } from '../mandate/transition.ts'
import type { Standing } from '../party/party.ts'
import { LEGAL_KINDS, type MandateKind } from '../role/role.ts'

/** Why a decision is what it is. Stored and told to agencies, so names only ever grow. */
export const DECISION_REASONS = [
  'self', 'register', 'mandate',
  'no-mandate', 'role-unknown', 'service', 'broken-chain', 'cycle', 'depth', 'power', 'pending', 'suspended', 'ended', 'not-yet', 'cooling-off', 'over',
  'standing', 'grantor-level', 'instance', 'quorum',
] as const
export type DecisionReason = (typeof DECISION_REASONS)[number]

/** One mandate of a chain, as far as a decision depends on it. */
export interface Link {
  readonly id: string
  readonly parentId: string | undefined
  readonly state: MandateState
  readonly representedId: string
  readonly grantorId: string
  readonly delegateId: string
  /** How many links may follow. */
  readonly subDepth: number
  readonly validFrom: Day
  readonly validThrough: Day | undefined
  readonly effectiveAt: Date
  readonly instance: string | undefined
  /** The power asked about, in this link, in the version of the last one. */
  readonly hasPower: boolean
  readonly standings: readonly Standing[]
  /** What the evidence of the person who passed it on bears now; `undefined` for a company and for a first link. */
  readonly grantorLevel?: Level | undefined
}

export interface Candidate {
  readonly kind: MandateKind
  /** By an agency, with a document that two officials have seen. */
  readonly isEntered?: boolean
  /** From the root to the mandate of the actor. */
  readonly links: readonly Link[]
  /** What the represented person's evidence bears now; `undefined` for a company. */
  readonly grantorLevel: Level | undefined
}

export interface Ask {
  readonly today: Day
  readonly now: Date
  /** The one thing that it is about, where a mandate is limited to one. */
  readonly instance: string | undefined
  readonly grantorLevel: Level
}

/**
 * Why a chain of mandates does not permit, or `undefined` when it does.
 *
 * Every link is judged by itself, so that a chain never gives more than any of its links, whatever was written at its making.
 */
export function findFault({ links, kind, isEntered = false, grantorLevel }: Candidate, ask: Ask): DecisionReason | undefined {
  const levels = [grantorLevel, ...links.map((link) => link.grantorLevel)]
  return findChainFault(links) ?? firstOf(links, (link) => findLinkFault(link, ask)) ?? (isEntered ? undefined : firstOf(levels, (level) => findLevelFault(kind, level, ask)))
}

function findChainFault(links: readonly Link[]): DecisionReason | undefined {
  const [root] = links
  if (root === undefined || root.parentId !== undefined || root.grantorId !== root.representedId) return 'broken-chain'
  const isJoined = links.every((link, index) => {
    const above = links[index - 1]
    return above === undefined || (link.parentId === above.id && link.grantorId === above.delegateId && link.representedId === root.representedId)
  })
  if (!isJoined) return 'broken-chain'
  const people = [root.representedId, ...links.map(({ delegateId }) => delegateId)]
  if (new Set(people).size !== people.length) return 'cycle'
  if (links.some(({ subDepth }, index) => subDepth < links.length - 1 - index)) return 'depth'
  return links.every(({ hasPower }) => hasPower) ? undefined : 'power'
}

function findLinkFault(link: Link, { today, now, instance }: Ask): DecisionReason | undefined {
  if (link.state === 'suspended') return 'suspended'
  if (link.state === 'draft' || link.state === 'pending_signature' || link.state === 'pending_acceptance') return 'pending'
  if (link.state !== 'active') return 'ended'
  if (today < link.validFrom) return 'not-yet'
  if (now < link.effectiveAt) return 'cooling-off'
  if (link.validThrough !== undefined && today > link.validThrough) return 'over'
  if (link.standings.some((standing) => standing !== 'regular')) return 'standing'
  return link.instance === undefined || link.instance === instance ? undefined : 'instance'
}

/** Whoever gave powers must still be who they proved to be; what the law or a court gives does not hang on it. */
function findLevelFault(kind: MandateKind, level: Level | undefined, ask: Ask): DecisionReason | undefined {
  if (level === undefined || LEGAL_KINDS.includes(kind) || kind === 'assistencia') return undefined
  return isLevelAtLeast(level, ask.grantorLevel) ? undefined : 'grantor-level'
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
