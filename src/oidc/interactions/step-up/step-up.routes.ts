import Router from '@koa/router'
import { z } from 'zod'
import {
  ACCOUNTS_PROBLEMS,
  type Account,
  type AccountsSettings,
  type Changer,
  type FurtherSteps,
  maskCpf,
  type RecoveryCodes,
  type Sessions,
  type SignIn,
  type SignInSession,
  type Totp,
} from '../../../accounts/index.ts'
import type { Assurance } from '../../../assurance/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database } from '../../../platform/db.ts'
import { type FieldErrors, guard } from '../../../platform/http/guard.ts'
import { type HttpContext, type RequestFacts, requestFacts } from '../../../platform/http/request-facts.ts'
import { isProblem, Problem } from '../../../platform/problem.ts'
import type { StepPage } from '../flow.ts'
import { type Pages, refuseWithWait, toStep } from '../pages.ts'
import { INTERACTION_PROBLEMS } from '../problems.ts'
import { accountIdOf, sessionOf } from '../sign-in/second-factor.routes.ts'
import { nonceOf, uidParams, type Visit, type Visits } from '../visit.ts'
import { shortfallOf } from './step-up-demand.ts'

/** A change of credentials needs a sign-in at most this much younger than the limit, so that there is time to finish. */
const SETUP_SECONDS = 300

const codeForm = z.object({ code: z.string().trim().min(1, 'oidc.interaction.field.code').max(20) })
const passwordForm = z.object({ password: z.string().min(1, 'platform.field.required').max(1024) })

export interface StepUpRouteDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly accounts: StepUpAccounts
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly recentSeconds: AccountsSettings['session']['recentSeconds'] }
  readonly steps: { readonly assurance: Assurance; readonly showFactor: StepPage; readonly showFace: StepPage }
}

export interface StepUpAccounts {
  readonly signIn: SignIn
  readonly steps: Pick<FurtherSteps, 'factorsOf'>
  readonly sessions: Pick<Sessions, 'findLive' | 'addFactor'>
  readonly factors: { readonly totp: Pick<Totp, 'start' | 'confirm'>; readonly recoveryCodes: Pick<RecoveryCodes, 'make'> }
  find(accountId: string): Promise<Account | undefined>
}

interface ConfirmPage {
  readonly errors?: FieldErrors
  readonly refusal?: string
  readonly wait?: { readonly key: string; readonly count: number }
}

/**
 * Step-up: finds out what is missing at this moment and leads there.
 *
 * Nothing missing any more ends it at once, so a crash after the proof and before its page costs the citizen nothing.
 */
