import { compareFaces, type FaceSearch, type ImageStore, type MatchRule, type NearFace, type NewTemplate, type OperatingPoint, SEARCH_PROBLEMS } from '../../biometrics/index.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { type Attendance, type Checks, FINGERS, LEAST_SHOTS } from '../attendance/attendance.ts'
import { setHalted } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, doStep, type Hand, ledgerOf, lockHeld } from '../attendance/desk.ts'
import { type Item, listItems } from '../capture/item.store.ts'
import { templateOf } from '../capture/template.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { insertReview, isCleared, type NewReview } from './review.store.ts'

export interface CheckDependencies {
  readonly desk: Desk
  readonly rule: MatchRule
  readonly images: Pick<ImageStore, 'findReference'>
  readonly search: Pick<FaceSearch, 'state' | 'find'>
}

/** What is missing before a case can be checked; names are keys of the pages' texts. */
export const MISSING = ['document', 'document-front', 'face', 'signature', 'fingers'] as const
export type Missing = (typeof MISSING)[number]

/** Fingerprints are all ten, each with its file or the reason why not; or none. */
export function missingOf(items: readonly Item[]): Missing[] {
  const has = (kind: Item['kind']) => items.some((item) => item.kind === kind)
  const fingers = new Set(items.filter(({ kind }) => kind === 'fingerprint').map(({ slot }) => slot))
  const isMissing: Record<Missing, boolean> = {
    document: !has('document'),
    'document-front': !has('document-front'),
    face: items.filter(({ kind }) => kind === 'face').length < LEAST_SHOTS,
    signature: !has('signature'),
    fingers: fingers.size > 0 && FINGERS.some((finger) => !fingers.has(finger)),
  }
  return MISSING.filter((name) => isMissing[name])
}

/**
 * Compares the face with the person's own reference and with everybody else, and moves the case on: `captured`, or stopped for a reviewer.
 *
 * A hit never says whose face it is: that is the reviewer's to see.
 * @throws {Problem} helpdesk/capture-incomplete and what `lockHeld` may
 */
export type FinishCapture = (id: string, hand: Hand, point: OperatingPoint) => Promise<'captured' | 'halted'>

export function createFinishCapture(deps: CheckDependencies): FinishCapture {
  const { desk } = deps
  const { db, keyring, clock, audit } = desk
  return async (id, hand, point) => {
    const attendance = await db.transaction((tx) => lockHeld(desk, tx, id, hand, 'open'))
    const items = await listItems(db, keyring, id)
    const template = templateOf(items)
    if (missingOf(items).length > 0 || template === undefined) throw new Problem(HELPDESK_PROBLEMS.captureIncomplete)
    const { checks, review } = await compare(deps, attendance, template, point)
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
      await setHalted(tx, id, clock.now())
      const reviewId = await insertReview(tx, review, clock.now())
      await audit.record(tx, { type: 'helpdesk/fraud-review-opened', actor: { kind: 'system' }, data: { reviewId, attendanceId: id, kind: review.kind } })
      return 'halted'
    })
  }
}

/** Looks once more before an approval; true = somebody else has this face by now, and the case is stopped for a reviewer. */
export type CheckAgain = (attendance: Attendance) => Promise<boolean>

export function createCheckAgain(deps: CheckDependencies): CheckAgain {
  const { db, keyring, clock, audit } = deps.desk
  return async ({ id: attendanceId, personId }) => {
    const template = templateOf(await listItems(db, keyring, attendanceId))
    const near = template === undefined ? 'off' : await nearest(deps.search, template, personId)
    const [hit] = near === 'off' ? [] : await withoutCleared(deps.desk, attendanceId, near)
    if (hit === undefined) return false
    const review = { attendanceId, kind: 'another-person', otherPersonId: hit.personId, otherImageId: hit.imageId, distance: hit.distance } as const
    await db.transaction(async (tx) => {
      await setHalted(tx, attendanceId, clock.now())
      const reviewId = await insertReview(tx, review, clock.now())
      await audit.record(tx, { type: 'helpdesk/fraud-review-opened', actor: { kind: 'system' }, data: { reviewId, attendanceId, kind: review.kind } })
    })
    return true
  }
}

async function compare(
  { desk, rule, images, search }: CheckDependencies,
  attendance: Attendance,
  template: NewTemplate,
  point: OperatingPoint,
): Promise<{ checks: Checks; review: NewReview | undefined }> {
  const { id: attendanceId, personId } = attendance
  const reference = await images.findReference(personId, template.modelId)
  const compared = reference && compareFaces(rule, { template: template.descriptor, k: template.k }, reference.descriptor, point)
  const oneToOne: Checks['oneToOne'] =
    compared === undefined ? { kind: 'none' } : { kind: compared.same ? 'same' : 'different', distance: compared.distance, threshold: compared.threshold }
  const near = await nearest(search, template, personId)
  const open = near === 'off' ? [] : await withoutCleared(desk, attendanceId, near)
  const checks: Checks = { oneToOne, oneToN: near === 'off' ? 'off' : open.length > 0 ? 'hit' : 'clear', shots: template.k }
  const [hit] = open
  if (hit) {
    const other = { otherPersonId: hit.personId, otherImageId: hit.imageId, distance: hit.distance }
    return { checks, review: { attendanceId, kind: 'another-person', ...other } }
  }
  const isOther = reference !== undefined && compared?.same === false && !(await isCleared(desk.db, attendanceId, personId))
  if (!isOther) return { checks, review: undefined }
  const own = { otherPersonId: personId, otherImageId: reference.imageId, distance: compared.distance }
  return { checks, review: { attendanceId, kind: 'not-the-person', ...own } }
}

async function withoutCleared({ db }: Desk, attendanceId: string, near: readonly NearFace[]): Promise<NearFace[]> {
  const open: NearFace[] = []
  for (const face of near) if (!(await isCleared(db, attendanceId, face.personId))) open.push(face)
  return open
}

/** Everybody else whose face is near; `off` where this database or this model cannot be searched, which is never taken for "nobody". */
async function nearest(search: CheckDependencies['search'], template: NewTemplate, personId: string): Promise<readonly NearFace[] | 'off'> {
  if (!search.state.on) return 'off'
  const { modelId, k } = template
  try {
    return await search.find(template.descriptor, { modelId, k, exceptPersonId: personId, limit: 5 })
  } catch (error) {
    if (isProblem(error, SEARCH_PROBLEMS.searchOff)) return 'off'
    throw error
  }
}
