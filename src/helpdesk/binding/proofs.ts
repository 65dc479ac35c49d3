import type { Account, AccountId, OneTimeTokens } from '../../accounts/index.ts'
import type { ImageStore, LivenessClass, LivenessPeople, SettleVerdict } from '../../biometrics/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type Attendance, LEAST_SHOTS } from '../attendance/attendance.ts'
import { lockAttendance } from '../attendance/attendance.store.ts'
import { actorOf, type Desk } from '../attendance/desk.ts'
import { listItems } from '../capture/item.store.ts'
import { templateOf } from '../capture/template.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { type BindingProof, type Claim, findClaimOf, setBound, setConfirmToken } from './binding.store.ts'
import { type AddEvidence, giveEvidence } from './evidence.ts'

/** Where the device of a citizen at the counter shows a face: tries here are counted apart from those at home. */
export const COUNTER_DOOR = 'counter'
export const CONFIRM_KIND = 'counter-confirm'
/** For the walk to a colleague. */
const CONFIRM_SECONDS = 10 * 60

/** How far an account's newest claim is. `no-face` = the counter has taken none yet; `lost` = the image of an approved case does not stand any more. */
export type ClaimStep = 'no-face' | 'lost' | 'to-prove' | 'bound'

/**
 * What makes a claim a binding: whoever opened the link shows the face that the case captured.
 *
 * A link says nothing of whose hand it is in: the attendant could have sent it to an accomplice who registered the person's CPF.
 */
export interface Proofs {
  /** The case that the account claimed last; `undefined` without one. */
  find(accountId: string): Promise<{ claim: Claim; step: ClaimStep } | undefined>
  /** The captured face, for the face check's comparison. */
  readonly findReference: LivenessPeople['findReference']
  /** What a passed check brings about, while the case still has the face that it was compared with. @throws {Problem} helpdesk/nothing-claimed */
  prepareFace(accountId: AccountId): Promise<SettleVerdict>
  /** For a device without a camera: a number that a second person of the staff reads on it. @throws {Problem} helpdesk/nothing-claimed */
  askColleague(account: Account): Promise<string>
}

export interface ProofDependencies {
  readonly desk: Desk
  readonly tokens: OneTimeTokens
  readonly images: Pick<ImageStore, 'findReference'>
  readonly addEvidence: AddEvidence
  /** Whether a check of this class proves anything here, and what a passed one gives back. */
  readonly face: {
    readonly accepts: (livenessClass: LivenessClass) => boolean
    readonly clearAttempts: (accountId: string, tx: Sql, door: string) => Promise<void>
  }
}

interface CapturedFace {
  /** Changes with the face. */
  readonly key: string
  readonly modelId: string
  readonly template: readonly number[]
}

export function createProofs(deps: ProofDependencies): Proofs {
  const { desk, tokens } = deps
  const { db } = desk

  async function getClaim(accountId: string): Promise<Claim> {
    const found = await findClaimOf(db, accountId)
    if (found === undefined || found.isBound) throw new Problem(HELPDESK_PROBLEMS.nothingClaimed)
    return found
  }

  return {
    async find(accountId) {
      const claim = await findClaimOf(db, accountId)
      if (claim === undefined) return undefined
      if (claim.isBound) return { claim, step: 'bound' }
      if (await hasFace(desk, db, claim)) return { claim, step: 'to-prove' }
      return { claim, step: claim.state === 'approved' ? 'lost' : 'no-face' }
    },
    async findReference(accountId, modelId) {
      const claim = await findClaimOf(db, accountId)
      const face = claim && !claim.isBound ? await faceOf(deps, db, claim, modelId) : undefined
      return face && { modelId, template: face.template, inPerson: true }
    },
    async prepareFace(accountId) {
      const claim = await getClaim(accountId)
      const key = await faceKeyOf(desk, db, claim)
      return async (tx, verdict) => {
        const attendance = await lockAttendance(tx, desk.keyring, claim.attendanceId)
        if (attendance === undefined) return
        const isProved = verdict.passed && deps.face.accepts(verdict.class) && key !== undefined && key === (await faceKeyOf(desk, tx, claim))
        const actor = { kind: 'citizen', id: accountId } as const
        if (!isProved) {
          await desk.audit.record(tx, { type: 'helpdesk/binding-unproved', actor, subject: accountId, data: { attendanceId: attendance.id } })
          return
        }
        await deps.face.clearAttempts(accountId, tx, COUNTER_DOOR)
        await bind(deps, tx, { attendance, accountId, proof: { by: 'face' } })
      }
    },
    async askColleague(account) {
      const { attendanceId, confirmToken } = await getClaim(account.id)
      return db.transaction(async (tx) => {
        if (confirmToken !== undefined) await tokens.consume(tx, confirmToken)
        const { id, code } = await tokens.create(tx, { kind: CONFIRM_KIND, ttlSeconds: CONFIRM_SECONDS, payload: attendanceId })
        await setConfirmToken(tx, attendanceId, id)
        return code
      })
    },
  }
}

/** Binds a claimed case, in the transaction that holds its row; false when it is bound, or claimed by another account meanwhile. */
export async function bind(
  { desk, addEvidence }: Pick<ProofDependencies, 'desk' | 'addEvidence'>,
  tx: Sql,
  { attendance, accountId, proof }: { attendance: Attendance; accountId: AccountId; proof: BindingProof },
): Promise<boolean> {
  if (!(await setBound(tx, attendance.id, accountId, proof, desk.clock.now()))) return false
  const actor = proof.by === 'staff' ? actorOf({ id: proof.confirmer }) : ({ kind: 'citizen', id: accountId } as const)
  await desk.audit.record(tx, { type: 'helpdesk/account-bound', actor, subject: accountId, data: { attendanceId: attendance.id, by: proof.by } })
  if (attendance.state === 'approved') await giveEvidence(addEvidence, tx, attendance, attendance.decidedBy)
  return true
}

/** Whether the counter took a face of the person that a claim can be compared with. */
export async function hasFace(desk: Desk, sql: Sql, claim: Claim): Promise<boolean> {
  return (await faceKeyOf(desk, sql, claim)) !== undefined
}

/** Names the face that the case has now, so that another one is noticed; `undefined` before there are enough shots. */
async function faceKeyOf({ keyring }: Desk, sql: Sql, { attendanceId, state, imageId }: Claim): Promise<string | undefined> {
  if (state === 'approved') return imageId
  const shots = (await listItems(sql, keyring, attendanceId)).filter(({ kind }) => kind === 'face')
  return shots.length < LEAST_SHOTS ? undefined : shots.map(({ id }) => id).join()
}

async function faceOf({ desk, images }: ProofDependencies, sql: Sql, claim: Claim, modelId: string): Promise<CapturedFace | undefined> {
  const key = await faceKeyOf(desk, sql, claim)
  if (key === undefined) return undefined
  if (claim.state === 'approved') {
    const reference = await images.findReference(claim.personId, modelId)
    return reference !== undefined && reference.imageId === claim.imageId ? { key, modelId, template: reference.descriptor } : undefined
  }
  const template = templateOf(await listItems(sql, desk.keyring, claim.attendanceId))
  return template?.modelId === modelId ? { key, modelId, template: template.descriptor } : undefined
}
