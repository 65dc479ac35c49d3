import { z } from 'zod'
import { type ImageKind, type ImageStore, MISSING_FINGER_TYPE, MISSING_FINGERS, missingFingerBytes, type NewImage, type Provenance } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { hadPart, lockEnrolments } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, doStep, type Hand, ledgerOf, lockOfUnit } from '../attendance/desk.ts'
import { findBoundAccount, setImage } from '../binding/binding.store.ts'
import { type AddEvidence, COUNTER_SOURCE, giveEvidence } from '../binding/evidence.ts'
import { forgetItems, type Item, listItems, openItem } from '../capture/item.store.ts'
import { bestShot, templateOf } from '../capture/template.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import type { Effects } from '../cases/effects.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { drawForSecondLook, readSeen } from '../sampling/draw.ts'
import type { LastChecks } from './checks.ts'
import { hasJudged } from './review.store.ts'

/** Why a case is refused; codes, with texts of the pages. */
export const REFUSALS = ['bad-picture', 'document-doubt', 'not-the-person', 'incomplete', 'other'] as const
export type Refusal = (typeof REFUSALS)[number]

export interface ApprovalDependencies {
  readonly desk: Desk
  readonly images: ImageStore
  readonly addEvidence: AddEvidence
  readonly checks: LastChecks
  readonly effects: Effects
}

/** The second pair of eyes. */
export interface Approvals {
  /** Whether this person may decide the case at all. */
  mayDecide(attendance: Attendance, hand: Hand): Promise<boolean>
  /**
   * Puts everything into the image store as captured in person, and gives the evidence of it to the account that the case is bound to.
   *
   * `compared` = the supervisor says that they compared the faces themselves; asked where the search could not. `asked` = that the person was
   * asked about their account; wanted of one that is newer than the case.
   * @throws {Problem} helpdesk/four-eyes, helpdesk/halted, helpdesk/eyes-needed, helpdesk/step-out-of-order, helpdesk/role-needed,
   * helpdesk/reason-unfit, helpdesk/ask-needed
   */
  approve(id: string, hand: Hand, said: { compared: boolean; asked?: boolean }): Promise<void>
  /** @throws {Problem} helpdesk/four-eyes, helpdesk/step-out-of-order, helpdesk/role-needed */
  refuse(id: string, hand: Hand, reason: Refusal): Promise<void>
}

export function createApprovals(deps: ApprovalDependencies): Approvals {
  const { desk, checks } = deps
  const { db } = desk
  return {
    mayDecide: async (attendance, hand) => !(await isInvolved(db, attendance, hand)),
    async approve(id, hand, { compared, asked }) {
      const attendance = await db.transaction((tx) => lockForDecision(desk, tx, id, hand))
      const { face } = CASE_TYPES[attendance.reason]
      // Somebody may have been enrolled with this face since it was compared, or the person with another one.
      const again = await checks.again(attendance)
      if (again === 'halted') throw new Problem(HELPDESK_PROBLEMS.halted)
      const isSearched = again === 'clear' && (face !== 'enrols' || attendance.checks.oneToN !== 'off')
      if (!isSearched && !compared) throw new Problem(HELPDESK_PROBLEMS.eyesNeeded)
      if (!asked && (await findBoundAccount(db, id))?.isNew === true) throw new Problem(HELPDESK_PROBLEMS.askNeeded)
      const isApproved = await db.transaction((tx) => approve(deps, tx, id, hand))
      if (!isApproved) throw new Problem(HELPDESK_PROBLEMS.halted)
    },
    refuse: (id, hand, reason) =>
      db.transaction(async (tx) => {
        const attendance = await lockForDecision(desk, tx, id, hand)
        await doStep(desk, tx, attendance, 'refuse', { decided: { by: hand.id, decision: reason } })
        await forgetItems(tx, id)
        await noteEnd(desk, tx, attendance, hand, { state: 'refused', decision: reason })
      }),
  }
}

/** Another person than everybody who had a hand in the case, with the role live at this moment. SQL says so once more. */
async function lockForDecision(desk: Desk, tx: Sql, id: string, hand: Hand): Promise<Attendance> {
  await desk.staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'supervisor' })
  const attendance = await lockOfUnit(desk, tx, id, hand)
  if (await isInvolved(tx, attendance, hand)) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
  if (attendance.state !== 'awaiting-approval') throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
  if (attendance.haltedAt !== undefined) throw new Problem(HELPDESK_PROBLEMS.halted)
  return attendance
}

