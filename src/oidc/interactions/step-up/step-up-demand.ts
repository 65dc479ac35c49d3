import { z } from 'zod'
import {
  findShortfall,
  isLevelAtLeast,
  LEVELS,
  type Level,
  type Requirement,
  type SessionAssurance,
  type Shortfall,
} from '../../../assurance/index.ts'
import type { Visit } from '../visit.ts'

const details = z.object({
  requirement: z.object({
    level: z.enum(LEVELS).optional(),
    aal: z.literal([1, 2, 3]).optional(),
    face: z.object({ maxAgeSeconds: z.number() }).optional(),
    impossible: z.literal(true).optional(),
  }),
})

/** What the relying party demands, as the protocol server wrote it into the prompt. */
export function requirementOf(visit: Visit): Requirement {
  return details.parse(visit.prompt.details).requirement
}

/** What is still missing at this moment; something may have been proven meanwhile, in another window or at the counter. */
export function shortfallOf(visit: Visit, session: SessionAssurance, now: Date): Shortfall | undefined {
  const requirement = requirementOf(visit)
  if (requirement.aal === 3) return 'impossible'
  return findShortfall(requirement, session, now)
}

/** Whether the camera can help, and if not, why. */
export type CameraOutlook = 'open' | 'no-reference' | 'not-enough' | 'device-needed' | 'wait'

export interface CameraFacts {
  /** The level that is asked for; absent when only a fresh face is. */
  readonly wanted: Level | undefined
  /** The level that a passed check from home gives here. */
  readonly grants: Level | undefined
  /** The level that it would give after signing in with a device key of more than a day. */
  readonly grantsWithDevice: Level | undefined
  readonly hasReference: boolean
  readonly attemptsLeft: number
}

/** The first thing that stands in the way of the camera, the most lasting first. */
export function cameraOutlook({ wanted, grants, grantsWithDevice, hasReference, attemptsLeft }: CameraFacts): CameraOutlook {
  const reaches = (level: Level | undefined) => wanted === undefined || (level !== undefined && isLevelAtLeast(level, wanted))
  if (!reaches(grants)) return reaches(grantsWithDevice) ? 'device-needed' : 'not-enough'
  if (!hasReference) return 'no-reference'
  return attemptsLeft > 0 ? 'open' : 'wait'
}
