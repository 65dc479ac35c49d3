import type { JsonObject } from 'oidc-provider'
import type { AgencyClient, AgencyScope, RequireClient } from '../../biometrics/index.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { ResourceAccess } from './resource-access.ts'

const TOKEN_SECONDS = 300

/** Resource indicator (RFC 8707) of the agencies' API: what its tokens are asked for. */
export function agencyApi(issuer: string): string {
  return `${issuer}/api/biometria`
}

/** How tokens for the agencies' API are made, for a client whose policy grants it; undefined for another resource or client. */
export function agencyResource(issuer: string, indicator: string, { agency }: ClientPolicy): JsonObject | undefined {
  if (agency === undefined || indicator !== agencyApi(issuer)) return undefined
  return { scope: agency.scopes.join(' '), audience: indicator, accessTokenTTL: TOKEN_SECONDS, accessTokenFormat: 'opaque' }
}

/**
 * Who calls the agencies' API.
 *
 * The policy is read at each call, not only when the token was issued: what an operator takes away is gone at once.
 */
export function createRequireClient(issuer: string, access: ResourceAccess): RequireClient {
  return async (ctx, scope: AgencyScope): Promise<AgencyClient> => {
    const { client, scopes, isBound } = await access.present(ctx, agencyApi(issuer))
    const { agency } = client.policy
    if (!agency?.scopes.includes(scope) || !scopes.has(scope)) throw access.refuseScope(ctx, scope)
    return { id: client.id, name: client.metadata.client_name, policy: agency, isBound }
  }
}
