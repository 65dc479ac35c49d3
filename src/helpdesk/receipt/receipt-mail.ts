import { type Account, type AccountId, maskAddress, type OneTimeTokens, parseAccountId, type Token } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Locale } from '../../platform/http/locale.ts'
import { equalSecrets } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { type Attendance, isDraft } from '../attendance/attendance.ts'
import { findAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, lockOfUnit } from '../attendance/desk.ts'
import { findBinding } from '../binding/binding.store.ts'
import type { TellCitizen } from '../citizen-notice.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { insertSent, listSent, noteTaken } from './receipt-mail.store.ts'

const KIND = 'counter-receipt'
const NOTICE = 'receipt'
const SEPARATOR = ' '
/** How long the link in the message leads to the file. */
export const RECEIPT_LINK_DAYS = 7
/** Sendings of one case, and the time between two: what a message that got lost needs, and no more. */
export const MOST_SENDINGS = 3
export const SENDING_MINUTES = 2

/**
 * The receipt for the citizen's own address.
 *
 * A link that works once goes out and not the file: a mailbox keeps messages for years, and other programs read them. It goes to the account that
 * the person bound to this case and to nobody else: whoever registered the CPF before learns nothing of the visit. It leads nowhere any more
 * once the account is recovered, blocked or closed, or is reached at another address than the one that it went to.
 */
export interface ReceiptMails {
  /** Enough of the address for its owner to know it; `undefined` while no account with one is bound. */
  addressOf(attendanceId: string): Promise<string | undefined>
  /** @throws {Problem} helpdesk/receipt-no-address, helpdesk/receipt-too-often, helpdesk/held-by-another, helpdesk/step-out-of-order, helpdesk/role-needed */
  send(attendanceId: string, hand: Hand): Promise<void>
  /** Whether a link still leads to a file; looking spends nothing. */
  isOpen(link: string): Promise<boolean>
  /** The file, once; `undefined` when the link is used, over, replaced or unknown. */
  take(link: string, locale: Locale): Promise<{ readonly protocol: string; readonly file: Buffer } | undefined>
}

export interface ReceiptMailDependencies {
  readonly desk: Desk
  readonly tokens: OneTimeTokens
  readonly findAccount: (id: AccountId) => Promise<Account | undefined>
  readonly tell: TellCitizen
  readonly makeFile: (attendance: Attendance, locale: Locale) => Promise<Buffer>
}

export function createReceiptMails(deps: ReceiptMailDependencies): ReceiptMails {
  const { desk, tokens, findAccount, makeFile } = deps
  const { db, keyring, clock, audit } = desk
  const boundOf = async (sql: Sql, attendanceId: string): Promise<Account | undefined> => {
    const { accountId } = await findBinding(sql, attendanceId)
    const account = accountId && (await findAccount(accountId))
    return account?.status === 'active' ? account : undefined
  }
  /** A link that nobody used, to an account that is still reached where the link was sent to; recovery, block and closing end it by themselves. */
  async function findLive(link: string): Promise<{ token: Token; attendanceId: string } | undefined> {
    const token = await tokens.findByLink(KIND, link)
    const [attendanceId, sentTo] = token?.payload?.split(SEPARATOR) ?? []
    if (token === undefined || attendanceId === undefined) return undefined
    if (sentTo === undefined) return { token, attendanceId }
    const accountId = parseAccountId(token.accountId ?? '')
    const account = accountId && (await findAccount(accountId))
    return account?.status === 'active' && equalSecrets(addressMark(desk, account), sentTo) ? { token, attendanceId } : undefined
  }
  return {
    async addressOf(attendanceId) {
      const citizen = (await boundOf(db, attendanceId))?.citizen.reveal()
      if (citizen?.email !== undefined) return maskAddress({ kind: 'email', value: citizen.email })
      return citizen?.phone && maskAddress({ kind: 'phone', value: citizen.phone })
    },
    async send(attendanceId, hand) {
      const account = await boundOf(db, attendanceId)
      if (account === undefined) throw new Problem(HELPDESK_PROBLEMS.receiptNoAddress)
      await db.transaction((tx) => send(deps, tx, { attendanceId, account, hand }))
    },
    isOpen: async (link) => (await findLive(link)) !== undefined,
    async take(link, locale) {
      const found = await findLive(link)
      const attendance = found && (await findAttendance(db, keyring, found.attendanceId))
      if (found === undefined || attendance === undefined) return undefined
      const { token } = found
      // Made first: a file that could not be made leaves the link good.
      const file = await makeFile(attendance, locale)
      return db.transaction(async (tx) => {
        if (!(await tokens.consume(tx, token.id))) return undefined
        const subject = await noteTaken(tx, token.id, clock.now())
        await audit.record(tx, { type: 'helpdesk/receipt-taken', actor: { kind: 'system' }, subject, data: { attendanceId: attendance.id } })
        return { protocol: attendance.protocol, file }
      })
    },
  }
}

/** Which address a link went to, in the token's sealed part: never the address itself. */
function addressMark({ keyring }: Desk, { citizen }: Account): string {
  const { email, phone } = citizen.reveal()
  return keyring.hash(email ?? phone ?? '', 'counter-receipt-address').toString('base64url')
}

async function send(
  { desk, tokens, tell }: ReceiptMailDependencies,
  tx: Sql,
  { attendanceId, account, hand }: { attendanceId: string; account: Account; hand: Hand },
): Promise<void> {
  await desk.staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'attendant' })
  const attendance = await lockOfUnit(desk, tx, attendanceId, hand)
  if (attendance.holderId !== hand.id) throw new Problem(HELPDESK_PROBLEMS.heldByAnother, { detail: attendance.holderRole })
  if (isDraft(attendance)) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
  const [now, sent] = [desk.clock.now(), await listSent(tx, attendanceId)]
  const [last] = sent
  const isSoon = last !== undefined && now.getTime() - last.sentAt.getTime() < SENDING_MINUTES * 60_000
  if (sent.length >= MOST_SENDINGS || isSoon) throw new Problem(HELPDESK_PROBLEMS.receiptTooOften)
  if (last !== undefined) await tokens.consume(tx, last.tokenId)
  const { id: tokenId, link } = await tokens.create(tx, { kind: KIND, accountId: account.id, ttlSeconds: RECEIPT_LINK_DAYS * 86_400, payload: `${attendanceId}${SEPARATOR}${addressMark(desk, account)}` })
  await insertSent(tx, { attendanceId, accountId: account.id, tokenId, sentBy: hand.id, sentAt: now })
  await desk.audit.record(tx, { type: 'helpdesk/receipt-sent', actor: actorOf(hand), subject: account.id, data: { attendanceId } })
  const isTold = await tell(tx, account, `helpdesk.${NOTICE}`, { protocol: attendance.protocol, path: `/comprovantes/${link}`, days: RECEIPT_LINK_DAYS })
  if (!isTold) throw new Problem(HELPDESK_PROBLEMS.receiptNoAddress)
}
