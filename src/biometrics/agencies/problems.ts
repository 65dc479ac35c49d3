import type { ProblemKind } from '../../platform/problem.ts'

/** Refusals of the agencies' API and of the pages that it sends citizens to. */
export const AGENCY_PROBLEMS = {
  purposeNotAllowed: { code: 'agencies/purpose-not-allowed', status: 403, title: 'The client is not registered for this purpose and legal basis' },
  returnNotRegistered: { code: 'agencies/return-not-registered', status: 422, title: 'The return address is not registered for this client' },
  tooManyCalls: { code: 'agencies/too-many-calls', status: 429, title: 'Too many calls in this minute' },
  quotaSpent: { code: 'agencies/quota-spent', status: 429, title: 'The quota of this month is spent' },
  keyReused: { code: 'agencies/key-reused', status: 422, title: 'The Idempotency-Key was used for another request' },
  stillRunning: { code: 'agencies/still-running', status: 409, title: 'The first request with this Idempotency-Key is still running' },
  imageRefused: { code: 'agencies/image-refused', status: 422, title: 'Not a picture that can be judged' },
  validationNotFound: { code: 'agencies/validation-not-found', status: 404, title: 'There is no such validation' },
  validationOver: { code: 'agencies/validation-over', status: 410, title: 'The validation is over' },
  codeRefused: { code: 'agencies/code-refused', status: 410, title: 'The code was used, has expired or belongs to another validation' },
  linkUsed: { code: 'agencies/link-used', status: 410, title: 'The link was used or has expired' },
  referenceNotFound: { code: 'agencies/reference-not-found', status: 404, title: 'There is no reference image' },
} as const satisfies Record<string, ProblemKind>
