import Router from '@koa/router'
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { z } from 'zod'
import { LEVELS, levelUrn } from '../assurance/index.ts'
import { guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import { type AreaData, type AreaPlace, CITIZEN_PLACE, entranceTo, safeReturn, sectionOf } from './area.ts'
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
  /** The citizen's area unless said. */
  readonly place?: AreaPlace
}

/** The way out: ends the visit here and goes on to end the sign-in itself. */
export type SignOut = (ctx: HttpContext) => Promise<void>

/** What kind of proof of this moment: a second factor, or the face. */
export const PROOF_KINDS = ['segundo-fator', 'rosto'] as const
export type ProofKind = (typeof PROOF_KINDS)[number]

/**
 * Sends a signed-in citizen to prove that they want one thing, which `nonce` names; they come back with the id_token that says so.
 *
 * Only for answers to a form of a page that showed the thing: a link that asked for a proof could be anybody's.
 */
export type Prove = (ctx: HttpContext, ask: { readonly nonce: string; readonly proof: ProofKind; readonly returnTo: string }) => Promise<void>

const entering = z.object({
  para: z.string().max(200).optional(),
  nivel: z.enum(LEVELS).optional(),
  /** Ask for a full sign-in again, for a change that wants a fresh one. */
  renovar: z.literal('1').optional(),
  /** Ask for a proof of this moment, for what wants one of the last minutes: a second factor, or the face. */
  prova: z.enum(PROOF_KINDS).optional(),
})

const parameter = z.string().max(4000).optional()
/** The authorization response (RFC 6749 4.1.2, RFC 9207); its content is the library's to judge. */
const answer = z.object({
  code: parameter,
  state: parameter,
  iss: parameter,
  error: parameter,
  error_description: parameter,
  error_uri: parameter,
})
/** Where the server sends the browser after a sign-out. */
const leaving = z.object({ state: z.string().max(200).optional() })

type Refusal = 'unmet' | 'refused'

/** An area's front door: a relying party like any other, by code flow, step-up by `acr_values`, sign-out at the provider. */
export function createEntranceRoutes(deps: EntranceDependencies): { router: Router; signOut: SignOut; prove: Prove } {
  const { base } = deps.place ?? CITIZEN_PLACE
  const router = new Router()
  const signOut = createSignOut(deps)
  addWayOut(router, deps)
  addWayBack(router, deps)

  router.post(`${base}/sair`, guard({}, signOut))
  router.get(
    `${base}/saiu`,
    guard({ query: leaving }, (ctx) => showEntrance(ctx, deps, 'signed-out')),
  )
  return { router, signOut, prove: createProve(deps) }
}

/** What is asked of the server for a proof of this moment, and how old a face check may be for it. */
const PROOFS: Readonly<Record<string, string>> = {
  'segundo-fator': 'urn:mt-login:nivel:prata urn:mt-login:aal:2',
  rosto: 'urn:mt-login:nivel:prata urn:mt-login:face',
}
const PROOF_SECONDS = 120

/** To the server, remembering what for. */
function addWayOut(router: Router, { sessions, relyingParty, place = CITIZEN_PLACE }: EntranceDependencies): void {
  const leave = guard({ query: entering }, async (ctx, { query }) => {
    const level = place.acr === undefined ? query.nivel : undefined
    const demand = {
      acrValues: place.acr ?? PROOFS[query.prova ?? ''] ?? (level && levelUrn(level)),
      prompt: query.renovar === '1' || query.prova === 'segundo-fator' ? ('login' as const) : undefined,
      maxAgeSeconds: query.prova === 'rosto' ? PROOF_SECONDS : undefined,
      locale: localeOf(ctx),
    }
    const { url, pending } = await relyingParty.begin(demand)
    const before = await sessions.read(ctx)
    const data = { ...before?.data, pending: { ...pending, returnTo: safeReturn(query.para, place), level } }
    // A stranger's visit begins anew, with its whole time; a citizen's is kept, and waits beside what is signed in.
    if (before?.accountId === undefined || !(await sessions.update(ctx, data))) await sessions.begin(ctx, { data })
    ctx.redirect(url.href)
  })
  router.get(`${place.base}/entrar`, leave)
}

function createProve({ sessions, relyingParty, place = CITIZEN_PLACE }: EntranceDependencies): Prove {
  return async (ctx, { nonce, proof, returnTo }) => {
    // Whoever shows the face needs no password again, but a face of this very request; a second factor comes with a whole sign-in.
    const demand = proof === 'rosto' ? { freshSeconds: 1 } : { prompt: 'login' as const }
    const { url, pending } = await relyingParty.begin({ ...demand, acrValues: PROOFS[proof], nonce, locale: localeOf(ctx) })
    const before = await sessions.read(ctx)
    await sessions.update(ctx, { ...before?.data, pending: { ...pending, returnTo: safeReturn(returnTo, place) } })
    seeOther(ctx, url.href)
  }
}

/** Back from the server, with an answer to the request that this browser has under way. */
function addWayBack(router: Router, deps: EntranceDependencies): void {
  const { sessions, relyingParty, publicUrl, findSession, place = CITIZEN_PLACE } = deps

  const arrive = guard({ query: answer }, async (ctx, { query }) => {
    const before = await sessions.read(ctx)
    const pending = before?.data.pending
    if (before === undefined || pending === undefined) return ctx.redirect(place.base)
    // Another tab has begun anew since: what that one began is begun once more, and needs no second password.
    if (query.state !== pending.state) return ctx.redirect(entranceTo(pending.returnTo, { place }))
    const result = await redeem(relyingParty, new URL(ctx.originalUrl, publicUrl), pending)
    if (typeof result === 'string') {
      await sessions.update(ctx, { ...before.data, pending: undefined })
      // Whoever is signed in goes on where they were, and is told; not to the very page that wants more than they gave.
      if (before.accountId !== undefined && place === CITIZEN_PLACE) return ctx.redirect(tell(sectionOf(pending.returnTo), result))
      return showEntrance(ctx, deps, result)
    }
    const sessionId = result.sid && (await findSession(result.subject, result.sid))
    if (!sessionId) return showEntrance(ctx, deps, 'refused')
    await sessions.begin(ctx, { accountId: result.subject, sid: sessionId, data: { signedIn: { idToken: result.idToken }, ...draftOf(before, result.subject) } })
    ctx.redirect(pending.level === undefined ? pending.returnTo : tell(pending.returnTo, 'level'))
  })
  router.get(`${place.base}/retorno`, arrive)
}

/** What the same citizen has begun goes on after a proof; a stranger's does not pass to whoever signs in. */
function draftOf({ accountId, data }: { accountId?: string | undefined; data: AreaData }, subject: string): Pick<AreaData, 'proxy'> {
  return accountId === subject && data.proxy !== undefined ? { proxy: data.proxy } : {}
}

function createSignOut({ sessions, relyingParty, place = CITIZEN_PLACE }: EntranceDependencies): SignOut {
  return async (ctx) => {
    const data = (await sessions.read(ctx))?.data
    await sessions.end(ctx)
    if (data?.byFace !== undefined) return seeOther(ctx, data.byFace.leaveTo)
    const idToken = data?.signedIn?.idToken
    seeOther(ctx, idToken === undefined ? `${place.base}/saiu` : (await relyingParty.signOutUrl(idToken)).href)
  }
}

/** The page of whoever is not signed in, with what just happened. */
function showEntrance(ctx: HttpContext, { views, place = CITIZEN_PLACE }: EntranceDependencies, reason: Refusal | 'signed-out'): void {
  ctx.status = 200
  views.render(ctx, place.entryView, { reason })
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
