import { errors, type JsonObject, type ProviderContext, type TokenInstance } from 'oidc-provider'
import type { ClientPolicy } from '../clients/client.ts'
import type { Resource } from '../clients/resource.store.ts'
import { type FindResource, resourceServer } from '../policy/decisions.ts'
import type { OidcPorts, Representation } from '../ports.ts'
import { bindToResource } from '../provider-internals.ts'
import type { SubjectOf } from './claims.ts'
import type { Current, Representations } from './representations.ts'

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const EXCHANGE_PARAMETERS = ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type', 'audience', 'resource', 'scope']
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

export interface ExchangeDeps {
  readonly representations: Pick<Representations, 'current' | 'present'>
  readonly policyOf: (ctx: ProviderContext) => ClientPolicy
  readonly findResource: FindResource
  readonly findPerson: OidcPorts['findPerson']
}

/**
 * Token exchange (RFC 8693): from the access token of a session in representation to one for an API, whose `sub` is the represented party.
 *
 * The token given is one of ours, of this very client, found in the store: what a client writes itself, `act` included, is no token. Scopes
 * are those that the powers bear, by what the API's registration says of each; nothing that needs several people is borne by one sign-in.
 */
export function createTokenExchange(deps: ExchangeDeps): (ctx: ProviderContext) => Promise<void> {
  return async (ctx) => {
    const { client, provider } = ctx.oidc
    const policy = deps.policyOf(ctx)
    if (!policy.representation) throw new errors.UnauthorizedClient('this client did not register for representation')
    if (client.dpopBoundAccessTokens || client.tlsClientCertificateBoundAccessTokens)
      throw new errors.UnauthorizedClient('sender-constrained tokens are not exchanged')
    const subject = await subjectToken(ctx)
    const representation = await judge(deps, ctx, subject)
    const resource = await targetOf(ctx, deps, policy)
    const scope = narrowed(ctx, resource, representation)
    const { accountId, grantId, sessionUid, expiresWithSession } = subject
    const token = new provider.AccessToken({ accountId, client, grantId, sessionUid, expiresWithSession, scope, gty: TOKEN_EXCHANGE })
    bindToResource(provider, token, resource.indicator, await resourceServer(resource.indicator, policy, deps.findResource))
    ctx.oidc.entity('AccessToken', token)
    const value = await token.save()
    ctx.body = { access_token: value, issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: token.expiration, scope }
  }
}

async function subjectToken(ctx: ProviderContext): Promise<TokenInstance> {
  const { params = {}, client } = ctx.oidc
  if (params['subject_token'] === undefined) throw new errors.InvalidRequest('subject_token is missing')
  if (params['subject_token_type'] !== ACCESS_TOKEN) throw new errors.InvalidRequest('subject_token_type must be an access token')
  if (![undefined, ACCESS_TOKEN].includes(params['requested_token_type'])) throw new errors.InvalidRequest('requested_token_type is not supported')
  const subject = await ownToken(ctx, params['subject_token'])
  if (!subject || subject.aud !== undefined || subject.isSenderConstrained?.()) throw new errors.InvalidGrant('the subject token is not valid here')
  const actor = params['actor_token']
  if ((actor === undefined) !== (params['actor_token_type'] === undefined)) throw new errors.InvalidRequest('actor_token and actor_token_type go together')
  if (actor !== undefined) {
    if (params['actor_token_type'] !== ACCESS_TOKEN) throw new errors.InvalidRequest('actor_token_type must be an access token')
    // `may_act` of a subject token is always the person who signed in, whom no other token of the client can replace.
    if ((await ownToken(ctx, actor))?.accountId !== subject.accountId) throw new errors.InvalidGrant('this actor may not act')
  }
  const grant = subject.grantId === undefined ? undefined : await ctx.oidc.provider.Grant.find(subject.grantId)
  if (grant?.clientId !== client.clientId || grant.accountId !== subject.accountId) throw new errors.InvalidGrant('the subject token is not valid here')
  ctx.oidc.entity('Grant', grant)
  return subject
}

/** A live access token that this client was given. */
async function ownToken({ oidc }: ProviderContext, value: string): Promise<TokenInstance | undefined> {
  const token = await oidc.provider.AccessToken.find(value)
  return token?.isValid && token.clientId === oidc.client.clientId ? token : undefined
}

async function judge(deps: ExchangeDeps, ctx: ProviderContext, subject: TokenInstance): Promise<Representation> {
  const accountId = subject.accountId ?? ''
  const { subject: person, standing } = await deps.findPerson(accountId, subject.sessionUid)
  const isGood = person !== undefined && (await deps.representations.present(ctx, subject, async () => standing?.level))
  const representation = deps.representations.current(ctx)?.representation
  if (!isGood || !representation) throw new errors.InvalidGrant('the subject token is not one of a session in representation')
  if (representation.quorum !== undefined) throw new errors.InvalidGrant('these powers need the approval of several people')
  return representation
}

async function targetOf({ oidc }: ProviderContext, { findResource }: ExchangeDeps, policy: ClientPolicy): Promise<Resource> {
  const given = [oidc.params?.['audience'], oidc.params?.['resource']].filter((one) => one !== undefined)
  const [indicator] = given
  if (indicator === undefined || given.some((one) => one !== indicator)) throw new errors.InvalidTarget('exactly one audience or resource is needed')
  const resource = policy.resources.includes(indicator) ? await findResource(indicator) : undefined
  if (!resource) throw new errors.InvalidTarget()
  return resource
}

/** The scopes asked for, or all that the powers bear. @throws {OIDCProviderError} invalid_scope for one that they do not. */
function narrowed({ oidc }: ProviderContext, { scopes, scopePowers }: Resource, { powers }: Representation): string {
  const isBorne = (scope: string): boolean => scopePowers[scope]?.some((power) => powers.includes(power)) ?? false
  const borne = scopes.filter(isBorne)
  const asked = oidc.params?.['scope']?.split(' ') ?? borne
  const beyond = asked.filter((scope) => !borne.includes(scope))
  if (beyond.length > 0 || asked.length === 0) throw new errors.InvalidScope('the powers do not bear this scope', beyond.join(' '))
  return [...new Set(asked)].join(' ')
}

/** Claims of an exchanged token: the represented party as `sub`, the person as `act`, and through whom the powers came as `act` of `act`. */
export async function exchangedClaims(
  { representation, choice }: Current & { representation: Representation },
  clientId: string,
  subjectOf: SubjectOf,
): Promise<JsonObject> {
  const history = await Promise.all(representation.through.map(subjectOf))
  const before = history.reduceRight<JsonObject | undefined>((act, sub) => ({ sub, ...(act && { act }) }), undefined)
  const actor = await subjectOf({ partyId: '', accountId: choice?.accountId })
  return {
    sub: await subjectOf(representation.represented),
    act: { sub: actor, client_id: clientId, ...(before && { act: before }) },
    mandate_id: representation.id,
    ...(representation.validThrough && { valid_through: representation.validThrough }),
  }
}
