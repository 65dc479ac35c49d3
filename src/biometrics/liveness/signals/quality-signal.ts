import type { FrameObservation } from '../../observation.ts'
import { qualityOf } from '../../quality/judge.ts'
import type { ReasonCode } from '../../reason.ts'
import { sortReasons } from '../../reason.ts'
import type { StepKind } from '../plan.ts'
import { isTurn } from '../plan.ts'
import type { LivenessFrame } from '../protocol.ts'

/** What keeps this frame from counting for a step of this kind, the most useful first; empty for a good frame. */
export function hintsFor(frame: FrameObservation, kind: StepKind): ReasonCode[] {
  return [...qualityOf('live-guidance', frame, { turned: isTurn(kind) }).reasons]
}

/** What was wrong in at least half of the given frames: the reasons to tell a person whose check came to nothing. */
export function commonHints(frames: readonly LivenessFrame[], kind: StepKind): ReasonCode[] {
  const all = frames.map(({ observation }) => hintsFor(observation, kind))
  return sortReasons(all.flat()).filter((code) => all.filter((hints) => hints.includes(code)).length * 2 >= all.length)
}
