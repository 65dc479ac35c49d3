import Router from '@koa/router'
import { type Account, type Accounts, maskCpf } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Liveness } from '../../biometrics/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { guard } from '../../platform/http/guard.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { createPageSessions, type SealingKeyring } from '../../platform/http/page-session.ts'
import type { HttpMiddleware } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { createPartyRoutes, type Parties } from './party.routes.ts'
import { type ActingFor, createConsentRoutes, type GiveConsent, type OptionalScopesOf } from './consent.routes.ts'
import type { Step, StepPage } from './flow.ts'
import { createFlowStates } from './flow-state.ts'
import { createPages, type Pages, toStep } from './pages.ts'
import { INTERACTION_PROBLEMS } from './problems.ts'
import { createRecoveryRoutes } from './recovery/recovery.routes.ts'
import { recoverySession } from './recovery/recovery-step.ts'
import { DENIED, type InteractionServer, UNMET } from './result.ts'
import { createRegistrationRoutes } from './sign-in/registration.routes.ts'
import { createSecondFactorRoutes } from './sign-in/second-factor.routes.ts'
import { createSignInRoutes, type DemoCitizen } from './sign-in/sign-in.routes.ts'
import { createFaceStepRoutes, type FacePort } from './step-up/face-step.routes.ts'
import { createStepUpRoutes } from './step-up/step-up.routes.ts'
import { SELF } from '../representation/representations.ts'
import { accountOf, createVisits, uidParams, type Visits } from './visit.ts'

const RECOVERY_SECONDS = { idleSeconds: 1800, absoluteSeconds: 3600 }

/** What `app.ts` hands to the citizen's interaction pages. */
export interface InteractionDependencies {
  readonly platform: InteractionPlatform
  readonly oidc: { readonly server: InteractionServer; readonly giveConsent: GiveConsent; readonly optionalScopesOf: OptionalScopesOf; readonly parties: Parties }
  readonly accounts: Accounts
  readonly assurance: Assurance
  readonly face: InteractionFace
}

export interface InteractionPlatform {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: SealingKeyring
  readonly audit: Audit
  readonly pages: { readonly views: Views; readonly messages: Messages; readonly settings: InteractionSettings }
}

export interface InteractionSettings {
  readonly minPasswordLength: number
  readonly recentSeconds: number
  /** Shown on the sign-in page of a demonstration. */
  readonly demoCitizens?: readonly DemoCitizen[] | undefined
}

export interface InteractionFace extends FacePort {
  /** A face check that, for who has no reference, compares with a face that nobody has: recovery must not tell who has an account. */
  readonly recoveryLiveness: Liveness
  /** Whether a passed check may open an account whose password is lost: not at class `basic`, which a program can pass. */
  readonly opensAccounts: boolean
}

/**
 * The citizen's way in: every page under `/interacao/:uid`, recovery under `/recuperar`, and the links of our mails.
 *
 * `GET /interacao/:uid` always shows the step where the citizen stands; every form posts below it and leads back to it. Going back,
 * reloading and opening a stale page are therefore safe, and no step can be skipped by its address.
 */
export function createInteractionRoutes(deps: InteractionDependencies): Router {
  const { db, clock, keyring, pages: look } = deps.platform
  const pages = createPages({ views: look.views })
  const visits = createVisits({ server: () => deps.oidc.server, states: createFlowStates({ db, keyring, clock }) })
  const { routers, show } = createSteps(deps, visits, pages)
  const router = new Router()
  router.use('/interacao/:uid', keepOnTrack(visits, pages))

  router.get(
    '/interacao/:uid',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid)
      await show[visit.state.step](ctx, visit)
    }),
  )

  router.post(
    '/interacao/:uid/desistir',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid)
      await visits.finish(ctx, visit, visit.prompt.name === 'step_up' ? UNMET : DENIED)
    }),
  )

  for (const part of routers) router.use(part.routes())
  router.use(createRecovery(deps, pages).routes())
  // A reload, or the language switch, of a page that answered a form.
  router.get('/interacao/:uid/*rest', async (ctx) => toStep(ctx, { uid: String(ctx.params['uid']) }))
  return router
}

