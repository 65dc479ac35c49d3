import { compareFaces, type FaceSearch, type ImageStore, type MatchRule, type NearFace, type NewTemplate, type OperatingPoint, SEARCH_PROBLEMS } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { type Attendance, type Checks, FINGERS, LEAST_SHOTS } from '../attendance/attendance.ts'
import { lockAttendance, setHalted } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, doStep, type Hand, ledgerOf, lockHeld } from '../attendance/desk.ts'
import { type Item, listItems } from '../capture/item.store.ts'
import { templateOf } from '../capture/template.ts'
import { CASE_TYPES, type Missing } from '../cases/case-type.ts'
import type { Agreement } from '../consent/consent.ts'
import { findAgreement } from '../consent/consent.store.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { insertReview, isCleared, type NewReview } from './review.store.ts'

export interface CheckDependencies {
  readonly desk: Desk
  readonly rule: MatchRule
  readonly images: Pick<ImageStore, 'findReference'>
  readonly search: Pick<FaceSearch, 'state' | 'find'>
}

/** Of what the case's reason asks for; the citizen agrees on their screen or by signature; fingerprints are all ten, each with its file or the reason why not, or none. */
export function missingOf({ reason, facts }: Pick<Attendance, 'reason' | 'facts'>, items: readonly Item[], agreement: Agreement | undefined): Missing[] {
  const has = (kind: Item['kind']) => items.some((item) => item.kind === kind)
  const fingers = new Set(items.filter(({ kind }) => kind === 'fingerprint').map(({ slot }) => slot))
  const isMissing: Record<Missing, boolean> = {
    document: !has('document'),
    'document-front': !has('document-front'),
    face: items.filter(({ kind }) => kind === 'face').length < LEAST_SHOTS,
    consent: agreement?.given !== true,
    fingers: fingers.size > 0 && FINGERS.some((finger) => !fingers.has(finger)),
    request: facts.reveal().request === undefined,
  }
  return CASE_TYPES[reason].evidence.filter((name) => isMissing[name])
}

/**
 * Compares the face with the person's own reference and with everybody else, and moves the case on: `captured`, or stopped for a reviewer.
 *
 * A hit never says whose face it is: that is the reviewer's to see. A case without a face only moves on.
 * @throws {Problem} helpdesk/capture-incomplete, helpdesk/no-reference and what `lockHeld` may
 */
export type FinishCapture = (id: string, hand: Hand, point: OperatingPoint) => Promise<'captured' | 'halted'>

export function createFinishCapture(deps: CheckDependencies): FinishCapture {
  const { desk } = deps
  const { db, keyring, audit } = desk
  return async (id, hand, point) => {
    const attendance = await db.transaction((tx) => lockHeld(desk, tx, id, hand, 'open'))
    const items = await listItems(db, keyring, id)
    if (missingOf(attendance, items, await findAgreement(db, id, items)).length > 0) throw new Problem(HELPDESK_PROBLEMS.captureIncomplete)
    const { checks, review } = await compare(deps, attendance, items, point)
    return db.transaction(async (tx) => {
      // Somebody may have taken another shot meanwhile: then the comparison is not of these.
      const now = await lockHeld(desk, tx, id, hand, 'open')
      const same = await listItems(tx, keyring, id)
      if (same.map((item) => item.id).join() !== items.map((item) => item.id).join()) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
      await doStep(desk, tx, now, 'capture', { checks })
      const { subject } = await ledgerOf(tx, attendance)
      const data = { attendanceId: id, oneToOne: checks.oneToOne?.kind ?? 'none', oneToN: checks.oneToN ?? 'off' }
      await audit.record(tx, { type: 'helpdesk/attendance-captured', actor: actorOf(hand), subject, data })
      if (review === undefined) return 'captured'
      await halt(desk, tx, review)
      return 'halted'
    })
  }
}

/** What is looked at once more when a case is approved; `halted` = it is stopped for a reviewer by now. */
export interface LastChecks {
  /** The person's own reference and everybody else's, before the approval's transaction. `off` = nobody could search among the others. */
  again(attendance: Attendance): Promise<'clear' | 'off' | 'halted'>
  /**
   * Everybody else's inside that transaction, under `lockEnrolments`: two cases with one face that are approved in the same moment see each other.
   *
   * Where the search is off nothing is found: the supervisor's eyes are in its place.
   */
  alone(tx: Sql, attendance: Attendance): Promise<'clear' | 'halted'>
}

export function createLastChecks(deps: CheckDependencies): LastChecks {
  return { again: checkAgain(deps), alone: checkAlone(deps) }
}

function checkAlone({ desk, search }: CheckDependencies): LastChecks['alone'] {
  return async (tx, attendance) => {
    const items = await listItems(tx, desk.keyring, attendance.id)
    const template = templateOf(items)
    if (template === undefined) throw new Problem(HELPDESK_PROBLEMS.captureIncomplete)
    const near = await nearest(search, template, attendance.personId, tx)
    const [hit] = near === 'off' ? [] : await withoutCleared(tx, { attendanceId: attendance.id, since: takenAt(items) }, near)
    if (hit === undefined) return 'clear'
    await halt(desk, tx, reviewOf(attendance.id, hit))
    return 'halted'
  }
}

