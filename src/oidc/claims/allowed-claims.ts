import type { ClaimsRequest, JsonObject, ProviderContext } from 'oidc-provider'
import type { ClientPolicy } from '../clients/client.ts'
import { REPRESENTATION_CLAIMS } from '../representation/claims.ts'
import { SCOPE_CLAIMS } from './scope-claims.ts'

/** Scopes whose claims say something about a person. */
const PERSONAL_SCOPES = ['profile', 'cpf', 'email', 'phone'] as const
const REPRESENTATION: ReadonlySet<string> = new Set(REPRESENTATION_CLAIMS)
const PERSONAL: ReadonlySet<string> = new Set(PERSONAL_SCOPES.flatMap((scope) => SCOPE_CLAIMS[scope]))

/** Whether a client may be told this claim: what its scopes may not tell, a request by name may not either. */
export function mayTell(policy: Pick<ClientPolicy, 'allowedScopes' | 'representation'>, claim: string): boolean {
  if (REPRESENTATION.has(claim)) return policy.representation
  if (!PERSONAL.has(claim)) return true
  return PERSONAL_SCOPES.some((scope) => policy.allowedScopes.includes(scope) && SCOPE_CLAIMS[scope].some((name) => name === claim))
}

/**
 * Leaves out of the `claims` parameter of this request what the client's policy does not allow.
 *
 * Before anything reads it, so that the citizen is not asked for what would not be told anyway; a claim that is not given is no error
 * (OpenID Connect Core 5.5.1).
 */
export function dropForbiddenClaims({ oidc }: ProviderContext, claims: ClaimsRequest, policy: ClientPolicy): void {
  const kept = { ...claims, ...allowedPart('userinfo', claims, policy), ...allowedPart('id_token', claims, policy) }
  if (oidc.params) oidc.params['claims'] = JSON.stringify(kept)
}

function allowedPart(use: 'userinfo' | 'id_token', claims: ClaimsRequest, policy: ClientPolicy): ClaimsRequest {
  const asked = claims[use]
  if (asked === undefined) return {}
  const allowed = Object.entries(asked).filter(([claim]) => mayTell(policy, claim))
  return { [use]: Object.fromEntries(allowed.map(([claim, wish]) => [claim, claim === 'verified_claims' ? allowedVerified(wish, policy) : wish])) }
}

/** The same inside a request for `verified_claims`. */
export function allowedVerified(wish: JsonObject | null, policy: ClientPolicy): JsonObject | null {
  const asked: unknown = wish?.['claims']
  if (typeof asked !== 'object' || asked === null) return wish
  return { ...wish, claims: Object.fromEntries(Object.entries(asked).filter(([claim]) => mayTell(policy, claim))) }
}
