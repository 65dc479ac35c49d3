import Router from '@koa/router'
import { z } from 'zod'
import type { Clock } from '../../../platform/clock.ts'
import type { Sql } from '../../../platform/db.ts'
import { inRoom } from '../../../platform/http/app.ts'
import { type FieldErrors, guard } from '../../../platform/http/guard.ts'
import { createPageSessions, type SealingKeyring } from '../../../platform/http/page-session.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { allowFormAction } from '../../../platform/http/security-headers.ts'
import type { Views } from '../../../platform/http/views.ts'
import { Problem } from '../../../platform/problem.ts'
import type { Liveness } from '../../liveness/session.ts'
import type { LegalBasis } from '../policy.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import { type MountFaceChecks, sessionIdOf, visitOf } from './face-checks.ts'
import { isOver, type Validation } from './validation.ts'
import type { Validations } from './validations.ts'

const BASE = '/validar'
const IDLE_SECONDS = 1800
const linkParams = z.object({ token: z.string().regex(/^[\w-]{43}$/) })
const agreement = z.object({ agree: z.literal('sim', 'oidc.interaction.step-up.agree-missing') })

/** What the page says of who asks and for what. */
export interface AgencyCard {
  readonly name: string
  readonly purpose: string
  readonly legalBasis: LegalBasis
}

export interface ValidationPageDependencies {
  readonly platform: { readonly db: Sql; readonly clock: Clock; readonly keyring: SealingKeyring }
  readonly views: Views
  readonly validations: Validations
  readonly face: { readonly liveness: Liveness; readonly mount: MountFaceChecks }
  /** Undefined for a client that may not validate any more: its links open nothing. */
  readonly describeAgency: (clientId: string, purpose: string) => Promise<AgencyCard | undefined>
}

/** Where the link in a message leads: who asks and for what, agreement, camera, and back to the agency. */
export function createValidationPages(deps: ValidationPageDependencies): Router {
  const { platform, views, validations, face, describeAgency } = deps
  const router = new Router({ prefix: BASE })
  router.use(inRoom('biometrics'))
  const sessions = createPageSessions(platform, {
    area: 'validacao',
    data: z.object({ validationId: z.uuid() }),
    idleSeconds: IDLE_SECONDS,
    absoluteSeconds: IDLE_SECONDS,
  })

  async function getByLink(token: string): Promise<Validation> {
    const found = await validations.findBySecret(token)
    if (found?.state !== 'asked') throw new Problem(AGENCY_PROBLEMS.linkUsed)
    return found
  }

  /** The validation that this browser agreed to. */
  async function getOwn(ctx: HttpContext): Promise<Validation> {
    const session = await sessions.read(ctx)
    const found = session && (await validations.find(session.data.validationId))
    if (!found) throw new Problem(AGENCY_PROBLEMS.linkUsed)
    return found
  }

  async function show(ctx: HttpContext, view: string, validation: Validation, data: object = {}): Promise<void> {
    const agency = await describeAgency(validation.clientId, validation.purpose)
    if (!agency) throw new Problem(AGENCY_PROBLEMS.linkUsed)
    allowFormAction(ctx, validation.returnUri === undefined ? [] : [validation.returnUri])
    views.render(ctx, `agencies/${view}`, { agency, ...data })
  }

  async function goBack(ctx: HttpContext, validation: Validation): Promise<void> {
    const address = await validations.wayBack(validation)
    await sessions.end(ctx)
    ctx.status = 303
    ctx.redirect(address)
  }

  const showLink = async (ctx: HttpContext, token: string, errors: FieldErrors = {}): Promise<void> =>
    show(ctx, 'validation', await getByLink(token), { errors, action: `${BASE}/pedido/${token}` })

  router.get('/pedido/:token', guard({ params: linkParams }, (ctx, { params }) => showLink(ctx, params.token)))
  router.post(
    '/pedido/:token/concordo',
    guard(
      { params: linkParams, body: agreement, onInvalid: (ctx, { errors, params }) => showLink(ctx, params.token, errors) },
      async (ctx, { params }) => {
        const validation = await getByLink(params.token)
        await validations.open(validation, params.token)
        await sessions.begin(ctx, { data: { validationId: validation.id } })
        ctx.status = 303
        ctx.redirect(BASE)
      },
    ),
  )
  router.post(
    '/pedido/:token/recusar',
    guard({ params: linkParams }, async (ctx, { params }) => {
      const validation = await getByLink(params.token)
      await validations.leave(validation)
      await goBack(ctx, validation)
    }),
  )
  router.get(
    '/',
    guard({}, async (ctx) => {
      const validation = await getOwn(ctx)
      if (isOver(validation)) return goBack(ctx, validation)
      await show(ctx, 'validation-camera', validation, { base: `${BASE}/rosto`, action: BASE })
    }),
  )
  router.post(
    '/sair',
    guard({}, async (ctx) => {
      const validation = await getOwn(ctx)
      await validations.leave(validation)
      await goBack(ctx, validation)
    }),
  )

  const checks = face.mount({
    liveness: face.liveness,
    base: `${BASE}/rosto`,
    csrf: true,
    open: async (ctx) => visitOf(validations, await getOwn(ctx), sessionIdOf(ctx), () => BASE),
  })
  const whole = new Router()
  whole.use(router.routes())
  whole.use(checks.routes())
  return whole
}
