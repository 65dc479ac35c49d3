import type { ClaimsRequest, JsonObject } from 'oidc-provider'
import { combineRequirements, DEFAULT_FACE_MAX_AGE_SECONDS, parseRequirement, type Requirement } from '../../assurance/index.ts'
import type { ClientPolicy } from '../clients/client.ts'

const FACE = 'urn:mt-login:face'
/** Longest time that an authorization may wait for its person. */
const AUTHORIZATION_SECONDS = 1800

/**
 * What the claims request of an authorization (kept with its code and refresh tokens) and the client's policy demand together.
 *
 * `acr_values` arrive here too: the provider puts them into `claims.id_token.acr.values`. The freshness that was asked for a face check
 * is kept as `claims.id_token.face_time.since`, see `keepFaceFreshness`.
 */
export function requirementOf(claims: ClaimsRequest | undefined, policy: ClientPolicy, now: Date): Requirement {
  const asked = parseRequirement(requestedAcrs(claims), faceAge(claims, now))
  return policy.minimumLevel ? combineRequirements(asked, { level: policy.minimumLevel }) : asked
}

/** The same without the face's freshness, which a refresh does not renew and does not claim: `face_time` says when it was. */
export function refreshRequirementOf(claims: ClaimsRequest | undefined, policy: ClientPolicy, now: Date): Requirement {
  const { face: _face, ...rest } = requirementOf(claims, policy, now)
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

export interface FaceFreshness {
  readonly now: Date
  readonly maxAgeSeconds: number | undefined
  /** When this very authorization asked for a sign-in (`prompt=login`, `max_age=0`) and got it: the face must be younger. */
  readonly signedInAt: number | undefined
  /** A face check was passed in this very authorization; what came after it, such as a long look at the consent page, does not age it. */
  readonly isDoneHere: boolean
}

/**
 * Turns the freshness that a demand for a face check asks for into a moment, kept with the claims.
 *
 * A moment and not an age: between the decision and the code's redemption the check grows older, and that must not refuse what was right.
 */
export function keepFaceFreshness(claims: ClaimsRequest, { now, maxAgeSeconds, signedInAt, isDoneHere }: FaceFreshness): void {
  if (!requestedAcrs(claims).includes(FACE)) return
  const seconds = Math.floor(now.getTime() / 1000)
  const age = isDoneHere ? Math.max(maxAgeSeconds ?? 0, AUTHORIZATION_SECONDS) : (maxAgeSeconds ?? DEFAULT_FACE_MAX_AGE_SECONDS)
  claims.id_token ??= {}
  claims.id_token['face_time'] = { essential: true, since: Math.max(seconds - age, signedInAt ?? 0) }
}

function requestedAcrs(claims: ClaimsRequest | undefined): string[] {
  const acr: JsonObject | null | undefined = claims?.id_token?.['acr']
  const values = Array.isArray(acr?.['values']) ? acr['values'] : [acr?.['value']]
  return values.filter((value) => typeof value === 'string')
}

function faceAge(claims: ClaimsRequest | undefined, now: Date): number | undefined {
  const since = claims?.id_token?.['face_time']?.['since']
  return typeof since === 'number' ? Math.max(0, now.getTime() / 1000 - since) : undefined
}
