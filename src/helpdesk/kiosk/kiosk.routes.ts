import { createHash, randomBytes } from 'node:crypto'
import Router from '@koa/router'
import { z } from 'zod'
import { type AccessStanding as AccountStanding, parseCpf, type PersonId } from '../../accounts/index.ts'
import type { FaceCheckVisit, Liveness, LivenessClass } from '../../biometrics/index.ts'
import { createFaceCheckRoutes } from '../../oidc/index.ts'
import type { Sql } from '../../platform/db.ts'
import { inRoom } from '../../platform/http/app.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import { type HttpContext, scopeOf } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { type AreaData, seeOther } from '../../portal/index.ts'
import { parseScreenCode } from '../consent/consent.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { LINK, limitAddresses } from '../public-limit.routes.ts'
import { type Access, type AccessHandle, type AccessStanding, FACE_VISIT_SECONDS } from './access.ts'
import type { Kiosk } from './kiosk.store.ts'
import type { Kiosks } from './kiosks.ts'

/** What a browser at the counter remembers of one way in. */
export const kioskSession = z.object({ id: z.string(), binding: z.string() })

export interface KioskRoutesDependencies {
  readonly site: { readonly views: Views; readonly messages: Messages }
  readonly kiosks: Pick<Kiosks, 'pair' | 'find' | 'countTry'>
  readonly access: Access
  readonly browser: {
    /** The way in under way in this browser. */
    readonly flows: PageSessions<AccessHandle>
    /** The citizen's area, which a shown face opens. */
    readonly citizens: PageSessions<AreaData>
    /** Whether this browser is signed in to an area of the staff: such a one is no citizen's screen. */
    readonly isStaff: (ctx: HttpContext) => Promise<boolean>
  }
  readonly face: FaceAtCounter
}

/** The face check at the counter. */
export interface FaceAtCounter {
  readonly liveness: Liveness
  /** Which classes open an account here. */
  readonly opens: (livenessClass: LivenessClass) => boolean
  /** After a passed check: its tries are given back. */
  readonly clearTries: (tx: Sql, subject: string) => Promise<void>
  readonly accountOf: (personId: PersonId) => Promise<AccountStanding>
}

export const KIOSK_PAGE = '/aparelho'
/** Tries at a counter's face check are counted apart from those at home. */
export const COUNTER_DOOR = 'balcao'
const COOKIE = 'aparelho-chave'
const SECRET = /^[\w-]{43}$/
const YEAR_SECONDS = 365 * 86_400

const agree = z.literal('sim', 'helpdesk.field.agree')
const cpf = z.string().transform((text, ctx) => {
  const parsed = parseCpf(text)
  if (parsed === undefined) ctx.addIssue({ code: 'custom', message: 'accounts.field.cpf' })
  return parsed ?? z.NEVER
})
const pairForm = z.object({ code: z.string().refine((text) => parseScreenCode(text) !== undefined, 'helpdesk.field.screen-code') })
const codeForm = z.object({ cpf, code: z.string().trim().min(6, 'helpdesk.field.code').max(20), agree })
const lookForm = z.object({ cpf, agree })
const linkForm = z.object({ agree })
const linkParams = z.object({ link: z.string().regex(SECRET) })
const homeQuery = z.object({ aviso: z.enum(['gone', 'refused', 'left']).optional() })

type Shown = { errors?: FieldErrors; typed?: Typed; [name: string]: unknown }

/**
 * The citizen's screen at the counter, and the page of the one-time link on a device of their own: the face opens it. No page of it works in
 * a browser that is signed in to the counter.
 */
export function createKioskRoutes(deps: KioskRoutesDependencies): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))
  /** Links and codes of devices are tried by hand, a few a minute. */
  const tries = limitAddresses(LINK)
  router.use(`${KIOSK_PAGE}/ligar`, tries)
  router.use(`${KIOSK_PAGE}/acesso`, tries)
  addDevicePages(router, deps)
  addFacePages(router, deps)
  return router
}

const show = (ctx: HttpContext, { site }: KioskRoutesDependencies, view: string, data: Shown = {}): void => {
  ctx.set('Cache-Control', 'no-store')
  if (data.errors !== undefined) ctx.status = 422
  else if (ctx.status === 404) ctx.status = 200
  site.views.render(ctx, `helpdesk/${view}`, { homeHref: KIOSK_PAGE, ...data })
}