/** A hand in the case, its citizen's support or its suspicion's end, or the citizen. */
async function isInvolved(sql: Sql, attendance: Attendance, hand: Hand): Promise<boolean> {
  const { accountId } = await ledgerOf(sql, attendance)
  if (accountId === hand.id || attendance.holderId === hand.id) return true
  return (await hadPart(sql, attendance.id, hand.id)) || hasJudged(sql, attendance.id, hand.id)
}

/** False when the case was stopped instead: somebody else was enrolled with this face a moment ago. */
async function approve({ desk, images, addEvidence, effects, checks }: ApprovalDependencies, tx: Sql, id: string, hand: Hand): Promise<boolean> {
  // Before every other lock: whoever waits for it holds nothing that the one before may want.
  await lockEnrolments(tx)
  const attendance = await lockForDecision(desk, tx, id, hand)
  await effects.check(tx, attendance, hand)
  const isEnrolling = CASE_TYPES[attendance.reason].face === 'enrols'
  if (isEnrolling && (await checks.alone(tx, attendance)) === 'halted') return false
  const seen = await readSeen(desk, tx, attendance)
  if (isEnrolling) await setImage(tx, id, await storeItems({ desk, images }, tx, attendance))
  await doStep(desk, tx, attendance, 'approve', { decided: { by: hand.id, decision: 'approved' } })
  if (isEnrolling) await drawForSecondLook(desk, tx, attendance, seen)
  await effects.apply(tx, attendance, hand)
  await giveEvidence(addEvidence, tx, attendance, hand.id)
  await forgetItems(tx, id)
  await noteEnd(desk, tx, attendance, hand, { state: 'approved', decision: 'approved' })
  return true
}

async function noteEnd(desk: Desk, tx: Sql, attendance: Attendance, hand: Hand, ended: { state: 'approved' | 'refused'; decision: string }): Promise<void> {
  const { subject } = await ledgerOf(tx, attendance)
  const data = { attendanceId: attendance.id, ...ended }
  await desk.audit.record(tx, { type: 'helpdesk/attendance-ended', actor: actorOf(hand), subject, data })
}

const KINDS: Readonly<Partial<Record<Item['kind'], ImageKind>>> = {
  'document-front': 'document-front',
  'document-back': 'document-back',
  signature: 'signature',
  fingerprint: 'fingerprint',
}

/** Everything with a picture, as captured in person; the face's image is the best shot with the mean of all. Earlier versions stay. */
async function storeItems({ desk, images }: Pick<ApprovalDependencies, 'desk' | 'images'>, tx: Sql, attendance: Attendance): Promise<string> {
  const { keyring } = desk
  const items = await listItems(tx, keyring, attendance.id)
  const [face, template] = [bestShot(items), templateOf(items)]
  if (face === undefined || template === undefined) throw new Problem(HELPDESK_PROBLEMS.captureIncomplete)
  const put = async (item: Item, kind: ImageKind, more?: typeof template): Promise<string> => {
    const opened = await openItem(tx, keyring, attendance.id, item.id)
    if (opened === undefined) throw new Problem(HELPDESK_PROBLEMS.captureIncomplete)
    const { width, height, slot } = item
    const contentType = storedType(opened.contentType)
    const named = kind === 'fingerprint' ? { slot } : {}
    return images.put(tx, { personId: attendance.personId, kind, ...named, bytes: opened.bytes, contentType, width, height, provenance: provenanceOf(item, attendance) }, more)
  }
  const imageId = await put(face, 'face', template)
  for (const item of items) {
    const kind = KINDS[item.kind]
    if (kind !== undefined && item.hasBytes) await put(item, kind)
    else if (kind === 'fingerprint') await images.put(tx, missingFingerOf(item, attendance))
  }
  return imageId
}

const missingFacts = z.object({ missing: z.enum(MISSING_FINGERS) })

/** Why there is no print of a finger, in its place in the store. */
function missingFingerOf(item: Item, attendance: Attendance): NewImage {
  const { missing } = missingFacts.parse(item.facts.reveal())
  const record = { bytes: missingFingerBytes(missing), contentType: MISSING_FINGER_TYPE, width: 0, height: 0 } as const
  return { personId: attendance.personId, kind: 'fingerprint', slot: item.slot, ...record, provenance: provenanceOf(item, attendance) }
}

function provenanceOf({ id, kind, capturedBy, capturedAt }: Item, { unitId }: Attendance): Provenance {
  const method = kind === 'face' || kind === 'signature' ? 'camera' : 'upload'
  return { source: COUNTER_SOURCE, method, trusted: true, inPerson: true, capturedAt, capturePoint: unitId, operatorId: capturedBy, sourceId: id }
}

function storedType(contentType: string): 'image/jpeg' | 'image/png' | 'image/x-wsq' {
  return contentType === 'image/png' || contentType === 'image/x-wsq' ? contentType : 'image/jpeg'
}
