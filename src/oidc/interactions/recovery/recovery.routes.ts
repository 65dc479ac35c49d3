import { randomBytes } from 'node:crypto'
import Router from '@koa/router'
import { z } from 'zod'
import { type FactorProof, RECOVERY_METHODS, type Recovery, type RecoveryProgress } from '../../../accounts/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { Liveness } from '../../../biometrics/index.ts'
import type { Sql } from '../../../platform/db.ts'
import { guard, type Typed } from '../../../platform/http/guard.ts'
import type { Messages } from '../../../platform/http/messages.ts'
import type { PageSessions } from '../../../platform/http/page-session.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { allowFormAction } from '../../../platform/http/security-headers.ts'
import { Problem } from '../../../platform/problem.ts'
import { type Pages, refuseWithWait } from '../pages.ts'
import { INTERACTION_PROBLEMS } from '../problems.ts'
import type { CertificateHost } from '../sign-in/certificate-return.ts'
import { passkeyForm } from '../sign-in/sign-in.routes.ts'
import { createRecoveryCertificateRoutes } from './recovery-certificate.routes.ts'
import { createRecoveryFaceRoutes } from './recovery-face.routes.ts'
import { backToStep, goTo, RECOVERY_STEP, type RecoverySession, type RecoveryStanding, type StepData, stepPage } from './recovery-step.ts'

const uid = z
  .string()
  .regex(/^[\w-]{16,64}$/)
  .optional()
const startFormOf = (byFace: boolean) =>
  z.object({ cpf: z.string().max(40), way: z.enum(byFace ? RECOVERY_METHODS : RECOVERY_METHODS.filter((way) => way !== 'face')), interacao: uid })
const codeForm = z.object({ code: z.string().trim().min(1, 'platform.field.required').max(60) })
const passwordForm = z.object({
  password: z.string().min(1, 'platform.field.required').max(1024, 'oidc.interaction.field.password-too-long'),
})
const link = z.object({ t: z.string().max(100).default('') })

export interface RecoverySettings {
  readonly minPasswordLength: number
  /** The face check at hand is strong enough to open an account; otherwise it is not offered. */
  readonly byFace: boolean
}

export interface RecoveryRouteDependencies {
  readonly pages: Pages
  readonly ways: { readonly recovery: Recovery; readonly certificates: CertificateHost }
  readonly sessions: PageSessions<RecoverySession>
  /** Compares with nobody where there is no reference, so that its course does not tell who has an account. */
  readonly liveness: Liveness
  readonly platform: { readonly db: Sql; readonly audit: Audit; readonly messages: Messages; readonly settings: RecoverySettings }
}

/**
 * Recovery of a lost password. Whatever CPF is typed, the same pages follow in the same order: they do not tell whether it has an account.
 */
