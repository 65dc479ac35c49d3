import type { AccountId } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { actorOf } from '../attendance/desk.ts'
import { findBinding } from './binding.store.ts'

/** Source of images and evidence of the counter. */
export const COUNTER_SOURCE = 'counter'

/** Gives the evidence of an approved case; from the rooms that keep levels. */
export type AddEvidence = Pick<Assurance, 'add'>['add']

/**
 * The evidence of a case that is approved and bound to an account; nothing while one of the two is missing.
 *
 * Called by the approval and by the binding, in their transactions, with the case's row locked: whichever comes second gives it, once. It is
 * dated by the approval: bound a year later, the level has a year less to stand.
 */
export async function giveEvidence(
  add: AddEvidence,
  tx: Sql,
  { id, personId, holderId, unitId, checks, decidedAt }: Attendance,
  supervisor: AccountId | undefined,
): Promise<boolean> {
  const { accountId, imageId } = await findBinding(tx, id)
  if (accountId === undefined || imageId === undefined || supervisor === undefined) return false
  await add(tx, {
    method: 'attended',
    livenessClass: 'attended',
    dualControl: true,
    referenceInPerson: true,
    personId,
    accountId,
    source: COUNTER_SOURCE,
    actor: actorOf({ id: supervisor }),
    imageId,
    location: unitId,
    obtainedAt: decidedAt,
    details: { attendanceId: id, attendant: holderId, supervisor, checks },
  })
  return true
}
