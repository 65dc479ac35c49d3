import { Problem } from '../../platform/problem.ts'
import { checkImage, FRAME_LIMITS } from '../image.ts'
import type { FrameObservation } from '../observation.ts'
import { isFrameSigned } from './frame-proof.ts'
import type { Plan, RandomInt, Step } from './plan.ts'
import { redrawPlan } from './plan.ts'
import { LIVENESS_PROBLEMS as PROBLEMS } from './problems.ts'

export type LivenessSessionId = string & { readonly __brand: 'LivenessSessionId' }

export type LivenessState = 'created' | 'revealed' | 'complete' | 'passed' | 'refused' | 'expired' | 'abandoned'
export type LivenessEvent = 'reveal' | 'acknowledge' | 'redraw' | 'complete' | 'pass' | 'refuse' | 'expire' | 'abandon'

/** The one table of what may happen when. `complete` = every step acknowledged, not judged yet; the last four are final. */
export const LIVENESS_TRANSITIONS: Readonly<Record<LivenessState, Partial<Record<LivenessEvent, LivenessState>>>> = {
  created: { reveal: 'revealed', refuse: 'refused', expire: 'expired', abandon: 'abandoned' },
  revealed: {
    acknowledge: 'revealed',
    redraw: 'revealed',
    complete: 'complete',
    refuse: 'refused',
    expire: 'expired',
    abandon: 'abandoned',
  },
  complete: { pass: 'passed', refuse: 'refused', expire: 'expired', abandon: 'abandoned' },
  passed: {},
  refused: {},
  expired: {},
  abandoned: {},
}

/**
 * What becomes of `state` by `event`.
 * @throws {Problem} liveness/out-of-order
 */
export function nextState(state: LivenessState, event: LivenessEvent): LivenessState {
  const next = LIVENESS_TRANSITIONS[state][event]
  if (!next) throw new Problem(PROBLEMS.outOfOrder, { detail: `'${event}' is not possible while '${state}'` })
  return next
}

export function isFinal(state: LivenessState): boolean {
  return Object.keys(LIVENESS_TRANSITIONS[state]).length === 0
}

export const LIMITS = {
  sessionMs: 60_000,
  extensionMs: 60_000,
  /** After the session's time is over its end is still told and the extension still granted: nobody should lose by reading slowly. */
  graceMs: 20_000,
  maxFrames: 60,
  maxFrameBytes: 200 * 1024,
  /** What a camera page sends: 640×480 in either orientation, with room for phones that refuse it. */
  image: { ...FRAME_LIMITS, maxBytes: 200 * 1024, maxPixels: 1_500_000, maxSide: 1920 },
  minSide: 240,
  /** Nobody sees, understands and shows a step faster. */
  minAnswerMs: 250,
  /** How long ago a frame may have been taken when it arrives, and how far the browser's stop-watch may run ahead of ours. */
  maxFrameAgeMs: 8_000,
  clockDriftMs: 500,
  /**
   * How often a head may turn in another way than asked, for two frames or more: to the other side, or aside when it was to look ahead.
   * A recording of a head that goes from side to side meets the asked side by chance in one of three sessions, and turns unasked in them.
   */
  pardonedWrongTurns: 1,
} as const

