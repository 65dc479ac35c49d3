import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { ReasonCode } from '../reason.ts'
import { LIVENESS_PROBLEMS as PROBLEMS } from './problems.ts'
import type { LivenessEvent, LivenessFrame, LivenessSession } from './protocol.ts'
import { isExpired, isFinal, LIMITS, nextState } from './protocol.ts'
import { addPrints, findPrints } from './replay.store.ts'
import { consumeSession, deleteFrames, findFrames, findVerdict } from './session.store.ts'
import type { LivenessDeps, LivenessOutcome } from './session.ts'
import { framePrints } from './signals/replay-signal.ts'
import type { LivenessVerdict, Occasion, SettleVerdict } from './verdict.ts'
import { giveUpReasons, judge } from './verdict.ts'

/**
 * The session's one end: judged when complete, refused with what was in the way when not.
 * @throws {Problem} liveness/already-judged
 */
export async function judgeSession(
  deps: LivenessDeps,
  session: LivenessSession,
  occasion: Occasion,
  settle?: SettleVerdict,
): Promise<LivenessOutcome> {
  if (isFinal(session.state)) throw new Problem(PROBLEMS.alreadyJudged)
  const frames = await findFrames(deps.db, deps.keyring, session.id)
  const verdict = await verdictOn(deps, session, frames, occasion)
  const late = deps.clock.now().getTime() >= session.expiresAt.getTime() + LIMITS.graceMs
  const event: LivenessEvent = verdict.passed ? 'pass' : late ? 'expire' : 'refuse'
  await end(deps, session, { event, verdict, frames, settle })
  return outcome(deps, session, verdict)
}

/** The end that the protocol itself puts to a session: turned to the wrong side once too often. */
export async function refuseWrongTurns(deps: LivenessDeps, session: LivenessSession, frames: readonly LivenessFrame[]): Promise<void> {
  await end(deps, session, { event: 'refuse', verdict: refusal(deps, ['face/other-side', 'face/not-live']), frames })
}

async function verdictOn(
  deps: LivenessDeps,
  session: LivenessSession,
  frames: readonly LivenessFrame[],
  occasion: Occasion,
): Promise<LivenessVerdict> {
  const now = deps.clock.now()
  const late = now.getTime() >= session.expiresAt.getTime() + LIMITS.graceMs
  if (session.state !== 'complete' || late) {
    const reasons = giveUpReasons(session, frames)
    return refusal(deps, isExpired(session, now) && reasons.length === 0 ? ['face/too-slow'] : reasons)
  }
  const { rule } = deps.engine
  const reference = await deps.people.findReference(session.accountId, rule.modelId)
  if (!reference) throw new Problem(PROBLEMS.noReference)
  const digests = frames.map(({ observation }) => observation.pixelDigest)
  const earlier = await findPrints(deps.db, await subjectOf(deps, session), digests, now)
  return judge({ session, frames, reference, rule, earlier, occasion, padModel: deps.engine.padModel })
}

function refusal({ engine }: LivenessDeps, reasons: readonly ReasonCode[]): LivenessVerdict {
  return { passed: false, class: 'basic', reasons, scores: {}, modelId: engine.rule.modelId, k: 0, threshold: 0, point: 'fmr1e-4' }
}

interface End {
  readonly event: LivenessEvent
  readonly verdict: LivenessVerdict
  readonly frames: readonly LivenessFrame[]
  readonly settle?: SettleVerdict | undefined
}

/** Verdict, prints, deletion of the frames and whatever the verdict raises: all of it or nothing. */
async function end(deps: LivenessDeps, session: LivenessSession, { event, verdict, frames, settle }: End): Promise<void> {
  const now = deps.clock.now()
  const state = nextState(session.state, event)
  const subjectId = await subjectOf(deps, session)
  const note = await deps.engine.noteEnd?.({ session, subjectId, frames, verdict })
  await deps.db.transaction(async (tx: Sql) => {
    if (!(await consumeSession(tx, session, { state, verdict, now }))) throw new Problem(PROBLEMS.alreadyJudged)
    await addPrints(tx, { ...session, subjectId }, framePrints(frames), now)
    await deleteFrames(tx, session.id)
    await settle?.(tx, verdict)
    await note?.(tx)
  })
}

async function subjectOf({ people }: LivenessDeps, { accountId }: LivenessSession): Promise<string> {
  return (await people.subjectOf?.(accountId)) ?? accountId
}

/** What was decided, for a browser that lost the answer. @throws {Problem} liveness/out-of-order while nothing is. */
export async function resultOf(deps: LivenessDeps, session: LivenessSession): Promise<LivenessOutcome> {
  if (!isFinal(session.state)) throw new Problem(PROBLEMS.outOfOrder, { detail: 'not judged yet' })
  const verdict = await findVerdict(deps.db, session.id)
  return outcome(deps, session, verdict ?? refusal(deps, ['face/too-slow']))
}

async function outcome({ people }: LivenessDeps, { accountId, door }: LivenessSession, verdict: LivenessVerdict): Promise<LivenessOutcome> {
  return { passed: verdict.passed, class: verdict.class, reasons: verdict.reasons, attemptsLeft: await people.attemptsLeft(accountId, door) }
}