function checkAgain(deps: CheckDependencies): LastChecks['again'] {
  const { db, keyring, staff } = deps.desk
  return async (attendance) => {
    const { id, unitId } = attendance
    const unit = await staff.findUnit(unitId)
    if (unit === undefined) throw new Problem(HELPDESK_PROBLEMS.unitUnknown)
    const { checks, review } = await compare(deps, attendance, await listItems(db, keyring, id), unit.rules.matchPoint)
    // A face that only proves the person is answered by their own reference.
    const isSearched = checks.oneToN !== 'off' || CASE_TYPES[attendance.reason].face !== 'enrols'
    if (review === undefined) return isSearched ? 'clear' : 'off'
    await db.transaction(async (tx) => {
      // Of two supervisors at once one stops it.
      const now = await lockAttendance(tx, keyring, id)
      if (now?.state === 'awaiting-approval' && now.haltedAt === undefined) await halt(deps.desk, tx, review)
    })
    return 'halted'
  }
}

async function halt({ clock, audit }: Desk, tx: Sql, review: NewReview): Promise<void> {
  const { attendanceId, kind } = review
  await setHalted(tx, attendanceId, clock.now())
  const reviewId = await insertReview(tx, review, clock.now())
  await audit.record(tx, { type: 'helpdesk/fraud-review-opened', actor: { kind: 'system' }, data: { reviewId, attendanceId, kind } })
}

async function compare(
  { desk, rule, images, search }: CheckDependencies,
  attendance: Attendance,
  items: readonly Item[],
  point: OperatingPoint,
): Promise<{ checks: Checks; review: NewReview | undefined }> {
  const { id: attendanceId, personId, reason } = attendance
  const { face } = CASE_TYPES[reason]
  if (face === 'none') return { checks: {}, review: undefined }
  const template = templateOf(items)
  if (template === undefined) throw new Problem(HELPDESK_PROBLEMS.captureIncomplete)
  const pairs = { attendanceId, since: takenAt(items) }
  const reference = await images.findReference(personId, template.modelId)
  if (face === 'proves' && reference === undefined) throw new Problem(HELPDESK_PROBLEMS.noReference)
  const compared = reference && compareFaces(rule, { template: template.descriptor, k: template.k }, reference.descriptor, point)
  const oneToOne: Checks['oneToOne'] =
    compared === undefined ? { kind: 'none' } : { kind: compared.same ? 'same' : 'different', distance: compared.distance, threshold: compared.threshold }
  const near = await nearest(search, template, personId)
  const open = near === 'off' ? [] : await withoutCleared(desk.db, pairs, near)
  const checks: Checks = { oneToOne, oneToN: near === 'off' ? 'off' : open.length > 0 ? 'hit' : 'clear', shots: template.k }
  const [hit] = open
  if (hit) return { checks, review: reviewOf(attendanceId, hit) }
  const isOther = reference !== undefined && compared?.same === false && !(await isCleared(desk.db, { ...pairs, otherPersonId: personId }))
  if (!isOther) return { checks, review: undefined }
  const own = { otherPersonId: personId, otherImageId: reference.imageId, distance: compared.distance }
  return { checks, review: { attendanceId, kind: 'not-the-person', ...own } }
}

/** When the face was taken: what a reviewer said of an earlier one does not count for it. */
function takenAt(items: readonly Item[]): Date {
  return new Date(Math.max(...items.filter(({ kind }) => kind === 'face').map(({ capturedAt }) => capturedAt.getTime())))
}

function reviewOf(attendanceId: string, { personId, imageId, distance }: NearFace): NewReview {
  return { attendanceId, kind: 'another-person', otherPersonId: personId, otherImageId: imageId, distance }
}

async function withoutCleared(sql: Sql, pairs: { attendanceId: string; since: Date }, near: readonly NearFace[]): Promise<NearFace[]> {
  const open: NearFace[] = []
  for (const face of near) if (!(await isCleared(sql, { ...pairs, otherPersonId: face.personId }))) open.push(face)
  return open
}

/** Everybody else whose face is near; `off` where this database or this model cannot be searched, which is never taken for "nobody". */
async function nearest(search: CheckDependencies['search'], template: NewTemplate, personId: string, tx?: Sql): Promise<readonly NearFace[] | 'off'> {
  if (!search.state.on) return 'off'
  const { modelId, k } = template
  try {
    return await search.find(template.descriptor, { modelId, k, exceptPersonId: personId, limit: 5, tx })
  } catch (error) {
    if (isProblem(error, SEARCH_PROBLEMS.searchOff)) return 'off'
    throw error
  }
}
