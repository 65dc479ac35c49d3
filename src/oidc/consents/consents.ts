import type { GrantInstance, Provider, ProviderContext } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { AuditPort } from '../ports.ts'
import type { Representations } from '../representation/representations.ts'
import { type Consent, findConsent, listConsents, upsertConsent, withdrawConsent } from './consent.store.ts'

export interface ConsentDeps {
  readonly db: Database
  readonly clock: Clock
  readonly audit: AuditPort
  readonly server: {
    readonly policyOf: (ctx: ProviderContext) => ClientPolicy
    readonly provider: () => Provider
    /** Kills grants and what hangs on them. */
    readonly revokeGrants: (accountId: string, clientId: string) => Promise<number>
    /** A grant is for one party: for whom the citizen acts in this authorization decides whether one can be used again. */
    readonly acting: () => Pick<Representations, 'fits' | 'bind'>
  }
}

/** What is asked for and not granted yet. */
export interface Wanted {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: Readonly<Record<string, readonly string[]>>
}

export interface GivenConsent {
  readonly accountId: string
  readonly clientId: string
  /** The grant of this session, to extend it. */
  readonly grantId?: string | undefined
  readonly wanted: Wanted
  /** Optional scopes that the person leaves out. */
  readonly declined?: readonly string[]
}

export interface Consents {
  /** The provider's `loadExistingGrant`: the session's grant, extended by what was agreed before, or `undefined` to ask. */
  load(ctx: ProviderContext): Promise<GrantInstance | undefined>
  /** Records an agreement and returns the id of the grant that bears it. */
  give(given: GivenConsent): Promise<string>
  list(accountId: string): Promise<Consent[]>
  /** Ends an agreement: every token under it is dead when this is done. */
  withdraw(accountId: string, clientId: string): Promise<void>
  /** Ends all agreements of an account that closes, in the caller's transaction; its tokens go with its sessions. */
  withdrawAll(tx: Sql, accountId: string): Promise<void>
}

/** Claims that say nothing about a person beyond the sign-in itself; no consent is asked for them (as the provider does). */
const UNASKED = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss', 'aal', 'face_time'])

/**
 * Agreements between people and relying parties.
 *
 * An agreement is remembered by person and client; the provider's grant is of one session and client. So a stolen refresh token or a
 * replayed code, which kills its grant, ends that one session there, and the person is not asked again everywhere.
 */
export function createConsents(deps: ConsentDeps): Consents {
  const { db, clock, audit } = deps

  async function end(tx: Sql, accountId: string, clientId: string): Promise<void> {
    if (!(await withdrawConsent(tx, accountId, clientId, clock.now()))) return
    const actor = { kind: 'citizen', id: accountId } as const
    await audit.record(tx, { type: 'oidc/consent-withdrawn', actor, subject: accountId, clientId, data: {} })
  }

  /** Dated by our clock, as sign-ins are: what a recovery ends is known by when it began. */
  const newGrant = ({ Grant }: Provider, accountId: string, clientId: string) =>
    new Grant({ accountId, clientId, iat: Math.floor(clock.now().getTime() / 1000) })

  async function bound(ctx: ProviderContext, grant: GrantInstance | undefined): Promise<GrantInstance | undefined> {
    if (grant) await deps.server.acting().bind(ctx, grant)
    return grant
  }

  return {
    async load(ctx) {
      const { oidc } = ctx
      const accountId = oidc.account?.accountId
      if (accountId === undefined) return undefined
      const known = await sessionGrant(ctx, accountId)
      const stored = known && (await deps.server.acting().fits(ctx, known.jti)) ? known : undefined
      const wanted = wantedBeyond(ctx, stored)
      const { firstParty } = deps.server.policyOf(ctx)
      if (isNothing(wanted) || (!firstParty && isToBeAsked(ctx))) return bound(ctx, stored)
      const consent = firstParty ? undefined : await findConsent(db, accountId, oidc.client.clientId)
      if (!firstParty && !covers(consent, wanted)) return stored
      const grant = stored ?? newGrant(oidc.provider, accountId, oidc.client.clientId)
      extend(grant, wanted, consent?.declined)
      await grant.save()
      return bound(ctx, grant)
    },

    async give({ accountId, clientId, grantId, wanted, declined = [] }) {
      const provider = deps.server.provider()
      // Who takes something back that was given before takes it from every token that bears it.
      const before = declined.length > 0 ? await findConsent(db, accountId, clientId) : undefined
      const isNarrower = before?.scopes.some((scope) => declined.includes(scope)) === true
      if (isNarrower) await deps.server.revokeGrants(accountId, clientId)
      const stored = grantId === undefined || isNarrower ? undefined : await provider.Grant.find(grantId)
      const grant = stored?.accountId === accountId && stored.clientId === clientId ? stored : newGrant(provider, accountId, clientId)
      extend(grant, { ...wanted, scopes: [...wanted.scopes, ...declined] }, declined)
      const id = await grant.save()
      const consent = { accountId, clientId, scopes: scopeEntries(wanted), claims: wanted.claims, declined, grantedAt: clock.now() }
      const data = { scopes: [...consent.scopes], claims: [...consent.claims], ...(declined.length > 0 && { declined: [...declined] }) }
      const actor = { kind: 'citizen', id: accountId } as const
      await upsertConsent(db, { ...consent, grantId: id }, audit.prepare({ type: 'oidc/consent-given', actor, subject: accountId, clientId, data }))
      return id
    },

    list: (accountId) => listConsents(db, accountId),

    async withdraw(accountId, clientId) {
      await db.transaction((tx) => end(tx, accountId, clientId))
      await deps.server.revokeGrants(accountId, clientId)
    },

    async withdrawAll(tx, accountId) {
      for (const { clientId } of await listConsents(tx, accountId)) await end(tx, accountId, clientId)
    },
  }
}

