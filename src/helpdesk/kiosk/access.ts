import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type AccountId, type CounterAccess, type Cpf, type OneTimeTokens, parsePersonId, type PersonId, type Token } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { findPersonId, insertHand, lockAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf, lockOfUnit } from '../attendance/desk.ts'
import { findBinding, setBound, setClaimed } from '../binding/binding.store.ts'
import { type AddEvidence, giveEvidence } from '../binding/evidence.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { findAccessToken, findFaceAccount, setAccessToken } from './access.store.ts'
import type { Kiosk } from './kiosk.store.ts'

const KIND = 'counter-access'
/** From the attendant's screen to the citizen's, and through the face check. */
export const ACCESS_SECONDS = 15 * 60
/** A sign-in by the face ends after this time, whatever is done in it. */
export const FACE_VISIT_SECONDS = 600

const payload = z.object({ personId: z.string(), attendanceId: z.uuid().optional(), kioskId: z.uuid().optional() })

/** One way in under way, in one browser. `subject` is whose face it must be; of a CPF that is nobody's, an id that stands in for it. */
export interface AccessStanding {
  readonly id: string
  readonly subject: string
  readonly personId: PersonId | undefined
  /** With it one way in can be made; without it one only looks. */
  readonly attendanceId: string | undefined
  readonly isProved: boolean
}

export interface AccessHandle {
  readonly id: string
  readonly binding: string
}

export type AccessEnd = { readonly kind: 'entered'; readonly accountId: AccountId; readonly sessionId: string; readonly mayEnrol: boolean } | { readonly kind: 'refused' | 'gone' }

/** The face that opens: a link or a code of an approved case, or a CPF at one of the unit's own devices. Nobody of the staff has a part in it after the offer. */
export interface Access {
  /**
   * A link and six digits for an approved case, good once; former ones are dead. It is a hand in the case.
   * @throws {Problem} helpdesk/role-needed, helpdesk/step-out-of-order, helpdesk/four-eyes
   */
  offer(attendanceId: string, hand: Hand): Promise<{ link: string; code: string }>
  /** Ties what the link offers to one browser; `undefined` when it is gone. */
  openByLink(link: string, binding: string): Promise<string | undefined>
  openByCode(asked: { cpf: Cpf; code: string; binding: string }): Promise<string | undefined>
  /** For whoever comes back to a device of the counter; begins for every CPF, and leads nowhere for most. */
  beginLook(asked: { cpf: Cpf; kiosk: Kiosk; binding: string }): Promise<string>
  find(handle: AccessHandle): Promise<AccessStanding | undefined>
  /** Writes down what came of the face, in its transaction. */
  settle(tx: Sql, standing: AccessStanding, passed: boolean): Promise<void>
  finish(handle: AccessHandle, locale: string): Promise<AccessEnd>
}

export interface AccessDependencies {
  readonly desk: Desk
  readonly tokens: OneTimeTokens
  readonly accounts: CounterAccess
  readonly addEvidence: AddEvidence
}

export function createAccess(deps: AccessDependencies): Access {
  const { desk, tokens } = deps
  const { db, keyring, audit } = desk

  async function take(token: Token | undefined, binding: string): Promise<string | undefined> {
    if (token?.state !== 'offered' || !(await tokens.move(db, { id: token.id, from: 'offered', to: 'opened', binding }))) return undefined
    return token.id
  }
  const find: Access['find'] = async ({ id, binding }) => toStanding(await tokens.find({ kind: KIND, id, binding }))

  return {
    offer: (attendanceId, hand) => db.transaction((tx) => offer(deps, tx, attendanceId, hand)),
    openByLink: async (link, binding) => take(await tokens.findByLink(KIND, link), binding),
    async openByCode({ cpf, code, binding }) {
      const personId = await findPersonId(db, cpf)
      const id = personId && (await findAccessToken(db, personId))
      const check = id && (await tokens.checkCode({ kind: KIND, id, code }))
      return check && check.kind === 'right' ? take(check.token, binding) : undefined
    },
    async beginLook({ cpf, kiosk, binding }) {
      const personId = (await findPersonId(db, cpf)) ?? standIn(keyring.hash(cpf, 'kiosk-stand-in'))
      const text = JSON.stringify({ personId, kioskId: kiosk.id })
      return (await tokens.create(db, { kind: KIND, ttlSeconds: ACCESS_SECONDS, binding, state: 'opened', payload: text })).id
    },
    find,
    async settle(tx, { id, personId, attendanceId }, passed) {
      if (passed) await tokens.move(tx, { id, from: 'opened', to: 'proved' })
      if (personId === undefined) return
      const { subject } = await ledgerOf(tx, { personId })
      const type = passed ? 'helpdesk/access-face-passed' : 'helpdesk/access-face-refused'
      await audit.record(tx, { type, actor: { kind: 'system' }, subject, data: { attendanceId } })
    },
    finish: (handle, locale) =>
      db.transaction(async (tx) => {
        const standing = toStanding(await tokens.find({ kind: KIND, ...handle }, tx))
        if (standing?.isProved !== true || !(await tokens.consume(tx, handle.id))) return { kind: 'gone' }
        const { personId, attendanceId } = standing
        if (personId === undefined) return { kind: 'refused' }
        return attendanceId === undefined ? look(deps, tx, personId) : enter(deps, tx, { attendanceId, locale })
      }),
  }
}

