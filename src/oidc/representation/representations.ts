import { errors, type GrantInstance, type ProviderContext, type TokenInstance } from 'oidc-provider'
import { isLevelAtLeast, type Level } from '../../assurance/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { Representation, RepresentationPort, Standing } from '../ports.ts'
import { type Acting, type Choice, endByGrant, findChoice, insertChoice } from './representation.store.ts'

/** "Eu mesmo", as the picker and the switch name it. */
export const SELF = 'self'
/** The prompt in which a citizen says for whom they act (OpenID Connect Core 3.1.2.1). */
export const SELECT_PARTY = 'select_account'

/** For whom the tokens of this request are made. */
export interface Current {
  readonly choice: Choice | undefined
  /** `undefined`: for the person alone. */
  readonly representation: Representation | undefined
  /** The grant was for another party until now. */
  readonly isSwitch: boolean
}

export interface RepresentationsDeps {
  readonly db: Database
  readonly clock: Clock
  readonly register: RepresentationPort
  readonly policyOf: (ctx: ProviderContext) => ClientPolicy
  /** Kills a grant with its tokens. */
  readonly revokeGrant: (grantId: string) => Promise<void>
}

/** Asked only where somebody acts for another. */
export type LevelOf = () => Promise<Level | undefined>

/** Acting for somebody else, at the moments at which the protocol decides. */
export interface Representations {
  /** What the person may choose at a relying party with this policy, besides themself. */
  options(accountId: string, policy: ClientPolicy): Promise<readonly Representation[]>
  /** Whether the citizen must say, in this authorization, for whom they act. */
  mustAsk(ctx: ProviderContext): Promise<boolean>
  /** Whether a grant of this session and client is one for whom the citizen acts in this authorization. */
  fits(ctx: ProviderContext, grantId: string): Promise<boolean>
  /** Binds the grant of this authorization to what the citizen said; the grant before it ends. */
  bind(ctx: ProviderContext, grant: GrantInstance): Promise<void>
  /** The moment of truth of an exchange. @throws {OIDCProviderError} invalid_grant */
  renew(ctx: ProviderContext, token: TokenInstance, standing: Standing): Promise<void>
  /** The same of an access token that is presented here; false when it is of no use any more. `levelOf`: of the person who acts, now. */
  present(ctx: ProviderContext, token: TokenInstance, levelOf: LevelOf): Promise<boolean>
  /** Whether a token of a client with this policy still says the truth about for whom it acts, and may at this level. */
  isLive(token: TokenInstance, policy: ClientPolicy, levelOf: LevelOf): Promise<boolean>
  current(ctx: ProviderContext): Current | undefined
  /** The exchange of this request is to turn to this party: `SELF` or a document. */
  turnTo(ctx: ProviderContext, party: string): void
}

/** What a person may do at a relying party is what its agencies' namespaces hold; the federal login's shape knows people only. */
function isOffered({ delegationClaims }: ClientPolicy, { represented }: Representation): boolean {
  return delegationClaims !== 'govbr' || represented.type === 'PF'
}

