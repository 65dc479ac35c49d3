import { createHash, randomBytes } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import type { Locale } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { type Attendance, DRAFT_HOURS } from '../attendance/attendance.ts'
import { findAttendance, lockAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf, lockHeld, lockOfUnit } from '../attendance/desk.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import { type Answer, CONSENT_PARTS, parseScreenCode, type Purpose, purposeOf, screenCode, type ScreenAnswer, type ScreenState } from './consent.ts'
import { endScreen, findAnswer, findPaired, findScreenState, insertScreen, isOffered, type PairedScreen, pairScreen, setAnswer } from './consent.store.ts'

/** From the attendant's screen to the citizen's. */
export const PAIRING_SECONDS = 10 * 60
/** A tied screen outlives no draft. */
export const SCREEN_SECONDS = DRAFT_HOURS * 3600

/** What a tied screen shows: enough for its person to see that it is theirs, and nothing more. */
export interface ScreenView {
  readonly firstName: string
  readonly protocol: string
  readonly answer: Answer | undefined
  readonly answeredAt: Date | undefined
  readonly purpose: Purpose
  /** Later, on this screen, they say what stays of their account. */
  readonly asksWays: boolean
}

/** The citizen's own screen at the counter: what is kept and why, and their answer. */
export interface Consents {
  /** A new link and code for one screen; the former screen shows nothing any more. @throws {Problem} what `lockHeld` may */
  offer(attendanceId: string, hand: Hand): Promise<{ link: string; code: string }>
  /** Takes the case off its screen; what was answered there stands. @throws {Problem} what `lockHeld` may */
  release(attendanceId: string, hand: Hand): Promise<void>
  stateOf(attendanceId: string): Promise<ScreenState>
  answerOf(attendanceId: string): Promise<ScreenAnswer | undefined>
  /** Whether a link can still be used; using it is another act, so that a program which only looks at addresses spends nothing. */
  isOpen(link: string): Promise<boolean>
  /** Ties whoever has the link or the code; what comes back is the screen's own secret, `undefined` when the link or code is gone. */
  pair(by: { link: string } | { code: string }): Promise<string | undefined>
  /** What the screen of this secret shows now; `undefined` once its case went on or was taken off it. */
  view(screen: string): Promise<ScreenView | undefined>
  /** The citizen's answer, in the language that they read. False when the screen shows nothing any more. */
  answer(screen: string, answer: Answer, locale: Locale): Promise<boolean>
}

export interface ConsentDependencies {
  readonly desk: Desk
  readonly messages: Pick<Messages, 'text'>
}

export function createConsents({ desk, messages }: ConsentDependencies): Consents {
  const { db, keyring, clock, audit } = desk
  const hashOf = (part: 'link' | 'code' | 'screen', value: string) => keyring.hash(value, `counter-consent-${part}`)
  const paired = (sql: Sql, screen: string) => findTied(desk, sql, screen)
  return {
    offer: (id, hand) =>
      db.transaction(async (tx) => {
        const attendance = await lockShown(desk, tx, id, hand)
        const [link, code, now] = [randomBytes(32).toString('base64url'), screenCode(randomBytes(8)), clock.now()]
        const pairUntil = new Date(now.getTime() + PAIRING_SECONDS * 1000)
        await insertScreen(tx, { attendanceId: id, offeredBy: hand.id, linkHash: hashOf('link', link), codeHash: hashOf('code', code), now, pairUntil })
        const { subject } = await ledgerOf(tx, attendance)
        await audit.record(tx, { type: 'helpdesk/consent-asked', actor: actorOf(hand), subject, data: { attendanceId: id } })
        return { link, code }
      }),
    release: (id, hand) =>
      db.transaction(async (tx) => {
        await lockShown(desk, tx, id, hand)
        await endScreen(tx, id, clock.now())
      }),
    stateOf: (id) => findScreenState(db, id, clock.now()),
    answerOf: (id) => findAnswer(db, id),
    isOpen: (link) => isOffered(db, hashOf('link', link), clock.now()),
    async pair(by) {
      const secret = randomBytes(32).toString('base64url')
      const code = 'code' in by ? parseScreenCode(by.code) : undefined
      const known = 'link' in by ? { link: hashOf('link', by.link) } : code && { code: hashOf('code', code) }
      return known && (await pairScreen(db, known, hashOf('screen', secret), clock.now())) ? secret : undefined
    },
    async view(screen) {
      const found = await paired(db, screen)
      const attendance = found && (await findAttendance(db, keyring, found.attendanceId))
      if (attendance === undefined) return undefined
      const { name, socialName } = attendance.facts.reveal()
      const { reason } = attendance
      return { purpose: purposeOf(reason), asksWays: CASE_TYPES[reason].request === 'kept-ways', firstName: (socialName ?? name).split(' ')[0] ?? '', protocol: attendance.protocol, answer: found?.answer, answeredAt: found?.answeredAt }
    },
    answer: (screen, answer, locale) =>
      db.transaction(async (tx) => {
        const before = await paired(tx, screen)
        const attendance = before && (await lockAttendance(tx, keyring, before.attendanceId))
        // Looked at again behind the lock: the case may have gone on, or been taken off the screen.
        const found = attendance && (await paired(tx, screen))
        if (attendance === undefined || found === undefined) return false
        if (found.answer === answer) return true
        const said = { answer, at: clock.now(), locale, textDigest: digestOf(messages, locale, purposeOf(attendance.reason)) }
        if (!(await setAnswer(tx, found.id, said))) return false
        const { subject } = await ledgerOf(tx, attendance)
        // Nobody is signed in on that screen: the record says where it was answered, not that an account did it.
        await audit.record(tx, { type: 'helpdesk/consent-answered', actor: { kind: 'system' }, subject, data: { attendanceId: attendance.id, answer } })
        return true
      }),
  }
}

/** A draft in which its citizen has something to say: until it is checked, and of a blocked account until it is sent. */
async function lockShown(desk: Desk, tx: Sql, id: string, hand: Hand): Promise<Attendance> {
  const { reason, state } = await lockOfUnit(desk, tx, id, hand)
  return lockHeld(desk, tx, id, hand, state === 'captured' && CASE_TYPES[reason].request === 'kept-ways' ? 'captured' : 'open')
}

/** The screen of this secret, while its case shows anything on it. */
export function findTied({ keyring, clock }: Pick<Desk, 'keyring' | 'clock'>, sql: Sql, screen: string): Promise<PairedScreen | undefined> {
  return findPaired(sql, keyring.hash(screen, 'counter-consent-screen'), clock.now())
}

/** Which words were agreed to, whatever becomes of the texts later. */
function digestOf(messages: Pick<Messages, 'text'>, locale: Locale, purpose: Purpose): Buffer {
  const name = purpose === 'keep' ? 'consent' : 'compare'
  const text = CONSENT_PARTS[purpose].map((part) => messages.text(locale, `helpdesk.signature.${name}-${part}`)).join('\n')
  return createHash('sha256').update(text).digest()
}
