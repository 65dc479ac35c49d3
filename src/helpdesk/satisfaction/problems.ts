import type { ProblemKind } from '../../platform/problem.ts'

export const SATISFACTION_PROBLEMS = {
  linkUsed: { code: 'satisfaction/link-used', status: 410, title: 'The link was used, is too old, or is none' },
} as const satisfies Record<string, ProblemKind>
