import type { CounterActs, WaysOfAccount } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { findAttendance, lockAttendance, setFacts } from '../attendance/attendance.store.ts'
import { type Desk, ledgerOf } from '../attendance/desk.ts'
import { listItems } from '../capture/item.store.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import type { CaseRequest } from '../cases/request.ts'
import { findAgreement, setChosen } from './consent.store.ts'
import { findTied } from './consents.ts'

export type KeptRequest = Extract<CaseRequest, { kind: 'kept-ways' }>
/** What the citizen ticked. */
export type Choice = Omit<KeptRequest, 'kind' | 'doubtedSince'>

/** A blocked account's ways in, as its owner sees them; what came in after `doubtedSince` is not ticked for them. */
export interface OfferedWays {
  readonly ways: WaysOfAccount
  readonly doubtedSince: Date
  readonly chosen: KeptRequest | undefined
}

/**
 * The owner of a blocked account says on their own screen what they know as theirs; everything else goes when the case is approved.
 *
 * Only once the face was found to be the owner's: nobody else shall read what an account is reached by.
 */
export interface WayChoices {
  /** Whether there is something to choose on this screen now, and whether it was chosen; asked every other second. */
  stateOf(screen: string): Promise<'ways' | 'chosen' | undefined>
  /** `undefined` while there is nothing to choose on this screen. */
  find(screen: string): Promise<OfferedWays | undefined>
  /** Later choices take the place of former ones, until the case is sent. False when the screen shows nothing to choose any more. */
  choose(screen: string, choice: Choice): Promise<boolean>
}

export function createWayChoices({ desk, accounts }: { desk: Desk; accounts: Pick<CounterActs, 'waysOf' | 'doubtedSince'> }): WayChoices {
  const { db, keyring, clock, audit } = desk

  async function isDue(sql: Sql, { id, reason, state, haltedAt }: Attendance): Promise<boolean> {
    if (CASE_TYPES[reason].request !== 'kept-ways' || state !== 'captured' || haltedAt !== undefined) return false
    return (await findAgreement(sql, id, await listItems(sql, keyring, id)))?.given === true
  }
  async function findDue(screen: string): Promise<{ attendance: Attendance; chosen: KeptRequest | undefined } | undefined> {
    const tied = await findTied(desk, db, screen)
    const attendance = tied && (await findAttendance(db, keyring, tied.attendanceId))
    if (attendance === undefined || !(await isDue(db, attendance))) return undefined
    const { request } = attendance.facts.reveal()
    return { attendance, chosen: request?.kind === 'kept-ways' ? request : undefined }
  }
  async function offer(screen: string): Promise<(OfferedWays & { attendance: Attendance }) | undefined> {
    const due = await findDue(screen)
    const accountId = due && (await ledgerOf(db, due.attendance)).accountId
    if (due === undefined || accountId === undefined) return undefined
    return { ...due, ways: await accounts.waysOf(accountId), doubtedSince: await accounts.doubtedSince(accountId) }
  }

  return {
    async stateOf(screen) {
      const due = await findDue(screen)
      return due && (due.chosen ? 'chosen' : 'ways')
    },
    find: offer,
    async choose(screen, choice) {
      const offered = await offer(screen)
      if (offered === undefined) return false
      const request = requestOf(offered, choice)
      return db.transaction(async (tx) => {
        const attendance = await lockAttendance(tx, keyring, offered.attendance.id)
        // Looked at again behind the lock: the case may have gone on, or been taken off the screen.
        const tied = attendance && (await findTied(desk, tx, screen))
        if (tied === undefined || attendance === undefined || !(await isDue(tx, attendance))) return false
        await setFacts(tx, keyring, attendance.id, { ...attendance.facts.reveal(), request }, clock.now())
        await setChosen(tx, tied.id, clock.now())
        const { subject } = await ledgerOf(tx, attendance)
        // As with the consent: where it was said, and not that an account said it.
        await audit.record(tx, { type: 'helpdesk/ways-chosen', actor: { kind: 'system' }, subject, data: { attendanceId: attendance.id } })
        return true
      })
    },
  }
}

/** What is not the account's is not kept, whoever names it. */
function requestOf({ ways, doubtedSince }: OfferedWays, choice: Choice): KeptRequest {
  const known = (offered: readonly { readonly id: string }[], ids: readonly string[]) => ids.filter((id) => offered.some((one) => one.id === id))
  return {
    kind: 'kept-ways',
    passkeyIds: known(ways.passkeys, choice.passkeyIds),
    certificateIds: known(ways.certificates, choice.certificateIds),
    contactIds: known(ways.contacts, choice.contactIds),
    totp: choice.totp,
    recoveryCodes: choice.recoveryCodes,
    doubtedSince: doubtedSince.toISOString(),
  }
}
