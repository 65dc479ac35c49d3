import type { OneTimeTokens } from '../../accounts/index.ts'
import type { ImageStore } from '../../biometrics/index.ts'
import { Problem } from '../../platform/problem.ts'
import { findAttendance, hadPart } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf, lockOfUnit } from '../attendance/desk.ts'
import { listItems, openItem } from '../capture/item.store.ts'
import { bestShot } from '../capture/template.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { type Claim, findClaim, listToConfirm } from './binding.store.ts'
import type { AddEvidence } from './evidence.ts'
import { bind, CONFIRM_KIND, hasFace } from './proofs.ts'

/** How long a case stays on the list of those to confirm. */
/** How long somebody who asked to be confirmed stays on the list. */
export const LISTED_MS = 86_400_000

export interface ToConfirm {
  readonly id: string
  readonly protocol: string
  readonly claimedAt: Date
  /** Had a hand in it: somebody else confirms it. */
  readonly isMine: boolean
}

/** The way for a device without a camera: a second person of the staff sees who holds it, and types what it shows, on a session of their own. */
export interface Confirmations {
  list(hand: Hand): Promise<ToConfirm[]>
  /** @throws {Problem} helpdesk/attendance-unknown, helpdesk/four-eyes, helpdesk/nothing-claimed */
  open(id: string, hand: Hand): Promise<{ protocol: string; name: string }>
  /** The captured face, to compare with whoever holds the device. */
  picture(id: string, hand: Hand): Promise<{ bytes: Buffer; contentType: string }>
  /** `wrong` = not what the device shows; `gone` = the person asks for a new number. */
  confirm(id: string, code: string, hand: Hand): Promise<'bound' | 'wrong' | 'gone'>
}

export interface ConfirmationDependencies {
  readonly desk: Desk
  readonly tokens: OneTimeTokens
  readonly images: Pick<ImageStore, 'openFor'>
  readonly addEvidence: AddEvidence
}

export function createConfirmations(deps: ConfirmationDependencies): Confirmations {
  const { desk, tokens, images } = deps
  const { db, keyring, clock, staff } = desk

  /** Nobody with a hand in the case, nor its citizen. */
  async function getClaim(id: string, hand: Hand): Promise<Claim> {
    const claim = await findClaim(db, id)
    if (claim?.unitId !== hand.unitId) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
    if (claim.accountId === hand.id || (await hadPart(db, id, hand.id))) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
    // Nobody looks at a name and a face whose person did not ask for it on their device.
    if (claim.isBound || claim.confirmToken === undefined || !(await hasFace(desk, db, claim))) throw new Problem(HELPDESK_PROBLEMS.nothingClaimed)
    return claim
  }

  return {
    async list(hand) {
      const rows = await listToConfirm(db, hand.unitId, new Date(clock.now().getTime() - LISTED_MS))
      return Promise.all(rows.map(async (row) => ({ ...row, isMine: await hadPart(db, row.id, hand.id) })))
    },
    async open(id, hand) {
      await getClaim(id, hand)
      const attendance = await findAttendance(db, keyring, id)
      if (attendance === undefined) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
      await db.transaction(async (tx) => {
        const { subject } = await ledgerOf(tx, attendance)
        const data = { attendanceId: id, unitId: hand.unitId, role: hand.role }
        await desk.audit.record(tx, { type: 'helpdesk/attendance-seen', actor: actorOf(hand), subject, data })
      })
      const { name, socialName } = attendance.facts.reveal()
      return { protocol: attendance.protocol, name: socialName ?? name }
    },
    async picture(id, hand) {
      const { state, imageId } = await getClaim(id, hand)
      if (state === 'approved' && imageId !== undefined) return images.openFor(imageId, { actor: actorOf(hand), purpose: 'counter-binding' })
      const shot = bestShot(await listItems(db, keyring, id))
      const found = shot && (await openItem(db, keyring, id, shot.id))
      if (found === undefined) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
      return found
    },
    async confirm(id, code, hand) {
      const { confirmToken } = await getClaim(id, hand)
      if (confirmToken === undefined) return 'gone'
      const check = await tokens.checkCode({ kind: CONFIRM_KIND, id: confirmToken, code })
      if (check.kind !== 'right') return check.kind
      return db.transaction(async (tx) => {
        await staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: hand.role })
        const attendance = await lockOfUnit(desk, tx, id, hand)
        if (await hadPart(tx, id, hand.id)) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
        const claim = await findClaim(tx, id)
        if (claim?.confirmToken !== confirmToken || !(await tokens.consume(tx, confirmToken))) return 'gone'
        return (await bind(deps, tx, { attendance, accountId: claim.accountId, proof: { by: 'staff', confirmer: hand.id } })) ? 'bound' : 'gone'
      })
    },
  }
}