/** The parts, and which of them shows which step. */
function createSteps(
  deps: InteractionDependencies,
  visits: Visits,
  pages: Pages,
): { routers: Router[]; show: Readonly<Record<Step, StepPage>> } {
  const { accounts, assurance, face, oidc } = deps
  const { db, clock, audit, pages: look } = deps.platform
  const { settings, messages } = look
  const signIn = createSignInRoutes({ visits, pages, accounts, demoCitizens: settings.demoCitizens })
  const factor = createSecondFactorRoutes({ visits, pages, steps: accounts.steps, certificates: accounts.factors.certificates })
  const registration = createRegistrationRoutes({
    visits,
    pages,
    registration: accounts.registration,
    signInRegistered: accounts.steps.signInRegistered,
    settings: { clock, minPasswordLength: settings.minPasswordLength },
  })
  const people = { sessions: accounts.sessions, passkeys: accounts.factors.passkeys, assurance, find: (id: string) => accounts.find(id) }
  const faceStep = createFaceStepRoutes({ visits, pages, face, people, platform: { db, clock, audit, messages } })
  const stepUp = createStepUpRoutes({
    visits,
    pages,
    accounts,
    platform: { db, clock, recentSeconds: settings.recentSeconds },
    steps: { assurance, showFactor: factor.show, showFace: faceStep.show },
  })
  const maskedCpfOf = async (accountId: string) => maskedCpf(await accounts.get(accountId))
  const party = createPartyRoutes({ visits, pages, parties: oidc.parties, levelOf: assurance.levelOf })
  const consent = createConsentRoutes({ visits, pages, giveConsent: oidc.giveConsent, optionalScopesOf: oidc.optionalScopesOf, people: { maskedCpfOf, actingFor: actingFor(oidc.parties) } })
  return {
    routers: [signIn.router, factor.router, registration.router, faceStep.router, stepUp.router, party.router, consent.router],
    show: {
      login: signIn.show,
      'second-factor': factor.show,
      'confirm-email': registration.show,
      party: party.show,
      consent: consent.show,
      'step-up': stepUp.show,
      'factor-setup': stepUp.showSetup,
      'factor-codes': stepUp.showCodes,
      camera: faceStep.showCamera,
      'face-passed': faceStep.showPassed,
    },
  }
}

/** Whom the person has just said that they act for. */
function actingFor({ options }: Parties): ActingFor {
  return async (visit) => {
    const chosen = visit.chosen
    if (chosen === undefined || chosen === SELF) return undefined
    return (await options(accountOf(visit), visit.client.id)).find(({ id }) => id === chosen)?.represented.name
  }
}

function createRecovery({ platform, accounts, face }: InteractionDependencies, pages: Pages): Router {
  const { db, clock, keyring, audit, pages: look } = platform
  const sessions = createPageSessions({ db, keyring, clock }, { area: 'recuperar', data: recoverySession, ...RECOVERY_SECONDS })
  return createRecoveryRoutes({
    pages,
    ways: { recovery: accounts.recovery, certificates: accounts.factors.certificates },
    sessions,
    liveness: face.recoveryLiveness,
    platform: { db, audit, messages: look.messages, settings: { minPasswordLength: look.settings.minPasswordLength, byFace: face.opensAccounts } },
  })
}

/** A page out of order leads to where the citizen stands; one of an interaction that is over says where to go. */
function keepOnTrack(visits: Visits, pages: Pages): HttpMiddleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      if (!(error instanceof Problem) || ctx.accepts('json', 'html') === 'json') throw error
      if (isProblem(error, INTERACTION_PROBLEMS.stepOutOfOrder)) return toStep(ctx, { uid: String(ctx.params['uid']) })
      if (!isProblem(error, INTERACTION_PROBLEMS.interactionLost)) throw error
      pages.lost(ctx, await visits.lastClient(ctx))
    }
  }
}

function maskedCpf(account: Account): string {
  return maskCpf(account.citizen.reveal().cpf)
}
