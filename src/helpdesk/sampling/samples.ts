import type { CounterActs } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { ImageStore, ListedImage } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { insertReview } from '../approval/review.store.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { findAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf, lockOfUnit } from '../attendance/desk.ts'
import { findBinding } from '../binding/binding.store.ts'
import { COUNTER_SOURCE, giveEvidence } from '../binding/evidence.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { Doubt } from './sample.ts'
import { findSample, findStoredFace, forgetSeen, hadEvidence, isInvolvedIn, isOverseen, judgeSample, listItemIds, listWaiting, restoreSample, type Sample, type WaitingSample } from './sample.store.ts'

export interface SampleDependencies {
  readonly desk: Desk
  readonly images: Pick<ImageStore, 'list' | 'openFor' | 'withdrawImages' | 'restoreImages'>
  readonly assurance: Pick<Assurance, 'add' | 'withdrawOfImage'>
  readonly tellProof: CounterActs['tellProof']
}

/** A drawn approval as its approver saw it. */
export interface SecondLook {
  readonly sample: Sample
  readonly attendance: Attendance
  /** What the case stored, and the face that was on record before. */
  readonly images: readonly ListedImage[]
  readonly before: ListedImage | undefined
  /** Nobody has judged it; otherwise it is shown to whoever reviews the doubt. */
  readonly isWaiting: boolean
}

/** Second looks at approvals that were drawn, by a supervisor of the unit or of the unit above who is a stranger to the case. */
export interface Samples {
  list(hand: Hand): Promise<WaitingSample[]>
  /** @throws {Problem} helpdesk/review-unknown, helpdesk/review-decided, helpdesk/four-eyes */
  open(id: string, hand: Hand): Promise<SecondLook>
  /** A picture of it, told in the person's ledger. */
  openImage(id: string, imageId: string, hand: Hand): Promise<{ bytes: Buffer; contentType: string }>
  /**
   * Says that the approval matches, or why it does not: then its image and what rests on it are out of use at once, and a review is open.
   * @throws {Problem} helpdesk/review-decided, helpdesk/four-eyes, helpdesk/role-needed
   */
  judge(id: string, hand: Hand, doubt?: Doubt): Promise<void>
  /** What the review of a doubt came to, in its transaction: dismissed, everything is as it was, with its old date. */
  settle(tx: Sql, attendance: Attendance, hand: Hand, state: 'confirmed' | 'dismissed'): Promise<void>
}

export function createSamples(deps: SampleDependencies): Samples {
  const { desk, images } = deps
  const { db } = desk

  async function open(id: string, hand: Hand): Promise<SecondLook> {
    const { sample, attendance } = await getFor(desk, db, id, hand)
    const isReviewed = sample.state === 'contradicted' && sample.decidedBy !== hand.id && sample.seen.reveal() !== undefined
    if (sample.state !== 'waiting' && !isReviewed) throw new Problem(HELPDESK_PROBLEMS.reviewDecided)
    const all = (await images.list(attendance.personId)).filter(({ erasedAt }) => erasedAt === null)
    const items = new Set(await listItemIds(db, id))
    const stored = all.filter(({ source, sourceId }) => source === COUNTER_SOURCE && sourceId !== null && items.has(sourceId))
    const at = attendance.decidedAt ?? attendance.changedAt
    const before = all.findLast((image) => image.kind === 'face' && image.trusted && image.withdrawnAt === null && image.createdAt < at && !stored.includes(image))
    return { sample, attendance, images: stored, before, isWaiting: sample.state === 'waiting' }
  }

  return {
    list: (hand) => listWaiting(db, { unitId: hand.unitId, staff: hand.id }),
    open,
    async openImage(id, imageId, hand) {
      const look = await open(id, hand)
      if (![...look.images, look.before].some((image) => image?.id === imageId)) throw new Problem(HELPDESK_PROBLEMS.reviewUnknown)
      return images.openFor(imageId, { actor: actorOf(hand), purpose: 'counter-second-look' })
    },
    judge: (id, hand, doubt) => db.transaction((tx) => judge(deps, tx, { id, hand, doubt })),
    settle: (tx, attendance, hand, state) => settle(deps, tx, attendance, hand, state),
  }
}

