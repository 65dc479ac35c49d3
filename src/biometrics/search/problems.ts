import type { ProblemKind } from '../../platform/problem.ts'

export const SEARCH_PROBLEMS = {
  searchOff: { code: 'biometrics/search-off', status: 503, title: 'The search among all faces is not available here' },
  candidateUnknown: { code: 'biometrics/candidate-unknown', status: 404, title: 'There is no such pair of faces' },
  candidateDecided: { code: 'biometrics/candidate-decided', status: 409, title: 'Somebody has already judged this pair of faces' },
} as const satisfies Record<string, ProblemKind>