/** `prompt=consent` not answered yet: the person will say, so nothing is taken from what was agreed before. */
function isToBeAsked({ oidc }: ProviderContext): boolean {
  return oidc.prompts.has('consent') && oidc.result?.['consent'] === undefined
}

async function sessionGrant({ oidc }: ProviderContext, accountId: string): Promise<GrantInstance | undefined> {
  const consented = oidc.result?.['consent']
  const fromResult: unknown = typeof consented === 'object' && consented !== null ? Reflect.get(consented, 'grantId') : undefined
  const grantId = typeof fromResult === 'string' ? fromResult : oidc.session?.grantIdFor(oidc.client.clientId)
  const grant = grantId === undefined ? undefined : await oidc.provider.Grant.find(grantId)
  return grant?.accountId === accountId && grant.clientId === oidc.client.clientId ? grant : undefined
}

/** What this request asks for beyond a grant. */
function wantedBeyond({ oidc }: ProviderContext, grant: GrantInstance | undefined): Wanted {
  const scopes = new Set(grant?.getOIDCScopeEncountered().split(' '))
  const claims = new Set(grant?.getOIDCClaimsEncountered())
  const resources = Object.entries(oidc.resourceServers).flatMap(([indicator, server]) => {
    const known = new Set(grant?.getResourceScopeEncountered(indicator).split(' '))
    const missing = [...oidc.requestParamScopes].filter((scope) => server.scopes.has(scope) && !known.has(scope))
    return missing.length > 0 ? [[indicator, missing] as const] : []
  })
  return {
    scopes: [...oidc.requestParamOIDCScopes].filter((scope) => !scopes.has(scope)),
    claims: [...oidc.requestParamClaims].filter((claim) => !claims.has(claim) && !UNASKED.has(claim)),
    resources: Object.fromEntries(resources),
  }
}

function isNothing({ scopes, claims, resources }: Wanted): boolean {
  return scopes.length === 0 && claims.length === 0 && Object.keys(resources).length === 0
}

/** Scopes as they are remembered; those of a resource server carry its indicator. */
function scopeEntries({ scopes, resources }: Wanted): string[] {
  return [...scopes, ...Object.entries(resources).flatMap(([indicator, own]) => own.map((scope) => `${indicator} ${scope}`))]
}

function covers(consent: Consent | undefined, wanted: Wanted): boolean {
  if (!consent) return false
  const answered = [...consent.scopes, ...consent.declined]
  return (
    scopeEntries(wanted).every((scope) => answered.includes(scope)) && wanted.claims.every((claim) => consent.claims.includes(claim))
  )
}

/** Of `scopes` those of `declined` are noted as refused: the provider asks for them no more and leaves them out of every token. */
function extend(grant: GrantInstance, { scopes, claims, resources }: Wanted, declined: readonly string[] = []): void {
  const [refused, given] = [scopes.filter((scope) => declined.includes(scope)), scopes.filter((scope) => !declined.includes(scope))]
  if (given.length > 0) {
    grant.addOIDCScope(given.join(' '))
    const still = grant.getRejectedOIDCScope().split(' ').filter((scope) => scope !== '' && !given.includes(scope))
    grant.rejected = still.length > 0 ? { openid: { scope: still.join(' ') } } : undefined
  }
  if (refused.length > 0) grant.rejectOIDCScope(refused.join(' '))
  if (claims.length > 0) grant.addOIDCClaims([...claims])
  for (const [indicator, own] of Object.entries(resources)) grant.addResourceScope(indicator, own.join(' '))
}