/** Refuses a browser of the staff, whatever it brings. */
const apart =
  <Input>(deps: KioskRoutesDependencies, handler: (ctx: HttpContext, input: Input) => Promise<void> | void) =>
  async (ctx: HttpContext, input: Input): Promise<void> => {
    if (!(await deps.browser.isStaff(ctx))) return handler(ctx, input)
    ctx.status = 403
    show(ctx, deps, 'kiosk-staff')
  }

async function kioskOf(ctx: HttpContext, { kiosks }: KioskRoutesDependencies): Promise<Kiosk | undefined> {
  const secret = scopeOf(ctx).cookies.read(ctx, COOKIE)
  return secret !== undefined && SECRET.test(secret) ? kiosks.find(secret) : undefined
}

/** Pairing, the first page, and the two ways that need a device of the unit. */
function addDevicePages(router: Router, deps: KioskRoutesDependencies): void {
  const { kiosks, access } = deps
  /** For a device of the unit only; every try at it is counted. */
  const atDevice = <Input>(handler: (ctx: HttpContext, kiosk: Kiosk, input: Input) => Promise<void>) =>
    apart<Input>(deps, async (ctx, input) => {
      const kiosk = await kioskOf(ctx, deps)
      if (kiosk === undefined) return seeOther(ctx, KIOSK_PAGE)
      await handler(ctx, kiosk, input)
    })
  const page = (view: string) => atDevice(async (ctx) => show(ctx, deps, view))
  const again = (view: string) => atDevice(async (ctx, _kiosk, { errors, typed }: { errors: FieldErrors; typed: Typed }) => show(ctx, deps, view, { errors, typed }))

  const home = apart(deps, async (ctx, { query: { aviso } }: { query: z.output<typeof homeQuery> }) => {
    await deps.browser.flows.end(ctx)
    show(ctx, deps, (await kioskOf(ctx, deps)) === undefined ? 'kiosk-pair' : 'kiosk', { told: aviso })
  })
  const pair = apart(deps, async (ctx, { body }: { body: z.output<typeof pairForm> }) => {
    const secret = await kiosks.pair(body.code)
    if (secret === undefined) return show(ctx, deps, 'kiosk-pair', { errors: { code: 'helpdesk.field.screen-code-gone' } })
    scopeOf(ctx).cookies.write(ctx, COOKIE, secret, { maxAgeSeconds: YEAR_SECONDS, sameSite: 'Strict' })
    seeOther(ctx, KIOSK_PAGE)
  })
  const byCode = atDevice(async (ctx, kiosk, { body }: { body: z.output<typeof codeForm> }) => {
    await kiosks.countTry(kiosk)
    const binding = newBinding()
    const id = await access.openByCode({ cpf: body.cpf, code: body.code, binding })
    if (id === undefined) return show(ctx, deps, 'kiosk-code', { errors: { code: 'helpdesk.field.access-code' } })
    await begin(ctx, deps, { id, binding })
  })
  const look = atDevice(async (ctx, kiosk, { body }: { body: z.output<typeof lookForm> }) => {
    await kiosks.countTry(kiosk)
    const binding = newBinding()
    await begin(ctx, deps, { id: await access.beginLook({ cpf: body.cpf, kiosk, binding }), binding })
  })
  const unpaired = apart(deps, (ctx, { errors, typed }: { errors: FieldErrors; typed: Typed }) => show(ctx, deps, 'kiosk-pair', { errors, typed }))

  router.get(KIOSK_PAGE, guard({ query: homeQuery }, home))
  router.post(`${KIOSK_PAGE}/ligar`, guard({ body: pairForm, onInvalid: unpaired }, pair))
  router.get(`${KIOSK_PAGE}/codigo`, guard({}, page('kiosk-code')))
  router.post(`${KIOSK_PAGE}/codigo`, guard({ body: codeForm, keep: ['cpf'], onInvalid: again('kiosk-code') }, byCode))
  router.get(`${KIOSK_PAGE}/entrar`, guard({}, page('kiosk-look')))
  router.post(`${KIOSK_PAGE}/entrar`, guard({ body: lookForm, keep: ['cpf'], onInvalid: again('kiosk-look') }, look))
}

