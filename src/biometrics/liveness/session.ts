/**
 * The face check's use cases. A routes file puts them on HTTP like this, below a base path that belongs to one interaction:
 *
 * | request | body or headers | answer |
 * |---|---|---|
 * | POST {base}/sessao | JSON `{ flashes: boolean, slowLink?: boolean }` | 201 `Started` with `first`, the first step's `StepAnswer` |
 * | GET {base}/sessao/:id/passo?depois=N | N = last index known, −1 at first | `StepAnswer`; waits up to 10 s for a step after N |
 * | POST {base}/sessao/:id/quadro | image/jpeg; X-Step, X-Sequence, X-Captured-At (ms since the answer to `sessao`), X-Signature | `FrameAnswer` |
 * | POST {base}/sessao/:id/mais-tempo | – | `StepAnswer`; once |
 * | POST {base}/sessao/:id/fim | – | `{ passed, reasons: [{ code, text }], attemptsLeft, next? }` |
 * | GET {base}/sessao/:id/resultado | – | the same, for somebody whose answer to `fim` was lost (409 liveness/already-judged) |
 * | POST {base}/sessao/:id/cancelar | – | 204 |
 *
 * Codes (`hint`, `reasons`) go out with their text in the page's language: `hint: { code, text }`. Unsafe methods want X-CSRF-Token.
 * Refusals are problem+json; the browser reads the last part of `type`. The answer to a frame already carries the next step, so that a slow
 * link loses no round trip; `passo` is for recovering from a lost answer.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { FrameObservation } from '../observation.ts'
import type { ReasonCode } from '../reason.ts'
import { judgeSession, resultOf } from './finish.ts'
import { acceptFrame } from './frame.ts'
import type { MatchRule } from './match-rule.ts'
import type { PlanOptions } from './plan.ts'
import { createPlan, type RandomInt } from './plan.ts'
import { LIVENESS_PROBLEMS as PROBLEMS } from './problems.ts'
import type { FrameUpload, LivenessFrame, LivenessSession, LivenessSessionId } from './protocol.ts'
import { checkOpen, extend, isFinal, LIMITS, reveal } from './protocol.ts'
import { sweepPrints } from './replay.store.ts'
import type { FrameSealer } from './session.store.ts'
import { abandonOpenSessions, addSession, applyChange, consumeSession, deleteFrames, findSession, sweepSessions } from './session.store.ts'
import type { ReferenceTemplate } from './signals/identity-signal.ts'
import { REPLAY_LIMITS } from './signals/replay-signal.ts'
import type { FrameAnswer, StepAnswer } from './step-view.ts'
import { viewOf } from './step-view.ts'
import type { LivenessClass, LivenessVerdict, Occasion, SettleVerdict } from './verdict.ts'

/** Who asks: everything here must be what the session was started with. */
export interface LivenessCaller {
  readonly accountId: string
  /** Hash of the browser session; another browser cannot go on with a check that it did not start. */
  readonly bindingHash: string
  /** What the check is for, down to the interaction: a verdict is worth nothing elsewhere. */
  readonly purpose: string
  /** Where the face is shown, when not at the account's own door: each has one open check of a person, and tries of its own. */
  readonly door?: string | undefined
}

export interface LivenessDeps {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: FrameSealer
  /** The engine (descriptors wanted in every frame, turned ones too) and its calibration. */
  readonly engine: LivenessEngine
  readonly people: LivenessPeople
  /** Where challenges come from: what nobody can predict, unless a test hands in another source. */
  readonly random?: RandomInt | undefined
}

export interface LivenessEngine {
  readonly rule: MatchRule
  /** The presentation-attack nets that score its frontal faces; absent where none are installed. */
  readonly padModel?: string | undefined
  observe(jpeg: Uint8Array): Promise<FrameObservation>
  /** Counts what came of a check: looks up what it needs at once, and writes in the verdict's transaction. */
  noteEnd?(end: CheckEnd): Promise<(tx: Sql) => Promise<void>>
}

/** A judged check, as the counters see it. */
export interface CheckEnd {
  readonly session: LivenessSession
  /** Whose face it was to be (`LivenessPeople.subjectOf`). */
  readonly subjectId: string
  readonly frames: readonly LivenessFrame[]
  readonly verdict: LivenessVerdict
}

export interface LivenessPeople {
  findReference(accountId: string, modelId: string): Promise<ReferenceTemplate | undefined>
  /** Counts a try at this door; throws a Problem with `retryAfterSeconds` after three in an hour. */
  claimAttempt(accountId: string, door?: string): Promise<void>
  attemptsLeft(accountId: string, door?: string): Promise<number>
  /** Whose frames these are, whichever account or agency asks: frames of one door are known again at another. The account unless said. */
  subjectOf?(accountId: string): Promise<string>
}

export interface Started {
  readonly id: LivenessSessionId
  /** 32 hex digits: the key of the frames' signatures. */
  readonly nonce: string
  readonly expiresAt: Date
  readonly maxFrames: number
}

export interface LivenessOutcome {
  readonly passed: boolean
  /** What a passed check is worth; for the server, not for the browser. */
  readonly class: LivenessClass
  readonly reasons: readonly ReasonCode[]
  readonly attemptsLeft: number
}

