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

/** What both parts of the pages do: open a validation, show a page of it, lead back from it. */
interface Place {
  getByLink(token: string): Promise<Validation>
  /** The validation that this browser agreed to. */
  getOwn(ctx: HttpContext): Promise<Validation>
  begin(ctx: HttpContext, validation: Validation): Promise<void>
  show(ctx: HttpContext, view: string, validation: Validation, data?: object): Promise<void>
  goBack(ctx: HttpContext, validation: Validation): Promise<void>
}

/** Where the link in a message leads: who asks and for what, agreement, camera, and back to the agency. */
export function createValidationPages(deps: ValidationPageDependencies): Router {
  const { validations, face } = deps
  const place = createPlace(deps)
  const router = new Router({ prefix: BASE })
  router.use(inRoom('biometrics'))
  addLink(router, validations, place)
  addCamera(router, validations, place)
  const checks = face.mount({
    liveness: face.liveness,
    base: `${BASE}/rosto`,
    csrf: true,
    open: async (ctx) => visitOf(validations, await place.getOwn(ctx), sessionIdOf(ctx), () => BASE),
  })
  const whole = new Router()
  whole.use(router.routes())
  whole.use(checks.routes())
  return whole
}

function createPlace({ platform, views, validations, describeAgency }: ValidationPageDependencies): Place {
  const sessions = createPageSessions(platform, {
    area: 'validacao',
    data: z.object({ validationId: z.uuid() }),
    idleSeconds: IDLE_SECONDS,
    absoluteSeconds: IDLE_SECONDS,
  })
  return {
    async getByLink(token) {
      const found = await validations.findBySecret(token)
      if (found?.state !== 'asked') throw new Problem(AGENCY_PROBLEMS.linkUsed)
      return found
    },
    async getOwn(ctx) {
      const session = await sessions.read(ctx)
      const found = session && (await validations.find(session.data.validationId))
      if (!found) throw new Problem(AGENCY_PROBLEMS.linkUsed)
      return found
    },
    begin: async (ctx, { id }) => void (await sessions.begin(ctx, { data: { validationId: id } })),
    async show(ctx, view, validation, data = {}) {
      const agency = await describeAgency(validation.clientId, validation.purpose)
      if (!agency) throw new Problem(AGENCY_PROBLEMS.linkUsed)
      allowFormAction(ctx, validation.returnUri === undefined ? [] : [validation.returnUri])
      views.render(ctx, `agencies/${view}`, { agency, ...data })
    },
    async goBack(ctx, validation) {
      const address = await validations.wayBack(validation)
      await sessions.end(ctx)
      ctx.status = 303
      ctx.redirect(address)
    },
  }
}

/** The link's own page, with its two answers. */
function addLink(router: Router, validations: Validations, { getByLink, begin, show, goBack }: Place): void {
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
        await begin(ctx, validation)
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
}

/** The camera's page, for the browser that agreed. */
function addCamera(router: Router, validations: Validations, { getOwn, show, goBack }: Place): void {
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
}
