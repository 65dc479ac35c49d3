import { ACCOUNTS_PROBLEMS, type CounterActs, type PersonId } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { ImageStore } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { insertReview } from '../approval/review.store.ts'
import { type Attendance, documentSchema } from '../attendance/attendance.ts'
import { differencesOf, findDeathDecider, findKnown, type KnownHere, setFacts } from '../attendance/attendance.store.ts'
import { actorOf, type Desk, type Hand, ledgerOf } from '../attendance/desk.ts'
import { listItems } from '../capture/item.store.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { CASE_TYPES } from './case-type.ts'

/** What the decision of a case changes in other rooms, each in its transaction. */
export interface EffectPorts {
  readonly accounts: Omit<CounterActs, 'waysOf' | 'doubtedSince' | 'cpfOf'>
  readonly evidence: Pick<Assurance, 'withdrawOfImages'>
  readonly images: Pick<ImageStore, 'withdrawImages'>
  /** A death was noted or taken back: whoever asks registers about the person does so again soon. */
  readonly deathChanged: (tx: Sql, personId: PersonId) => Promise<void>
}

/** What approved cases do beyond evidence and images. */
export interface Effects {
  /** @throws {Problem} helpdesk/four-eyes when a death is taken back by whoever approved it */
  check(tx: Sql, attendance: Attendance, supervisor: Hand): Promise<void>
  /** @throws {Problem} helpdesk/reason-unfit when the account does not stand any more as it did */
  apply(tx: Sql, attendance: Attendance, supervisor: Hand): Promise<void>
}

export function createEffects(desk: Desk, ports: EffectPorts): Effects {
  return {
    async check(tx, { personId, reason }, supervisor) {
      if (reason === 'death-correction' && (await findDeathDecider(tx, personId)) === supervisor.id) throw new Problem(HELPDESK_PROBLEMS.fourEyes)
    },
    async apply(tx, attendance, supervisor) {
      try {
        if (CASE_TYPES[attendance.reason].face !== 'enrols') await keepSeen(desk, tx, attendance)
        await effectOf(desk, ports, tx, attendance, supervisor)
      } catch (cause) {
        if (isProblem(cause, ACCOUNTS_PROBLEMS.accountNotActive)) throw new Problem(HELPDESK_PROBLEMS.reasonUnfit, { cause })
        throw cause
      }
    },
  }
}

async function effectOf(desk: Desk, ports: EffectPorts, tx: Sql, attendance: Attendance, hand: Hand): Promise<void> {
  const { personId, reason } = attendance
  const { accounts } = ports
  const actor = actorOf(hand)
  const { accountId } = await ledgerOf(tx, attendance)
  const { request } = attendance.facts.reveal()
  const unfit = () => new Problem(HELPDESK_PROBLEMS.reasonUnfit)
  switch (reason) {
    case 'name-change':
    case 'social-name':
      return correct(desk, accounts, tx, attendance, hand)
    case 'lost-phone':
      if (accountId === undefined || request?.kind !== 'lost-phone') throw unfit()
      return accounts.endLost(tx, accountId, request, actor)
    case 'blocked-account':
      if (accountId === undefined || request?.kind !== 'kept-ways') throw unfit()
      return accounts.unblock(tx, accountId, { ...request, doubtedSince: new Date(request.doubtedSince) }, actor)
    case 'death':
      if (!(await accounts.noteDeath(tx, personId, actor))) throw unfit()
      return ports.deathChanged(tx, personId)
    case 'death-correction':
      if (!(await accounts.withdrawDeath(tx, personId, actor))) throw unfit()
      return ports.deathChanged(tx, personId)
    case 'wrong-person':
      return disown(desk, ports, tx, attendance, hand)
    default:
  }
}

/** The record becomes what the register said, or the person asked; the ledger says which fields, never what was in them. */
async function correct(desk: Desk, accounts: Pick<CounterActs, 'correctRecord'>, tx: Sql, attendance: Attendance, hand: Hand): Promise<void> {
  const known = await findKnown(tx, attendance.personId)
  const facts = recordAfter(attendance, known)
  const fields = differencesOf(facts, known).map(({ name }) => name)
  if (fields.length === 0) return
  await accounts.correctRecord(tx, attendance.personId, facts)
  const { subject } = await ledgerOf(tx, attendance)
  await desk.audit.record(tx, { type: 'helpdesk/record-corrected', actor: actorOf(hand), subject, data: { attendanceId: attendance.id, fields } })
}

/**
 * What the record will say: of a social name only that changes, by the person's own word (Decreto 8.727/2016).
 *
 * A register that has no social name takes away none that the person gave here.
 */
export function recordAfter({ facts, reason }: Attendance, known: KnownHere | undefined) {
  const said = facts.reveal()
  if (reason !== 'social-name' || said.request?.kind !== 'social-name') return { ...said, socialName: said.socialName ?? known?.socialName }
  const { name, birthDate } = known ?? said
  return { ...said, name, birthDate, socialName: said.request.socialName || undefined }
}

/** The images stay stored, under seal, and serve nobody; what rested on them no longer counts; a suspicion goes to a reviewer. */
async function disown(desk: Desk, { accounts, evidence, images }: EffectPorts, tx: Sql, attendance: Attendance, hand: Hand): Promise<void> {
  const { id, personId } = attendance
  const { request } = attendance.facts.reveal()
  if (request?.kind !== 'wrong-person') throw new Problem(HELPDESK_PROBLEMS.reasonUnfit)
  const { imageIds, finding } = request
  const actor = actorOf(hand)
  const { accountId, subject } = await ledgerOf(tx, attendance)
  await images.withdrawImages(tx, personId, imageIds, actor)
  if (accountId !== undefined) {
    await evidence.withdrawOfImages(tx, { personId, accountId, imageIds, reason: 'wrong-person', actor })
    await accounts.tellImagesWithdrawn(tx, accountId)
  }
  await desk.audit.record(tx, { type: 'helpdesk/images-disowned', actor, subject, data: { attendanceId: id, imageIds, finding } })
  const [otherImageId] = imageIds
  if (finding !== 'fraud' || otherImageId === undefined) return
  const reviewId = await insertReview(tx, { attendanceId: id, kind: 'wrong-person', otherPersonId: personId, otherImageId, distance: 0 }, desk.clock.now())
  await desk.audit.record(tx, { type: 'helpdesk/fraud-review-opened', actor: { kind: 'system' }, data: { reviewId, attendanceId: id, kind: 'wrong-person' } })
}

/** The pictures of such a case are forgotten; that a document was seen, and which, stays with it. */
async function keepSeen({ clock, keyring }: Desk, tx: Sql, attendance: Attendance): Promise<void> {
  const items = await listItems(tx, keyring, attendance.id)
  const seen = documentSchema.safeParse(items.find(({ kind }) => kind === 'document')?.facts.reveal())
  if (seen.success) await setFacts(tx, keyring, attendance.id, { ...attendance.facts.reveal(), seen: seen.data }, clock.now())
}
