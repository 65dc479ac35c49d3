import { z } from 'zod'
import { LEVELS } from '../../assurance/index.ts'
import { agencyPolicySchema } from '../../biometrics/index.ts'
import { documentsPolicySchema, signingApiPolicySchema, stampPolicySchema } from '../../signatures/index.ts'
import { proxyPolicySchema } from '../../proxies/index.ts'

/** Scopes that a client may be allowed; each is a set of claims, `offline_access` is refresh tokens beyond the session. */
export const SCOPES = [
  'openid', 'profile', 'cpf', 'email', 'phone', 'offline_access',
  'representacao', 'representee.*', 'representee_list',
  'poav2_createPoaAccessHistory_agent', 'poav2_retrievePoasByAgentAccountIdAndGrantorAccountIdAndClientIdAndIsActive_agent',
] as const
/** Those about acting for somebody else. */
export const REPRESENTATION_SCOPES: readonly string[] = SCOPES.slice(6)

const uri = z
  .string()
  .max(2000)
  .refine((value) => URL.canParse(value), 'an absolute address is expected')
const text = z.string().min(1).max(500)
const seconds = (least: number, most: number) => z.int().min(least).max(most)
const SIGNING = z.enum(['RS256', 'ES256'])
const KEY_ENCRYPTION = z.enum(['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES'])
const CONTENT_ENCRYPTION = z.enum(['A128CBC-HS256', 'A128GCM', 'A256CBC-HS512', 'A256GCM'])
const CLIENT_SIGNING = z.enum(['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'])

/** Registered metadata (OpenID Connect Registration 1.0 and its extensions), as far as this server offers them. */
export const clientMetadataSchema = z.strictObject({
  client_name: text,
  application_type: z.enum(['web', 'native']).default('web'),
  redirect_uris: z.array(uri).max(50).default([]),
  post_logout_redirect_uris: z.array(uri).max(50).default([]),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:token-exchange']))
    .default(['authorization_code']),
  response_types: z.array(z.literal('code')).default(['code']),
  response_modes: z.array(z.enum(['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'])).optional(),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', 'none'])
    .default('client_secret_basic'),
  token_endpoint_auth_signing_alg: CLIENT_SIGNING.optional(),
  jwks: z.looseObject({ keys: z.array(z.looseObject({ kty: text })).max(20) }).optional(),
  jwks_uri: uri.optional(),
  subject_type: z.enum(['public', 'pairwise']).default('public'),
  sector_identifier_uri: uri.optional(),
  id_token_signed_response_alg: SIGNING.default('RS256'),
  id_token_encrypted_response_alg: KEY_ENCRYPTION.optional(),
  id_token_encrypted_response_enc: CONTENT_ENCRYPTION.optional(),
  userinfo_signed_response_alg: SIGNING.optional(),
  userinfo_encrypted_response_alg: KEY_ENCRYPTION.optional(),
  userinfo_encrypted_response_enc: CONTENT_ENCRYPTION.optional(),
  introspection_signed_response_alg: SIGNING.optional(),
  authorization_signed_response_alg: SIGNING.optional(),
  authorization_encrypted_response_alg: KEY_ENCRYPTION.optional(),
  authorization_encrypted_response_enc: CONTENT_ENCRYPTION.optional(),
  request_object_signing_alg: CLIENT_SIGNING.optional(),
  require_signed_request_object: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  tls_client_certificate_bound_access_tokens: z.boolean().optional(),
  tls_client_auth_subject_dn: text.optional(),
  tls_client_auth_san_dns: text.optional(),
  tls_client_auth_san_uri: text.optional(),
  tls_client_auth_san_ip: text.optional(),
  tls_client_auth_san_email: text.optional(),
  backchannel_logout_uri: uri.optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  default_max_age: seconds(0, 31_536_000).optional(),
  default_acr_values: z.array(text).optional(),
  require_auth_time: z.boolean().optional(),
  initiate_login_uri: uri.optional(),
  client_uri: uri.optional(),
  logo_uri: uri.optional(),
  policy_uri: uri.optional(),
  tos_uri: uri.optional(),
  contacts: z.array(z.email()).max(10).optional(),
})

