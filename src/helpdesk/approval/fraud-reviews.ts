import type { ImageStore } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { APPROVAL_DAYS, type Attendance, DRAFT_HOURS } from '../attendance/attendance.ts'
import { findAttendance, findKnown, hadPart, type KnownHere, setHalted, touchAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, doStep, type Hand, ledgerOf, lockOfUnit } from '../attendance/desk.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { findSample, isInvolvedIn, isOverseen } from '../sampling/sample.store.ts'
import type { Samples } from '../sampling/samples.ts'
import { CONFIRMING, countPending, decideReview, findReview, type FraudReview, listPendingReviews, REASONS_OF_KIND, type ReviewKind, type ReviewReason } from './review.store.ts'

/** Both sides of a stopped case; only its reviewer sees them together. */
export interface BothSides {
  readonly review: FraudReview
  readonly attendance: Attendance
  readonly other: KnownHere | undefined
}

/** How a suspicion ended. */
export interface Decided {
  readonly kind: ReviewKind
  readonly state: 'confirmed' | 'dismissed'
}

/** Cases that the search stopped, and who decides about them: a supervisor of the unit who had no hand in the case and is neither side. */
export interface FraudReviews {
  list(hand: Hand): Promise<FraudReview[]>
  /** While nobody has decided. @throws {Problem} helpdesk/review-unknown, helpdesk/review-decided, helpdesk/four-eyes */
  open(id: string, hand: Hand): Promise<BothSides>
  /** The picture of the other side, told in its person's ledger. */
  otherImage(id: string, hand: Hand): Promise<{ bytes: Buffer; contentType: string }>
  /** Confirms (the case is refused and its captures are kept) or dismisses (the case goes on). @throws {Problem} helpdesk/review-decided */
  decide(id: string, hand: Hand, reason: ReviewReason): Promise<Decided>
}

export function createFraudReviews(desk: Desk, images: Pick<ImageStore, 'openFor'>, settle: Samples['settle']): FraudReviews {
  const { db, keyring } = desk

  async function open(sql: Sql, id: string, hand: Hand): Promise<BothSides> {
    const review = await findReview(sql, id)
    const attendance = review && (await findAttendance(sql, keyring, review.attendanceId))
    if (review === undefined || attendance === undefined || !(await isTheirs(sql, review, attendance, hand))) throw new Problem(HELPDESK_PROBLEMS.reviewUnknown)
    if (review.state !== 'pending') throw new Problem(HELPDESK_PROBLEMS.reviewDecided)
    const other = await findKnown(sql, review.otherPersonId)
    const { accountId } = await ledgerOf(sql, attendance)
    const isInvolved = (await hadPart(sql, attendance.id, hand.id)) || accountId === hand.id || attendance.decidedBy === hand.id || other?.accountId === hand.id || (await isPartOfDoubt(desk, sql, review, hand))
    if (isInvolved) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
    return { review, attendance, other }
  }

  return {
    async list(hand) {
      const pending = await listPendingReviews(db, hand.unitId)
      const mine: FraudReview[] = []
      for (const review of pending) {
        const isDecider = (await findAttendance(db, keyring, review.attendanceId))?.decidedBy === hand.id
        if (!isDecider && !(await hadPart(db, review.attendanceId, hand.id)) && !(await isPartOfDoubt(desk, db, review, hand))) mine.push(review)
      }
      return mine
    },
    open: (id, hand) => open(db, id, hand),
    async otherImage(id, hand) {
      const { review } = await open(db, id, hand)
      return images.openFor(review.otherImageId, { actor: actorOf(hand), purpose: 'counter-fraud-review' })
    },
    decide: (id, hand, reason) => db.transaction((tx) => decide({ desk, open, settle }, tx, { id, hand, reason })),
  }
}

/** However long the reviewer took, the case has its time again. */
async function goOn({ clock }: Desk, tx: Sql, { id, state }: Attendance): Promise<void> {
  const now = clock.now()
  const hours = state === 'awaiting-approval' ? APPROVAL_DAYS * 24 : DRAFT_HOURS
  await setHalted(tx, id, undefined)
  await touchAttendance(tx, id, now, new Date(now.getTime() + hours * 3_600_000))
}

/** Of their unit; a doubt about an approval is also for the unit above, where a small one has nobody left. */
async function isTheirs(sql: Sql, { kind }: FraudReview, { unitId }: Attendance, hand: Hand): Promise<boolean> {
  return unitId === hand.unitId || (kind === 'second-look' && (await isOverseen(sql, { unitId, by: hand.unitId })))
}

/** Whoever doubted an approval does not decide about the doubt, nor does anybody of the case. */
async function isPartOfDoubt({ keyring }: Desk, sql: Sql, { kind, attendanceId }: FraudReview, hand: Hand): Promise<boolean> {
  if (kind !== 'second-look') return false
  return (await findSample(sql, keyring, attendanceId))?.decidedBy === hand.id || isInvolvedIn(sql, attendanceId, hand.id)
}

interface Deciding {
  readonly desk: Desk
  readonly open: (sql: Sql, id: string, hand: Hand) => Promise<BothSides>
  readonly settle: Samples['settle']
}

async function decide({ desk, open, settle }: Deciding, tx: Sql, { id, hand, reason }: { id: string; hand: Hand; reason: ReviewReason }): Promise<Decided> {
  const { staff, clock, audit } = desk
  await staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'supervisor' })
  const { review, attendance: seen } = await open(tx, id, hand)
  if (!REASONS_OF_KIND[review.kind].includes(reason)) throw new Problem(HELPDESK_PROBLEMS.requestUnfit)
  const attendance = await lockOfUnit(desk, tx, seen.id, seen)
  const state = CONFIRMING.has(reason) ? 'confirmed' : 'dismissed'
  if (!(await decideReview(tx, id, { state, reason, by: hand.id, at: clock.now() }))) throw new Problem(HELPDESK_PROBLEMS.reviewDecided)
  const data = { reviewId: id, attendanceId: attendance.id, state, reason }
  // Confirmed, the other side learns that somebody tried; of a mistake nobody needs to hear.
  const subject = state === 'confirmed' ? (await ledgerOf(tx, { personId: review.otherPersonId })).subject : undefined
  await audit.record(tx, { type: 'helpdesk/fraud-review-decided', actor: actorOf(hand), subject, data })
  if (review.kind === 'second-look') {
    await settle(tx, attendance, hand, state)
    return { kind: review.kind, state }
  }
  // A case that is over stays as it is; its images are withdrawn already.
  if (review.kind === 'wrong-person') return { kind: review.kind, state }
  if (state === 'dismissed') {
    if ((await countPending(tx, attendance.id)) === 0) await goOn(desk, tx, attendance)
    return { kind: review.kind, state }
  }
  await doStep(desk, tx, attendance, 'refuse', { decided: { by: hand.id, decision: 'fraud' } })
  const { subject: owner } = await ledgerOf(tx, attendance)
  const ended = { attendanceId: attendance.id, state: 'refused', decision: 'fraud' }
  await audit.record(tx, { type: 'helpdesk/attendance-ended', actor: actorOf(hand), subject: owner, data: ended })
  return { kind: review.kind, state }
}
