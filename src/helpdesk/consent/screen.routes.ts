import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { type FieldErrors, guard, listOf, type Typed } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import { type HttpContext, scopeOf } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { seeOther } from '../../portal/index.ts'
import { LINK, limitAddresses, SCREENS } from '../public-limit.routes.ts'
import { ANSWERS, parseScreenCode } from './consent.ts'
import { type Consents, SCREEN_SECONDS } from './consents.ts'
import type { WayChoices } from './way-choices.ts'

export interface ScreenRoutesDependencies {
  readonly views: Views
  readonly consents: Pick<Consents, 'isOpen' | 'pair' | 'view' | 'answer'>
  readonly choices: WayChoices
}

/** Short, since somebody types it on a tablet. */
export const SCREEN_PAGE = '/tela'
const COOKIE = 'tela'
const SECRET = /^[\w-]{43}$/
/** Without scripts the screen asks again after this time. */
const REFRESH_SECONDS = 10

const params = z.object({ token: z.string().regex(SECRET) })
const codeForm = z.object({ code: z.string().refine((text) => parseScreenCode(text) !== undefined, 'helpdesk.field.screen-code') })
const answerForm = z.object({ answer: z.enum(ANSWERS) })
const yes = z.literal('sim').optional()
const waysForm = z.object({ passkeys: listOf(z.uuid()), certificates: listOf(z.uuid()), contacts: listOf(z.uuid()), totp: yes, codes: yes })
const watched = z.object({ state: z.enum(['asked', ...ANSWERS, 'ways', 'chosen', 'gone']) })

/** The citizen's own screen at the counter: no sign-in; what ties it to a case is a cookie that this page alone reads. */
export function createScreenRoutes({ views, consents, choices }: ScreenRoutesDependencies): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))
  router.use(SCREEN_PAGE, limitAddresses(SCREENS))
  /** A code is tried by hand, a few a minute. */
  const pairing = limitAddresses(LINK)
  const secretOf = (ctx: HttpContext): string | undefined => {
    const secret = scopeOf(ctx).cookies.read(ctx, COOKIE)
    return secret !== undefined && SECRET.test(secret) ? secret : undefined
  }
  const viewOf = async (ctx: HttpContext) => {
    const secret = secretOf(ctx)
    return secret === undefined ? undefined : consents.view(secret)
  }
  const offeredOn = async (ctx: HttpContext) => {
    const secret = secretOf(ctx)
    return secret === undefined ? undefined : choices.find(secret)
  }
  const form = (ctx: HttpContext, page: { errors?: FieldErrors; typed?: Typed; isOver?: boolean; token?: string; isGone?: boolean } = {}) => {
    ctx.set('Cache-Control', 'no-store')
    views.render(ctx, 'helpdesk/screen-code', { ...page, homeHref: SCREEN_PAGE })
  }
  async function pair(ctx: HttpContext, by: Parameters<Consents['pair']>[0]): Promise<boolean> {
    const secret = await consents.pair(by)
    if (secret === undefined) return false
    scopeOf(ctx).cookies.write(ctx, COOKIE, secret, { maxAgeSeconds: SCREEN_SECONDS, sameSite: 'Strict' })
    seeOther(ctx, SCREEN_PAGE)
    return true
  }

  router.get(
    SCREEN_PAGE,
    guard({}, async (ctx) => {
      const view = await viewOf(ctx)
      ctx.set('Cache-Control', 'no-store')
      const offered = view && (await offeredOn(ctx))
      if (offered !== undefined) return views.render(ctx, 'helpdesk/screen-ways', { ...view, ...offered, homeHref: SCREEN_PAGE, scripts: ['watch.js'] })
      if (view !== undefined) return views.render(ctx, 'helpdesk/screen', { ...view, homeHref: SCREEN_PAGE, refreshSeconds: REFRESH_SECONDS, scripts: ['watch.js', 'speech.js'] })
      const isOver = secretOf(ctx) !== undefined
      if (isOver) scopeOf(ctx).cookies.clear(ctx, COOKIE)
      form(ctx, { isOver })
    }),
  )
  router.post(
    SCREEN_PAGE,
    pairing,
    guard({ body: codeForm, keep: ['code'], onInvalid: (ctx, { errors, typed }) => form(ctx, { errors, typed }) }, async (ctx, { body }) => {
      if (await pair(ctx, { code: body.code })) return
      ctx.status = 422
      form(ctx, { errors: { code: 'helpdesk.field.screen-code-gone' }, typed: { ...body } })
    }),
  )
  router.get(
    `${SCREEN_PAGE}/estado`,
    guard({ response: watched }, async (ctx) => {
      const [secret, view] = [secretOf(ctx), await viewOf(ctx)]
      const owed = view && secret !== undefined ? await choices.stateOf(secret) : undefined
      ctx.body = { state: owed ?? (view === undefined ? 'gone' : (view.answer ?? 'asked')) }
    }),
  )
  router.post(
    `${SCREEN_PAGE}/resposta`,
    guard({ body: answerForm }, async (ctx, { body }) => {
      const secret = secretOf(ctx)
      if (secret !== undefined) await consents.answer(secret, body.answer, localeOf(ctx))
      seeOther(ctx, SCREEN_PAGE)
    }),
  )
  router.post(
    `${SCREEN_PAGE}/meios`,
    guard({ body: waysForm }, async (ctx, { body }) => {
      const secret = secretOf(ctx)
      const { passkeys: passkeyIds, certificates: certificateIds, contacts: contactIds, totp, codes } = body
      const choice = { passkeyIds, certificateIds, contactIds, totp: totp === 'sim', recoveryCodes: codes === 'sim' }
      if (secret !== undefined) await choices.choose(secret, choice)
      seeOther(ctx, SCREEN_PAGE)
    }),
  )
  router.get(
    `${SCREEN_PAGE}/:token`,
    guard({ params }, async (ctx, { params: { token } }) => {
      const isOpen = await consents.isOpen(token)
      if (!isOpen) ctx.status = 410
      form(ctx, isOpen ? { token } : { isGone: true })
    }),
  )
  router.post(
    `${SCREEN_PAGE}/:token`,
    pairing,
    guard({ params }, async (ctx, { params: { token } }) => {
      if (await pair(ctx, { link: token })) return
      ctx.status = 410
      form(ctx, { isGone: true })
    }),
  )
  return router
}
