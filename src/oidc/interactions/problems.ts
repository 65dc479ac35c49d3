import type { ProblemKind } from '../../platform/problem.ts'

/** Every way in which the interaction pages refuse a request as a whole; what they refuse in a field is a message of the page. */
export const INTERACTION_PROBLEMS = {
  stepOutOfOrder: { code: 'oidc/step-out-of-order', status: 409, title: 'Step out of order' },
  recoveryOver: { code: 'oidc/recovery-over', status: 410, title: 'This recovery ended or belongs to another browser' },
  interactionLost: { code: 'oidc/interaction-lost', status: 410, title: 'This interaction ended or belongs to another browser' },
} as const satisfies Record<string, ProblemKind>
