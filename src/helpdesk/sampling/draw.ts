import { randomInt } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import { type Attendance, documentSchema } from '../attendance/attendance.ts'
import { differencesOf, findKnown } from '../attendance/attendance.store.ts'
import type { Desk } from '../attendance/desk.ts'
import { listItems } from '../capture/item.store.ts'
import { recordAfter } from '../cases/effects.ts'
import { isDrawn, type Seen } from './sample.ts'
import { insertSample, shareOf } from './sample.store.ts'

/** What the approver has before them, read before the approval changes any of it. */
export async function readSeen({ keyring }: Pick<Desk, 'keyring'>, tx: Sql, attendance: Attendance): Promise<Seen> {
  const known = await findKnown(tx, attendance.personId)
  const document = documentSchema.safeParse((await listItems(tx, keyring, attendance.id)).find(({ kind }) => kind === 'document')?.facts.reveal())
  return { differences: differencesOf(recordAfter(attendance, known), known), ...(document.success && { document: document.data }) }
}

/**
 * Draws, or does not draw, an approval for a second look, in the transaction that approves.
 *
 * The server throws the dice once, after the case has become approved, which nothing undoes but the end of the transaction: nobody at the
 * counter learns the outcome in time to choose another one.
 */
export async function drawForSecondLook({ keyring, clock, audit }: Pick<Desk, 'keyring' | 'clock' | 'audit'>, tx: Sql, { id: attendanceId, unitId }: Attendance, seen: Seen): Promise<void> {
  const share = await shareOf(tx, unitId)
  if (!isDrawn(share, randomInt(100))) return
  await insertSample(tx, keyring, { attendanceId, share, seen, at: clock.now() })
  await audit.record(tx, { type: 'helpdesk/approval-drawn', actor: { kind: 'system' }, data: { attendanceId, unitId, share } })
}