export interface LivenessSession {
  readonly id: LivenessSessionId
  readonly accountId: string
  /** Where it was begun; the account's own door when absent. */
  readonly door?: string | undefined
  readonly purpose: string
  /** Hash of the browser session that started it; nobody else can go on with it. */
  readonly bindingHash: string
  readonly nonce: Buffer
  readonly state: LivenessState
  readonly plan: Plan
  /** Index of the step that is revealed now. */
  readonly step: number
  readonly revealedAt: Date | undefined
  readonly lastSequence: number
  readonly lastCapturedMs: number
  readonly frameCount: number
  readonly wrongTurns: number
  readonly extended: boolean
  readonly fallback: boolean
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** A frame as the browser sends it. `capturedMs` counts from the answer to `start`, on the browser's monotonic clock. */
export interface FrameUpload {
  readonly step: number
  readonly sequence: number
  readonly capturedMs: number
  readonly signature: string
  readonly jpeg: Uint8Array
}

/** A frame as it is judged: what the engine saw, and when. */
export interface LivenessFrame {
  readonly sequence: number
  readonly step: number
  readonly capturedMs: number
  readonly arrivedAt: Date
  readonly observation: FrameObservation
}

export function isExpired(session: LivenessSession, now: Date): boolean {
  return now >= session.expiresAt
}

/**
 * Refuses a session that takes no more frames.
 * @throws {Problem} liveness/expired, liveness/already-judged, liveness/out-of-order
 */
export function checkOpen(session: LivenessSession, now: Date): void {
  if (session.state === 'expired' || (!isFinal(session.state) && isExpired(session, now))) throw new Problem(PROBLEMS.expired)
  if (isFinal(session.state)) throw new Problem(PROBLEMS.alreadyJudged)
}

type FrameCheck = (session: LivenessSession, frame: FrameUpload, now: Date) => Problem | undefined

/** In this order: what costs least first, nothing decoded, and only a frame that is proved to belong here is told about time. */
const FRAME_CHECKS: readonly FrameCheck[] = [
  function takesFrames({ state }) {
    return state === 'revealed' ? undefined : new Problem(PROBLEMS.outOfOrder, { detail: 'no step is revealed' })
  },
  function hasRoom({ frameCount }) {
    return frameCount < LIMITS.maxFrames ? undefined : new Problem(PROBLEMS.tooManyFrames, { detail: `at most ${LIMITS.maxFrames}` })
  },
  function isCameraJpeg(_, { jpeg }) {
    const image = checkImage(jpeg, LIMITS.image)
    if (image.ok)
      return Math.min(image.width, image.height) >= LIMITS.minSide ? undefined : new Problem(PROBLEMS.frameNotJpeg, { detail: 'too small' })
    if (image.refusal === 'empty') return new Problem(PROBLEMS.frameEmpty)
    if (image.refusal === 'too-large') return new Problem(PROBLEMS.frameTooLarge, { detail: `at most ${LIMITS.image.maxBytes} bytes` })
    return new Problem(PROBLEMS.frameNotJpeg, { detail: image.refusal })
  },
  function isNext({ lastSequence }, { sequence }) {
    const detail = `the last one was ${lastSequence}`
    return Number.isInteger(sequence) && sequence > lastSequence && sequence < 2 ** 31
      ? undefined
      : new Problem(PROBLEMS.badSequence, { detail })
  },
  function isSigned({ nonce }, { sequence, jpeg, signature }) {
    return isFrameSigned(nonce, sequence, jpeg, signature) ? undefined : new Problem(PROBLEMS.badSignature)
  },
  function isThisStep(session, { step }) {
    const known = step === session.step || step === session.step - 1
    return known ? undefined : new Problem(PROBLEMS.outOfOrder, { detail: `step ${session.step} is revealed` })
  },
  function isCapturedInTime(session, { capturedMs }, now) {
    const age = now.getTime() - session.createdAt.getTime() - capturedMs
    const sane = Number.isFinite(capturedMs) && capturedMs > session.lastCapturedMs
    return sane && age >= -LIMITS.clockDriftMs && age <= LIMITS.maxFrameAgeMs ? undefined : new Problem(PROBLEMS.badCaptureTime)
  },
  function isAfterReveal(session, { step }, now) {
    return step !== session.step || sinceReveal(session, now) >= LIMITS.minAnswerMs ? undefined : new Problem(PROBLEMS.tooEarly)
  },
  function isBeforeLimit(session, { step }, now) {
    const limit = currentStep(session).limitMs
    return step !== session.step || sinceReveal(session, now) <= limit ? undefined : new Problem(PROBLEMS.tooLate)
  },
]

/**
 * Whether the frame is worth decoding: `observe` for the revealed step, `stale` for one taken just before the last acknowledgement.
 * @throws {Problem} liveness/… when the frame has no place in this session
 */
export function admitFrame(session: LivenessSession, frame: FrameUpload, now: Date): 'observe' | 'stale' {
  checkOpen(session, now)
  for (const check of FRAME_CHECKS) {
    const problem = check(session, frame, now)
    if (problem) throw problem
  }
  return frame.step === session.step ? 'observe' : 'stale'
}

/** @throws {Problem} liveness/out-of-order */
export function currentStep(session: LivenessSession): Step {
  const step = session.plan.steps[session.step]
  if (!step) throw new Problem(PROBLEMS.outOfOrder, { detail: 'every step is done' })
  return step
}

export function sinceReveal(session: LivenessSession, now: Date): number {
  return session.revealedAt ? now.getTime() - session.revealedAt.getTime() : 0
}

/** The part of a session that a transition changes; a store writes it only if state and step are still what they were. */
export type SessionChange = Partial<
  Pick<LivenessSession, 'state' | 'plan' | 'step' | 'revealedAt' | 'wrongTurns' | 'extended' | 'fallback' | 'expiresAt'>
>

/** The first step, shown. */
export function reveal(session: LivenessSession, now: Date): SessionChange {
  return { state: nextState(session.state, 'reveal'), revealedAt: now }
}

/** The next step, shown; or `complete` after the last. */
export function acknowledge(session: LivenessSession, now: Date): SessionChange {
  const last = session.step + 1 >= session.plan.steps.length
  return { state: nextState(session.state, last ? 'complete' : 'acknowledge'), step: session.step + 1, revealedAt: now }
}

/**
 * A minute more, doubled limits, and a new challenge from here on; once a session (WCAG 2.2.1).
 * @throws {Problem} liveness/already-extended, liveness/expired, liveness/out-of-order
 */
export function extend(session: LivenessSession, now: Date, random?: RandomInt): SessionChange {
  if (session.extended) throw new Problem(PROBLEMS.alreadyExtended)
  if (now.getTime() >= session.expiresAt.getTime() + LIMITS.graceMs) throw new Problem(PROBLEMS.expired)
  return {
    state: nextState(session.state, 'redraw'),
    plan: redrawPlan(session.plan, session.step, { patience: 2 }, random),
    revealedAt: now,
    extended: true,
    expiresAt: new Date(Math.max(session.expiresAt.getTime(), now.getTime()) + LIMITS.extensionMs),
  }
}

/**
 * After a turn to the wrong side: once a new challenge with one turn more, then refusal.
 *
 * People confuse left and right; a recording that sweeps both ways must not profit from that.
 */
export function pardonWrongTurn(session: LivenessSession, now: Date, random?: RandomInt): SessionChange {
  const wrongTurns = session.wrongTurns + 1
  if (wrongTurns > LIMITS.pardonedWrongTurns) return { state: nextState(session.state, 'refuse'), wrongTurns }
  const plan = redrawPlan(session.plan, session.step, { extraTurns: 1, patience: patience(session) }, random)
  return { state: nextState(session.state, 'redraw'), plan, revealedAt: now, wrongTurns }
}

/** Daylight drowned the colours: one more turn instead, asked in place of the end. */
export function fallBack(session: LivenessSession, now: Date, random?: RandomInt): SessionChange {
  const step = session.step + 1
  const plan = redrawPlan(session.plan, step, { extraTurns: 1, flashes: false, patience: patience(session) }, random)
  return { state: nextState(session.state, 'redraw'), plan, step, revealedAt: now, fallback: true }
}

function patience(session: LivenessSession): number {
  return session.extended ? 2 : 1
}
