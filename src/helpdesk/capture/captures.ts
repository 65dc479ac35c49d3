import { checkImage, compareFaces, type Faces, ImageRefused, jpegQualityOf, PHOTO_LIMITS, type QualityProfile, qualityOf, readWsqHeader, type ReasonCode } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { DRAFT_HOURS, type Finger, MOST_SHOTS, type SeenDocument } from '../attendance/attendance.ts'
import { touchAttendance } from '../attendance/attendance.store.ts'
import { type Desk, type Hand, lockHeld } from '../attendance/desk.ts'
import { CASE_TYPES, isFitDocument } from '../cases/case-type.ts'
import type { Agreement } from '../consent/consent.ts'
import { findAgreement } from '../consent/consent.store.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { type Item, type ItemKind, listItems, type NewItem, openItem, putItem, removeItems } from './item.store.ts'
import { asShotOf } from './guidance.ts'
import { shotFacts } from './template.ts'

/** The engine as the counter uses it. */
export type CounterFaces = Pick<Faces, 'describe' | 'observe' | 'normalise' | 'rule'>

/** What the attendant takes in for a case that is open and theirs. */
export interface Captures {
  list(attendanceId: string): Promise<Item[]>
  open(attendanceId: string, itemId: string): Promise<{ bytes: Buffer; contentType: string }>
  /** How the citizen agreed to it, or that they did not. */
  agreement(attendanceId: string): Promise<Agreement | undefined>
  /** What to change in a camera frame before the shot, which will be this wide; nothing is kept. */
  guide(frame: Uint8Array, profile: QualityProfile, shotWidth?: number): Promise<readonly ReasonCode[]>
  /** Judges one shot and keeps a good one. Reasons = what to change; none = kept. @throws {ImageRefused} @throws {Problem} helpdesk/consent-needed */
  addShot(id: string, photo: Uint8Array, hand: Hand, profile: QualityProfile): Promise<{ reasons: readonly ReasonCode[]; shots: number }>
  /** Forgets all shots, to begin again. */
  clearShots(id: string, hand: Hand): Promise<void>
  /** @throws {Problem} helpdesk/request-unfit for a document that this case is not about */
  addDocument(id: string, document: SeenDocument, hand: Hand): Promise<void>
  /** A picture of a document or of a signature, upright and without anything but the picture. @throws {ImageRefused} */
  addPicture(id: string, kind: 'document-front' | 'document-back' | 'signature', photo: Uint8Array, hand: Hand): Promise<void>
  /** One finger as the capture software gave it, WSQ or PNG. @throws {ImageRefused} */
  addFinger(id: string, finger: Finger, file: Uint8Array, hand: Hand): Promise<void>
  /** Why a finger is not there. */
  missFinger(id: string, finger: Finger, reason: string, hand: Hand): Promise<void>
}

export function createCaptures(desk: Desk, faces: CounterFaces): Captures {
  const { db, keyring } = desk
  const put = (id: string, item: NewItem, hand: Hand) => db.transaction((tx) => putHeld(desk, tx, { id, item, hand }))
  return {
    list: (attendanceId) => listItems(db, keyring, attendanceId),
    async open(attendanceId, itemId) {
      const found = await openItem(db, keyring, attendanceId, itemId)
      if (found === undefined) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
      return found
    },
    agreement: async (attendanceId) => findAgreement(db, attendanceId, await listItems(db, keyring, attendanceId)),
    guide: async (frame, profile, shotWidth) => qualityOf(profile, asShotOf(await faces.observe(frame), shotWidth)).reasons,
    addShot: (id, photo, hand, profile) => addShot(desk, faces, { id, photo, hand, profile }),
    clearShots: (id, hand) =>
      db.transaction(async (tx) => {
        await lockHeld(desk, tx, id, hand, 'open')
        await removeItems(tx, id, { kind: 'face' }, desk.clock.now())
      }),
    addDocument: (id, document, hand) =>
      db.transaction(async (tx) => {
        const { reason } = await lockHeld(desk, tx, id, hand, 'open')
        if (!isFitDocument(reason, document.type)) throw new Problem(HELPDESK_PROBLEMS.requestUnfit)
        await putHeld(desk, tx, { id, item: { kind: 'document', contentType: 'application/json', width: 0, height: 0, facts: document }, hand })
      }),
    async addPicture(id, kind, photo, hand) {
      await put(id, { kind, ...(await pictureOf(faces, photo)) }, hand)
    },
    async addFinger(id, finger, file, hand) {
      await put(id, { kind: 'fingerprint', slot: finger, ...fingerOf(file) }, hand)
    },
    missFinger: (id, finger, reason, hand) =>
      put(id, { kind: 'fingerprint', slot: finger, contentType: 'application/json', width: 0, height: 0, facts: { missing: reason } }, hand),
  }
}

