import type { JsonObject } from 'oidc-provider'
import type { ProxyClient, ProxyScope, RequireProxyClient } from '../../proxies/index.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { ResourceAccess } from './resource-access.ts'

const TOKEN_SECONDS = 300

/** Resource indicator (RFC 8707) of the mandates API: what its tokens are asked for. */
export function proxyApi(issuer: string): string {
  return `${issuer}/procuracoes`
}

/** How tokens for the mandates API are made, for a client whose policy grants it; undefined for another resource or client. */
export function proxyResource(issuer: string, indicator: string, { proxies }: ClientPolicy): JsonObject | undefined {
  if (proxies === undefined || indicator !== proxyApi(issuer)) return undefined
  return { scope: proxies.scopes.join(' '), audience: indicator, accessTokenTTL: TOKEN_SECONDS, accessTokenFormat: 'opaque' }
}

/** Who calls the mandates API; the policy is read at each call, so that what an operator takes away is gone at once. */
export function createRequireProxyClient(issuer: string, access: ResourceAccess): RequireProxyClient {
  return async (ctx, scope: ProxyScope): Promise<ProxyClient> => {
    const { client, scopes } = await access.present(ctx, proxyApi(issuer))
    const { proxies } = client.policy
    if (!proxies?.scopes.includes(scope) || !scopes.has(scope)) throw access.refuseScope(ctx, scope)
    return { id: client.id, policy: proxies }
  }
}
