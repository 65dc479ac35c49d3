import { Problem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'

export const ENVELOPE_STATES = ['draft', 'waiting', 'signed', 'refused', 'expired', 'cancelled'] as const
export type EnvelopeState = (typeof ENVELOPE_STATES)[number]

/** In what capacity somebody changes an envelope: `owner` = who made it, `signer` = whose turn it is, `system` = the calendar. */
export type Capacity = 'owner' | 'signer' | 'system'

interface Transition {
  readonly from: readonly EnvelopeState[]
  readonly to: EnvelopeState
  readonly by: Capacity
}

const OPEN: readonly EnvelopeState[] = ['draft', 'waiting']

/** Every change that an envelope can go through; what is not here is refused. */
export const TRANSITIONS = {
  sent: { from: ['draft'], to: 'waiting', by: 'owner' },
  completed: { from: ['waiting'], to: 'signed', by: 'signer' },
  refused: { from: ['waiting'], to: 'refused', by: 'signer' },
  cancelled: { from: OPEN, to: 'cancelled', by: 'owner' },
  expired: { from: OPEN, to: 'expired', by: 'system' },
} as const satisfies Record<string, Transition>

export type EnvelopeChange = keyof typeof TRANSITIONS

/** @throws {Problem} signatures/step-out-of-order */
export function getTransition(change: EnvelopeChange, from: EnvelopeState, by: Capacity): Transition {
  const transition: Transition = TRANSITIONS[change]
  if (!transition.from.includes(from) || transition.by !== by) throw new Problem(SIGNATURE_PROBLEMS.stepOutOfOrder)
  return transition
}
