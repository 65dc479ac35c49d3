import { type Evidence, type EvidenceState, evidenceState, levelAt } from './evidence.ts'
import { isLevelAtLeast, LEVELS, type Level } from './level.ts'

/** One line of "what counts": a piece of evidence and whether it counts now. */
export interface CountedEvidence {
  readonly id: string
  readonly method: Evidence['method']
  readonly source: string
  readonly grants: Level
  readonly obtainedAt: Date
  readonly expiresAt?: Date | undefined
  readonly state: EvidenceState
}

/** One way up: what it leads to, whether it needs a camera, and what stands in its way today. */
export interface WayUp {
  readonly target: Level
  readonly way: 'face-check' | 'certificate' | 'counter'
  readonly needsCamera: boolean
  readonly obstacle?: 'no-reference-image' | undefined
}

export interface Explanation {
  readonly level: Level
  readonly evidence: readonly CountedEvidence[]
  readonly ways: readonly WayUp[]
}

/** What `explainLevel` needs to know besides the evidence. */
export interface Circumstances {
  /** The image store holds a trusted face of this person. */
  readonly hasReferenceImage: boolean
  /** The highest level that a face check from home grants here (the liveness class decides); `undefined` = none. */
  readonly faceCheckGrants?: Level | undefined
  /** An ICP-Brasil certificate is believed here, and raises to ouro at once. */
  readonly takesCertificates?: boolean | undefined
}

/** Answers "por que sou prata?": what counts, what no longer does, and every way up, one of them without a camera. */
export function explainLevel(evidence: readonly Evidence[], circumstances: Circumstances, now: Date): Explanation {
  const level = levelAt(evidence, now)
  const higher = LEVELS.filter((candidate) => !isLevelAtLeast(level, candidate))
  return {
    level,
    evidence: evidence.map((item) => ({
      id: item.id, method: item.method, source: item.source, grants: item.grants, obtainedAt: item.obtainedAt,
      expiresAt: item.expiresAt, state: evidenceState(item, now),
    })),
    ways: higher.flatMap((target) => waysTo(target, circumstances)),
  }
}

function waysTo(target: Level, circumstances: Circumstances): WayUp[] {
  const ways: WayUp[] = []
  if (circumstances.faceCheckGrants !== undefined && isLevelAtLeast(circumstances.faceCheckGrants, target)) {
    const obstacle = circumstances.hasReferenceImage ? undefined : ('no-reference-image' as const)
    ways.push({ target, way: 'face-check', needsCamera: true, obstacle })
  }
  if (circumstances.takesCertificates && target === 'ouro') ways.push({ target, way: 'certificate', needsCamera: false })
  ways.push({ target, way: 'counter', needsCamera: false })
  return ways
}
