import { Problem } from '../../platform/problem.ts'
import { ImageRefused } from '../image.ts'
import type { FrameObservation } from '../observation.ts'
import type { ReasonCode } from '../reason.ts'
import { refuseWrongTurns } from './finish.ts'
import { isTurn } from './plan.ts'
import { LIVENESS_PROBLEMS as PROBLEMS } from './problems.ts'
import type { FrameUpload, LivenessFrame, LivenessSession, SessionChange } from './protocol.ts'
import { acknowledge, admitFrame, currentStep, fallBack, pardonWrongTurn } from './protocol.ts'
import { addFrame, applyChange, claimSequence, findFrames, findSession } from './session.store.ts'
import type { LivenessDeps } from './session.ts'
import { flashSignal } from './signals/flash-signal.ts'
import { neutralPitch, poseHint, stepProgress } from './signals/pose-signal.ts'
import { hintsFor } from './signals/quality-signal.ts'
import { facesOf, isFrontal, singleFaces } from './signals/signal.ts'
import type { FrameAnswer } from './step-view.ts'
import { viewOf } from './step-view.ts'

/**
 * Takes one frame: refuses it, or looks at it, forgets the picture, and shows the next step once this one is acknowledged.
 *
 * Its place in the order is claimed before anything is decoded, so a frame sent twenty times costs one decoding.
 */
export async function acceptFrame(deps: LivenessDeps, session: LivenessSession, upload: FrameUpload, now: Date): Promise<FrameAnswer> {
  const admission = admitFrame(session, upload, now)
  if (!(await claimSequence(deps.db, session.id, upload))) throw new Problem(PROBLEMS.badSequence)
  // Taken while the answer that ended its step was on its way: a frontal one still shows face and colour, a turned one nothing new.
  if (admission === 'stale' && isTurn(session.plan.steps[upload.step]?.kind ?? 'frontal')) return answer(deps, session, { accepted: false })
  const observation = await observe(deps, upload.jpeg)
  const { sequence, step, capturedMs } = upload
  const frame: LivenessFrame = { sequence, step, capturedMs, arrivedAt: now, observation }
  await addFrame(deps.db, deps.keyring, session.id, frame)
  if (admission === 'stale') return answer(deps, session, { accepted: false })
  const seen = await findFrames(deps.db, deps.keyring, session.id)
  const change = changeAfter(session, seen, deps)
  if (change === 'refuse') await refuseWrongTurns(deps, session, seen)
  else if (change) await applyChange(deps.db, session, change)
  return answer(deps, session, { accepted: true, hint: hintOf(session, observation, neutralPitch(seen)) })
}

async function observe({ engine }: LivenessDeps, jpeg: Uint8Array): Promise<FrameObservation> {
  try {
    return await engine.observe(jpeg)
  } catch (error) {
    if (error instanceof ImageRefused) throw new Problem(PROBLEMS.frameNotJpeg, { detail: error.code, cause: error })
    throw error
  }
}

/** What the frames so far do to the session: nothing, a step on, one turn more, or its end. */
function changeAfter(session: LivenessSession, all: readonly LivenessFrame[], { clock, random }: LivenessDeps): SessionChange | 'refuse' | undefined {
  const now = clock.now()
  const revealedAt = session.revealedAt ?? session.createdAt
  const here = all.filter((frame) => frame.step === session.step && frame.arrivedAt >= revealedAt)
  const progress = stepProgress(currentStep(session), here, { pitch: neutralPitch(all), revealedAt })
  if (progress === 'wrong-turn') {
    const change = pardonWrongTurn(session, now, random)
    return change.state === 'refused' ? 'refuse' : change
  }
  if (progress === 'pending') return undefined
  const last = session.step + 1 >= session.plan.steps.length
  if (last && singleFaces(all).filter(({ face }) => isFrontal(face)).length < session.plan.frontalFrames) return undefined
  return last && needsFallback(session, all) ? fallBack(session, now, random) : acknowledge(session, now)
}

function needsFallback({ plan, fallback }: LivenessSession, all: readonly LivenessFrame[]): boolean {
  return plan.options.flashes && !fallback && flashSignal(plan.steps, all).outcome !== 'passed'
}

function hintOf(session: LivenessSession, observation: FrameObservation, pitch: number): ReasonCode | undefined {
  const { kind } = currentStep(session)
  const [face] = facesOf(observation)
  return hintsFor(observation, kind)[0] ?? (face && poseHint(kind, face, pitch))
}

async function answer(
  deps: LivenessDeps,
  before: LivenessSession,
  frame: { accepted: boolean; hint?: ReasonCode | undefined },
): Promise<FrameAnswer> {
  const session = (await findSession(deps.db, before.id)) ?? before
  return {
    ...viewOf(session, deps.clock.now()),
    accepted: frame.accepted,
    acknowledged: session.step,
    ...(frame.hint && session.step === before.step && { hint: frame.hint }),
  }
}
