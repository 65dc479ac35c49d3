import { Problem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'

export const MANDATE_STATES = [
  'draft', 'pending_signature', 'pending_acceptance', 'active', 'suspended', 'revoked', 'renounced', 'expired', 'terminated', 'refused', 'lapsed',
] as const
export type MandateState = (typeof MANDATE_STATES)[number]

/**
 * In what capacity somebody changes a mandate: `represented` = for whom it acts, `grantor` = who gave this link of it, `delegate` = who
 * holds it, `authority` = the agency that may enter what a court or the law says, `system` = a register or the calendar.
 */
export type Capacity = 'represented' | 'grantor' | 'delegate' | 'authority' | 'system'

interface Transition {
  readonly from: readonly MandateState[]
  readonly to: MandateState
  readonly by: readonly Capacity[]
  /** The whole tree below ends, or stops, with it. */
  readonly endsBelow?: true
}

const GIVERS: readonly Capacity[] = ['represented', 'grantor']
const PENDING: readonly MandateState[] = ['pending_signature', 'pending_acceptance']

/** Every change that a mandate can go through; what is not here is refused. */
export const TRANSITIONS = {
  approved: { from: ['draft'], to: 'active', by: ['authority'] },
  rejected: { from: ['draft'], to: 'refused', by: ['authority'] },
  signed: { from: ['pending_signature'], to: 'pending_acceptance', by: ['grantor'] },
  accepted: { from: ['pending_acceptance'], to: 'active', by: ['delegate'] },
  refused: { from: PENDING, to: 'refused', by: ['delegate'] },
  lapsed: { from: PENDING, to: 'lapsed', by: ['system'] },
  /** Also of what somebody else has stopped: each stop is lifted by itself. */
  suspended: { from: ['active', 'suspended'], to: 'suspended', by: [...GIVERS, 'authority', 'system'], endsBelow: true },
  resumed: { from: ['suspended'], to: 'active', by: [...GIVERS, 'authority'] },
  /** One stop of several was let go. */
  lifted: { from: ['suspended'], to: 'suspended', by: [...GIVERS, 'authority'] },
  revoked: { from: [...PENDING, 'active', 'suspended'], to: 'revoked', by: [...GIVERS, 'authority'], endsBelow: true },
  renounced: { from: ['active', 'suspended'], to: 'renounced', by: ['delegate', 'authority'], endsBelow: true },
  expired: { from: ['active', 'suspended'], to: 'expired', by: ['system'], endsBelow: true },
  terminated: { from: ['draft', ...PENDING, 'active', 'suspended'], to: 'terminated', by: ['system', 'authority'], endsBelow: true },
} as const satisfies Record<string, Transition>

export type Change = keyof typeof TRANSITIONS
export const CHANGES = Object.keys(TRANSITIONS) as readonly Change[]

/** Where a change leads from a state, for somebody in one of these capacities; `undefined` when it may not be. */
export function findTransition(change: Change, from: MandateState, capacities: readonly Capacity[]): Transition | undefined {
  const transition: Transition = TRANSITIONS[change]
  return transition.from.includes(from) && transition.by.some((one) => capacities.includes(one)) ? transition : undefined
}

/** @throws {Problem} proxies/step-out-of-order */
export function getTransition(change: Change, from: MandateState, capacities: readonly Capacity[]): Transition {
  const transition = findTransition(change, from, capacities)
  if (transition === undefined) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
  return transition
}
