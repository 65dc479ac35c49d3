import { signFrame } from '../../../src/biometrics/liveness/frame-proof.ts'
import type { PlanOptions } from '../../../src/biometrics/liveness/plan.ts'
import { LIMITS } from '../../../src/biometrics/liveness/protocol.ts'
import type { Liveness, LivenessCaller, Started } from '../../../src/biometrics/liveness/session.ts'
import type { FrameAnswer, StepAnswer, StepView } from '../../../src/biometrics/liveness/step-view.ts'
import type { Colour } from '../../../src/biometrics/observation.ts'
import { Problem } from '../../../src/platform/problem.ts'
import type { FixedClock } from '../clock.ts'
import type { View } from './simulated-person.ts'

/** Takes the picture of a moment: what the person does about the step is the camera's business. */
export type Capture = (view: View, step: StepView) => Promise<Buffer> | Buffer

export interface Drive {
  readonly liveness: Liveness
  readonly clock: FixedClock
  readonly caller: LivenessCaller
  readonly capture: Capture
  /** Time from one frame to the next. */
  readonly everyMs?: number
  /** What the person does for a step; asked yaw of ±22° when absent. */
  readonly yawFor?: (step: StepView) => number
}

/** Plays the browser's part of a face check, without a browser: one frame in flight, as `camera.js` does. */
export async function driveCheck(drive: Drive, options: PlanOptions = { flashes: true, slowLink: false }) {
  const started = await drive.liveness.start(drive.caller, options)
  return { started, ...(await driveSession(drive, started)) }
}

/** From the first step to where the session stops by itself: complete, over, out of time or out of frames. */
export async function driveSession({ liveness, clock, caller, capture, everyMs = 350, yawFor = willingYaw }: Drive, started: Started) {
  const startedAt = started.expiresAt.getTime() - LIMITS.sessionMs
  const nonce = Buffer.from(started.nonce, 'hex')
  const answers: FrameAnswer[] = []
  let current: StepAnswer = await liveness.next(caller, started.id, -1)
  let yaw = 0
  let problem: Problem | undefined
  while (current.state === 'going' && current.step) {
    const { step } = current
    const goal = yawFor(step)
    yaw = Math.abs(goal - yaw) > 13 ? yaw + Math.sign(goal - yaw) * 12 : goal
    clock.advance(Math.max(everyMs, step.holdMs))
    const jpeg = await capture({ yaw, colour: parseColour(step.colour) }, step)
    const [sequence, capturedMs] = [answers.length + 1, clock.now().getTime() - startedAt]
    clock.advance(40)
    try {
      const frame = { step: step.index, sequence, capturedMs, signature: signFrame(nonce, sequence, jpeg), jpeg }
      const answer = await liveness.addFrame(caller, started.id, frame)
      answers.push(answer)
      current = answer
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problem = error
      break
    }
  }
  return { answers, last: current, problem }
}

export function willingYaw(step: { kind: string }): number {
  return step.kind === 'turn-left' ? 25 : step.kind === 'turn-right' ? -25 : 0
}

export function parseColour(hex: string | undefined): Colour | undefined {
  if (!hex) return undefined
  const value = Number.parseInt(hex.slice(1), 16)
  return { red: value >> 16, green: (value >> 8) & 255, blue: value & 255 }
}
