import type { ClientInstance, InteractionInstance, JsonObject } from 'oidc-provider'
import { z } from 'zod'
import { type HttpContext, scopeOf } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { type FlowState, firstStep, nextStep, promptOf, type Step, type StepEvent } from './flow.ts'
import type { FlowStates } from './flow-state.ts'
import { INTERACTION_PROBLEMS } from './problems.ts'
import type { InteractionResult, InteractionServer } from './result.ts'

/** The relying party as the pages name it. */
export interface ClientCard {
  readonly id: string
  readonly name: string
  readonly logoUri: string | undefined
  readonly homeUri: string | undefined
  readonly privacyUri: string | undefined
  readonly termsUri: string | undefined
  /** Where the browser goes at the end; for the page's form-action. */
  readonly redirectUris: readonly string[]
}

/** One citizen on one page of one interaction of this browser. */
export interface Visit {
  readonly uid: string
  readonly prompt: InteractionInstance['prompt']
  readonly params: InteractionInstance['params']
  readonly session: InteractionInstance['session']
  readonly grantId: string | undefined
  /** For whom the person said that they act, earlier in this interaction. */
  readonly chosen: string | undefined
  readonly client: ClientCard
  readonly state: FlowState
}

/** Opens and ends interactions; the provider's cookie says whether this browser owns one. */
export interface Visits {
  /**
   * @throws {Problem} oidc/interaction-lost when it ended, is too old or belongs to another browser;
   *   oidc/step-out-of-order when the page asked for is not where the citizen stands.
   */
  open(ctx: HttpContext, uid: string, steps?: readonly Step[]): Promise<Visit>
  /** Takes one step of the table and remembers it, with what `change` adds. */
  advance(ctx: HttpContext, visit: Visit, event: StepEvent, change?: Partial<FlowState>): Promise<Visit>
  /** Remembers something more on the same step. */
  remember(ctx: HttpContext, visit: Visit, change: Partial<FlowState>): Promise<Visit>
  /** Hands the result to the provider and sends the browser on to the relying party. */
  finish(ctx: HttpContext, visit: Visit, result: InteractionResult): Promise<void>
  /** The relying party that this browser last came from, for the page of a lost interaction. */
  lastClient(ctx: HttpContext): Promise<ClientCard | undefined>
}

const CLIENT_COOKIE = 'origem'
/**
 * Says that there may be a remembered step to look for. Most sign-ins need none and save the look-up; a browser that drops the
 * cookie stands at the first step again, which is always safe.
 */
const STEP_COOKIE = 'passo'

/** Visits over the provider's interactions and our own step memory. */
export function createVisits({ server, states }: { server: () => InteractionServer; states: FlowStates }): Visits {
  async function open(ctx: HttpContext, uid: string, steps?: readonly Step[]): Promise<Visit> {
    const details = await detailsOf(server(), ctx, uid)
    const clientId = String(details.params['client_id'])
    const client = await server().Client.find(clientId)
    if (client === undefined) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
    const first = firstStep(details.prompt.name)
    const stored = scopeOf(ctx).cookies.read(ctx, STEP_COOKIE) === undefined ? undefined : await states.find(uid)
    const state: FlowState = stored !== undefined && promptOf(stored.step) === promptOf(first) ? stored : { step: first }
    if (steps !== undefined && !steps.includes(state.step)) throw new Problem(INTERACTION_PROBLEMS.stepOutOfOrder)
    if (typeof details.params['ui_locales'] === 'string') ctx.state.uiLocales = details.params['ui_locales']
    const { prompt, params, session, grantId } = details
    return { uid, prompt, params, session, grantId, chosen: chosenIn(details.lastSubmission), client: cardOf(client), state }
  }

  async function save(ctx: HttpContext, visit: Visit, state: FlowState): Promise<Visit> {
    await states.save(visit.uid, state)
    scopeOf(ctx).cookies.write(ctx, STEP_COOKIE, '1')
    return { ...visit, state }
  }

  async function finish(ctx: HttpContext, visit: Visit, result: InteractionResult): Promise<void> {
    const returnTo = await server().interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true })
    if (visit.state.step !== firstStep(visit.prompt.name)) await states.forget(visit.uid)
    ctx.status = 303
    ctx.redirect(returnTo)
  }

  return {
    open,
    advance: (ctx, visit, event, change) => save(ctx, visit, { ...visit.state, ...change, step: nextStep(visit.state.step, event) }),
    remember: (ctx, visit, change) => save(ctx, visit, { ...visit.state, ...change }),
    finish,
    async lastClient(ctx) {
      const id = scopeOf(ctx).cookies.read(ctx, CLIENT_COOKIE)
      const client = id === undefined ? undefined : await server().Client.find(Buffer.from(id, 'base64url').toString('utf8'))
      return client && cardOf(client)
    },
  }
}

/** Path parameter of every page of an interaction. */
export const uidParams = z.object({ uid: z.string().regex(/^[\w-]{16,64}$/) })

/** The account whose session asks; prompts after the first have one. */
export function accountOf(visit: Visit): string {
  const accountId = visit.session?.accountId
  if (accountId === undefined) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
  return accountId
}

/** Of the authorization request: what is proved in this interaction is proved for its sake. */
export function nonceOf({ params }: Pick<Visit, 'params'>): string | undefined {
  return typeof params['nonce'] === 'string' ? params['nonce'] : undefined
}

/** Leaves in the browser which relying party it came from: no secret, and only ever looked up among the registered ones. */
export function rememberClient(ctx: HttpContext, { client }: Visit): void {
  const value = Buffer.from(client.id).toString('base64url')
  const { cookies } = scopeOf(ctx)
  if (cookies.read(ctx, CLIENT_COOKIE) !== value) cookies.write(ctx, CLIENT_COOKIE, value)
}

async function detailsOf(server: InteractionServer, ctx: HttpContext, uid: string): Promise<InteractionInstance> {
  try {
    const details = await server.interactionDetails(ctx.req, ctx.res)
    if (details.uid === uid) return details
  } catch (error) {
    if (!isSessionNotFound(error)) throw error
  }
  throw new Problem(INTERACTION_PROBLEMS.interactionLost)
}

function chosenIn(submission: JsonObject | undefined): string | undefined {
  const answer = submission?.['select_account']
  const id: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'id') : undefined
  return typeof id === 'string' ? id : undefined
}

function isSessionNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === 'SessionNotFound'
}

function cardOf(client: ClientInstance): ClientCard {
  return {
    id: client.clientId,
    name: client.clientName ?? client.clientId,
    logoUri: webAddress(client.logoUri),
    homeUri: webAddress(client.clientUri),
    privacyUri: webAddress(client.policyUri),
    termsUri: webAddress(client.tosUri),
    redirectUris: client.redirectUris ?? [],
  }
}

/** Only http(s): an address that a relying party registered must not become a script. */
function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined
}
