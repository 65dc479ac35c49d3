import type { Colour } from '../observation.ts'
import type { ReasonCode } from '../reason.ts'
import type { StepKind } from './plan.ts'
import type { LivenessSession } from './protocol.ts'
import { isFinal } from './protocol.ts'

/** One step as the browser may know it, and nothing of the steps to come but their number. */
export interface StepView {
  readonly index: number
  readonly total: number
  readonly kind: StepKind
  /** `#rrggbb` for the whole screen; absent on the path without flashes. */
  readonly colour?: string
  readonly holdMs: number
  readonly limitMs: number
}

/** `going`: show the step. `complete`: ask for the judgement. `over`: ask for the result. */
export interface StepAnswer {
  readonly state: 'going' | 'complete' | 'over'
  readonly step?: StepView
  /** 0 to 1. */
  readonly progress: number
  readonly remainingMs: number
  readonly canExtend: boolean
}

export interface FrameAnswer extends StepAnswer {
  /** Whether the frame was looked at for the revealed step; one taken just before it was revealed is not. */
  readonly accepted: boolean
  /** Number of steps that are done. */
  readonly acknowledged: number
  readonly hint?: ReasonCode
}

/** Where the session stands, without anything of its judgement. */
export function viewOf(session: LivenessSession, now: Date): StepAnswer {
  const { plan, step: index, state } = session
  const step = state === 'revealed' ? plan.steps[index] : undefined
  const total = plan.steps.length
  return {
    state: isFinal(state) ? 'over' : state === 'complete' ? 'complete' : 'going',
    ...(step && {
      step: {
        index,
        total,
        kind: step.kind,
        ...(step.colour && { colour: hexColour(step.colour) }),
        holdMs: step.holdMs,
        limitMs: step.limitMs,
      },
    }),
    progress: Math.min(1, index / total),
    remainingMs: Math.max(0, session.expiresAt.getTime() - now.getTime()),
    canExtend: !session.extended && (state === 'created' || state === 'revealed'),
  }
}

function hexColour({ red, green, blue }: Colour): string {
  return `#${[red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
