import { createHash } from 'node:crypto'
import { checkImage, ImageRefused } from '../../biometrics/index.ts'
import type { Locale } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { Problem } from '../../platform/problem.ts'
import { type Authority, dayOf, type Mandate, type MandateId, parsePartyRef, type PartyRef, type Power, type Proxies, PROXIES_PROBLEMS, type Role, type Use } from '../../proxies/index.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { findAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf, lockHeld } from '../attendance/desk.ts'
import { listItems } from '../capture/item.store.ts'
import type { CounterFaces } from '../capture/captures.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import { findAgreement } from '../consent/consent.store.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { Unit } from '../staff/unit.store.ts'
import { insertHelp, listHelps } from './assistance.store.ts'

/** What a consent rests on is kept for as long as a claim about it may be brought (Código de Defesa do Consumidor, 27). */

/** One help of a case, with everything that was done by it. */
export interface Help {
  readonly mandate: Mandate
  readonly role: Role | undefined
  readonly signedAt: Date
  readonly uses: readonly Use[]
}

export interface AssistanceDependencies {
  readonly desk: Desk
  readonly proxies: Pick<Proxies, 'entered' | 'uses' | 'roles' | 'mandates' | 'instruments'>
  readonly faces: Pick<CounterFaces, 'normalise'>
  readonly messages: Pick<Messages, 'text'>
  /** As which relying party the counter is known to the register of mandates. */
  readonly clientId: string
}

/**
 * Somebody who has no device lets the unit act for them: one power, until midnight, by a signature under the words that were read to them.
 *
 * It stands on the case: its document was seen and its face compared, and nothing stopped it. Every use names the attendant, and the
 * person's own pages have it at once.
 */
export interface Assistance {
  /** Powers that agencies have published for help at a counter. */
  offered(): Promise<Role[]>
  /** The words to read and to sign under. */
  words(about: { attendance: Attendance; role: Role; unit: Unit }, locale: Locale): string
  /** Whether somebody may sign in this case now: everything was captured and compared, and its holder asks. */
  isOpen(attendance: Attendance, hand: Hand): boolean
  /** @throws {Problem} what `lockHeld` may, helpdesk/halted, helpdesk/consent-refused, proxies/role-changed @throws {ImageRefused} */
  sign(id: string, signed: { power: Power; picture: Uint8Array; locale: Locale; unit: Unit }, hand: Hand): Promise<void>
  list(attendanceId: string): Promise<Help[]>
  /** Decides and writes one use; nothing is written when it denies. @throws {Problem} proxies/step-out-of-order */
  use(id: string, asked: { mandateId: MandateId; service: string | undefined; unit: Unit }, hand: Hand): Promise<void>
  /** Ends it before midnight. @throws {Problem} proxies/step-out-of-order */
  end(id: string, mandateId: MandateId, hand: Hand): Promise<void>
  /** The paper for the person to take home; it has name and CPF, so that printing it is a look that their ledger tells. */
  receipt(id: string, mandateId: MandateId, hand: Hand): Promise<Buffer>
}

