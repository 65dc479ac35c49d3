import type { IncomingMessage, ServerResponse } from 'node:http'
import type { InteractionInstance, JsonObject, Provider } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Requirement, Shortfall } from '../assurance/index.ts'
import { parseRequirement } from '../assurance/index.ts'
import { Problem } from '../platform/problem.ts'
import type { ClientPolicy } from './clients/client.ts'
import type { Consents, Wanted } from './consents/consents.ts'
import { OIDC_PROBLEMS } from './problems.ts'
import { STEP_UP } from './policy/prompts.ts'

/** Any koa context, or anything else with Node's request and answer. */
export interface InteractionContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export interface ClientView {
  readonly id: string
  readonly name: string
  readonly uri: string | undefined
  readonly logoUri: string | undefined
  readonly policyUri: string | undefined
  readonly tosUri: string | undefined
  readonly firstParty: boolean
}

/** Everything that a page of an interaction may know about the request that it serves. */
export interface InteractionView {
  readonly uid: string
  readonly prompt: 'login' | 'step_up' | 'consent'
  /** Why it is shown: `no_session`, `login_prompt`, `max_age`, `account_unavailable`, `assurance`, `op_scopes_missing`, … */
  readonly reasons: readonly string[]
  readonly client: ClientView
  readonly requirement: Requirement
  /** What is missing, when the prompt is `step_up`. */
  readonly shortfall: Shortfall | undefined
  /** The session in which it happens: absent before the first login. */
  readonly session: { readonly uid: string; readonly accountId: string } | undefined
  /** All scopes asked for; and what consent is still missing. */
  readonly scopes: readonly string[]
  readonly wanted: Wanted
  readonly loginHint: string | undefined
  readonly uiLocales: readonly string[]
  /** True when a device waits for it and no browser goes back to a relying party. */
  readonly isDevice: boolean
  /** Where the browser may end up: give it to `allowFormAction`. */
  readonly redirectUris: readonly string[]
}

export interface FinishedLogin {
  readonly accountId: string
  /** Id of the sign-in session that this login began or, when `view.session` is of the same account, renewed. */
  readonly sessionId: string
  readonly amr: readonly string[]
  /** False ends the session with the browser. */
  readonly remember?: boolean | undefined
}

export type Refusal = 'access_denied' | 'unmet_authentication_requirements' | 'login_required' | 'temporarily_unavailable'

/**
 * What the pages do to an authorization that waits for a person.
 *
 * Each function but `details` returns the address to redirect to (303); it stays within this server, and only the browser that began the
 * authorization can use it.
 */
export interface Interactions {
  /** @throws {Problem} oidc/interaction-expired */
  details(ctx: InteractionContext): Promise<InteractionView>
  finishLogin(ctx: InteractionContext, login: FinishedLogin): Promise<string>
  /** After another factor or a face check was recorded with the sign-in session; the authorization judges anew. */
  finishStepUp(ctx: InteractionContext): Promise<string>
  /** Records the agreement to everything in `wanted`. */
  grantConsent(ctx: InteractionContext): Promise<string>
  /** Ends the authorization with an error for the relying party. */
  refuse(ctx: InteractionContext, error: Refusal, description?: string): Promise<string>
}

export interface InteractionDeps {
  readonly provider: Provider
  readonly consents: Consents
  readonly policyOf: (clientId: string) => Promise<ClientPolicy | undefined>
}

export function createInteractions({ provider, consents, policyOf }: InteractionDeps): Interactions {
  async function load(ctx: InteractionContext): Promise<InteractionInstance> {
    try {
      return await provider.interactionDetails(ctx.req, ctx.res)
    } catch (cause) {
      if (cause instanceof errors.InvalidRequest) throw new Problem(OIDC_PROBLEMS.interactionExpired, { cause })
      throw cause
    }
  }

  async function finish(ctx: InteractionContext, result: JsonObject): Promise<string> {
    await load(ctx)
    return provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true })
  }

  return {
    async details(ctx) {
      const interaction = await load(ctx)
      const clientId = interaction.params['client_id'] ?? ''
      const [client, policy] = await Promise.all([provider.Client.find(clientId), policyOf(clientId)])
      if (!client || !policy) throw new Problem(OIDC_PROBLEMS.interactionExpired)
      return {
        ...viewOf(interaction),
        client: {
          id: clientId,
          name: client.clientName ?? clientId,
          uri: client.clientUri,
          logoUri: client.logoUri,
          policyUri: client.policyUri,
          tosUri: client.tosUri,
          firstParty: policy.firstParty,
        },
        redirectUris: [interaction.params['redirect_uri'] ?? ''].filter((uri) => client.redirectUriAllowed(uri)),
      }
    },
    finishLogin: (ctx, { accountId, sessionId, amr, remember = true }) =>
      finish(ctx, { login: { accountId, sessionId, amr: [...amr], remember } }),
    finishStepUp: (ctx) => finish(ctx, { [STEP_UP]: {} }),
    async grantConsent(ctx) {
      const interaction = await load(ctx)
      const accountId = interaction.session?.accountId
      const clientId = interaction.params['client_id']
      if (accountId === undefined || clientId === undefined) throw new Problem(OIDC_PROBLEMS.interactionExpired)
      const grantId = await consents.give(provider, { accountId, clientId, grantId: interaction.grantId, wanted: wantedOf(interaction) })
      return finish(ctx, { consent: { grantId } })
    },
    async refuse(ctx, error, description) {
      await load(ctx)
      const result = { error, ...(description !== undefined && { error_description: description }) }
      return provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false })
    },
  }
}

function viewOf({ uid, prompt, params, session, deviceCode }: InteractionInstance): Omit<InteractionView, 'client' | 'redirectUris'> {
  const { requirement, shortfall } = prompt.details
  const known = prompt.name === STEP_UP || prompt.name === 'consent' ? prompt.name : 'login'
  return {
    uid,
    prompt: known,
    reasons: prompt.reasons,
    requirement: isRequirement(requirement) ? requirement : parseRequirement(words(params['acr_values'])),
    shortfall: shortfall === 'aal' || shortfall === 'level' || shortfall === 'face' || shortfall === 'impossible' ? shortfall : undefined,
    session: session?.uid !== undefined && session.accountId !== undefined ? { uid: session.uid, accountId: session.accountId } : undefined,
    scopes: words(params['scope']),
    wanted: wantedOf({ prompt }),
    loginHint: params['login_hint'],
    uiLocales: words(params['ui_locales']),
    isDevice: deviceCode !== undefined,
  }
}

function wantedOf({ prompt }: Pick<InteractionInstance, 'prompt'>): Wanted {
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details
  const resources = typeof missingResourceScopes === 'object' && missingResourceScopes !== null ? Object.entries(missingResourceScopes) : []
  return {
    scopes: texts(missingOIDCScope),
    claims: texts(missingOIDCClaims),
    resources: Object.fromEntries(resources.map(([indicator, scopes]: [string, unknown]) => [indicator, texts(scopes)])),
  }
}

function isRequirement(value: unknown): value is Requirement {
  return typeof value === 'object' && value !== null
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function words(value: string | undefined): string[] {
  return (value ?? '').split(' ').filter((word) => word !== '')
}
