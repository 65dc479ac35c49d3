import { z } from 'zod'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { NAMESPACE } from '../role/role.ts'

/** What a client may do at the mandates API; only an operator can grant it, with the client's policy. */
export const PROXY_SCOPES = ['procuracoes.decidir', 'procuracoes.consultar', 'procuracoes.registrar', 'procuracoes.catalogo'] as const
export type ProxyScope = (typeof PROXY_SCOPES)[number]

/** What an operator grants to one client; nothing by default, and never another agency's namespace. */
export const proxyPolicySchema = z.strictObject({
  scopes: z.array(z.enum(PROXY_SCOPES)).min(1),
  namespaces: z.array(z.string().regex(NAMESPACE)).min(1).max(20),
  perMinute: z.int().min(1).max(200_000).default(600),
  perMonth: z.int().min(1).max(1_000_000_000).default(1_000_000),
})

export type ProxyPolicy = z.output<typeof proxyPolicySchema>

/** A client of the API in one request. */
export interface ProxyClient {
  readonly id: string
  readonly policy: ProxyPolicy
}

/**
 * The client behind the request's access token, if it holds this scope now: `app.ts` hands in what the protocol server knows.
 * @throws {Problem} with status 401 or 403, and the header WWW-Authenticate set.
 */
export type RequireProxyClient = (ctx: HttpContext, scope: ProxyScope) => Promise<ProxyClient>
