import Router from '@koa/router'
import type { Recovery, RecoveryProgress } from '../../../accounts/index.ts'
import { guard } from '../../../platform/http/guard.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { type CertificateHost, openOrDiscard, refusalKey, returnQuery } from '../sign-in/certificate-return.ts'
import { goTo, RECOVERY_STEP, type RecoveryStanding, type StepData } from './recovery-step.ts'

const PAGE = '/recuperar/segundo-passo/certificado'

export interface RecoveryCertificateDependencies {
  readonly recovery: Recovery
  readonly certificates: CertificateHost
  readonly getStanding: (ctx: HttpContext) => Promise<RecoveryStanding>
  readonly showStep: (ctx: HttpContext, standing: RecoveryStanding, page?: StepData) => void
  readonly follow: (ctx: HttpContext, standing: RecoveryStanding, result: RecoveryProgress, fault: string) => void
}

/** A recovery's second factor by certificate: to the host that asks for it, and back. */
export function createRecoveryCertificateRoutes({ recovery, certificates, getStanding, showStep, follow }: RecoveryCertificateDependencies): Router {
  const router = new Router()

  router.post(
    PAGE,
    guard({}, async (ctx) => {
      const standing = await getStanding(ctx)
      const address = await recovery.startCertificate(standing.handle, PAGE)
      ctx.status = address === undefined ? 429 : 303
      if (address === undefined) return showStep(ctx, standing, { refusal: refusalKey('too-many') })
      ctx.redirect(address)
    }),
  )
  router.get(PAGE, guard({}, (ctx) => goTo(ctx, RECOVERY_STEP)))
  router.get(
    `${PAGE}/retorno`,
    guard({ query: returnQuery }, async (ctx, { query: { bilhete: ticket }, request }) => {
      if (ticket === undefined) return goTo(ctx, RECOVERY_STEP)
      const standing = await openOrDiscard(certificates, ticket, () => getStanding(ctx))
      const { binding } = standing.handle
      const result = await recovery.proveSecondFactor(standing.handle, { method: 'certificate', ticket, use: 'recovery', binding }, request)
      if (result.kind !== 'wrong') return follow(ctx, standing, result, '')
      ctx.status = 422
      showStep(ctx, standing, { refusal: refusalKey(result.why) })
    }),
  )
  return router
}
