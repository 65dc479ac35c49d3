import type { ProblemKind } from '../../platform/problem.ts'

export const IMAGE_PROBLEMS = {
  imageNotFound: { code: 'biometrics/image-not-found', status: 404, title: 'There is no such image' },
  personNotFound: { code: 'biometrics/person-not-found', status: 404, title: 'There is no such person' },
} as const satisfies Record<string, ProblemKind>
