import type { Provider, ProviderContext } from 'oidc-provider'
import { readBody } from '../platform/http/body/body.ts'
import type { HttpContext, HttpMiddleware } from '../platform/http/request-facts.ts'
import type { RenderHtml } from './pages.ts'
import { ROUTES } from './provider.ts'
import { showSelfPosting } from './self-posting.ts'

const DISCOVERY = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']
/** Documents that are the same for everyone until the keys change. */
const STATIC_DOCUMENTS = new Set([...DISCOVERY, ROUTES.jwks])
const DOCUMENT_SECONDS = 300
/** Longest query made of a posted form; beyond it a relying party uses PAR. */
const MOST_QUERY_BYTES = 12_000
const MOST_FORM_BYTES = 56 * 1024

/** The protocol's paths in our application, and what is done before the provider sees them. */
export interface ProtocolRoutes {
  readonly middleware: HttpMiddleware
  /** Forgets prepared documents; after a change of keys. */
  forgetDocuments(): void
}

interface PreparedDocument {
  readonly body: Buffer
  readonly type: string
}

/**
 * Mounts the provider at the root for its own paths only.
 *
 * POST to the authorization and logout endpoints (Core 3.1.2.1) is answered with a redirect to the same by GET. The provider's own
 * support would need `SameSite=None` session cookies, which line 18 of the checklist forbids; a redirect keeps them Lax.
 */
export function createProtocolRoutes(provider: Provider, html: RenderHtml): ProtocolRoutes {
  const documents = new Map<string, PreparedDocument>()
  pinAddress(provider)
  provider.use(async (ctx, next) => {
    await next()
    if (STATIC_DOCUMENTS.has(ctx.path) && ctx.method === 'GET' && ctx.status === 200) prepare(documents, ctx)
  })
  provider.use(showSelfPosting(html))
  const mounted = provider.callback()

  return {
    forgetDocuments: () => documents.clear(),
    middleware: async (ctx, next) => {
      if (!isProtocolPath(ctx.path)) return next()
      ctx.state['room'] = 'oidc'
      ctx.state['route'] = routeOf(ctx.path)
      const document = ctx.method === 'GET' ? documents.get(ctx.path) : undefined
      if (document) {
        ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*')
        ctx.set('Cache-Control', `public, max-age=${DOCUMENT_SECONDS}`)
        ctx.vary('Origin')
        ctx.type = document.type
        ctx.body = document.body
        return
      }
      if (ctx.method === 'POST' && (ctx.path === ROUTES.authorization || ctx.path === ROUTES.end_session)) {
        const query = await formAsQuery(ctx)
        if (query === undefined) ctx.throw(413)
        ctx.status = 303
        ctx.redirect(`${ctx.path}?${query}`)
        return
      }
      ctx.respond = false
      await mounted(ctx.req, ctx.res)
    },
  }
}

/**
 * Every address that the provider writes is under the issuer, whatever `Host` or `X-Forwarded-*` a request carries: koa reads both from
 * these properties, and cookies take `secure` from the protocol.
 */
function pinAddress(provider: Provider): void {
  const { host, hostname, protocol } = new URL(provider.issuer)
  Object.defineProperties(provider.request, {
    host: { get: () => host },
    hostname: { get: () => hostname },
    protocol: { get: () => protocol.replace(':', '') },
  })
}

function isProtocolPath(path: string): boolean {
  if (DISCOVERY.includes(path)) return true
  return Object.values(ROUTES).some((route) => path === route || path.startsWith(`${route}/`))
}

/** The route's pattern, for the log; never an id. */
function routeOf(path: string): string {
  if (DISCOVERY.includes(path)) return path
  return Object.values(ROUTES).find((route) => path === route) ?? `/${path.split('/')[1] ?? ''}/:uid`
}

function prepare(documents: Map<string, PreparedDocument>, ctx: ProviderContext): void {
  ctx.set('Cache-Control', `public, max-age=${DOCUMENT_SECONDS}`)
  const type = ctx.response.headers['content-type']
  documents.set(ctx.path, { body: Buffer.from(JSON.stringify(ctx.body)), type: typeof type === 'string' ? type : 'application/json' })
}

async function formAsQuery(ctx: HttpContext): Promise<string | undefined> {
  const query = new URLSearchParams((await readBody(ctx, MOST_FORM_BYTES)).toString('utf8')).toString()
  return query.length > MOST_QUERY_BYTES ? undefined : query
}
