import Koa from 'koa'
import type { Assets } from './assets.ts'
import { createCsrf } from './csrf.ts'
import { createLanguageSwitch } from './locale.ts'
import type { Messages } from './messages.ts'
import { createProblems } from './problems.ts'
import { createCookies, createRequestFacts, type HttpMiddleware, requestFacts } from './request-facts.ts'
import { createSecurityHeaders } from './security-headers.ts'
import { createViews, type Views } from './views.ts'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** One line a request: the route's pattern and never the address, the query or anything that was sent. */
export interface RequestLine {
  readonly requestId: string
  readonly room: string
  readonly route: string
  readonly status: number
  readonly ms: number
}

export interface HttpLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export interface HttpAppDeps {
  readonly settings: {
    readonly publicUrl: string
    readonly trustedProxies: readonly string[]
    readonly demo: boolean
    readonly viewsFolder: string
  }
  readonly keyring: { hash(value: string, purpose: string): Buffer }
  readonly messages: Messages
  readonly assets: Assets
  readonly log: HttpLog
}

export interface HttpApp {
  readonly app: Koa
  readonly views: Views
  /** Called after each request, for metrics. */
  onRequest(listener: (line: RequestLine) => void): void
}

/**
 * A koa application with everything that comes before routes: request id, log line, headers, problems, assets, language.
 *
 * Routers (and, last, the protocol server) are added with `app.use`.
 */
export function createHttpApp({ settings, keyring, messages, assets, log }: HttpAppDeps): HttpApp {
  const { origin, protocol } = new URL(settings.publicUrl)
  const cookies = createCookies({ secure: protocol === 'https:' })
  const csrf = createCsrf({ keyring, cookies, origin })
  const publicUrl = settings.publicUrl.replace(/\/$/, '')
  const views = createViews({ folder: settings.viewsFolder, messages, assets, csrf, site: { demo: settings.demo, publicUrl } })
  const listeners: ((line: RequestLine) => void)[] = []
  const app = new Koa()
  app.silent = true
  app.on('error', (error: unknown) => log.error({ err: error }, 'answer failed'))
  app.use(createRequestFacts({ trustedProxies: settings.trustedProxies, cookies, csrf }))
  app.use(createRequestLog(log, listeners))
  app.use(createSecurityHeaders({ secure: protocol === 'https:' }))
  app.use(createProblems({ publicUrl, views, log }))
  app.use(assets.middleware)
  app.use(createLoopbackName(new URL(publicUrl)))
  app.use(createLanguageSwitch())
  return { app, views, onRequest: (listener) => void listeners.push(listener) }
}

/**
 * Whoever opens `localhost` when our address says `127.0.0.1` (or the reverse) is sent to our address: cookies and form origins are bound
 * to one name. Only among names of this machine; never a redirect to elsewhere.
 */
function createLoopbackName(publicUrl: URL): HttpMiddleware {
  return async (ctx, next) => {
    const isOther = LOOPBACK.has(publicUrl.hostname) && LOOPBACK.has(ctx.hostname) && ctx.hostname !== publicUrl.hostname
    if (!isOther || ctx.method !== 'GET' || ctx.accepts('json', 'html') !== 'html') return next()
    ctx.set('Location', publicUrl.origin + ctx.url.replace(/^[/\\]+/, '/'))
    ctx.body = ''
    ctx.status = 307
  }
}

function createRequestLog(log: HttpLog, listeners: readonly ((line: RequestLine) => void)[]): HttpMiddleware {
  return async (ctx, next) => {
    const start = performance.now()
    ctx.res.once('close', () => {
      const line: RequestLine = {
        requestId: requestFacts(ctx).requestId,
        room: text(ctx.state.room) ?? 'platform',
        route: text(ctx.state.route) ?? text(ctx._matchedRoute) ?? (ctx.path.startsWith('/assets/') ? '/assets' : 'none'),
        status: ctx.res.statusCode,
        ms: Math.round((performance.now() - start) * 10) / 10,
      }
      log.info(line, 'request')
      for (const listener of listeners) listener(line)
    })
    await next()
  }
}

/** Names the room that answers, for the request's log line: `router.use(inRoom('portal'))`. */
export function inRoom(room: string): HttpMiddleware {
  return async (ctx, next) => {
    ctx.state.room = room
    await next()
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
