import type { JsonObject } from 'oidc-provider'
import { DOCUMENTS_PATH, DOCUMENTS_SCOPE, type RequireDocumentsClient } from '../../signatures/index.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { ResourceAccess } from './resource-access.ts'

const TOKEN_SECONDS = 300

/** How tokens for having documents signed are made, for a client whose policy grants it; undefined for another resource or client. */
export function documentsResource(issuer: string, indicator: string, { documents }: ClientPolicy): JsonObject | undefined {
  if (documents === undefined || indicator !== issuer + DOCUMENTS_PATH) return undefined
  return { scope: DOCUMENTS_SCOPE, audience: indicator, accessTokenTTL: TOKEN_SECONDS, accessTokenFormat: 'opaque' }
}

/** Who may have documents signed: the policy is read at each call, so that what an operator takes away is gone at once. */
export function createRequireDocumentsClient(issuer: string, access: ResourceAccess): RequireDocumentsClient {
  return async (ctx) => {
    const { client, scopes } = await access.present(ctx, issuer + DOCUMENTS_PATH)
    const { documents } = client.policy
    if (!documents || !scopes.has(DOCUMENTS_SCOPE)) throw access.refuseScope(ctx, DOCUMENTS_SCOPE)
    return { id: client.id, policy: documents, redirectUris: client.metadata.redirect_uris }
  }
}
