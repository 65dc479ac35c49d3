import { type AccountInstance, type ClaimsRequest, errors, type JsonObject, type ProviderContext, type TokenInstance } from 'oidc-provider'
import { acrFor, findShortfall } from '../../assurance/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { ClientPolicy } from '../clients/client.ts'
import { acceptedAcrs, refreshRequirementOf, requirementOf } from '../policy/requirement.ts'
import type { Standings } from '../policy/standing.ts'
import type { OidcPorts, Standing, Subject } from '../ports.ts'
import { authority, LIST_SCOPE, representationClaims, representeeList, type SubjectOf } from '../representation/claims.ts'
import type { Representations } from '../representation/representations.ts'
import { allowedVerified, mayTell } from './allowed-claims.ts'
import { verifiedClaims } from './verified-claims.ts'

export interface FindAccountDeps {
  readonly ports: OidcPorts
  readonly standings: Standings
  readonly acting: { readonly representations: Representations; readonly subjectOf: (ctx: ProviderContext) => SubjectOf }
  readonly policyOf: (ctx: ProviderContext) => ClientPolicy
  readonly clock: Clock
}

/** What a token request was found to be worth, for the ledger. */
export interface GrantedStanding {
  readonly standing: Standing
  readonly source: TokenInstance
}

const granted = new WeakMap<ProviderContext, GrantedStanding>()

/** The standing that the tokens of this request state, once they are made. */
export function grantedStanding(ctx: ProviderContext): GrantedStanding | undefined {
  return granted.get(ctx)
}

const TOKEN_SOURCES = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode'])

/**
 * The provider's `findAccount`.
 *
 * It is also the moment of truth of every token: when a code, a device code or a refresh token is about to be exchanged, `acr` and `amr`
 * are written anew from live evidence, and the exchange is refused when they no longer bear what was asked or what the client's policy
 * demands. A seal that has expired or was withdrawn in between lowers the very next token.
 */
export function createFindAccount(
  deps: FindAccountDeps,
): (ctx: ProviderContext, id: string, token?: TokenInstance) => Promise<AccountInstance | undefined> {
  return async (ctx, accountId, token) => {
    adoptSession(ctx)
    const sessionUid = token ? sessionBehind(token) : ctx.oidc.session?.uid
    const levelOf = ({ sessionUid: uid }: TokenInstance) => async () => (await deps.standings.of(ctx, accountId, uid))?.level
    const { subject } = await deps.standings.person(ctx, accountId, sessionUid)
    if (!subject) return undefined
    if (token && TOKEN_SOURCES.has(token.kind)) await renew(deps, ctx, accountId, token)
    else if (token?.kind === 'AccessToken' && !(await deps.acting.representations.present(ctx, token, levelOf(token)))) return undefined
    return {
      accountId,
      claims: (use, scope, requested) => claimsOf(deps, ctx, subject, { use, scope, requested }),
    }
  }
}

/** The session whose standing an exchange will state; an access token at userinfo states none. */
function sessionBehind({ kind, sessionUid }: TokenInstance): string | undefined {
  return TOKEN_SOURCES.has(kind) ? sessionUid : undefined
}

/**
 * Gives a session that has just begun the id of its sign-in session, so that "sair deste aparelho" and the facts of the sign-in (amr, face)
 * find it. The interaction's result carries that id; the provider calls here right after it has taken the login over.
 */
function adoptSession(ctx: ProviderContext): void {
  const login = ctx.oidc.result?.['login']
  const session = ctx.oidc.session
  if (typeof login !== 'object' || login === null || !session) return
  const sessionId: unknown = Reflect.get(login, 'sessionId')
  if (typeof sessionId === 'string' && session.uid !== sessionId) session.uid = sessionId
}

async function renew(deps: FindAccountDeps, ctx: ProviderContext, accountId: string, token: TokenInstance): Promise<void> {
  const now = deps.clock.now()
  const policy = deps.policyOf(ctx)
  const standing = await deps.standings.of(ctx, accountId, token.sessionUid)
  if (!standing) throw new errors.InvalidGrant('the sign-in behind this token is not known')
  const outlivesSession = token.kind === 'RefreshToken' && token.expiresWithSession !== true
  if (!standing.isLive && !outlivesSession) throw new errors.InvalidGrant('the sign-in behind this token is over')
  const requirement =
    token.kind === 'RefreshToken' ? refreshRequirementOf(token.claims, policy, now) : requirementOf(token.claims, policy, now)
  const shortfall = findShortfall(requirement, standing, now)
  const acr = acrFor(standing, now, acceptedAcrs(token.claims))
  if (shortfall !== undefined || acr === undefined)
    throw new errors.InvalidGrant(`no longer at the required assurance (${shortfall ?? 'acr'})`)
  token.acr = acr
  token.amr = [...standing.amr]
  if (requirement.face) token.authTime = Math.max(token.authTime ?? 0, epoch(standing.faceAt))
  await deps.acting.representations.renew(ctx, token, standing)
  granted.set(ctx, { standing, source: token })
}

async function claimsOf(
  deps: FindAccountDeps,
  ctx: ProviderContext,
  subject: Subject,
  { use, scope, requested }: { use: string; scope: string; requested: ClaimsRequest['userinfo'] },
): Promise<JsonObject> {
  const standing = granted.get(ctx)?.standing
  const policy = deps.policyOf(ctx)
  const verified = allowedVerified(requested?.['verified_claims'] ?? null, policy)
  const personal = {
    name: subject.name,
    social_name: subject.socialName,
    birthdate: subject.birthDate,
    cpf: subject.cpf,
    ...(subject.email && { email: subject.email.address, email_verified: subject.email.verified }),
    ...(subject.phone && { phone_number: subject.phone.number, phone_number_verified: subject.phone.verified }),
  }
  return {
    sub: subject.accountId,
    ...Object.fromEntries(Object.entries(personal).filter(([claim]) => mayTell(policy, claim))),
    ...(use === 'id_token' && standing && { aal: `aal${standing.aal}`, face_time: standing.faceAt && epoch(standing.faceAt) }),
    ...(verified && {
      verified_claims: verifiedClaims(verified, subject, await deps.ports.listEvidence(subject.accountId), {
        now: deps.clock.now(),
        authority: use === 'userinfo' ? authorityOf(deps, ctx) : undefined,
      }),
    }),
    ...(await actingClaims(deps, ctx, subject.accountId, new Set(scope.split(' ')))),
  }
}

/** For whom the tokens of this request are; nothing for a person alone, nor for a relying party that did not register for it. */
async function actingClaims({ acting, policyOf }: FindAccountDeps, ctx: ProviderContext, accountId: string, scopes: ReadonlySet<string>): Promise<JsonObject> {
  const policy = policyOf(ctx)
  if (!policy.representation) return {}
  const representation = acting.representations.current(ctx)?.representation
  return {
    ...(representation && (await representationClaims(policy, representation, { scopes, subjectOf: acting.subjectOf(ctx) }))),
    ...(policy.delegationClaims === 'representee' &&
      scopes.has(LIST_SCOPE) && { representee_list: representeeList(await acting.representations.options(accountId, policy)) }),
  }
}

function authorityOf({ acting }: FindAccountDeps, ctx: ProviderContext): readonly JsonObject[] | undefined {
  const representation = acting.representations.current(ctx)?.representation
  return representation && authority(representation, ctx.oidc.client.clientId)
}

function epoch(date: Date | undefined): number {
  return date ? Math.floor(date.getTime() / 1000) : 0
}
