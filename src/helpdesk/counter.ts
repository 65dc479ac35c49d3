import type Router from '@koa/router'
import type { BaseRegister } from '../accounts/index.ts'
import type { Assurance } from '../assurance/index.ts'
import type { FaceSearch, ImageStore } from '../biometrics/index.ts'
import type { Messages } from '../platform/http/messages.ts'
import { createApprovalRoutes } from './approval/approval.routes.ts'
import { createApprovals } from './approval/approvals.ts'
import { createCheckAgain, createFinishCapture } from './approval/checks.ts'
import { createFraudReviews } from './approval/fraud-reviews.ts'
import { createFraudRoutes } from './approval/fraud.routes.ts'
import { createAttendanceRoutes } from './attendance/attendance.routes.ts'
import { type Attendances, createAttendances } from './attendance/attendances.ts'
import type { Desk } from './attendance/desk.ts'
import { createCaptureRoutes } from './capture/capture.routes.ts'
import { type CounterFaces, createCaptures } from './capture/captures.ts'
import { createFaceRoutes } from './capture/face.routes.ts'
import type { DeskPages } from './desk-pages.ts'

export interface CounterDependencies {
  readonly desk: Desk
  /** With a deadline on it, or answering at once. */
  readonly register: BaseRegister
  readonly biometrics: { readonly faces: CounterFaces; readonly images: ImageStore; readonly search: Pick<FaceSearch, 'state' | 'find'> }
  readonly assurance: Pick<Assurance, 'add'>
  readonly messages: Messages
}

/** Attendances with their captures, their second pair of eyes and what the search stops. */
export interface Counter {
  /** Pages of the area, for `createDeskRoutes`. */
  readonly parts: readonly ((pages: DeskPages) => Router)[]
  /** Ends what nobody finished in time; a job's work. */
  readonly expire: Attendances['expire']
}

export function createCounter({ desk, register, biometrics, assurance, messages }: CounterDependencies): Counter {
  const { faces, images, search } = biometrics
  const attendances = createAttendances(desk, register)
  const captures = createCaptures(desk, faces)
  const checks = { desk, rule: faces.rule, images, search }
  const approvals = createApprovals({ desk, images, assurance, checkAgain: createCheckAgain(checks) })
  const reviews = createFraudReviews(desk, images)
  return {
    parts: [
      (pages) => createAttendanceRoutes({ pages, attendances, captures, finishCapture: createFinishCapture(checks) }),
      (pages) => createCaptureRoutes({ pages, attendances, captures }),
      (pages) => createFaceRoutes({ pages, attendances, captures, messages }),
      (pages) => createApprovalRoutes({ pages, attendances, captures, approvals, images }),
      (pages) => createFraudRoutes({ pages, reviews, captures }),
    ],
    expire: attendances.expire,
  }
}