/** What the state allows this client, decided by an operator and never by the client itself. Strict by default. */
export const clientPolicySchema = z.strictObject({
  /** `optional` only for what cannot do PKCE (spec 1.5); `plain` is never accepted. */
  pkce: z.enum(['required', 'optional']).default('required'),
  /** No token below it, whatever the request says. */
  minimumLevel: z.enum(LEVELS).optional(),
  allowedScopes: z.array(z.enum(SCOPES)).default(['openid', 'profile', 'email', 'phone', 'offline_access']),
  /** Of these, what the citizen may leave out at the consent page; everything else is required, and the page says what for. */
  optionalScopes: z.array(z.enum(SCOPES).exclude(['openid'])).default([]),
  /** How evidence is named to this client. */
  seals: z.enum(['native', 'govbr-equivalent']).default('native'),
  /** Runs by the state itself: no consent page. */
  firstParty: z.boolean().default(false),
  /** FAPI 2.0 Security Profile: PAR, sender-constrained tokens, no shared secret. */
  fapi2: z.boolean().default(false),
  /** `false` also puts the scopes' claims in the ID token, for libraries that never call userinfo (spec 1.5). */
  conformIdTokenClaims: z.boolean().default(true),
  /** Refresh tokens without `offline_access`, which die with the session. */
  sessionRefresh: z.boolean().default(false),
  accessTokenSeconds: seconds(30, 3600).optional(),
  idTokenSeconds: seconds(30, 3600).optional(),
  refreshTokenSeconds: seconds(300, 7_776_000).optional(),
  /** Resource indicators (RFC 8707) that it may ask tokens for. */
  resources: z.array(uri).default([]),
  /** What it may do at the agencies' biometrics API; absent = nothing. */
  agency: agencyPolicySchema.optional(),
  /** What it may do at the mandates API, in which namespaces; absent = nothing. */
  proxies: proxyPolicySchema.optional(),
  /** It knows that people act for others and looks at it; nobody acts for somebody else at a relying party that does not. */
  representation: z.boolean().default(false),
  /** How it is told: our own claim, the federal login's `agent` and `grantor_account`, or the Estonian login's `representee`. */
  delegationClaims: z.enum(['native', 'govbr', 'representee']).default('native'),
  /** Agencies' namespaces whose powers count at it; it hears of no others. */
  representationNamespaces: z.array(z.string().regex(/^[a-z][a-z0-9-]{1,31}$/)).max(20).default([]),
  /** Calls a minute at the federal login's API for proxies: its access history is written into people's own. */
  representationCallsPerMinute: z.int().min(1).max(60_000).default(600),
  /** How many time-stamps it may have; absent = none. */
  timeStamps: stampPolicySchema.optional(),
  /** It may have documents signed by citizens; absent = not. */
  documents: documentsPolicySchema.optional(),
  /** Citizens may lend it keys at the signing APIs; absent = not. */
  signing: signingApiPolicySchema.optional(),
  /** Hosts (`host` or `host:port`) on special-use networks to which this server may connect for this client. */
  allowInternalHosts: z.array(z.string().max(300)).default([]),
})

export type ClientMetadata = z.output<typeof clientMetadataSchema>
export type ClientPolicy = z.output<typeof clientPolicySchema>

export interface ClientRecord {
  readonly id: string
  readonly metadata: ClientMetadata
  readonly policy: ClientPolicy
  readonly secretHash: Buffer | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly disabledAt: Date | undefined
}

const SECRET_METHODS: readonly string[] = ['client_secret_basic', 'client_secret_post']

export function usesSecret(metadata: Pick<ClientMetadata, 'token_endpoint_auth_method'>): boolean {
  return SECRET_METHODS.includes(metadata.token_endpoint_auth_method)
}

/** What a client under the FAPI 2.0 profile must have registered; empty when it has (Security Profile Final, 5.3). */
export function fapiFaults(metadata: ClientMetadata): string[] {
  const faults: string[] = []
  if (!metadata.require_pushed_authorization_requests) faults.push('require_pushed_authorization_requests must be true')
  if (!metadata.dpop_bound_access_tokens && !metadata.tls_client_certificate_bound_access_tokens) {
    faults.push('dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens must be true')
  }
  const strong = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']
  if (!strong.includes(metadata.token_endpoint_auth_method)) faults.push('token_endpoint_auth_method must be private_key_jwt or mutual TLS')
  return faults
}

/** What a client that people act at for others must have, and what one at which they do not may not have. */
export function representationFaults(
  { representation, representationNamespaces, allowedScopes }: ClientPolicy,
  { grant_types: grants, token_endpoint_auth_method: authentication }: ClientMetadata,
): string[] {
  const exchanges = grants.includes(TOKEN_EXCHANGE)
  if (representation) {
    const faults = representationNamespaces.length > 0 ? [] : ['representation needs representationNamespaces']
    return exchanges && authentication === 'none' ? [...faults, 'token exchange needs client authentication'] : faults
  }
  const scopes = allowedScopes.filter((scope) => REPRESENTATION_SCOPES.includes(scope))
  const faults = scopes.length > 0 ? [`representation must be true for ${scopes.join(', ')}`] : []
  if (exchanges) faults.push('representation must be true for token exchange')
  return faults
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Addresses of a client that a browser would be sent to in clear text; only this machine and allowed internal hosts may be. */
export function clearTextAddresses(metadata: ClientMetadata, allowed: readonly string[]): string[] {
  const given = [...metadata.redirect_uris, ...metadata.post_logout_redirect_uris]
  return given.filter((value) => {
    const { protocol, hostname, host } = new URL(value)
    return protocol === 'http:' && !LOOPBACK.has(hostname) && !allowed.includes(host) && !allowed.includes(hostname)
  })
}
