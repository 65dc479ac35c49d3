import type { ProblemKind } from '../../platform/problem.ts'

export const SUPPORT_PROBLEMS = {
  tooManyLooks: { code: 'support/too-many-looks', status: 429, title: 'The attendant has looked up too many people' },
  ownAccount: { code: 'support/own-account', status: 403, title: 'Nobody attends to their own account' },
  caseOver: { code: 'support/case-over', status: 404, title: 'No such case is open to this attendant' },
  actedTooOften: { code: 'support/acted-too-often', status: 409, title: 'This was done to the account too often today' },
} as const satisfies Record<string, ProblemKind>
