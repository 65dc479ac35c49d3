import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Visit } from './visit.ts'
import { INTERACTION_PROBLEMS } from './problems.ts'

/** Where a citizen stands inside one interaction. The first three are where the provider's prompts start. */
export const STEPS = [
  'login', 'step-up', 'consent',
  'second-factor', 'confirm-email', 'factor-setup', 'factor-codes', 'camera', 'face-passed',
] as const
export type Step = (typeof STEPS)[number]

export type StepEvent =
  | 'factor-owed' | 'registration-sent' | 'setup-started' | 'setup-confirmed' | 'camera-agreed' | 'face-passed' | 'camera-left' | 'start-over'

/**
 * The one table of what may follow what. A step that ends the interaction (right password, consent, "desistir") is no event
 * here: it hands a result to the provider, which destroys the interaction and with it every step.
 */
export const TRANSITIONS: Readonly<Record<Step, Partial<Record<StepEvent, Step>>>> = {
  login: { 'factor-owed': 'second-factor', 'registration-sent': 'confirm-email', 'start-over': 'login' },
  'second-factor': { 'start-over': 'login', 'factor-owed': 'second-factor' },
  'confirm-email': { 'registration-sent': 'confirm-email', 'factor-owed': 'second-factor', 'start-over': 'login' },
  'step-up': { 'setup-started': 'factor-setup', 'camera-agreed': 'camera' },
  'factor-setup': { 'setup-started': 'factor-setup', 'setup-confirmed': 'factor-codes' },
  'factor-codes': {},
  camera: { 'camera-agreed': 'camera', 'camera-left': 'step-up', 'face-passed': 'face-passed' },
  'face-passed': {},
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
  /** A proven first factor, while the second one is owed. */
  signIn: z.object({ accountId: z.string(), amr: z.array(z.string()), deviceId: z.string().optional() }).optional(),
  /** A registration that waits for its e-mail code. */
  registration: z.object({ handle: z.string(), email: z.string(), sentAt: z.number() }).optional(),
  /** Secret that is being set up; confirmed by a code before it counts. */
  setup: z.object({ factorId: z.string(), secret: z.string(), uri: z.string() }).optional(),
  /** Shown once, right after the set-up. */
  codes: z.array(z.string()).optional(),
  /** Consent to the camera (LGPD art. 11), and the face check that it was given for. */
  camera: z.object({ agreedAt: z.number(), sessionId: z.string().optional(), reasons: z.array(z.string()).optional() }).optional(),
  /** Challenge of a passkey ceremony under way. */
  challenge: z.string().optional(),
  /** What this interaction has proven for its result. */
  proven: z.object({
    amr: z.array(z.string()),
    face: z.object({ at: z.number(), livenessClass: z.string() }).optional(),
    raisedTo: z.string().optional(),
  }).optional(),
})
export type FlowState = z.infer<typeof flowState>

/** Shows the page of a step; every step answers at the interaction's own address, so reloading is always safe. */
export type StepPage = (ctx: HttpContext, visit: Visit) => Promise<void>

/** First step of a prompt of the provider. */
export function firstStep(prompt: string): Step {
  return prompt === 'consent' || prompt === 'step_up' ? (prompt === 'consent' ? 'consent' : 'step-up') : 'login'
}

/** The prompt that a step belongs to; a remembered step of another prompt is stale and dropped. */
export function promptOf(step: Step): 'login' | 'step_up' | 'consent' {
  if (step === 'consent') return 'consent'
  return step === 'login' || step === 'second-factor' || step === 'confirm-email' ? 'login' : 'step_up'
}
