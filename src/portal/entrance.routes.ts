import Router from '@koa/router'
import { AuthorizationResponseError } from 'openid-client'
import { z } from 'zod'
import { levelUrn, LEVELS, type Level } from '../assurance/index.ts'
import { guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import { allowFormAction } from '../platform/http/security-headers.ts'
import type { Views } from '../platform/http/views.ts'
import { type AreaData, findCitizen, safeReturn } from './area.ts'
import type { RelyingParty, SignedIn } from './relying-party.ts'

export interface EntranceDependencies {
  readonly sessions: PageSessions<AreaData>
  readonly relyingParty: RelyingParty
  readonly views: Views
  readonly publicUrl: string
  /** The sign-in session behind the `sid` that the server told this relying party. */
  readonly findSession: (accountId: string, sid: string) => Promise<string | undefined>
}

const entering = z.object({
  para: z.string().max(200).optional(),
  nivel: z.enum(LEVELS).optional(),
  /** Ask for a full sign-in again, for a change that wants a fresh one. */
  renovar: z.literal('1').optional(),
})

const parameter = z.string().max(4000).optional()
/** The authorization response (RFC 6749 4.1.2, RFC 9207); its content is the library's to judge. */
const answer = z.object({ code: parameter, state: parameter, iss: parameter, error: parameter, error_description: parameter, error_uri: parameter })

/** The area's front door: a relying party like any other, by code flow, step-up by `acr_values`, sign-out at the provider. */
export function createEntranceRoutes({ sessions, relyingParty, views, publicUrl, findSession }: EntranceDependencies): Router {
  const router = new Router()

  router.get('/conta/entrar', guard({ query: entering }, async (ctx, { query }) => {
    await leave(ctx, { returnTo: safeReturn(query.para), level: query.nivel, isRenewal: query.renovar === '1' })
  }))

  async function leave(ctx: HttpContext, wish: { returnTo: string; level: Level | undefined; isRenewal: boolean }): Promise<void> {
    const { url, pending } = await relyingParty.begin({
      acrValues: wish.level && levelUrn(wish.level),
      prompt: wish.isRenewal ? 'login' : undefined,
      locale: localeOf(ctx),
    })
    const before = await sessions.read(ctx)
    const data = { ...before?.data, pending: { ...pending, returnTo: wish.returnTo } }
    if (before === undefined || !(await sessions.update(ctx, data))) await sessions.begin(ctx, { data })
    ctx.redirect(url.href)
  }

  router.get('/conta/retorno', guard({ query: answer }, async (ctx) => {
    const before = await sessions.read(ctx)
    const pending = before?.data.pending
    if (before === undefined || pending === undefined) return ctx.redirect('/conta')
    let signedIn: SignedIn
    try {
      signedIn = await relyingParty.finish(new URL(ctx.originalUrl, publicUrl), pending)
    } catch (error) {
      if (!(error instanceof AuthorizationResponseError)) throw error
      await sessions.update(ctx, { ...before.data, pending: undefined })
      return refused(ctx, error.error, before.accountId !== undefined)
    }
    const sessionId = signedIn.sid && (await findSession(signedIn.subject, signedIn.sid))
    if (!sessionId) return refused(ctx, 'login_required', false)
    await sessions.begin(ctx, {
      accountId: signedIn.subject,
      sid: sessionId,
      data: { signedIn: { idToken: signedIn.idToken, authTime: authTimeOf(signedIn), name: nameOf(signedIn) } },
    })
    ctx.redirect(pending.returnTo)
  }))

  function refused(ctx: HttpContext, code: string, isSignedIn: boolean): void {
    if (isSignedIn) return ctx.redirect('/conta/nivel')
    ctx.status = 200
    views.render(ctx, 'portal/signed-out', { reason: code === 'unmet_authentication_requirements' ? 'unmet' : 'refused' })
  }

  router.post('/conta/sair', guard({}, async (ctx) => {
    const citizen = await findCitizen(sessions, ctx)
    await sessions.end(ctx)
    allowFormAction(ctx, [publicUrl])
    ctx.redirect(citizen === undefined ? '/conta/saiu' : (await relyingParty.signOutUrl(citizen.idToken)).href)
  }))

  router.get('/conta/saiu', guard({ query: z.object({ state: z.string().max(200).optional() }) }, (ctx) => {
    ctx.status = 200
    views.render(ctx, 'portal/signed-out', { reason: 'signed-out' })
  }))

  return router
}

function authTimeOf({ claims }: SignedIn): number {
  const authTime = claims['auth_time']
  if (typeof authTime !== 'number') throw new Error('the id_token states no auth_time')
  return authTime
}

function nameOf({ claims }: SignedIn): string {
  const name = claims['social_name'] ?? claims['name']
  return typeof name === 'string' ? name : ''
}