/** The face check, from its start to its one verdict. Every method but `start` refuses a stranger with liveness/not-found. */
export interface Liveness {
  /** @throws {Problem} liveness/no-reference; what the throttle throws */
  start(caller: LivenessCaller, options: PlanOptions): Promise<Started>
  next(caller: LivenessCaller, id: string, after: number, wait?: { milliseconds: number; signal?: AbortSignal }): Promise<StepAnswer>
  /** @throws {Problem} every kind of problems.ts that begins with `frame`, `bad` or `too` */
  addFrame(caller: LivenessCaller, id: string, upload: FrameUpload): Promise<FrameAnswer>
  extend(caller: LivenessCaller, id: string): Promise<StepAnswer>
  /**
   * Judges once; `settle` runs in the same transaction, so that a verdict and what it raises are never apart.
   * @throws {Problem} liveness/already-judged for all but one
   */
  finish(caller: LivenessCaller, id: string, occasion: Occasion, settle?: SettleVerdict): Promise<LivenessOutcome>
  result(caller: LivenessCaller, id: string): Promise<LivenessOutcome>
  abandon(caller: LivenessCaller, id: string): Promise<void>
  /** Ends what was left open and forgets what is too old; for a job every minute. */
  sweep(): Promise<void>
}

const POLL_MS = 200
const MAX_WAIT_MS = 10_000

export function createLiveness(deps: LivenessDeps): Liveness {
  const { db, clock } = deps
  const get = (caller: LivenessCaller, id: string) => getOwnSession(deps, caller, id)
  const waiting = createWaiting()
  return {
    start: (caller, options) => startSession(deps, caller, options),
    next: async (caller, id, after, wait = { milliseconds: 0 }) => {
      const until = Date.now() + Math.min(wait.milliseconds, MAX_WAIT_MS)
      const isDone = ({ state, step }: LivenessSession) =>
        state !== 'revealed' || step > after || Date.now() >= until || wait.signal?.aborted
      const session = await revealed(deps, await get(caller, id))
      const seen = isDone(session) ? session : await waiting.untilDone(session.id, async () => get(caller, id), isDone)
      return viewOf(seen, clock.now())
    },
    addFrame: async (caller, id, upload) => {
      const now = clock.now()
      return acceptFrame(deps, await get(caller, id), upload, now)
    },
    extend: async (caller, id) => {
      const session = await get(caller, id)
      if (isFinal(session.state)) throw new Problem(PROBLEMS.alreadyJudged)
      if (!(await applyChange(db, session, extend(session, clock.now(), deps.random)))) throw new Problem(PROBLEMS.outOfOrder)
      return viewOf(await get(caller, id), clock.now())
    },
    finish: async (caller, id, occasion, settle) => judgeSession(deps, await get(caller, id), occasion, settle),
    result: async (caller, id) => resultOf(deps, await get(caller, id)),
    abandon: async (caller, id) => {
      const session = await get(caller, id)
      if (isFinal(session.state)) return
      await consumeSession(db, session, { state: 'abandoned', verdict: undefined, now: clock.now() })
      await deleteFrames(db, session.id)
    },
    sweep: async () => {
      await sweepSessions(db, clock.now(), REPLAY_LIMITS.days)
      await sweepPrints(db, clock.now())
    },
  }
}

/**
 * Long polls, of each check only the latest: an earlier one is a lost answer, and hundreds of one browser would be an attack on the
 * database. Whoever is overtaken is answered at once with what there is.
 */
function createWaiting() {
  const latest = new Map<LivenessSessionId, symbol>()
  return {
    async untilDone(
      id: LivenessSessionId,
      read: () => Promise<LivenessSession>,
      isDone: (session: LivenessSession) => unknown,
    ): Promise<LivenessSession> {
      const poll = Symbol(id)
      latest.set(id, poll)
      try {
        for (;;) {
          await sleep(POLL_MS)
          const session = await read()
          if (isDone(session) || latest.get(id) !== poll) return session
        }
      } finally {
        if (latest.get(id) === poll) latest.delete(id)
      }
    },
  }
}

async function startSession({ db, clock, engine, people, random }: LivenessDeps, caller: LivenessCaller, options: PlanOptions): Promise<Started> {
  if (!(await people.findReference(caller.accountId, engine.rule.modelId))) throw new Problem(PROBLEMS.noReference)
  await people.claimAttempt(caller.accountId, caller.door)
  const now = clock.now()
  const session: LivenessSession = {
    ...caller,
    id: randomUUID() as LivenessSessionId,
    nonce: randomBytes(16),
    state: 'created',
    plan: createPlan({ ...options, padNets: engine.padModel !== undefined }, random),
    step: 0,
    revealedAt: undefined,
    lastSequence: 0,
    lastCapturedMs: 0,
    frameCount: 0,
    wrongTurns: 0,
    extended: false,
    fallback: false,
    createdAt: now,
    expiresAt: new Date(now.getTime() + LIMITS.sessionMs),
  }
  await db.transaction(async (tx) => {
    await abandonOpenSessions(tx, caller, now)
    await addSession(tx, session)
  })
  return { id: session.id, nonce: session.nonce.toString('hex'), expiresAt: session.expiresAt, maxFrames: LIMITS.maxFrames }
}

async function getOwnSession({ db }: LivenessDeps, caller: LivenessCaller, id: string): Promise<LivenessSession> {
  const session = /^[0-9a-f-]{36}$/.test(id) ? await findSession(db, id as LivenessSessionId) : undefined
  const own = session && (['accountId', 'bindingHash', 'purpose'] as const).every((key) => session[key] === caller[key])
  if (!own) throw new Problem(PROBLEMS.notFound)
  return session
}

/** The session with its first step shown; whoever asks first starts the stop-watch, and only once. */
async function revealed({ db, clock }: LivenessDeps, session: LivenessSession): Promise<LivenessSession> {
  if (session.state !== 'created') return session
  checkOpen(session, clock.now())
  await applyChange(db, session, reveal(session, clock.now()))
  return (await findSession(db, session.id)) ?? session
}