export function createAssistance(deps: AssistanceDependencies): Assistance {
  const { desk, proxies, messages, clientId } = deps
  const { db, keyring, clock } = desk
  const authorityOf = (hand: Hand, cpf: string, namespace: string): Authority => ({ clientId, namespaces: [namespace], official: hand.id, at: { accountId: hand.id, cpf } })

  async function getOwn(id: string, mandateId: MandateId): Promise<Mandate> {
    const isOfCase = (await listHelps(db, id)).some((one) => one.mandateId === mandateId)
    const mandate = isOfCase ? await proxies.mandates.find(mandateId) : undefined
    if (mandate === undefined) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
    return mandate
  }

  const words: Assistance['words'] = ({ attendance, role, unit }, locale) => {
    const { name, socialName } = attendance.facts.reveal()
    const [year, month, day] = dayOf(clock.now()).split('-')
    const power = role.definition.description[locale] ?? role.definition.title['pt-BR'] ?? ''
    return messages.text(locale, 'helpdesk.assistance.words', { name: socialName ?? name, unit: unit.name, power, day: `${day}/${month}/${year}` })
  }

  return {
    words,
    offered: async () => (await proxies.roles.list({ hidden: true })).filter(({ definition }) => definition.kinds.includes('assistencia')),
    isOpen: (attendance, hand) => attendance.holderId === hand.id && attendance.state === 'captured' && attendance.haltedAt === undefined && hasFace(attendance),
    async sign(id, { power, picture, locale, unit }, hand) {
      const attendance = await getAttendance(desk, id, hand)
      const role = await proxies.roles.find(power)
      if (role === undefined) throw new Problem(PROXIES_PROBLEMS.roleNotFound)
      const signature = await pictureOf(deps, picture)
      const text = words({ attendance, role, unit }, locale)
      const digests = { text: digestOf(text), signature: digestOf(signature) }
      const { cpf, name } = attendance.facts.reveal()
      const consent = `${attendance.protocol} sha256:${digests.signature.toString('hex')}`
      const terms = { organisation: organisationOf(unit), citizen: { ref: personOf(cpf), name }, powers: [power], consent }
      await proxies.entered.help(authorityOf(hand, '', power.namespace), terms, async (tx, mandate) => {
        const now = await lockHeld(desk, tx, id, hand, 'captured')
        if (now.haltedAt !== undefined) throw new Problem(HELPDESK_PROBLEMS.halted)
        if (!hasFace(now)) throw new Problem(HELPDESK_PROBLEMS.stepOutOfOrder)
        const agreement = await findAgreement(tx, id, await listItems(tx, keyring, id))
        if (agreement?.given === false) throw new Problem(HELPDESK_PROBLEMS.consentRefused)
        const made = { attendanceId: id, mandateId: mandate.id, attendantId: hand.id, signedAt: clock.now() }
        await insertHelp(tx, keyring, { ...made, text: { words: text, digest: digests.text }, signature: { bytes: signature, digest: digests.signature } })
        const { subject } = await ledgerOf(tx, now)
        await desk.audit.record(tx, { type: 'helpdesk/help-signed', actor: actorOf(hand), subject, data: { attendanceId: id, mandateId: mandate.id } })
      })
    },
    async list(attendanceId) {
      const found: Help[] = []
      for (const { mandateId, signedAt } of await listHelps(db, attendanceId)) {
        const mandate = await proxies.mandates.find(mandateId)
        const [power] = mandate?.powers ?? []
        if (mandate && power) found.push({ mandate, signedAt, role: await proxies.roles.find(power), uses: await proxies.uses.listOfMandate(mandateId) })
      }
      return found
    },
    async use(id, { mandateId, service, unit }, hand) {
      await checkOther(desk, id, hand)
      const mandate = await getOwn(id, mandateId)
      const [role] = mandate.powers
      const actor = { kind: 'organisation', code: organisationOf(unit).code } as const
      if (role === undefined || mandate.delegate.document !== `org:${actor.code}`) throw new Problem(PROXIES_PROBLEMS.mandateNotFound)
      const { useId } = await proxies.uses.record({ actor, represented: personOf(mandate.represented.document), role, service }, clientId, { official: hand.id })
      if (useId === undefined) throw new Problem(PROXIES_PROBLEMS.stepOutOfOrder)
    },
    async end(id, mandateId, hand) {
      await checkOther(desk, id, hand)
      const { powers } = await getOwn(id, mandateId)
      await proxies.entered.change(authorityOf(hand, '', powers[0]?.namespace ?? ''), mandateId, 'terminated')
    },
    async receipt(id, mandateId, hand) {
      const attendance = await getAttendance(desk, id, hand)
      const { pdf } = await proxies.instruments.print(await getOwn(id, mandateId))
      await noteSeen(desk, attendance, hand)
      return pdf
    },
  }
}

/** Cases in which the person's own face was taken: nobody signs for somebody who is not known to be there. */
function hasFace({ reason, checks }: Attendance): boolean {
  return CASE_TYPES[reason].face !== 'none' && checks.oneToOne !== undefined && checks.oneToOne.kind !== 'different'
}

async function getAttendance({ db, keyring }: Desk, id: string, { unitId }: Hand): Promise<Attendance> {
  const attendance = await findAttendance(db, keyring, id)
  if (attendance?.unitId !== unitId) throw new Problem(HELPDESK_PROBLEMS.attendanceUnknown)
  return attendance
}

async function noteSeen({ db, audit }: Desk, attendance: Attendance, hand: Hand): Promise<void> {
  await db.transaction(async (tx) => {
    const { subject } = await ledgerOf(tx, attendance)
    await audit.record(tx, { type: 'helpdesk/attendance-seen', actor: actorOf(hand), subject, data: { attendanceId: attendance.id, unitId: hand.unitId, role: hand.role } })
  })
}

/** Nobody helps themself. */
async function checkOther(desk: Desk, id: string, hand: Hand): Promise<void> {
  const { accountId } = await ledgerOf(desk.db, await getAttendance(desk, id, hand))
  if (accountId === hand.id) throw new Problem(HELPDESK_PROBLEMS.ownCase)
}

async function pictureOf({ faces }: AssistanceDependencies, picture: Uint8Array): Promise<Uint8Array> {
  const bytes = await faces.normalise(picture)
  const check = checkImage(bytes)
  if (!check.ok) throw new ImageRefused(check.refusal)
  return bytes
}

const organisationOf = ({ code, name }: Unit) => ({ code: code.slice(0, 41), name })

function personOf(cpf: string): PartyRef {
  const ref = parsePartyRef(cpf)
  if (ref?.kind !== 'person') throw new Error('a case without a CPF')
  return ref
}

function digestOf(what: string | Uint8Array): Buffer {
  return createHash('sha256').update(what).digest()
}