export function createRepresentations(deps: RepresentationsDeps): Representations {
  const { db, clock, register, policyOf } = deps
  const currents = new WeakMap<ProviderContext, Current>()
  const turns = new WeakMap<ProviderContext, string>()

  async function find(accountId: string, id: string, policy: ClientPolicy): Promise<Representation | undefined> {
    const found = policy.representation ? await register.find(accountId, id, policy.representationNamespaces) : undefined
    return found && isOffered(policy, found) ? found : undefined
  }

  async function options(accountId: string, policy: ClientPolicy): Promise<readonly Representation[]> {
    if (!policy.representation) return []
    return (await register.list(accountId, policy.representationNamespaces)).filter((one) => isOffered(policy, one))
  }

  async function isStill(choice: Choice, policy: ClientPolicy): Promise<boolean> {
    if (choice.endedAt) return false
    return choice.acting === undefined || (await find(choice.accountId, choice.acting.id, policy)) !== undefined
  }

  /** What a token's choice bears for a person at this level. */
  async function borne({ accountId, acting }: Choice, policy: ClientPolicy, levelOf: LevelOf): Promise<Representation | undefined> {
    const found = acting && (await find(accountId, acting.id, policy))
    if (!found) return undefined
    const level = await levelOf()
    return level !== undefined && isLevelAtLeast(level, found.minimumLevel) ? found : undefined
  }

  /** For whom the exchange turns; only for relying parties that may switch without a new sign-in. */
  async function turned(party: string, accountId: string, policy: ClientPolicy): Promise<Representation | undefined> {
    if (party === SELF) return undefined
    const found = (await options(accountId, policy)).find(({ represented }) => represented.document === party)
    if (!found) throw new errors.InvalidScope('the end-user does not represent this party', `representee.BR${party}`)
    return found
  }

  return {
    options,
    current: (ctx) => currents.get(ctx),
    turnTo: (ctx, party) => void turns.set(ctx, party),

    async mustAsk(ctx) {
      const { account, session, client } = ctx.oidc
      const policy = policyOf(ctx)
      if (!policy.representation || !account) return false
      const answer = answerOf(ctx)
      if (answer !== undefined) return answer !== SELF && (await find(account.accountId, answer, policy)) === undefined
      if (ctx.oidc.promptPending(SELECT_PARTY)) return true
      const grantId = session?.grantIdFor(client.clientId)
      const choice = grantId === undefined ? undefined : await findChoice(db, grantId)
      if (choice?.accountId === account.accountId && (choice.acting || !choice.endedAt)) return !(await isStill(choice, policy))
      return (await options(account.accountId, policy)).length > 0
    },

    async fits(ctx, grantId) {
      if (!policyOf(ctx).representation) return true
      const answer = answerOf(ctx)
      const choice = await findChoice(db, grantId)
      if (choice?.endedAt) return false
      if (answer === undefined) return true
      if (choice) return (choice.acting?.id ?? SELF) === answer
      return answer === SELF || ctx.oidc.session?.grantIdFor(ctx.oidc.client.clientId) !== grantId
    },

    async bind(ctx, grant) {
      const answer = answerOf(ctx)
      const { session, client, account } = ctx.oidc
      if (answer === undefined || !account || !session || !policyOf(ctx).representation) return
      const found = answer === SELF ? undefined : await find(account.accountId, answer, policyOf(ctx))
      if (answer !== SELF && !found) throw new errors.AccessDenied('what the end-user chose to represent is over')
      const { accountId } = account
      const choice = { grantId: grant.jti, accountId, clientId: client.clientId, sessionUid: session.uid, acting: found && actingOf(found) }
      if (!(await insertChoice(db, choice, clock.now())) && (await findChoice(db, grant.jti))?.acting?.id !== found?.id)
        throw new errors.AccessDenied('this grant is for somebody else')
      const before = session.grantIdFor(client.clientId)
      if (before === undefined || before === grant.jti) return
      await endByGrant(db, before, 'switched', clock.now())
      await deps.revokeGrant(before)
    },

    async renew(ctx, token, standing) {
      const policy = policyOf(ctx)
      const { grantId, accountId } = token
      if (!policy.representation || grantId === undefined || accountId === undefined) return
      const choice = await findChoice(db, grantId)
      if (choice?.endedAt) throw new errors.InvalidGrant('the representation is over')
      const turn = turns.get(ctx)
      const id = choice?.acting?.id
      const representation = turn === undefined ? id && (await find(accountId, id, policy)) : await turned(turn, accountId, policy)
      if (turn === undefined && id !== undefined && !representation) throw new errors.InvalidGrant('the representation is over')
      if (representation && !isLevelAtLeast(standing.level, representation.minimumLevel))
        throw new errors.InvalidGrant('no longer at the level that the representation demands')
      currents.set(ctx, { choice, representation: representation || undefined, isSwitch: (representation || undefined)?.id !== id })
    },

    async present(ctx, token, levelOf) {
      const policy = policyOf(ctx)
      if (!policy.representation || token.grantId === undefined || token.accountId === undefined) return true
      const choice = await findChoice(db, token.grantId)
      if (choice?.endedAt || choice?.acting?.id !== mandateIn(token)) return false
      const representation = choice && (await borne(choice, policy, levelOf))
      if (choice?.acting && !representation) return false
      currents.set(ctx, { choice, representation, isSwitch: false })
      return true
    },

    async isLive(token, policy, levelOf) {
      const isBound = mandateIn(token) !== undefined
      if ((!isBound && !policy.representation) || token.grantId === undefined) return true
      const choice = await findChoice(db, token.grantId)
      if (choice === undefined) return !isBound
      if (isBound && choice.acting?.id !== mandateIn(token)) return false
      if (choice.endedAt) return false
      return choice.acting === undefined || (await borne(choice, policy, levelOf)) !== undefined
    },
  }
}

export function actingOf({ id, mandateId, represented }: Representation): Acting {
  return { id, mandateId, partyId: represented.partyId }
}

/** What the citizen said in the picker of this authorization. */
function answerOf({ oidc }: ProviderContext): string | undefined {
  const answer = oidc.result?.[SELECT_PARTY]
  const id: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'id') : undefined
  return typeof id === 'string' ? id : undefined
}

/** The mandate that an access token was made under. */
function mandateIn({ extra }: TokenInstance): string | undefined {
  const id = extra?.['mandate_id']
  return typeof id === 'string' ? id : undefined
}
