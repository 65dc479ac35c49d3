import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Calibration } from '../../../src/biometrics/calibration.ts'
import { meanTemplate } from '../../../src/biometrics/descriptor.ts'
import type { FaceEngine } from '../../../src/biometrics/engine/engine.ts'
import type { LivenessFrame, LivenessSession } from '../../../src/biometrics/liveness/protocol.ts'
import { findPrints } from '../../../src/biometrics/liveness/replay.store.ts'
import { findFrames, findSession } from '../../../src/biometrics/liveness/session.store.ts'
import { createLiveness, type Liveness, type LivenessCaller } from '../../../src/biometrics/liveness/session.ts'
import { isFrontal, singleFaces } from '../../../src/biometrics/liveness/signals/signal.ts'
import { type Evidence, judge, type LivenessVerdict } from '../../../src/biometrics/liveness/verdict.ts'
import type { FrameObservation } from '../../../src/biometrics/observation.ts'
import type { Database } from '../../../src/platform/db.ts'
import { openWith, sealWith } from '../../../src/platform/keyring.ts'
import { type FixedClock, fixedClock } from '../../../test/support/clock.ts'
import { type Capture, type Drive, driveCheck } from '../../../test/support/reactive-camera/browser-driver.ts'

/** What a presented session came to. */
export interface SessionOutcome {
  /** Every step of the challenge was shown and acknowledged. */
  readonly complete: boolean
  /** The whole decision, the face match included. */
  readonly passed: boolean
  /** The decision with the face match left out: liveness alone. */
  readonly live: boolean
  /** The same two without what the PAD nets say: what the class `basic` rests on. */
  readonly passedWithoutNets: boolean
  readonly liveWithoutNets: boolean
  /** What the PAD nets say of each frontal frame. */
  readonly padScores: readonly number[]
  readonly failed: readonly string[]
}

export interface Stage {
  readonly check: (capture: Capture, options?: CheckOptions) => Promise<SessionOutcome>
}

export interface CheckOptions extends Partial<Pick<Drive, 'yawFor'>> {
  /** Whose check it is: the same one again sees the prints of the earlier sessions. */
  readonly accountId?: string
  readonly reference: readonly number[]
}

const OCCASION = { boundDevice: false, attended: false }

/** The liveness protocol itself, with real nets and an embedded database; the clock alone is ours, so that no step is waited out. */
export function createStage(deps: { db: Database; engine: FaceEngine; calibration: Calibration }): Stage {
  const { db, engine, calibration: rule } = deps
  const key = randomBytes(32)
  const keyring = {
    seal: (plain: Uint8Array, context: string) => sealWith(key, plain, context),
    open: (sealed: Uint8Array, context: string) => openWith(key, sealed, context),
  }
  const clock = fixedClock()
  const observe = remembering((jpeg) => engine.observe(jpeg, { descriptor: 'always', pad: engine.pad }))
  return {
    async check(capture, { reference = [], accountId = randomUUID(), ...drive } = { reference: [] }) {
      const caller: LivenessCaller = { accountId, bindingHash: 'evaluation', purpose: 'evaluation' }
      const people = {
        findReference: async (_: string, modelId: string) => ({ modelId, template: reference, inPerson: false }),
        claimAttempt: async () => {},
        attemptsLeft: async () => 2,
      }
      const liveness = createLiveness({ db, clock, keyring, engine: { rule, observe }, people })
      clock.advance(60_000)
      const { started } = await driveCheck({ liveness, clock, caller, capture, ...drive })
      const session = await findSession(db, started.id)
      const frames = await findFrames(db, keyring, started.id)
      const earlier = await findPrints(
        db,
        accountId,
        frames.map(({ observation }) => observation.pixelDigest),
        clock.now(),
      )
      const outcome = outcomeOf({ session, frames, reference, rule, earlier })
      await finish(liveness, caller, { session, clock })
      return outcome
    },
  }
}

/** A frame that is sent again was seen before: the nets would say the same. */
function remembering(observe: (jpeg: Uint8Array) => Promise<FrameObservation>): (jpeg: Uint8Array) => Promise<FrameObservation> {
  const seen = new Map<string, FrameObservation>()
  return async (jpeg) => {
    const digest = createHash('sha256').update(jpeg).digest('base64')
    const known = seen.get(digest) ?? (await observe(jpeg))
    if (seen.size > 500) seen.clear()
    seen.set(digest, known)
    return known
  }
}

async function finish(
  liveness: Liveness,
  caller: LivenessCaller,
  { session }: { session: LivenessSession | undefined; clock: FixedClock },
) {
  if (session?.state === 'complete') await liveness.finish(caller, session.id, OCCASION)
}

interface Seen extends Pick<Evidence, 'frames' | 'rule' | 'earlier'> {
  readonly session: LivenessSession | undefined
  readonly reference: readonly number[]
}

function outcomeOf({ session, frames, reference, rule, earlier }: Seen): SessionOutcome {
  const complete = session?.state === 'complete'
  const bare = frames.map(withoutPad)
  const verdictOn = (seen: readonly LivenessFrame[], template: readonly number[]): LivenessVerdict | undefined =>
    session && complete
      ? judge({ session, frames: seen, reference: { modelId: rule.modelId, template, inPerson: false }, rule, earlier, occasion: OCCASION })
      : undefined
  const own = ownTemplate(frames)
  const [passed, live] = [verdictOn(frames, reference), verdictOn(frames, own)]
  const padScores = singleFaces(frames).flatMap(({ face }) => (isFrontal(face) && face.padScore !== undefined ? [face.padScore] : []))
  return {
    complete,
    passed: passed?.passed ?? false,
    live: live?.passed ?? false,
    passedWithoutNets: verdictOn(bare, reference)?.passed ?? false,
    liveWithoutNets: verdictOn(bare, own)?.passed ?? false,
    padScores: padScores.map((score) => Number(score.toFixed(4))),
    failed: passed ? passed.reasons : [`state ${session?.state ?? 'gone'}, ${frames.length} frames`],
  }
}

function withoutPad(frame: LivenessFrame): LivenessFrame {
  const faces = frame.observation.faces.map(({ padScore: _, ...face }) => face)
  return { ...frame, observation: { ...frame.observation, faces } }
}

/** A reference that the session itself is surely of: leaves the face match out of the decision. */
function ownTemplate(frames: readonly LivenessFrame[]): readonly number[] {
  const frontal = singleFaces(frames).flatMap(({ face }) => (isFrontal(face) && face.descriptor ? [face.descriptor] : []))
  return frontal.length === 0 ? [] : meanTemplate(frontal)
}