function toStanding(token: Token | undefined): AccessStanding | undefined {
  if (token === undefined || (token.state !== 'opened' && token.state !== 'proved')) return undefined
  const { personId, attendanceId } = payload.parse(JSON.parse(token.payload ?? '{}'))
  return { id: token.id, subject: personId, personId: parsePersonId(personId), attendanceId, isProved: token.state === 'proved' }
}

async function offer({ desk, tokens }: AccessDependencies, tx: Sql, attendanceId: string, hand: Hand): Promise<{ link: string; code: string }> {
  await desk.staff.checkHolds(tx, hand.id, { unitId: hand.unitId, role: 'attendant' })
  const attendance = await lockOfUnit(desk, tx, attendanceId, hand)
  const { imageId } = await findBinding(tx, attendanceId)
  if (attendance.state !== 'approved' || imageId === undefined) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
  if (attendance.decidedBy === hand.id) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
  await insertHand(tx, attendanceId, hand, desk.clock.now())
  const text = JSON.stringify({ personId: attendance.personId, attendanceId })
  const { id, link, code } = await tokens.create(tx, { kind: KIND, ttlSeconds: ACCESS_SECONDS, state: 'offered', payload: text })
  const former = await setAccessToken(tx, attendanceId, id)
  if (former !== undefined) await tokens.consume(tx, former)
  const { subject } = await ledgerOf(tx, attendance)
  await desk.audit.record(tx, { type: 'helpdesk/access-offered', actor: actorOf(hand), subject, data: { attendanceId } })
  return { link, code }
}

/** The person of an approved case, who has just shown the face that two people approved: their account is theirs by that. */
async function enter({ desk, accounts, addEvidence }: AccessDependencies, tx: Sql, { attendanceId, locale }: { attendanceId: string; locale: string }): Promise<AccessEnd> {
  const attendance = await lockAttendance(tx, desk.keyring, attendanceId)
  if (attendance?.state !== 'approved' || (await findBinding(tx, attendanceId)).imageId === undefined) return { kind: 'gone' }
  const opened = await accounts.open(tx, { personId: attendance.personId, locale })
  if (opened === undefined) return { kind: 'refused' }
  const now = desk.clock.now()
  await setClaimed(tx, attendanceId, opened.accountId, now)
  if (await setBound(tx, attendanceId, opened.accountId, { by: 'face' }, now)) {
    const actor = { kind: 'citizen', id: opened.accountId } as const
    await desk.audit.record(tx, { type: 'helpdesk/account-bound', actor, subject: opened.accountId, data: { attendanceId, by: 'face' } })
    await giveEvidence(addEvidence, tx, attendance, attendance.decidedBy)
  }
  return { kind: 'entered', ...opened, mayEnrol: true }
}

async function look({ accounts }: AccessDependencies, tx: Sql, personId: PersonId): Promise<AccessEnd> {
  const accountId = await findFaceAccount(tx, personId)
  const sessionId = accountId && (await accounts.look(tx, accountId))
  return accountId !== undefined && sessionId !== undefined && sessionId !== '' ? { kind: 'entered', accountId, sessionId, mayEnrol: false } : { kind: 'refused' }
}

/** An id in the form of a person's, the same for a CPF whenever it is typed, so that tries are counted alike for everybody. */
function standIn(hash: Buffer): string {
  const hex = createHash('sha256').update(hash).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
