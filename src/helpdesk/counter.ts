import type Router from '@koa/router'
import type { Account, AccountId, BaseRegister, CounterAccess, CounterActs, FaceAttempts, OneTimeTokens } from '../accounts/index.ts'
import type { Assurance } from '../assurance/index.ts'
import { createLiveness, type Faces, type FaceSearch, type ImageStore, type Liveness, type LivenessClass, type LivenessDeps } from '../biometrics/index.ts'
import type { Documents } from '../platform/documents/documents.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import type { AreaVisit } from '../portal/index.ts'
import type { TellCitizen } from './citizen-notice.ts'
import { createApprovalRoutes } from './approval/approval.routes.ts'
import { createApprovals } from './approval/approvals.ts'
import { createFinishCapture, createLastChecks } from './approval/checks.ts'
import { createFraudReviews } from './approval/fraud-reviews.ts'
import { createFraudRoutes } from './approval/fraud.routes.ts'
import { createAttendanceRoutes } from './attendance/attendance.routes.ts'
import { type Attendances, createAttendances } from './attendance/attendances.ts'
import type { Desk } from './attendance/desk.ts'
import { createBindRoutes } from './binding/bind.routes.ts'
import { createBindings } from './binding/bindings.ts'
import { findClaimOf } from './binding/binding.store.ts'
import { createConfirmRoutes } from './binding/confirm.routes.ts'
import { createConfirmations } from './binding/confirmations.ts'
import { createOfferRoutes } from './binding/offer.routes.ts'
import { createProofs, type Proofs } from './binding/proofs.ts'
import { createCaptureRoutes } from './capture/capture.routes.ts'
import { type CounterFaces, createCaptures } from './capture/captures.ts'
import { createFaceRoutes } from './capture/face.routes.ts'
import { createEffects, type EffectPorts } from './cases/effects.ts'
import { createRequestRoutes } from './cases/request.routes.ts'
import { createRequests } from './cases/requests.ts'
import { createConsentRoutes } from './consent/consent.routes.ts'
import { createConsents } from './consent/consents.ts'
import { createScreenRoutes } from './consent/screen.routes.ts'
import { createWayChoices } from './consent/way-choices.ts'
import { createSampleRoutes } from './sampling/sample.routes.ts'
import { createSamples } from './sampling/samples.ts'
import { createUnitRules } from './staff/unit-rules.ts'
import { createRulesRoutes } from './staff/rules.routes.ts'
import type { DeskPages } from './desk-pages.ts'
import { type Access, createAccess } from './kiosk/access.ts'
import { createAccessOfferRoutes } from './kiosk/access-offer.routes.ts'
import { createKioskAdminRoutes } from './kiosk/kiosk-admin.routes.ts'
import { createKiosks, type Kiosks } from './kiosk/kiosks.ts'
import { createReceiptMails, type ReceiptMailDependencies } from './receipt/receipt-mail.ts'
import { createPublicReceiptRoutes, createReceiptRoutes } from './receipt/receipt.routes.ts'
import { createReceipts } from './receipt/receipts.ts'

export interface CounterDependencies {
  readonly desk: Desk
  /** The base register (with a deadline on it, or answering at once), and what works once. */
  readonly accounts: { readonly register: BaseRegister; readonly tokens: OneTimeTokens; readonly faceAttempts: FaceAttempts; readonly find: (id: AccountId) => Promise<Account | undefined>; readonly counter: CounterActs; readonly access: CounterAccess; readonly deathChanged: EffectPorts['deathChanged'] }
  readonly biometrics: CounterBiometrics
  readonly assurance: Pick<Assurance, 'add' | 'withdrawOfImages' | 'withdrawOfImage'>
  readonly pages: {
    readonly messages: Messages
    readonly views: Views
    readonly publicUrl: string
    readonly documents: Pick<Documents, 'render'>
    readonly tell: TellCitizen
  }
}

export interface CounterBiometrics {
  readonly faces: CounterFaces & Pick<Faces, 'padModel'>
  readonly images: ImageStore
  readonly search: Pick<FaceSearch, 'state' | 'find'>
  /** Counts what came of a face check on a citizen's device. */
  readonly noteEnd?: LivenessDeps['engine']['noteEnd']
  /** Whether a passed check of this class proves who holds a device. */
  readonly accepts: (livenessClass: LivenessClass) => boolean
}

/** Attendances with their captures, their second pair of eyes and what the search stops. */
export interface Counter {
  /** Pages of the area, for `createDeskRoutes`. */
  readonly parts: readonly ((pages: DeskPages) => Router)[]
  /** Ways in by the citizen's own face, and the devices for it. */
  readonly access: Access
  readonly kiosks: Kiosks
  /** The citizen's side of the counter, in their own area. */
  citizenRoutes(findVisit: (ctx: HttpContext) => Promise<AreaVisit | undefined>): Router
  /** Ends what nobody finished in time; a job's work. */
  readonly expire: Attendances['expire']
}

