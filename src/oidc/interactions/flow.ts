import { z } from 'zod'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { INTERACTION_PROBLEMS } from './problems.ts'
import type { Visit } from './visit.ts'

/** Where a citizen stands inside one interaction. The first four are where the provider's prompts start. */
export const STEPS = [
  'login',
  'step-up',
  'party',
  'consent',
  'second-factor',
  'confirm-email',
  'factor-setup',
  'factor-codes',
  'camera',
  'face-passed',
] as const
export type Step = (typeof STEPS)[number]

export type StepEvent =
  | 'factor-owed'
  | 'registration-sent'
  | 'setup-started'
  | 'setup-confirmed'
  | 'camera-agreed'
  | 'face-passed'
  | 'camera-left'
  | 'start-over'

/**
 * The one table of what may follow what. A step that ends the interaction (right password, consent, "desistir") is no event
 * here: it hands a result to the provider, which destroys the interaction and with it every step.
 */
export const TRANSITIONS: Readonly<Record<Step, Partial<Record<StepEvent, Step>>>> = {
  login: { 'factor-owed': 'second-factor', 'registration-sent': 'confirm-email', 'start-over': 'login' },
  'second-factor': { 'start-over': 'login', 'factor-owed': 'second-factor' },
  'confirm-email': { 'registration-sent': 'confirm-email', 'factor-owed': 'second-factor', 'start-over': 'login' },
  'step-up': { 'setup-started': 'factor-setup', 'camera-agreed': 'camera' },
  'factor-setup': { 'setup-confirmed': 'factor-codes', 'start-over': 'step-up' },
  'factor-codes': {},
  camera: { 'camera-left': 'step-up', 'face-passed': 'face-passed' },
  'face-passed': {},
  party: {},
  consent: {},
}

/**
 * The step that follows.
 * @throws {Problem} oidc/step-out-of-order
 */
export function nextStep(step: Step, event: StepEvent): Step {
  const next = TRANSITIONS[step][event]
  if (next === undefined) throw new Problem(INTERACTION_PROBLEMS.stepOutOfOrder)
  return next
}

/** What the server remembers between two pages of one interaction; sealed in the database, never in the page. */
export const flowState = z.object({
  step: z.enum(STEPS),
  /** A proven password, while the second factor is owed. */
  ticket: z.string().optional(),
  /** A registration that waits for its e-mail code. */
  registration: z.object({ id: z.string(), maskedEmail: z.string() }).optional(),
  /** What was typed to register, without the password: for going back to the form, and the CPF for the sign-in page. */
  typed: z.record(z.string(), z.string()).optional(),
  /** The citizen said that the signed-in account is not theirs: the sign-in page asks for a CPF again. */
  otherAccount: z.boolean().optional(),
  /** Secret that is being set up; confirmed by a code before it counts. */
  setup: z.object({ factorId: z.string(), secret: z.string(), uri: z.string() }).optional(),
  /** Recovery codes, shown until they are said to be kept. */
  codes: z.array(z.string()).optional(),
  /** Level that the passed face check has just given, for the page that says so. */
  raisedTo: z.string().optional(),
})
export type FlowState = z.infer<typeof flowState>

/** Shows the page of a step; every step answers at the interaction's own address, so reloading is always safe. */
export type StepPage = (ctx: HttpContext, visit: Visit) => Promise<void>

/** First step of a prompt of the provider. */
export function firstStep(prompt: string): Step {
  return FIRST_STEPS[prompt] ?? 'login'
}

const FIRST_STEPS: Readonly<Record<string, Step>> = { step_up: 'step-up', select_account: 'party', consent: 'consent' }

/** The prompt that a step belongs to; a remembered step of another prompt is stale and dropped. */
export function promptOf(step: Step): 'login' | 'step_up' | 'select_account' | 'consent' {
  if (step === 'consent') return 'consent'
  if (step === 'party') return 'select_account'
  return step === 'login' || step === 'second-factor' || step === 'confirm-email' ? 'login' : 'step_up'
}
