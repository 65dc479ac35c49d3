import Router from '@koa/router'
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { z } from 'zod'
import { type Level, LEVELS, levelUrn } from '../assurance/index.ts'
import { guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import { type AreaData, entranceTo, safeReturn, sectionOf } from './area.ts'
import { tell } from './outcome.ts'
import { seeOther } from './pages.ts'
import type { PendingSignIn, RelyingParty, SignedIn } from './relying-party/relying-party.ts'

export interface EntranceDependencies {
  readonly sessions: PageSessions<AreaData>
  readonly relyingParty: RelyingParty
  readonly views: Views
  readonly publicUrl: string
  /** The sign-in session behind the `sid` that the server told this relying party. */
  readonly findSession: (accountId: string, sid: string) => Promise<string | undefined>
}

/** The way out: ends the visit here and goes on to end the sign-in itself. */
export type SignOut = (ctx: HttpContext) => Promise<void>

const entering = z.object({
  para: z.string().max(200).optional(),
  nivel: z.enum(LEVELS).optional(),
  /** Ask for a full sign-in again, for a change that wants a fresh one. */
  renovar: z.literal('1').optional(),
})

const parameter = z.string().max(4000).optional()
/** The authorization response (RFC 6749 4.1.2, RFC 9207); its content is the library's to judge. */
const answer = z.object({ code: parameter, state: parameter, iss: parameter, error: parameter, error_description: parameter, error_uri: parameter })
/** Where the server sends the browser after a sign-out. */
const leaving = z.object({ state: z.string().max(200).optional() })

type Refusal = 'unmet' | 'refused'

/** The area's front door: a relying party like any other, by code flow, step-up by `acr_values`, sign-out at the provider. */
export function createEntranceRoutes(deps: EntranceDependencies): { router: Router; signOut: SignOut } {
  const { sessions, relyingParty, views, publicUrl, findSession } = deps
  const router = new Router()

  router.get('/conta/entrar', guard({ query: entering }, async (ctx, { query }) => {
    await leave(ctx, { returnTo: safeReturn(query.para), level: query.nivel, isRenewal: query.renovar === '1' })
  }))

  async function leave(ctx: HttpContext, { returnTo, level, isRenewal }: { returnTo: string; level: Level | undefined; isRenewal: boolean }): Promise<void> {
    const demand = { acrValues: level && levelUrn(level), prompt: isRenewal ? ('login' as const) : undefined, locale: localeOf(ctx) }
    const { url, pending } = await relyingParty.begin(demand)
    const before = await sessions.read(ctx)
    const data = { ...before?.data, pending: { ...pending, returnTo, level } }
    if (before === undefined || !(await sessions.update(ctx, data))) await sessions.begin(ctx, { data })
    ctx.redirect(url.href)
  }

  router.get('/conta/retorno', guard({ query: answer }, async (ctx, { query }) => {
    const before = await sessions.read(ctx)
    const pending = before?.data.pending
    if (before === undefined || pending === undefined) return ctx.redirect('/conta')
    // Another tab has begun anew since: what that one began is begun once more, and needs no second password.
    if (query.state !== pending.state) return ctx.redirect(entranceTo(pending.returnTo))
    const result = await redeem(relyingParty, new URL(ctx.originalUrl, publicUrl), pending)
    if (typeof result === 'string') {
      await sessions.update(ctx, { ...before.data, pending: undefined })
      return refused(ctx, result, before.accountId === undefined ? undefined : pending.returnTo)
    }
    const sessionId = result.sid && (await findSession(result.subject, result.sid))
    if (!sessionId) return refused(ctx, 'refused')
    await sessions.begin(ctx, { accountId: result.subject, sid: sessionId, data: { signedIn: { idToken: result.idToken } } })
    ctx.redirect(pending.level === undefined ? pending.returnTo : tell(pending.returnTo, 'level'))
  }))

  /** Whoever is signed in goes on where they were, and is told; not to the very page that wants more than they gave. */
  function refused(ctx: HttpContext, reason: Refusal, returnTo?: string): void {
    if (returnTo !== undefined) return ctx.redirect(tell(sectionOf(returnTo), reason))
    ctx.status = 200
    views.render(ctx, 'portal/signed-out', { reason })
  }

  const signOut: SignOut = async (ctx) => {
    const idToken = (await sessions.read(ctx))?.data.signedIn?.idToken
    await sessions.end(ctx)
    seeOther(ctx, idToken === undefined ? '/conta/saiu' : (await relyingParty.signOutUrl(idToken)).href)
  }
  router.post('/conta/sair', guard({}, signOut))

  router.get('/conta/saiu', guard({ query: leaving }, (ctx) => {
    ctx.status = 200
    views.render(ctx, 'portal/signed-out', { reason: 'signed-out' })
  }))

  return { router, signOut }
}

/** The sign-in, or why there is none; what is nobody's doing but ours or the network's is thrown. */
async function redeem(relyingParty: RelyingParty, url: URL, pending: PendingSignIn): Promise<SignedIn | Refusal> {
  try {
    return await relyingParty.finish(url, pending)
  } catch (error) {
    if (error instanceof AuthorizationResponseError) return error.error === 'unmet_authentication_requirements' ? 'unmet' : 'refused'
    // The code was used or came too late: a reload, or a page left open.
    if (error instanceof ResponseBodyError && error.error === 'invalid_grant') return 'refused'
    throw error
  }
}
