import { type Check, interactionPolicy, type Prompt, type ProviderContext } from 'oidc-provider'
import { findShortfall, type Requirement, type Shortfall } from '../../assurance/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { ClientPolicy } from '../clients/client.ts'
import type { Standing } from '../ports.ts'
import { keepEssentialAcr, keepFaceFreshness, requirementOf } from './requirement.ts'
import { partyPrompt } from '../representation/prompt.ts'
import type { Representations } from '../representation/representations.ts'
import type { Standings } from './standing.ts'

export interface PromptDeps {
  readonly standings: Standings
  readonly representations: Pick<Representations, 'mustAsk'>
  readonly policyOf: (ctx: ProviderContext) => ClientPolicy
  readonly clock: Clock
}

export const STEP_UP = 'step_up'

/**
 * The questions of an authorization in their order: who are you, can you show more, for whom do you act, do you agree.
 *
 * `login` is the provider's own without its acr checks; `step_up` is ours and decides by live evidence; `consent` is the provider's own,
 * which never asks for the state's own clients.
 */
export function createPrompts(deps: PromptDeps): Prompt[] {
  const policy = interactionPolicy.base()
  adaptLogin(deps, policy.get('login'))
  policy.add(stepUpPrompt(deps), 1)
  policy.add(partyPrompt(deps.representations, deps.policyOf), 2)
  adaptConsent(deps, policy.get('consent'))
  return policy
}

function adaptLogin(deps: PromptDeps, login: Prompt): void {
  for (const reason of ['essential_acrs', 'essential_acr', 'max_age']) login.checks.remove(reason)
  login.checks.add(
    new interactionPolicy.Check(
      'account_unavailable',
      'the account of the session can not be used',
      'login_required',
      ({ oidc }) => Boolean(oidc.session?.accountId) && oidc.account === undefined,
    ),
  )
  login.checks.add(
    new interactionPolicy.Check('session_over', 'End-User authentication is required', 'login_required', (ctx) => isOver(deps, ctx)),
  )
  login.checks.add(
    new interactionPolicy.Check('max_age', 'End-User authentication could not be obtained', 'login_required', (ctx) => isTooOld(deps, ctx)),
  )
}

/** "Sair deste aparelho", idleness or age ended the sign-in behind this cookie, whatever the provider's own session still says. */
async function isOver({ standings }: PromptDeps, ctx: ProviderContext): Promise<boolean> {
  const { session, result } = ctx.oidc
  if (!session?.accountId || result?.['login'] !== undefined) return false
  return (await standings.of(ctx, session.accountId, session.uid))?.isLive !== true
}

/** `max_age` beside a demand for a face check is about the face (step-up): a face with liveness is an authentication of its own. */
function isTooOld(deps: PromptDeps, ctx: ProviderContext): boolean {
  const { params, session, result } = ctx.oidc
  const maxAge = params?.['max_age']
  if (maxAge === undefined || result?.['login'] !== undefined) return false
  if (!session?.accountId) return true
  return requirementFor(deps, ctx).face === undefined && session.past(maxAge)
}

/** What this authorization demands, with everything kept that its code will be checked against. */
function requirementFor({ policyOf, clock }: PromptDeps, ctx: ProviderContext): Requirement {
  const { claims, params, prompts, result } = ctx.oidc
  const maxAge = params?.['max_age']
  const signedInAt = member(result?.['login'], 'ts')
  const now = clock.now()
  keepEssentialAcr(claims, params?.['claims'])
  keepFaceFreshness(claims, {
    now,
    maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
    signedInAt: prompts.has('login') && typeof signedInAt === 'number' ? signedInAt : undefined,
    isDoneHere: member(result?.[STEP_UP], 'done') === 'face',
  })
  return requirementOf(claims, policyOf(ctx), now)
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

interface Judgement {
  readonly requirement: Requirement
  readonly standing: Standing | undefined
  readonly shortfall: Shortfall | undefined
}

async function judge(deps: PromptDeps, ctx: ProviderContext): Promise<Judgement> {
  const requirement = requirementFor(deps, ctx)
  const { session } = ctx.oidc
  const standing = session?.accountId ? await deps.standings.of(ctx, session.accountId, session.uid) : undefined
  const shortfall = standing ? findShortfall(requirement, standing, deps.clock.now()) : 'aal'
  return { requirement, standing, shortfall }
}

function stepUpPrompt(deps: PromptDeps): Prompt {
  const check: Check = new interactionPolicy.Check(
    'assurance',
    'the required assurance could not be obtained',
    'unmet_authentication_requirements',
    async (ctx) => (await judge(deps, ctx)).shortfall !== undefined,
    async (ctx) => {
      const { requirement, standing, shortfall } = await judge(deps, ctx)
      return { requirement, shortfall, ...(standing && { level: standing.level, aal: standing.aal }) }
    },
  )
  return new interactionPolicy.Prompt({ name: STEP_UP, requestable: false }, () => ({}), check)
}

function adaptConsent({ policyOf }: PromptDeps, consent: Prompt): void {
  for (const reason of ['consent_prompt', 'native_client_prompt']) {
    const check = consent.checks.get(reason)
    if (!check) throw new Error(`the provider has no check ${reason}`)
    const ask = check.check
    check.check = (ctx) => !policyOf(ctx).firstParty && ask(ctx)
  }
}
