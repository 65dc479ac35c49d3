import type Router from '@koa/router'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import type { Liveness, LivenessCaller, LivenessOutcome } from '../../liveness/session.ts'
import type { Occasion, SettleVerdict } from '../../liveness/verdict.ts'
import { type Validation, isOver } from './validation.ts'
import { validationCaller, type Validations } from './validations.ts'
import { Problem } from '../../../platform/problem.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'

/** Who shows a face, what for, and what becomes of it: what the face check's endpoints ask of each request. */
export interface FaceCheckVisit {
  readonly caller: LivenessCaller
  /** What the judgement needs to know, and what it brings about; asked before its transaction, which may look up nothing else. */
  prepare(): Promise<{ readonly occasion: Occasion; readonly settle: SettleVerdict }>
  /** Remembers the outcome for the next page and answers its address. */
  conclude(outcome: LivenessOutcome, id: string): Promise<string>
}

/** The endpoints of one kind of face check. */
export interface FaceCheckEndpoints {
  readonly liveness: Liveness
  /** Path that the endpoints hang on, with `:uid` where there is one. */
  readonly base: string
  /** False only where `open` asks for a token that no browser sends by itself. */
  readonly csrf?: boolean
  /** Refuses everybody who does not stand before the camera at this moment, in this browser. */
  readonly open: (ctx: HttpContext, uid: string | undefined) => Promise<FaceCheckVisit>
}

/** The endpoints of the face check's protocol below a path; a later room has them, so `app.ts` hands them in. */
export type MountFaceChecks = (endpoints: FaceCheckEndpoints) => Router

/** An agency's check is nobody's sign-in: no device is bound to it and no staff stands by. */
const OCCASION: Occasion = { boundDevice: false, attended: false }

/** The check of one validation in one request; `next` is where its end leads. @throws {Problem} agencies/validation-over */
export function visitOf(validations: Validations, validation: Validation, sessionId: string | undefined, next: (passed: boolean) => string): FaceCheckVisit {
  if (isOver(validation) && sessionId === undefined) throw new Problem(AGENCY_PROBLEMS.validationOver)
  return {
    caller: validationCaller(validation),
    prepare: async () => ({ occasion: OCCASION, settle: validations.settle(validation, sessionId ?? '') }),
    async conclude(outcome, id) {
      await validations.noteEnded(validation, id, outcome)
      return next(outcome.passed)
    },
  }
}

/** The check's id in the path, if there is one. */
export function sessionIdOf(ctx: HttpContext): string | undefined {
  const params: Record<string, unknown> = { ...Reflect.get(ctx, 'params') }
  return typeof params['id'] === 'string' ? params['id'] : undefined
}