export function createStepUpRoutes(deps: StepUpRouteDependencies): {
  router: Router
  show: StepPage
  showSetup: StepPage
  showCodes: StepPage
} {
  const { visits, pages, accounts, platform, steps } = deps
  const { totp, recoveryCodes } = accounts.factors
  const router = new Router()

  async function show(ctx: HttpContext, visit: Visit): Promise<void> {
    const session = await getSession(visit)
    const level = await steps.assurance.levelOf(session.accountId)
    switch (shortfallOf(visit, { ...session, level }, platform.clock.now())) {
      case undefined:
        return visits.finish(ctx, visit, { step_up: { done: 'level' } })
      case 'impossible':
        return refuse(ctx, visit, 'impossible')
      case 'aal':
        return showAal(ctx, visit, session)
      default:
        return steps.showFace(ctx, visit)
    }
  }

  function refuse(ctx: HttpContext, visit: Visit, reason: 'impossible' | 'held'): void {
    pages.show(ctx, visit, 'step-up-refused', { reason })
  }

  async function showAal(ctx: HttpContext, visit: Visit, session: SignInSession): Promise<void> {
    if ((await accounts.steps.factorsOf(session.accountId)).length > 0) return steps.showFactor(ctx, visit)
    const ageSeconds = (platform.clock.now().getTime() - session.authenticatedAt.getTime()) / 1000
    if (ageSeconds > platform.recentSeconds - SETUP_SECONDS) return showConfirm(ctx, visit)
    return startSetup(ctx, visit, session)
  }

  async function showConfirm(ctx: HttpContext, visit: Visit, page: ConfirmPage = {}): Promise<void> {
    const account = await accounts.find(accountIdOf(visit))
    const fixedCpf = account && maskCpf(account.citizen.reveal().cpf)
    pages.show(ctx, visit, 'confirm-password', { ...page, fixedCpf })
  }

  async function startSetup(ctx: HttpContext, visit: Visit, session: SignInSession): Promise<void> {
    try {
      const setup = await totp.start(changerOf(ctx, session))
      return showSetup(ctx, await visits.advance(ctx, visit, 'setup-started', { setup }))
    } catch (error) {
      if (!isProblem(error, ACCOUNTS_PROBLEMS.changesHeld)) throw error
      return refuse(ctx, visit, 'held')
    }
  }

  async function showSetup(ctx: HttpContext, visit: Visit, page: ConfirmPage = {}): Promise<void> {
    const { setup } = visit.state
    if (setup === undefined) return startOver(ctx, visit)
    const { default: QRCode } = await import('qrcode')
    const svg = await QRCode.toString(setup.uri, { type: 'svg', margin: 0 })
    const secret = setup.secret.replace(/.{4}(?=.)/g, '$& ')
    pages.show(ctx, visit, 'factor-setup', { ...page, qr: `data:image/svg+xml,${encodeURIComponent(svg)}`, secret, otpUri: setup.uri })
  }

  async function startOver(ctx: HttpContext, visit: Visit): Promise<void> {
    await visits.advance(ctx, visit, 'start-over', { setup: undefined })
    toStep(ctx, visit)
  }

  /** The sign-in behind the interaction, when it is still the same person's. */
  async function getSession(visit: Visit): Promise<SignInSession> {
    const session = await accounts.sessions.findLive(sessionOf(visit))
    if (session?.accountId !== accountIdOf(visit)) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
    return session
  }

  /** The code proves the new factor, so it counts for this session at once. */
  async function confirmSetup(ctx: HttpContext, visit: Visit, code: string): Promise<void> {
    const session = await getSession(visit)
    const changer = changerOf(ctx, session)
    try {
      await totp.confirm(changer, { factorId: visit.state.setup?.factorId ?? '', code })
    } catch (error) {
      return setupFailed(ctx, visit, error)
    }
    await platform.db.transaction((tx) => accounts.sessions.addFactor(tx, session.id, { accountId: session.accountId, added: ['otp'], nonce: nonceOf(visit) }))
    await visits.advance(ctx, visit, 'setup-confirmed', { setup: undefined, codes: await recoveryCodes.make(changer) })
    toStep(ctx, visit)
  }

  async function setupFailed(ctx: HttpContext, visit: Visit, error: unknown): Promise<void> {
    if (isProblem(error, ACCOUNTS_PROBLEMS.wrongCode)) {
      ctx.status = 422
      return showSetup(ctx, visit, { errors: { code: 'oidc.interaction.setup.refused' } })
    }
    if (isProblem(error, ACCOUNTS_PROBLEMS.tooManyAttempts)) {
      const wait = refuseWithWait(ctx, error.retryAfterSeconds ?? 60)
      return showSetup(ctx, visit, { refusal: 'oidc.interaction.factor.wait', wait })
    }
    const isOver = isProblem(error, ACCOUNTS_PROBLEMS.unknownFactor) || isProblem(error, ACCOUNTS_PROBLEMS.reauthenticationNeeded)
    if (!isOver) throw error
    return startOver(ctx, visit)
  }

  async function confirmPassword(ctx: HttpContext, visit: Visit, password: string, facts: RequestFacts): Promise<void> {
    const account = await accounts.find(accountIdOf(visit))
    const cpf = account?.citizen.reveal().cpf ?? ''
    const result = await accounts.signIn({ cpf, password, facts, binding: visit.uid, sessionId: sessionOf(visit) })
    if (result.kind === 'signed-in' || result.kind === 'second-factor') return toStep(ctx, visit)
    if (result.kind === 'wait') {
      return showConfirm(ctx, visit, { refusal: 'oidc.interaction.login.wait', wait: refuseWithWait(ctx, result.retryAfterSeconds) })
    }
    ctx.status = 422
    return showConfirm(ctx, visit, { refusal: 'oidc.interaction.login.refused' })
  }

  router.post(
    '/interacao/:uid/confirmar-senha',
    guard(
      {
        params: uidParams,
        body: passwordForm,
        onInvalid: async (ctx, { errors, params }) => showConfirm(ctx, await visits.open(ctx, params.uid, ['step-up']), { errors }),
      },
      async (ctx, { params, body, request }) =>
        confirmPassword(ctx, await visits.open(ctx, params.uid, ['step-up']), body.password, request),
    ),
  )

  router.post(
    '/interacao/:uid/segundo-passo/ligar',
    guard(
      {
        params: uidParams,
        body: codeForm,
        onInvalid: async (ctx, { errors, params }) => showSetup(ctx, await visits.open(ctx, params.uid, ['factor-setup']), { errors }),
      },
      async (ctx, { params, body }) => confirmSetup(ctx, await visits.open(ctx, params.uid, ['factor-setup']), body.code),
    ),
  )

  router.post(
    '/interacao/:uid/segundo-passo/guardei',
    guard({ params: uidParams }, async (ctx, { params }) => {
      await visits.finish(ctx, await visits.open(ctx, params.uid, ['factor-codes']), { step_up: { done: 'aal' } })
    }),
  )

  const showCodes: StepPage = async (ctx, visit) => pages.show(ctx, visit, 'factor-codes', { codes: visit.state.codes ?? [] })
  return { router, show, showSetup, showCodes }
}

function changerOf(ctx: HttpContext, session: SignInSession): Changer {
  return { accountId: session.accountId, authenticatedAt: session.authenticatedAt, sessionId: session.id, facts: requestFacts(ctx) }
}