export function createCounter(deps: CounterDependencies): Counter {
  const { desk, accounts, biometrics, assurance, pages: site } = deps
  const { faces, images, search } = biometrics
  const attendances = createAttendances(desk, accounts.register)
  const captures = createCaptures(desk, faces)
  const checks = { desk, rule: faces.rule, images, search }
  const effects = createEffects(desk, { accounts: accounts.counter, deathChanged: accounts.deathChanged, evidence: assurance, images })
  const requests = createRequests({ desk, accounts: accounts.counter, images })
  const approvals = createApprovals({ desk, effects, images, addEvidence: assurance.add, checks: createLastChecks(checks) })
  const samples = createSamples({ desk, images, assurance, tellProof: accounts.counter.tellProof })
  const reviews = createFraudReviews(desk, images, samples.settle)
  const { tokens } = accounts
  const bindings = createBindings({ desk, tokens })
  const addEvidence = assurance.add
  const proofs = createProofs({ desk, tokens, images, addEvidence, face: { accepts: biometrics.accepts, clearAttempts: accounts.faceAttempts.clear } })
  const confirmations = createConfirmations({ desk, tokens, images, addEvidence })
  const access = createAccess({ desk, tokens, accounts: accounts.access, addEvidence })
  const kiosks = createKiosks(desk)
  const receipts = createReceipts({ desk, messages: site.messages, publicUrl: site.publicUrl })
  const makeFile: ReceiptMailDependencies['makeFile'] = async (attendance, locale) => site.documents.render(await receipts.write(attendance, locale))
  const mails = createReceiptMails({ desk, tokens: accounts.tokens, findAccount: accounts.find, tell: site.tell, makeFile })
  const consents = createConsents({ desk, messages: site.messages })
  return {
    parts: [
      (pages) => createAttendanceRoutes({ pages, attendances, captures, finishCapture: createFinishCapture(checks), citizen: { bindings, consents, mails } }),
      (pages) => createCaptureRoutes({ pages, attendances, captures }),
      (pages) => createRequestRoutes({ pages, attendances, requests }),
      (pages) => createFaceRoutes({ pages, attendances, captures, messages: site.messages }),
      (pages) => createConsentRoutes({ pages, attendances, consents, publicUrl: site.publicUrl }),
      () => createScreenRoutes({ views: site.views, consents, choices: createWayChoices({ desk, accounts: accounts.counter }) }),
      (pages) => createAccessOfferRoutes({ pages, attendances, access, publicUrl: site.publicUrl }),
      (pages) => createKioskAdminRoutes({ pages, kiosks, publicUrl: site.publicUrl }),
      (pages) => createOfferRoutes({ pages, attendances, bindings, publicUrl: site.publicUrl }),
      (pages) => createConfirmRoutes({ pages, confirmations }),
      (pages) => createReceiptRoutes({ pages, attendances, makeFile, mails }),
      () => createPublicReceiptRoutes({ receipts, mails, views: site.views }),
      (pages) => createApprovalRoutes({ pages, attendances, captures, approvals, pictures: { images, requests } }),
      (pages) => createFraudRoutes({ pages, attendances, reviews, captures }),
      (pages) => createSampleRoutes({ pages, samples, noteSeen: attendances.noteSeen }),
      (pages) => createRulesRoutes({ pages, rules: createUnitRules(desk) }),
    ],
    access,
    kiosks,
    citizenRoutes: (findVisit) => createBindRoutes({ bindings, proofs, face: { liveness: deviceLiveness(deps, proofs) }, findVisit, pages: site }),
    expire: attendances.expire,
  }
}

/** The face check on the citizen's own device, against the face that their case captured. */
function deviceLiveness({ desk, accounts: { faceAttempts }, biometrics }: CounterDependencies, { findReference }: Proofs): Liveness | undefined {
  const { faces, noteEnd, accepts } = biometrics
  if (!accepts(faces.padModel === undefined ? 'basic' : 'active')) return undefined
  const { db, clock, keyring } = desk
  const engine = { rule: faces.rule, padModel: faces.padModel, observe: faces.observe, ...(noteEnd && { noteEnd }) }
  const people = {
    findReference,
    claimAttempt: faceAttempts.claim,
    attemptsLeft: faceAttempts.left,
    subjectOf: async (accountId: string) => (await findClaimOf(db, accountId))?.personId ?? accountId,
  }
  return createLiveness({ db, clock, keyring, engine, people })
}