export function createRecoveryRoutes(deps: RecoveryRouteDependencies): Router {
  const { pages, sessions, platform } = deps
  const { recovery, certificates } = deps.ways
  const { settings } = platform
  const startForm = startFormOf(settings.byFace)
  const router = new Router()
  router.use(backToStep(pages))

  async function getStanding(ctx: HttpContext): Promise<RecoveryStanding> {
    const session = (await sessions.read(ctx))?.data
    const handle = session && { id: session.id, binding: session.binding }
    const view = handle && (await recovery.find(handle))
    if (session === undefined || handle === undefined || view === undefined) throw new Problem(INTERACTION_PROBLEMS.recoveryOver)
    const certificateHost = view.factors.includes('certificate') ? await certificates.host() : undefined
    return { session, handle, view, certificateHost }
  }

  function showStart(ctx: HttpContext, page: StepData & { typed?: Typed; uid?: string | undefined } = {}): void {
    pages.plain(ctx, 'recovery', { ...page, byFace: settings.byFace })
  }

  function showStep(ctx: HttpContext, { view, session, certificateHost }: RecoveryStanding, page: StepData = {}): void {
    const { name, data } = stepPage(view, session)
    if (certificateHost !== undefined) allowFormAction(ctx, [certificateHost])
    pages.plain(ctx, name, { ...page, ...data, minLength: settings.minPasswordLength, takesCertificate: certificateHost !== undefined })
  }

  /** After a proof: on to the next step, or the same page with what was wrong. */
  function follow(ctx: HttpContext, standing: RecoveryStanding, result: RecoveryProgress, fault: string): void {
    if (result.kind === 'gone') throw new Problem(INTERACTION_PROBLEMS.recoveryOver)
    if (result.kind === 'next') goTo(ctx, RECOVERY_STEP)
    else if (result.kind === 'wait') {
      showStep(ctx, standing, { refusal: 'oidc.interaction.recovery.wait', wait: refuseWithWait(ctx, result.retryAfterSeconds) })
    } else {
      ctx.status = 422
      showStep(ctx, standing, { errors: { code: fault } })
    }
  }

  router.get(
    '/recuperar',
    guard({ query: z.object({ interacao: uid }) }, (ctx, { query }) => showStart(ctx, { uid: query.interacao })),
  )

  router.post(
    '/recuperar',
    guard(
      {
        body: startForm,
        keep: ['cpf', 'way', 'interacao'],
        onInvalid: (ctx, { errors, typed }) => showStart(ctx, { errors, typed, uid: typed['interacao'] }),
      },
      async (ctx, { body, request }) => {
        const binding = randomBytes(24).toString('base64url')
        const result = await recovery.start({ cpf: body.cpf, method: body.way, binding, facts: request })
        const again = { typed: { cpf: body.cpf, way: body.way }, uid: body.interacao }
        if (result.kind === 'wait') {
          return showStart(ctx, {
            ...again,
            refusal: 'oidc.interaction.recovery.wait',
            wait: refuseWithWait(ctx, result.retryAfterSeconds),
          })
        }
        if (result.kind === 'invalid-cpf') {
          ctx.status = 422
          return showStart(ctx, { ...again, errors: { cpf: 'oidc.interaction.field.cpf' } })
        }
        await sessions.begin(ctx, { data: { id: result.id, binding, ...(body.interacao && { uid: body.interacao }) } })
        goTo(ctx, RECOVERY_STEP)
      },
    ),
  )

  router.get(
    RECOVERY_STEP,
    guard({}, async (ctx) => showStep(ctx, await getStanding(ctx))),
  )

  router.post(
    '/recuperar/codigo',
    guard(
      { body: codeForm, onInvalid: async (ctx, { errors }) => showStep(ctx, await getStanding(ctx), { errors }) },
      async (ctx, { body, request }) => {
        const standing = await getStanding(ctx)
        const prove = standing.view.step === 'email-sent' ? recovery.proveByCode : recovery.proveByRecoveryCode
        follow(ctx, standing, await prove(standing.handle, body.code, request), 'oidc.interaction.recovery.code-refused')
      },
    ),
  )

  router.post(
    '/recuperar/reenviar',
    guard({}, async (ctx) => {
      const standing = await getStanding(ctx)
      const result = await recovery.resend(standing.handle)
      if (result.kind === 'sent') return showStep(ctx, standing, { notice: 'oidc.interaction.confirm.resent' })
      follow(ctx, standing, result, '')
    }),
  )

  router.get(
    '/recuperar/link',
    guard({ query: link }, (ctx, { query }) => pages.plain(ctx, 'recovery-link', { token: query.t })),
  )
  router.post(
    '/recuperar/link',
    guard({ body: link }, async (ctx, { body }) => {
      const before = (await sessions.read(ctx))?.data
      const binding = randomBytes(24).toString('base64url')
      const result = await recovery.proveByLink(body.t, binding)
      if (result.kind !== 'next') throw new Problem(INTERACTION_PROBLEMS.recoveryOver)
      const uidBefore = before?.id === result.id ? before.uid : undefined
      await sessions.begin(ctx, { data: { id: result.id, binding, ...(uidBefore && { uid: uidBefore }) } })
      goTo(ctx, RECOVERY_STEP)
    }),
  )

  router.post(
    '/recuperar/segundo-passo/passkey/opcoes',
    guard({}, async (ctx) => {
      const ceremony = await recovery.startPasskey((await getStanding(ctx)).handle)
      if (ceremony === undefined) throw new Problem(INTERACTION_PROBLEMS.recoveryOver)
      ctx.body = ceremony
    }),
  )
  router.post(
    '/recuperar/segundo-passo/passkey',
    guard({ body: passkeyForm }, async (ctx, { body, request }) => {
      const standing = await getStanding(ctx)
      const proof: FactorProof = {
        method: 'passkey',
        ceremonyId: body.ceremony,
        binding: standing.handle.binding,
        response: body.credential,
      }
      follow(ctx, standing, await recovery.proveSecondFactor(standing.handle, proof, request), 'oidc.interaction.factor.passkey-refused')
    }),
  )
  router.post(
    '/recuperar/segundo-passo',
    guard(
      { body: codeForm, onInvalid: async (ctx, { errors }) => showStep(ctx, await getStanding(ctx), { errors }) },
      async (ctx, { body, request }) => {
        const standing = await getStanding(ctx)
        const method = /^\d{3}\s?\d{3}$/.test(body.code) ? 'totp' : 'recovery-code'
        follow(
          ctx,
          standing,
          await recovery.proveSecondFactor(standing.handle, { method, code: body.code }, request),
          'oidc.interaction.factor.refused',
        )
      },
    ),
  )

  router.post(
    '/recuperar/senha',
    guard(
      { body: passwordForm, onInvalid: async (ctx, { errors }) => showStep(ctx, await getStanding(ctx), { errors }) },
      async (ctx, { body, request }) => {
        const standing = await getStanding(ctx)
        const result = await recovery.setPassword(standing.handle, body.password, request)
        if (result.kind === 'gone') throw new Problem(INTERACTION_PROBLEMS.recoveryOver)
        if (result.kind === 'refused') {
          ctx.status = 422
          return showStep(ctx, standing, { errors: { password: `oidc.interaction.field.password-${result.fault}` } })
        }
        await sessions.end(ctx)
        pages.plain(ctx, 'recovery-done', { uid: standing.session.uid })
      },
    ),
  )

  router.use(createRecoveryCertificateRoutes({ recovery, certificates, getStanding, showStep, follow }).routes())
  router.use(createRecoveryFaceRoutes({ ...deps, recovery, getStanding, showStep }).routes())
  return router
}