async function putHeld(desk: Desk, tx: Sql, { id, item, hand }: { id: string; item: NewItem; hand: Hand }): Promise<void> {
  const now = desk.clock.now()
  await lockHeld(desk, tx, id, hand, 'open')
  await putItem(tx, desk.keyring, id, item, { id: hand.id, at: now })
  await touchAttendance(tx, id, now, new Date(now.getTime() + DRAFT_HOURS * 3_600_000))
}

/** Before anything costs: the case must be this person's to change, and a face that is only compared has its person's word first. */
async function checkMayShoot(desk: Desk, id: string, hand: Hand): Promise<void> {
  await desk.db.transaction(async (tx) => {
    const { reason } = await lockHeld(desk, tx, id, hand, 'open')
    if (CASE_TYPES[reason].face !== 'proves') return
    const agreement = await findAgreement(tx, id, await listItems(tx, desk.keyring, id))
    if (agreement?.given !== true) throw new Problem(HELPDESK_PROBLEMS.consentNeeded)
  })
}

interface Shot {
  readonly id: string
  readonly photo: Uint8Array
  readonly hand: Hand
  readonly profile: QualityProfile
}

async function addShot(desk: Desk, faces: CounterFaces, { id, photo, hand, profile }: Shot): Promise<{ reasons: readonly ReasonCode[]; shots: number }> {
  await checkMayShoot(desk, id, hand)
  const seen = await faces.describe(photo)
  const quality = qualityOf(profile, seen, { jpegQuality: jpegQualityOf(photo) })
  const descriptor = seen.faces[0]?.descriptor
  const before = (await listItems(desk.db, desk.keyring, id)).filter(({ kind }) => kind === 'face')
  const shots = before.length
  if (!quality.passed || descriptor === undefined) return { reasons: quality.reasons.length > 0 ? quality.reasons : ['face/none'], shots }
  const others = before.map(({ facts }) => shotFacts.parse(facts.reveal()))
  const isOther = others.some((other) => compareFaces(faces.rule, { template: descriptor, k: 1 }, other.descriptor)?.same === false)
  if (isOther) return { reasons: ['face/not-same-person'], shots }
  if (shots >= MOST_SHOTS) return { reasons: [], shots }
  const bytes = await faces.normalise(photo)
  const item = {
    kind: 'face' as const,
    slot: freeSlot(before),
    bytes,
    contentType: 'image/jpeg',
    width: seen.width,
    height: seen.height,
    facts: { modelId: seen.modelId, descriptor },
    quality: quality.overall,
  }
  await desk.db.transaction((tx) => putHeld(desk, tx, { id, item, hand }))
  return { reasons: [], shots: shots + 1 }
}

function freeSlot(before: readonly Item[]): string {
  const taken = new Set(before.map(({ slot }) => slot))
  return ['1', '2', '3', '4', '5'].find((slot) => !taken.has(slot)) ?? '1'
}

async function pictureOf(faces: CounterFaces, photo: Uint8Array): Promise<Pick<NewItem, 'bytes' | 'contentType' | 'width' | 'height'>> {
  const bytes = await faces.normalise(photo)
  const check = checkImage(bytes)
  if (!check.ok) throw new ImageRefused(check.refusal)
  return { bytes, contentType: 'image/jpeg', width: check.width, height: check.height }
}

/** Kept to the bit: what a fingerprint shows must not be encoded anew. */
function fingerOf(file: Uint8Array): Pick<NewItem, 'bytes' | 'contentType' | 'width' | 'height'> {
  const wsq = readWsqHeader(file)
  if (wsq) return { bytes: file, contentType: 'image/x-wsq', ...wsq }
  const check = checkImage(file, { ...PHOTO_LIMITS, types: ['png'] })
  if (!check.ok) throw new ImageRefused(check.refusal)
  return { bytes: file, contentType: 'image/png', width: check.width, height: check.height }
}

export type { Item, ItemKind }
