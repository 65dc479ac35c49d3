import type { JsonObject } from 'oidc-provider'
import { type RequireStampClient, STAMP_PATH, STAMP_SCOPE } from '../../signatures/index.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { ResourceAccess } from './resource-access.ts'

const TOKEN_SECONDS = 300

/** How tokens for time-stamps are made, for a client whose policy grants them; undefined for another resource or client. */
export function stampResource(issuer: string, indicator: string, { timeStamps }: ClientPolicy): JsonObject | undefined {
  if (timeStamps === undefined || indicator !== issuer + STAMP_PATH) return undefined
  return { scope: STAMP_SCOPE, audience: indicator, accessTokenTTL: TOKEN_SECONDS, accessTokenFormat: 'opaque' }
}

/** Who may have a time-stamp: the policy is read at each call, so that what an operator takes away is gone at once. */
export function createRequireStampClient(issuer: string, access: ResourceAccess): RequireStampClient {
  return async (ctx) => {
    const { client, scopes } = await access.present(ctx, issuer + STAMP_PATH)
    const { timeStamps } = client.policy
    if (!timeStamps || !scopes.has(STAMP_SCOPE)) throw access.refuseScope(ctx, STAMP_SCOPE)
    return { id: client.id, policy: timeStamps }
  }
}
