import type { LivenessClass } from '../biometrics/index.ts'
import type { Method } from './evidence.ts'
import type { Level } from './level.ts'

/** What is known about a proof at the moment when it asks to become evidence. */
export interface Proof {
  readonly method: Method
  readonly livenessClass?: LivenessClass | undefined
  /** The reference image came from a source that the state trusts. */
  readonly referenceTrusted?: boolean | undefined
  /** The reference image was captured in person under dual control. */
  readonly referenceInPerson?: boolean | undefined
  /** Two different members of staff: attendant and supervisor. */
  readonly dualControl?: boolean | undefined
  /** What the federal login says, already translated to our names. */
  readonly federalLevel?: Level | undefined
}

/** One line of the policy: the first whose conditions hold decides. */
export interface PolicyRow {
  readonly id: string
  readonly method: Method
  readonly livenessClass?: LivenessClass
  readonly referenceTrusted?: true
  readonly referenceInPerson?: true
  readonly dualControl?: true
  readonly federalLevel?: Level
  /** Only where the server runs as a demonstration. */
  readonly demoOnly?: true
  readonly grants: Level
  /** `undefined` = until the source says otherwise. */
  readonly validityDays?: number
}

const YEAR_DAYS = 365

/**
 * What raises a level, and for how long (DESIGN 2; liveness caps: specs/biometrics 1.8). A proof that fits no row grants
 * nothing: it may still confirm, in a session, a level that is already held.
 */
export const POLICY: readonly PolicyRow[] = [
  { id: 'registration', method: 'registration', grants: 'bronze' },
  { id: 'face-basic-demo', method: 'face-match', livenessClass: 'basic', referenceTrusted: true, demoOnly: true, grants: 'prata', validityDays: 5 * YEAR_DAYS },
  { id: 'face-bound-in-person', method: 'face-match', livenessClass: 'active+bound', referenceTrusted: true, referenceInPerson: true, grants: 'ouro', validityDays: 5 * YEAR_DAYS },
  { id: 'face-bound', method: 'face-match', livenessClass: 'active+bound', referenceTrusted: true, grants: 'prata', validityDays: 5 * YEAR_DAYS },
  { id: 'face-active', method: 'face-match', livenessClass: 'active', referenceTrusted: true, grants: 'prata', validityDays: 5 * YEAR_DAYS },
  { id: 'attended-dual-control', method: 'attended', livenessClass: 'attended', dualControl: true, grants: 'ouro', validityDays: 5 * YEAR_DAYS },
  { id: 'counter-documents', method: 'counter-documents', grants: 'prata', validityDays: 2 * YEAR_DAYS },
  { id: 'govbr-ouro', method: 'govbr', federalLevel: 'ouro', grants: 'ouro' },
  { id: 'govbr-prata', method: 'govbr', federalLevel: 'prata', grants: 'prata' },
  { id: 'icp-brasil', method: 'icp-brasil', grants: 'ouro', validityDays: YEAR_DAYS },
]

const CONDITIONS = ['livenessClass', 'referenceTrusted', 'referenceInPerson', 'dualControl', 'federalLevel'] as const

/** The policy row that a proof fits, or `undefined` when it raises nothing. */
export function findPolicyRow(proof: Proof, options: { demo: boolean }): PolicyRow | undefined {
  return POLICY.find(
    (row) =>
      row.method === proof.method &&
      (row.demoOnly !== true || options.demo) &&
      CONDITIONS.every((condition) => row[condition] === undefined || row[condition] === proof[condition]),
  )
}
