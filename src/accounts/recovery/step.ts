import { Problem } from '../../platform/problem.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'

/** Ways to prove that one is the owner of an account whose password is lost. */
export const RECOVERY_METHODS = ['email', 'recovery-code', 'face'] as const
export type RecoveryMethod = (typeof RECOVERY_METHODS)[number]

/** Where a recovery stands. */
export const RECOVERY_STEPS = ['email-sent', 'recovery-code', 'face', 'second-factor', 'new-password', 'done'] as const
export type RecoveryStep = (typeof RECOVERY_STEPS)[number]

export type RecoveryEvent = 'resent' | 'proved' | 'proved-owing-factor' | 'factor-proved' | 'password-set'

/** The first step of each way. */
export const FIRST_STEPS: Readonly<Record<RecoveryMethod, RecoveryStep>> = { email: 'email-sent', 'recovery-code': 'recovery-code', face: 'face' }

/** The one table of what may follow what: no way leads past the second factor of an account that has one (checklist 15). */
const TRANSITIONS: Readonly<Record<RecoveryStep, Readonly<Partial<Record<RecoveryEvent, RecoveryStep>>>>> = {
  'email-sent': { resent: 'email-sent', proved: 'new-password', 'proved-owing-factor': 'second-factor' },
  'recovery-code': { proved: 'new-password', 'proved-owing-factor': 'second-factor' },
  face: { proved: 'new-password', 'proved-owing-factor': 'second-factor' },
  'second-factor': { 'factor-proved': 'new-password' },
  'new-password': { 'password-set': 'done' },
  done: {},
}

/** The step that an event leads to. @throws {Problem} accounts/step-out-of-order */
export function nextStep(step: RecoveryStep, event: RecoveryEvent): RecoveryStep {
  const next = TRANSITIONS[step][event]
  if (next === undefined) throw new Problem(ACCOUNTS_PROBLEMS.stepOutOfOrder)
  return next
}

/** @throws {Problem} accounts/step-out-of-order unless the recovery stands where it must. */
export function checkStep(step: RecoveryStep, expected: RecoveryStep): void {
  if (step !== expected) throw new Problem(ACCOUNTS_PROBLEMS.stepOutOfOrder)
}
