import type { ClaimsRequest, JsonObject } from 'oidc-provider'
import { combineRequirements, DEFAULT_FACE_MAX_AGE_SECONDS, parseRequirement, type Requirement } from '../../assurance/index.ts'
import type { ClientPolicy } from '../clients/client.ts'

/**
 * What the claims request of an authorization (kept with its code and refresh tokens) and the client's policy demand together.
 *
 * `acr_values` arrive here too: the provider puts them into `claims.id_token.acr.values`. The freshness that was asked for a face check
 * is kept as `claims.id_token.face_time.max_age`, see `keepFaceAge`.
 */
export function requirementOf(claims: ClaimsRequest | undefined, policy: ClientPolicy): Requirement {
  const asked = parseRequirement(requestedAcrs(claims), faceAge(claims))
  return policy.minimumLevel ? combineRequirements(asked, { level: policy.minimumLevel }) : asked
}

/** The same without the face's freshness, which a refresh does not renew and does not claim: `face_time` says when it was. */
export function refreshRequirementOf(claims: ClaimsRequest | undefined, policy: ClientPolicy): Requirement {
  const { face: _face, ...rest } = requirementOf(claims, policy)
  return rest
}

/** Values of an essential `acr` claim: the only ones that the relying party accepts in its token. */
export function acceptedAcrs(claims: ClaimsRequest | undefined): string[] | undefined {
  const acr = claims?.id_token?.['acr']
  return acr?.['essential'] === true && requestedAcrs(claims).length > 0 ? requestedAcrs(claims) : undefined
}

/** Puts an essential `acr` of the `claims` parameter back beside `acr_values`, which replace it otherwise. */
export function keepEssentialAcr(claims: ClaimsRequest, parameter: string | undefined): void {
  if (parameter === undefined) return
  const asked: ClaimsRequest = JSON.parse(parameter)
  if (asked.id_token?.['acr']?.['essential'] !== true) return
  claims.id_token ??= {}
  claims.id_token['acr'] = asked.id_token['acr'] ?? null
}

/** Keeps `max_age` with the claims when a face check is demanded, so that the code's redemption asks for the same freshness. */
export function keepFaceAge(claims: ClaimsRequest, maxAge: string | undefined): void {
  if (!requestedAcrs(claims).includes('urn:mt-login:face')) return
  claims.id_token ??= {}
  claims.id_token['face_time'] ??= { essential: true, max_age: maxAge === undefined ? DEFAULT_FACE_MAX_AGE_SECONDS : Number(maxAge) }
}

function requestedAcrs(claims: ClaimsRequest | undefined): string[] {
  const acr: JsonObject | null | undefined = claims?.id_token?.['acr']
  const values = Array.isArray(acr?.['values']) ? acr['values'] : [acr?.['value']]
  return values.filter((value) => typeof value === 'string')
}

function faceAge(claims: ClaimsRequest | undefined): number | undefined {
  const age = claims?.id_token?.['face_time']?.['max_age']
  return typeof age === 'number' ? age : undefined
}
