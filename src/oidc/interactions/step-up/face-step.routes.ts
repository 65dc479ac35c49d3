import { createHash } from 'node:crypto'
import Router from '@koa/router'
import { z } from 'zod'
import type { Account, FaceAttempts, Passkeys, Sessions, SignInSession } from '../../../accounts/index.ts'
import { type Assurance, isLevelAtLeast, type Level } from '../../../assurance/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { FaceCheckVisit, Liveness, LivenessOutcome } from '../../../biometrics/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database } from '../../../platform/db.ts'
import { type FieldErrors, guard } from '../../../platform/http/guard.ts'
import type { Messages } from '../../../platform/http/messages.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { Problem } from '../../../platform/problem.ts'
import type { StepPage } from '../flow.ts'
import { basePath, type Pages, toStep } from '../pages.ts'
import { INTERACTION_PROBLEMS } from '../problems.ts'
import { accountIdOf, sessionOf } from '../sign-in/second-factor.routes.ts'
import { nonceOf, uidParams, type Visit, type Visits } from '../visit.ts'
import { createFaceCheckRoutes } from './face-check.routes.ts'
import { type FaceReference, settleFaceCheck } from './face-verdict.ts'
import { type CameraOutlook, cameraOutlook, requirementOf } from './step-up-demand.ts'

/** Passkeys younger than this do not bind a device: whoever took an account over could have added one (specs/biometrics 1.8). */
const BOUND_DEVICE_MS = 24 * 3600 * 1000

const agreement = z.object({ agree: z.literal('sim', 'oidc.interaction.step-up.agree-missing') })

/** The face check of a person, as this room uses it. */
export interface FacePort {
  readonly liveness: Liveness
  findReference(accountId: string): Promise<FaceReference | undefined>
  /** Three tries an hour; a passed check gives them back, in its transaction. */
  readonly attempts: Pick<FaceAttempts, 'left' | 'clear'>
  /** The level that a check passed from home gives here on this occasion; undefined when it only confirms. */
  grants(occasion: { readonly boundDevice: boolean; readonly referenceInPerson: boolean }): Level | undefined
}

export interface FaceStepDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly face: FacePort
  readonly people: {
    readonly sessions: Pick<Sessions, 'findLive' | 'recordFace'>
    readonly passkeys: Pick<Passkeys, 'list'>
    readonly assurance: Assurance
    find(accountId: string): Promise<Account | undefined>
  }
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly audit: Audit; readonly messages: Messages }
}

