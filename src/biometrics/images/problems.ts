import type { ProblemKind } from '../../platform/problem.ts'

export const IMAGE_PROBLEMS = {
  imageNotFound: { code: 'biometrics/image-not-found', status: 404, title: 'There is no such image' },
  personNotFound: { code: 'biometrics/person-not-found', status: 404, title: 'There is no such person' },
  imageNotReady: { code: 'biometrics/image-not-ready', status: 409, title: 'The image is being prepared' },
  legalHold: { code: 'biometrics/legal-hold', status: 409, title: 'A legal hold forbids erasing these images' },
  archiveInvalid: { code: 'biometrics/archive-invalid', status: 400, title: 'The archive or manifest cannot be used' },
  placeUnsafe: { code: 'biometrics/place-unsafe', status: 400, title: 'Others could read what would be written there' },
  archiveSealed: { code: 'biometrics/archive-sealed', status: 400, title: 'The archive does not open with this key or is damaged' },
} as const satisfies Record<string, ProblemKind>
