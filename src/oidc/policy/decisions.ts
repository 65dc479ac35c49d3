import { type ClientInstance, errors, type JsonObject, type ProviderContext, type TokenInstance } from 'oidc-provider'
import type { ClientPolicy } from '../clients/client.ts'
import type { Resource } from '../clients/resource.store.ts'

/** What an access token says of for whom it acts. */
export type TokenRepresentation = (ctx: ProviderContext, token: TokenInstance) => Promise<JsonObject | undefined>

export type FindResource = (indicator: string) => Promise<Resource | undefined>

/** Every refresh token that a thief could use is rotated, of confidential clients too; a sender-constrained one is of no use to a thief. */
export function mayRotate(token: unknown, client: ClientInstance): boolean {
  const isBound = typeof token === 'object' && token !== null && ('jkt' in token || 'x5t#S256' in token)
  return !isBound && !client.dpopBoundAccessTokens && !client.tlsClientCertificateBoundAccessTokens
}

/** Browsers may call us only from a public client's own pages. */
export function isOwnOrigin(origin: string, client: ClientInstance): boolean {
  return client.clientAuthMethod === 'none' && client.redirectUris.some((uri) => URL.parse(uri)?.origin === origin)
}

/** Own tokens, and those issued for a resource that the client owns; a public client can't be told from anyone else. */
export async function mayIntrospect(client: ClientInstance, token: TokenInstance, findResource: FindResource): Promise<boolean> {
  if (client.clientAuthMethod === 'none') return false
  if (token.clientId === client.clientId) return true
  const resource = token.aud === undefined ? undefined : await findResource(token.aud)
  return resource?.ownerClientId !== undefined && resource.ownerClientId === client.clientId
}

/** How tokens for an API are made, if the client may have any. @throws {OIDCProviderError} invalid_target */
export async function resourceServer(indicator: string, policy: ClientPolicy, findResource: FindResource): Promise<JsonObject> {
  const resource = policy.resources.includes(indicator) ? await findResource(indicator) : undefined
  if (!resource) throw new errors.InvalidTarget()
  return {
    scope: resource.scopes.join(' '),
    audience: resource.indicator,
    accessTokenTTL: resource.tokenSeconds,
    accessTokenFormat: resource.tokenFormat,
    ...(resource.tokenFormat === 'jwt' && { jwt: { sign: { alg: 'RS256' } } }),
  }
}

/** What a resource server may know of the sign-in behind an access token (RFC 9068 §2.2.1). */
export async function tokenClaims(ctx: ProviderContext, token: TokenInstance, acting: TokenRepresentation): Promise<JsonObject | undefined> {
  if (token.kind !== 'AccessToken') return undefined
  return { ...signInClaims(ctx), ...(await acting(ctx, token)) }
}

function signInClaims({ oidc: { entities } }: ProviderContext): JsonObject | undefined {
  const source = entities['AuthorizationCode'] ?? entities['RefreshToken'] ?? entities['DeviceCode']
  if (typeof source !== 'object' || source === null) return undefined
  const { acr, amr, authTime }: { acr?: unknown; amr?: unknown; authTime?: unknown } = source
  return { acr, amr, auth_time: authTime }
}
