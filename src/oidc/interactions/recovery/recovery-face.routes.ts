import { createHash } from 'node:crypto'
import Router from '@koa/router'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, type Recovery } from '../../../accounts/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { FaceCheckVisit, Liveness, LivenessCaller } from '../../../biometrics/index.ts'
import type { Sql } from '../../../platform/db.ts'
import { guard } from '../../../platform/http/guard.ts'
import type { Messages } from '../../../platform/http/messages.ts'
import type { PageSessions } from '../../../platform/http/page-session.ts'
import { type HttpContext, requestFacts } from '../../../platform/http/request-facts.ts'
import { Problem } from '../../../platform/problem.ts'
import { createFaceCheckRoutes } from '../step-up/face-check.routes.ts'
import { goTo, RECOVERY_STEP, type RecoverySession, type RecoveryStanding, type StepData } from './recovery-step.ts'

const agreement = z.object({ agree: z.literal('sim', 'oidc.interaction.step-up.agree-missing') })

export interface RecoveryFaceDependencies {
  readonly recovery: Recovery
  readonly sessions: PageSessions<RecoverySession>
  readonly liveness: Liveness
  readonly platform: { readonly db: Sql; readonly audit: Audit; readonly messages: Messages }
  readonly getStanding: (ctx: HttpContext) => Promise<RecoveryStanding>
  readonly showStep: (ctx: HttpContext, standing: RecoveryStanding, page?: StepData) => void
}

/** Who shows a face in a recovery; `app.ts` asks in the same name whether that check was passed. */
export function recoveryCaller(accountId: string, recoveryId: string): LivenessCaller {
  const bindingHash = createHash('sha256').update(`recuperar ${recoveryId}`).digest('hex')
  return { accountId, bindingHash, purpose: `recuperar:${recoveryId}` }
}

/** Recovery by face: agreement, camera, and the proof for the accounts room. */
export function createRecoveryFaceRoutes(deps: RecoveryFaceDependencies): Router {
  const { recovery, sessions, liveness, platform, getStanding, showStep } = deps
  const router = new Router()

  router.post(
    '/recuperar/rosto/concordo',
    guard({ body: agreement, onInvalid: async (ctx, { errors }) => showStep(ctx, await getStanding(ctx), { errors }) }, async (ctx) => {
      const { session, view } = await getStanding(ctx)
      const subject = view.subject?.accountId
      const actor = { kind: 'citizen', ...(subject && { id: subject }) } as const
      await platform.audit.record(platform.db, {
        type: 'oidc/face-check-agreed',
        actor,
        ...(subject && { subject }),
        data: { reason: 'recovery' },
      })
      await sessions.update(ctx, { ...session, agreed: true })
      goTo(ctx, RECOVERY_STEP)
    }),
  )

  /** A CPF without an account shows its face to nobody, and is refused like a wrong face. */
  async function open(ctx: HttpContext): Promise<FaceCheckVisit> {
    const { session, handle, view } = await getStanding(ctx)
    if (view.step !== 'face' || session.agreed !== true) throw new Problem(ACCOUNTS_PROBLEMS.stepOutOfOrder)
    return {
      caller: recoveryCaller(view.faceSubject, handle.id),
      prepare: async () => ({ occasion: { boundDevice: false, attended: false }, settle: async () => {} }),
      async conclude({ passed }, id) {
        if (passed) await recovery.proveByFace(handle, id, requestFacts(ctx))
        return RECOVERY_STEP
      },
    }
  }

  router.use(createFaceCheckRoutes({ liveness, messages: platform.messages, base: '/recuperar/rosto', open }).routes())
  return router
}