/** The link on any device, the camera, and what a passed face opens. */
function addFacePages(router: Router, deps: KioskRoutesDependencies): void {
  const { access, browser: { flows, citizens }, face, site } = deps
  const link = apart(deps, (ctx, { params }: { params: z.output<typeof linkParams> }) => show(ctx, deps, 'kiosk-link', { link: params.link }))
  const notAgreed = apart(deps, (ctx, { params, errors }: { params: z.output<typeof linkParams>; errors: FieldErrors }) => show(ctx, deps, 'kiosk-link', { link: params.link, errors }))
  const useLink = apart(deps, async (ctx, { params }: { params: z.output<typeof linkParams> }) => {
    const binding = newBinding()
    const id = await access.openByLink(params.link, binding)
    if (id === undefined) return seeOther(ctx, `${KIOSK_PAGE}?aviso=gone`)
    await begin(ctx, deps, { id, binding })
  })
  /** Whoever stands before this screen now. @throws {Problem} helpdesk/access-over */
  async function standing(ctx: HttpContext): Promise<AccessStanding> {
    const session = (await deps.browser.isStaff(ctx)) ? undefined : await flows.read(ctx)
    const found = session && (await access.find(session.data))
    if (found === undefined) throw new Problem(HELPDESK_PROBLEMS.accessOver)
    return found
  }
  const whileOpen = (handler: (ctx: HttpContext, found: AccessStanding) => Promise<void> | void) =>
    apart(deps, async (ctx: HttpContext) => {
      const found = await standing(ctx).catch((error: unknown) => {
        if (isProblem(error, HELPDESK_PROBLEMS.accessOver)) return undefined
        throw error
      })
      if (found === undefined) return seeOther(ctx, `${KIOSK_PAGE}?aviso=gone`)
      await handler(ctx, found)
    })
  const camera = whileOpen((ctx, { isProved }) => (isProved ? seeOther(ctx, `${KIOSK_PAGE}/pronto`) : show(ctx, deps, 'kiosk-camera', { scripts: ['camera.js'] })))
  const ready = whileOpen(async (ctx, { isProved, attendanceId, personId }) => {
    if (!isProved) return seeOther(ctx, `${KIOSK_PAGE}/camera`)
    const account = attendanceId === undefined || personId === undefined ? undefined : await face.accountOf(personId)
    show(ctx, deps, 'kiosk-ready', { account, minutes: FACE_VISIT_SECONDS / 60 })
  })
  const enter = whileOpen(async (ctx) => {
    const handle = (await flows.read(ctx))?.data
    const end = handle && (await access.finish(handle, localeOf(ctx)))
    await flows.end(ctx)
    if (end?.kind !== 'entered') return seeOther(ctx, `${KIOSK_PAGE}?aviso=${end?.kind ?? 'gone'}`)
    const { accountId, sessionId: sid, mayEnrol } = end
    await citizens.begin(ctx, { accountId, sid, data: { byFace: { leaveTo: KIOSK_PAGE } }, seconds: FACE_VISIT_SECONDS })
    seeOther(ctx, mayEnrol ? '/conta/balcao/acesso' : '/conta')
  })

  async function open(ctx: HttpContext): Promise<FaceCheckVisit> {
    const found = await standing(ctx)
    const bindingHash = createHash('sha256').update(`aparelho ${found.id}`).digest('hex')
    return {
      caller: { accountId: found.subject, bindingHash, purpose: `balcao:${found.id}`, door: COUNTER_DOOR },
      prepare: async () => ({
        occasion: { boundDevice: false, attended: false },
        async settle(tx, verdict) {
          const passed = verdict.passed && face.opens(verdict.class)
          await access.settle(tx, found, passed)
          if (passed) await face.clearTries(tx, found.subject)
        },
      }),
      conclude: async () => `${KIOSK_PAGE}/pronto`,
    }
  }

  router.get(`${KIOSK_PAGE}/acesso/:link`, guard({ params: linkParams }, link))
  router.post(`${KIOSK_PAGE}/acesso/:link`, guard({ params: linkParams, body: linkForm, onInvalid: notAgreed }, useLink))
  router.get(`${KIOSK_PAGE}/camera`, guard({}, camera))
  router.get(`${KIOSK_PAGE}/pronto`, guard({}, ready))
  router.post(`${KIOSK_PAGE}/pronto`, guard({}, enter))
  router.use(createFaceCheckRoutes({ liveness: face.liveness, messages: site.messages, base: `${KIOSK_PAGE}/rosto`, open }).routes())
}

const newBinding = () => randomBytes(24).toString('base64url')

async function begin(ctx: HttpContext, { browser: { flows } }: KioskRoutesDependencies, handle: AccessHandle): Promise<void> {
  await flows.begin(ctx, { data: handle })
  seeOther(ctx, `${KIOSK_PAGE}/camera`)
}