/** The face check inside a step-up: why, agreement, camera, and how it ended. */
export function createFaceStepRoutes(deps: FaceStepDependencies): {
  router: Router
  show: StepPage
  showCamera: StepPage
  showPassed: StepPage
} {
  const { visits, pages, face, people, platform } = deps
  const router = new Router()

  async function show(ctx: HttpContext, visit: Visit, page: { errors?: FieldErrors } = {}): Promise<void> {
    pages.show(ctx, visit, 'step-up', { ...page, ...(await outlookOf(visit)) })
  }

  /** Whether the camera can help at this moment, and towards what. */
  async function outlookOf(visit: Visit): Promise<{ wanted: Level | undefined; level: Level; camera: CameraOutlook }> {
    const accountId = accountIdOf(visit)
    const level = await people.assurance.levelOf(accountId)
    const wanted = wantedLevel(visit, level)
    const [reference, attemptsLeft, boundDevice] = await Promise.all([
      face.findReference(accountId), face.attempts.left(accountId), isBound(visit),
    ])
    const referenceInPerson = reference?.inPerson === true
    const grants = face.grants({ boundDevice, referenceInPerson })
    const grantsWithDevice = face.grants({ boundDevice: true, referenceInPerson })
    return { wanted, level, camera: cameraOutlook({ wanted, grants, grantsWithDevice, hasReference: reference !== undefined, attemptsLeft }) }
  }

  const showCamera: StepPage = async (ctx, visit) => pages.show(ctx, visit, 'camera', { action: `${basePath(visit.uid)}/rosto` })
  const showPassed: StepPage = async (ctx, visit) => pages.show(ctx, visit, 'face-passed', { raisedTo: visit.state.raisedTo })

  router.post(
    '/interacao/:uid/rosto/concordo',
    guard(
      {
        params: uidParams,
        body: agreement,
        onInvalid: async (ctx, { errors, params }) => show(ctx, await visits.open(ctx, params.uid, ['step-up']), { errors }),
      },
      async (ctx, { params }) => {
        const visit = await visits.open(ctx, params.uid, ['step-up'])
        // Nobody shows their face for nothing: the page that says why is shown again.
        if ((await outlookOf(visit)).camera !== 'open') return show(ctx, visit)
        const accountId = accountIdOf(visit)
        const reason = requirementOf(visit).face === undefined ? 'level' : 'face'
        const actor = { kind: 'citizen', id: accountId } as const
        await platform.audit.record(platform.db, {
          type: 'oidc/face-check-agreed',
          actor,
          subject: accountId,
          clientId: visit.client.id,
          data: { reason },
        })
        await visits.advance(ctx, visit, 'camera-agreed')
        toStep(ctx, visit)
      },
    ),
  )

  router.post(
    '/interacao/:uid/rosto/sair',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid, ['camera'])
      await visits.advance(ctx, visit, 'camera-left')
      toStep(ctx, visit)
    }),
  )

  router.post(
    '/interacao/:uid/rosto/seguir',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid, ['face-passed'])
      await visits.finish(ctx, visit, { step_up: { done: 'face' } })
    }),
  )

  async function openCheck(ctx: HttpContext, uid: string | undefined): Promise<FaceCheckVisit> {
    const visit = await visits.open(ctx, uid ?? '', ['camera', 'face-passed'])
    const accountId = accountIdOf(visit)
    let raisedTo: Level | undefined
    return {
      caller: { accountId, bindingHash: bindingOf(visit), purpose: `interacao:${visit.uid}` },
      async prepare() {
        const reference = await face.findReference(accountId)
        if (reference === undefined) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
        const levelBefore = await people.assurance.levelOf(accountId)
        const subject = { accountId, clientId: visit.client.id, reference, levelBefore }
        return {
          occasion: { boundDevice: await isBound(visit), attended: false },
          async settle(tx, verdict) {
            raisedTo = await settleFaceCheck(tx, { assurance: people.assurance, audit: platform.audit }, subject, verdict)
            if (!verdict.passed) return
            await people.sessions.recordFace(tx, sessionOf(visit), { accountId, livenessClass: verdict.class, nonce: nonceOf(visit) })
            await face.attempts.clear(accountId, tx)
          },
        }
      },
      conclude: (outcome) => conclude(ctx, visit, outcome, raisedTo),
    }
  }

  async function conclude(ctx: HttpContext, visit: Visit, { passed }: LivenessOutcome, raisedTo: Level | undefined): Promise<string> {
    if (passed && visit.state.step === 'camera') await visits.advance(ctx, visit, 'face-passed', raisedTo && { raisedTo })
    return basePath(visit.uid)
  }

  async function isBound(visit: Visit): Promise<boolean> {
    const [session, account] = await Promise.all([people.sessions.findLive(sessionOf(visit)), people.find(accountIdOf(visit))])
    if (session === undefined || account === undefined || session.aal < 2 || !session.amr.includes('pop')) return false
    const before = platform.clock.now().getTime() - BOUND_DEVICE_MS
    if (account.recoveredAt !== undefined && account.recoveredAt.getTime() > before) return false
    return (await people.passkeys.list(account.id)).some((key) => key.createdAt.getTime() <= before && isUsedBy(session, key.lastUsedAt))
  }

  router.use(
    createFaceCheckRoutes({
      liveness: face.liveness,
      messages: platform.messages,
      base: '/interacao/:uid/rosto',
      open: openCheck,
    }).routes(),
  )
  return { router, show, showCamera, showPassed }
}

function isUsedBy(session: SignInSession, lastUsedAt: Date | undefined): boolean {
  return lastUsedAt !== undefined && lastUsedAt.getTime() >= session.authenticatedAt.getTime() - 60_000
}

/** The level to be named on the page: the one that is asked for and not held. */
function wantedLevel(visit: Visit, level: Level): Level | undefined {
  const wanted = requirementOf(visit).level
  return wanted === undefined || isLevelAtLeast(level, wanted) ? undefined : wanted
}

/** The provider's cookies bind the interaction to this browser; its id and the session's bind the check to the interaction. */
function bindingOf(visit: Visit): string {
  return createHash('sha256')
    .update(`${visit.uid} ${sessionOf(visit)}`)
    .digest('hex')
}
