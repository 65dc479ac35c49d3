import { TLSSocket } from 'node:tls'
import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { type HttpContext, requestFacts } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import type { Icp } from './icp.ts'

export interface CertificateHostDependencies {
  readonly views: Views
  readonly icp: Pick<Icp, 'findPage' | 'present'>
  /** The main host; tickets go to `/retorno` below the page that asked. */
  readonly home: string
  /** @throws {Problem} platform/too-many */
  readonly claimAddress: (address: string) => void
}

/** Where a citizen's browser shows its certificate, on the host that asks for one. */
export const HOST_PAGE = '/certificado'

const WORD = /^[\w-]{43}$/
const query = z.object({ pedido: z.string().max(100).optional() })
const MOST_CERTIFICATES = 6

/**
 * The one page of the certificate's host: reads what the TLS handshake proved and hands it back by a one-time ticket.
 *
 * Only the handshake of this very connection is believed, never a header. Every connection ends with its answer, so that the next try chooses anew.
 */
export function createCertificateHostRoutes({ views, icp, home, claimAddress }: CertificateHostDependencies): Router {
  const router = new Router()
  const explain = (ctx: HttpContext, status: number, why: 'over' | 'none', page = '/') => {
    ctx.status = status
    views.render(ctx, 'signatures/certificate-host', { why, page: home + page })
  }
  router.use(inRoom('signatures'), async (ctx, next) => {
    ctx.set('Connection', 'close')
    await next()
  })
  router.get(HOST_PAGE, guard({ query }, async (ctx, { query: { pedido } }) => {
    claimAddress(requestFacts(ctx).ip)
    const page = pedido !== undefined && WORD.test(pedido) ? await icp.findPage(pedido) : undefined
    if (pedido === undefined || page === undefined) return explain(ctx, 410, 'over')
    const chain = presentedBy(ctx)
    if (chain.length === 0) return explain(ctx, 403, 'none', page)
    const ticket = await icp.present(pedido, chain)
    if (ticket === undefined) return explain(ctx, 410, 'over', page)
    ctx.status = 303
    ctx.redirect(`${home}${page}/retorno?bilhete=${ticket}`)
  }))
  // Whatever else the frame of the page links to is at home.
  router.get('/*rest', (ctx) => {
    ctx.status = 303
    ctx.redirect(home + ctx.path)
  })
  return router
}

/** The certificate of the handshake and those sent along; nothing when there was none. */
function presentedBy({ req: { socket } }: HttpContext): Buffer[] {
  const found: Buffer[] = []
  if (!(socket instanceof TLSSocket)) return found
  let at: ReturnType<TLSSocket['getPeerCertificate']> | undefined = socket.getPeerCertificate(true)
  while (at?.raw && found.length < MOST_CERTIFICATES && !found.some((der) => der.equals(at?.raw ?? der))) {
    found.push(at.raw)
    at = 'issuerCertificate' in at ? (at.issuerCertificate as typeof at) : undefined
  }
  return found
}
