import type { Account, OneTimeTokens } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { insertHand, lockAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf, lockOfUnit } from '../attendance/desk.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { countStranger, findBinding, findBindingToken, findClaim, findWaiting, setBindingToken, setClaimed } from './binding.store.ts'

const KIND = 'counter-binding'
/** From the counter's screen to the citizen's own device. */
export const BINDING_SECONDS = 15 * 60

/** Others who try one link before it is dead, each a line in the person's ledger. */
const MOST_STRANGERS = 3

/** What came of a link or a code on the citizen's device. `another` = it is somebody else's; `gone` = used, over or unknown. */
export type Claimed = 'claimed' | 'another' | 'wrong' | 'gone'

/** How far the account of a case is: nobody opened the link, somebody did and has not proved who they are, or bound. */
export type BindingState = 'none' | 'claimed' | 'bound'

/** Ties a case to the account that the person themselves signed in to: no password passes through the counter. The claim is proved by `Proofs`. */
export interface Bindings {
  /**
   * A new link and code for the case; former ones are dead. It is a hand in the case: whoever offers does not approve, nor the other way round.
   * @throws {Problem} helpdesk/role-needed, helpdesk/already-bound, helpdesk/step-out-of-order, helpdesk/four-eyes
   */
  offer(attendanceId: string, hand: Hand): Promise<{ link: string; code: string }>
  stateOf(attendanceId: string): Promise<BindingState>
  /** Claims the case that a link is of. */
  byLink(link: string, account: Account): Promise<Claimed>
  /** The code of the person's own case; another person's can never be hit. */
  byCode(code: string, account: Account): Promise<Claimed>
}

export interface BindingDependencies {
  readonly desk: Desk
  readonly tokens: OneTimeTokens
}

export function createBindings(deps: BindingDependencies): Bindings {
  const { desk, tokens } = deps
  const { db, keyring } = desk
  return {
    offer: (attendanceId, hand) => db.transaction((tx) => offer(deps, tx, attendanceId, hand)),
    async stateOf(attendanceId) {
      if ((await findBinding(db, attendanceId)).accountId !== undefined) return 'bound'
      return (await findClaim(db, attendanceId)) === undefined ? 'none' : 'claimed'
    },
    async byLink(link, account) {
      const token = await tokens.findByLink(KIND, link)
      if (token?.payload === undefined) return 'gone'
      const attendanceId = token.payload
      return db.transaction(async (tx) => {
        const attendance = await lockAttendance(tx, keyring, attendanceId)
        if (attendance === undefined) return 'gone'
        if (attendance.personId !== account.personId) {
          await noteStranger(deps, tx, attendance, token.id)
          return 'another'
        }
        return claim(deps, tx, { attendance, tokenId: token.id, account })
      })
    },
    async byCode(code, account) {
      const waiting = await findWaiting(db, account.personId)
      if (waiting === undefined) return 'gone'
      const check = await tokens.checkCode({ kind: KIND, id: waiting.tokenId, code })
      if (check.kind !== 'right') return check.kind
      return db.transaction(async (tx) => {
        const attendance = await lockAttendance(tx, keyring, waiting.id)
        return attendance === undefined ? 'gone' : claim(deps, tx, { attendance, tokenId: check.token.id, account })
      })
    },
  }
}

async function offer({ desk, tokens }: BindingDependencies, tx: Sql, attendanceId: string, hand: Hand): Promise<{ link: string; code: string }> {
  await desk.staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'attendant' })
  const attendance = await lockOfUnit(desk, tx, attendanceId, hand)
  if ((await findBinding(tx, attendanceId)).accountId !== undefined) throw new Problem(HELPDESK_PROBLEMS.alreadyBound)
  const isOver = ['refused', 'abandoned', 'expired'].includes(attendance.state)
  // A case that enrols nobody lifts nobody; its claim would only hide the one of a case that does.
  if (isOver || CASE_TYPES[attendance.reason].face !== 'enrols') throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
  if (attendance.decidedBy === hand.id) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
  await insertHand(tx, attendanceId, hand, desk.clock.now())
  const former = await findBindingToken(tx, attendanceId)
  if (former !== undefined) await tokens.consume(tx, former)
  const { id, link, code } = await tokens.create(tx, { kind: KIND, ttlSeconds: BINDING_SECONDS, payload: attendanceId })
  await setBindingToken(tx, attendanceId, id)
  const { subject } = await ledgerOf(tx, attendance)
  await desk.audit.record(tx, { type: 'helpdesk/binding-offered', actor: actorOf(hand), subject, data: { attendanceId } })
  return { link, code }
}

async function claim(
  { desk, tokens }: BindingDependencies,
  tx: Sql,
  { attendance, tokenId, account }: { attendance: Attendance; tokenId: string; account: Account },
): Promise<Claimed> {
  // Of two at once one consumes it; a staff member of the case is no citizen of it (they could never have opened it).
  if (!(await tokens.consume(tx, tokenId)) || !(await setClaimed(tx, attendance.id, account.id, desk.clock.now()))) return 'gone'
  const actor = { kind: 'citizen', id: account.id } as const
  await desk.audit.record(tx, { type: 'helpdesk/binding-claimed', actor, subject: account.id, data: { attendanceId: attendance.id } })
  return 'claimed'
}

/** Somebody else held the person's link: that stands in the person's ledger, not in the other's. A link that goes round is dead soon. */
async function noteStranger({ desk, tokens }: BindingDependencies, tx: Sql, attendance: Attendance, tokenId: string): Promise<void> {
  const strangers = await countStranger(tx, attendance.id)
  if (strangers > MOST_STRANGERS) return
  if (strangers === MOST_STRANGERS) await tokens.consume(tx, tokenId)
  const { subject } = await ledgerOf(tx, attendance)
  await desk.audit.record(tx, { type: 'helpdesk/binding-refused', actor: { kind: 'system' }, subject, data: { attendanceId: attendance.id } })
}
