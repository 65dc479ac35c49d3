import type { ProblemKind } from '../platform/problem.ts'

/** The oidc room's problem kinds. OAuth endpoints answer RFC 6749 bodies instead; these are for pages and the command line. */
export const OIDC_PROBLEMS = {
  stateDown: { code: 'oidc/state-down', status: 503, title: 'The store of the protocol does not answer' },
  clientUnknown: { code: 'oidc/client-unknown', status: 404, title: 'There is no such relying party' },
  clientTaken: { code: 'oidc/client-taken', status: 409, title: 'A relying party with this id exists already' },
  clientInvalid: { code: 'oidc/client-invalid', status: 422, title: 'The registration of the relying party is not valid' },
  tokenMissing: { code: 'oidc/token-missing', status: 401, title: 'An access token is needed' },
  tokenInvalid: { code: 'oidc/token-invalid', status: 401, title: 'The access token is not valid here' },
  scopeMissing: { code: 'oidc/scope-missing', status: 403, title: 'The access token does not bear the scope that this needs' },
  resourceInvalid: { code: 'oidc/resource-invalid', status: 422, title: 'The resource server is not valid' },
} as const satisfies Record<string, ProblemKind>
