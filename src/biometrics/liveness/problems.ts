import type { ProblemKind } from '../../platform/problem.ts'

/** Every way in which the liveness protocol refuses a request. What it refuses in a face is a reason, not a problem: see reason.ts. */
export const LIVENESS_PROBLEMS = {
  notFound: { code: 'liveness/not-found', status: 404, title: 'No such face check' },
  outOfOrder: { code: 'liveness/out-of-order', status: 409, title: 'Step out of order' },
  expired: { code: 'liveness/expired', status: 410, title: 'The face check has expired' },
  alreadyJudged: { code: 'liveness/already-judged', status: 409, title: 'The face check is already judged' },
  alreadyExtended: { code: 'liveness/already-extended', status: 409, title: 'The time was already extended' },
  tooEarly: { code: 'liveness/too-early', status: 425, title: 'Answered before anyone could have seen the step' },
  tooLate: { code: 'liveness/too-late', status: 409, title: 'Time for this step is over' },
  badSequence: { code: 'liveness/bad-sequence', status: 409, title: 'Frame repeated or out of sequence' },
  badSignature: { code: 'liveness/bad-signature', status: 403, title: 'The frame does not belong to this face check' },
  badCaptureTime: { code: 'liveness/bad-capture-time', status: 422, title: 'Impossible capture time' },
  tooManyFrames: { code: 'liveness/too-many-frames', status: 429, title: 'Too many frames' },
  frameEmpty: { code: 'liveness/frame-empty', status: 422, title: 'Empty frame' },
  frameTooLarge: { code: 'liveness/frame-too-large', status: 413, title: 'Frame too large' },
  frameNotJpeg: { code: 'liveness/frame-not-jpeg', status: 415, title: 'The frame is not a JPEG of a camera' },
  noReference: { code: 'liveness/no-reference', status: 409, title: 'No reference image to compare with' },
} as const satisfies Record<string, ProblemKind>
