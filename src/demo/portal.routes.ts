import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import Router from '@koa/router'
import { Eta } from 'eta'
import Koa from 'koa'
import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import type { Clock } from '../platform/clock.ts'
import type { PendingSignIn, RelyingParty, SignedIn } from '../portal/index.ts'
import { type PortalSession, PortalSessions } from './portal-sessions.ts'
import { actingFor, findService, isMet, type PortalService, SERVICES, waysIn } from './services.ts'

const COOKIE = 'portal_demo'
const VIEWS = fileURLToPath(new URL('../../views/demo/portal/', import.meta.url))
const LOGOUT_TOKEN_LIMIT = 16_384

/** `form-action` names MT Login because browsers hold the redirect that follows the sign-out form against it. */
const securityHeaders = (issuer: string): Record<string, string> => ({
  'Content-Security-Policy': `default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' ${new URL(issuer).origin}; frame-ancestors 'none'; base-uri 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
})

export interface DemoPortalDependencies {
  readonly client: RelyingParty
  readonly issuer: string
  readonly clock: Clock
}

/** What the portal's routes share. */
interface Desk extends DemoPortalDependencies {
  readonly sessions: PortalSessions
  readonly show: (ctx: Koa.Context, view: string, data: object) => void
}

/** The portal that shows a relying party at work: three services, each with its own demand. */
export function createPortal(deps: DemoPortalDependencies): Koa {
  const eta = new Eta({ views: VIEWS, cache: true, autoEscape: true })
  const show: Desk['show'] = (ctx, view, data) => {
    ctx.type = 'html'
    ctx.body = eta.render(view, { issuer: deps.issuer, actingFor, ...data })
  }
  const desk: Desk = { ...deps, sessions: new PortalSessions(), show }
  const router = new Router()
  addFrontPage(router, desk)
  addSignIn(router, desk)
  addSignOut(router, desk)
  return assemble(router, securityHeaders(deps.issuer), (ctx, status) => show(ctx, 'failure', { status }))
}

function addFrontPage(router: Router, desk: Desk): void {
  router.get('/', (ctx) => {
    const session = sessionOf(ctx, desk)
    const { notice, citizen } = session
    session.notice = undefined
    desk.show(ctx, 'home', { services: SERVICES, citizen, notice })
  })
  router.get('/portal.css', async (ctx) => {
    ctx.type = 'css'
    ctx.body = await readFile(`${VIEWS}portal.css`)
  })
}

/** To MT Login and back: it decides what is still missing; what came is looked at all the same. */
function addSignIn(router: Router, desk: Desk): void {
  const { client, sessions, clock, show } = desk

  async function leave(ctx: Koa.Context, service: PortalService | undefined): Promise<void> {
    const session = sessionOf(ctx, desk)
    const { url, pending } = await client.begin(service ?? {})
    session.pending = { ...pending, service: service?.id }
    ctx.redirect(url.href)
  }

  router.get('/entrar', (ctx) => leave(ctx, undefined))
  router.get('/servicos/:id', async (ctx) => {
    const service = findService(ctx.params['id'])
    if (service === undefined) return ctx.throw(404)
    await leave(ctx, service)
  })

  router.get('/retorno', async (ctx) => {
    const session = sessionOf(ctx, desk)
    const { pending } = session
    if (pending === undefined || ctx.query['state'] !== pending.state) {
      return goHome(ctx, session, 'Esta entrada já terminou ou começou em outra janela. Tente de novo.')
    }
    session.pending = undefined
    const result = await redeem(client, new URL(ctx.URL.href), pending)
    if (typeof result === 'string') return goHome(ctx, session, result)
    session.citizen = result
    const renewed = openSession(ctx, sessions.renew(session))
    const service = findService(pending.service)
    if (service === undefined) return ctx.redirect('/')
    if (!isMet(service, result.claims, clock.now())) return goHome(ctx, renewed, refusalText('unmet_authentication_requirements'))
    show(ctx, 'service', { service, citizen: result, ways: waysIn(result.claims) })
  })
}

/** By the citizen here (RP-initiated), and by MT Login from behind (back-channel). */
function addSignOut(router: Router, desk: Desk): void {
  const { client, sessions } = desk

  router.post('/sair', async (ctx) => {
    if (!isSameOrigin(ctx)) return ctx.throw(403)
    const session = sessionOf(ctx, desk)
    const { citizen } = session
    sessions.end(session)
    ctx.cookies.set(COOKIE, null)
    ctx.status = 303
    ctx.redirect(citizen === undefined ? '/' : (await client.signOutUrl(citizen.idToken)).href)
  })

  router.post('/sair-por-tras', async (ctx) => {
    const form = new URLSearchParams(await readBody(ctx, LOGOUT_TOKEN_LIMIT))
    const whose = await client.readLogoutToken(form.get('logout_token') ?? '').catch(() => undefined)
    if (whose !== undefined) sessions.endMatching(whose)
    ctx.status = whose === undefined ? 400 : 200
    ctx.body = whose === undefined ? { error: 'invalid_request' } : ''
  })
}

function sessionOf(ctx: Koa.Context, { sessions }: Desk): PortalSession {
  return sessions.find(ctx.cookies.get(COOKIE)) ?? openSession(ctx, sessions.create())
}

function assemble(router: Router, headers: Record<string, string>, failure: (ctx: Koa.Context, status: number) => void): Koa {
  const app = new Koa()
  app.use(async (ctx, next) => {
    ctx.set(headers)
    try {
      await next()
      if (ctx.status === 404) ctx.throw(404)
    } catch (error) {
      const status = statusOf(error)
      failure(ctx, status)
      ctx.status = status
    }
  })
  app.use(router.routes())
  return app
}

function statusOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number' ? error.status : 502
}

function openSession(ctx: Koa.Context, session: PortalSession): PortalSession {
  ctx.cookies.set(COOKIE, session.id, { httpOnly: true, sameSite: 'lax', secure: ctx.secure })
  return session
}

function goHome(ctx: Koa.Context, session: PortalSession, notice: string): void {
  session.notice = notice
  ctx.redirect('/')
}

/** The sign-in, or what the portal tells its user when there is none. */
async function redeem(client: RelyingParty, url: URL, pending: PendingSignIn): Promise<SignedIn | string> {
  try {
    return await client.finish(url, pending)
  } catch (error) {
    if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) return refusalText(error.error)
    throw error
  }
}

/** What the portal tells its user about an OAuth error code. */
function refusalText(code: string): string {
  switch (code) {
    case 'access_denied':
      return 'Você preferiu não entrar. Quando quiser, é só tentar de novo.'
    case 'unmet_authentication_requirements':
      return 'Este serviço pede uma conferência que não foi feita. Você continua podendo usar os outros serviços.'
    default:
      return 'O MT Login não concluiu a entrada. Tente de novo em alguns minutos.'
  }
}

function isSameOrigin(ctx: Koa.Context): boolean {
  return ctx.get('origin') === ctx.URL.origin && ctx.get('sec-fetch-site') !== 'cross-site'
}

async function readBody(ctx: Koa.Context, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of ctx.req) {
    size += chunk.length
    if (size > limitBytes) ctx.throw(413)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
