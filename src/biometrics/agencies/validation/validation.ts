import type { LivenessClass } from '../../liveness/verdict.ts'
import type { ReasonCode } from '../../reason.ts'
import { Problem } from '../../../platform/problem.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'

/** `asked`: nobody came yet. `opened`: a browser took the link. The last four are final. */
export type ValidationState = 'asked' | 'opened' | 'passed' | 'refused' | 'declined' | 'expired'
export type ValidationEvent = 'open' | 'pass' | 'refuse' | 'decline' | 'expire'

/** The one table of what may happen when. */
export const VALIDATION_TRANSITIONS: Readonly<Record<ValidationState, Partial<Record<ValidationEvent, ValidationState>>>> = {
  asked: { open: 'opened', pass: 'passed', refuse: 'refused', decline: 'declined', expire: 'expired' },
  opened: { pass: 'passed', refuse: 'refused', decline: 'declined', expire: 'expired' },
  passed: {},
  refused: {},
  declined: {},
  expired: {},
}

/** @throws {Problem} agencies/validation-over */
export function nextValidationState(state: ValidationState, event: ValidationEvent): ValidationState {
  const next = VALIDATION_TRANSITIONS[state][event]
  if (!next) throw new Problem(AGENCY_PROBLEMS.validationOver)
  return next
}

/** What the last face check of a validation came to. */
export interface ValidationOutcome {
  readonly passed: boolean
  readonly reasons: readonly ReasonCode[]
  readonly livenessClass: LivenessClass
  readonly modelId: string
}

export interface Validation {
  readonly id: string
  readonly clientId: string
  /** Whom the face is compared with: a person's id, or one of nobody. */
  readonly subjectId: string
  readonly personId: string | undefined
  readonly purpose: string
  readonly legalBasis: string
  readonly flow: 'page' | 'api'
  readonly state: ValidationState
  readonly returnUri: string | undefined
  readonly returnState: string | undefined
  readonly outcome: ValidationOutcome | undefined
  readonly outcomeSession: string | undefined
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly finishedAt: Date | undefined
}

export function isOver({ state }: Pick<Validation, 'state'>): boolean {
  return Object.keys(VALIDATION_TRANSITIONS[state]).length === 0
}

/** As it stands at this moment: one that nobody finished in time is over, by its last check or by none. */
export function standingOf(validation: Validation, now: Date): Validation {
  if (isOver(validation) || now < validation.expiresAt) return validation
  return { ...validation, state: validation.outcome ? 'refused' : 'expired', finishedAt: validation.expiresAt }
}
