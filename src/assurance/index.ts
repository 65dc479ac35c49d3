/** Assurance: evidence in, identity level out; and what a session must show before a token may say so. */
export {
  type Aal, ACR_VALUES, acrFor, combineRequirements, DEFAULT_FACE_MAX_AGE_SECONDS, findShortfall, levelUrn, parseRequirement,
  type Requirement, type SessionAssurance, type Shortfall,
} from './acr.ts'
export { type Assurance, type AssuranceDependencies, createAssurance, type NewEvidence } from './assurance.ts'
export { type Candidate, lockCandidate } from './candidate.store.ts'
export { type Evidence, type EvidenceState, evidenceState, levelAt, type Method, METHODS } from './evidence.ts'
export { assuranceEvents } from './events.ts'
export type { Circumstances, CountedEvidence, Explanation, WayUp } from './explanation.ts'
export { higherLevel, isLevelAtLeast, type Level, LEVELS } from './level.ts'
export { findPolicyRow, POLICY, type PolicyRow, type Proof } from './policy.ts'