async function getFor(desk: Desk, sql: Sql, id: string, hand: Hand): Promise<{ sample: Sample; attendance: Attendance }> {
  const sample = await findSample(sql, desk.keyring, id)
  const attendance = sample && (await findAttendance(sql, desk.keyring, id))
  if (sample === undefined || attendance === undefined || !(await isOverseen(sql, { unitId: attendance.unitId, by: hand.unitId }))) {
    throw new Problem(HELPDESK_PROBLEMS.reviewUnknown)
  }
  // What was compared is past its term: nothing is left to look at.
  if (sample.state === 'waiting' && sample.seen.reveal() === undefined) throw new Problem(HELPDESK_PROBLEMS.reviewUnknown)
  if (await isInvolvedIn(sql, id, hand.id)) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
  return { sample, attendance }
}

async function judge(deps: SampleDependencies, tx: Sql, { id, hand, doubt }: { id: string; hand: Hand; doubt: Doubt | undefined }): Promise<void> {
  const { desk } = deps
  await desk.staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'supervisor' })
  const { attendance } = await getFor(desk, tx, id, hand)
  await lockOfUnit(desk, tx, id, attendance)
  const held = doubt === undefined ? undefined : await hold(deps, tx, attendance, hand)
  if (!(await judgeSample(tx, id, { by: hand.id, at: desk.clock.now(), doubt, ...held }))) throw new Problem(HELPDESK_PROBLEMS.reviewDecided)
  const { subject } = await ledgerOf(tx, attendance)
  const data = { attendanceId: id, unitId: attendance.unitId, verdict: doubt === undefined ? 'matches' : 'contradicted', ...(doubt && { doubt }) }
  await desk.audit.record(tx, { type: 'helpdesk/second-look', actor: actorOf(hand), subject, data })
}

/** Puts the face out of use with what rests on it, tells the citizen, and opens the review. */
async function hold({ desk, images, assurance, tellProof }: SampleDependencies, tx: Sql, attendance: Attendance, hand: Hand): Promise<{ heldImages: string[]; heldEvidence: number }> {
  const { id: attendanceId, personId } = attendance
  const actor = actorOf(hand)
  const imageId = await findStoredFace(tx, attendanceId)
  const { accountId } = await ledgerOf(tx, attendance)
  if (imageId === undefined) throw new Error('an approval that was drawn has no face')
  const isHeld = (await images.withdrawImages(tx, personId, [imageId], actor)) > 0
  const withdrawn = accountId === undefined ? [] : await assurance.withdrawOfImage(tx, { personId, accountId, imageId, reason: 'second-look', actor })
  if (accountId !== undefined) await tellProof(tx, accountId, 'proof-held')
  const review = { attendanceId, kind: 'second-look', otherPersonId: personId, otherImageId: imageId, distance: 0 } as const
  const reviewId = await insertReview(tx, review, desk.clock.now())
  await desk.audit.record(tx, { type: 'helpdesk/fraud-review-opened', actor: { kind: 'system' }, data: { reviewId, attendanceId, kind: 'second-look' } })
  return { heldImages: isHeld ? [imageId] : [], heldEvidence: withdrawn.filter(({ method }) => method === 'attended').length }
}

async function settle({ desk, images, assurance, tellProof }: SampleDependencies, tx: Sql, attendance: Attendance, hand: Hand, state: 'confirmed' | 'dismissed'): Promise<void> {
  const { id, personId, decidedBy } = attendance
  if (state === 'confirmed') return forgetSeen(tx, id)
  const sample = await findSample(tx, desk.keyring, id)
  if (sample === undefined || !(await restoreSample(tx, id))) return
  await images.restoreImages(tx, personId, sample.heldImages, actorOf(hand))
  const { accountId } = await findBinding(tx, id)
  // Evidence that fell by itself before the doubt, or an account that was bound during it: only what the doubt took, or kept from coming, comes.
  const isOwed = sample.heldImages.length > 0 && (sample.heldEvidence > 0 || !(await hadEvidence(tx, sample.heldImages)))
  if (isOwed) await giveEvidence(assurance.add, tx, attendance, decidedBy)
  if (accountId !== undefined) await tellProof(tx, accountId, 'proof-restored')
}
