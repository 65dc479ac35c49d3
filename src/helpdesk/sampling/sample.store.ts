import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Sensitive } from '../../platform/sensitive.ts'
import { type Doubt, type SampleState, type Seen, seenSchema } from './sample.ts'

const contextOf = (attendanceId: string) => `approval-sample:${attendanceId}`

/** An approval that was drawn for a second look. */
export interface Sample {
  readonly attendanceId: string
  readonly state: SampleState
  readonly drawnAt: Date
  readonly decidedBy: AccountId | undefined
  /** Empty once nobody needs it. */
  readonly seen: Sensitive<Seen | undefined>
  /** What a doubt put out of use. */
  readonly heldImages: readonly string[]
  readonly heldEvidence: number
}

interface SampleRow {
  readonly attendance_id: string
  readonly state: SampleState
  readonly drawn_at: Date
  readonly decided_by: AccountId | null
  readonly sealed: Buffer | null
  readonly held_images: string[]
  readonly held_evidence: number
}

const COLUMNS = 's.attendance_id, s.state, s.drawn_at, s.decided_by, s.sealed, s.held_images, s.held_evidence'

export async function insertSample(tx: Sql, keyring: Keyring, drawn: { attendanceId: string; share: number; seen: Seen; at: Date }): Promise<void> {
  const { attendanceId, share, seen, at } = drawn
  const sealed = keyring.seal(JSON.stringify(seen), contextOf(attendanceId))
  await tx.execute('INSERT INTO approval_sample (attendance_id, share, drawn_at, sealed) VALUES ($1, $2, $3, $4)', [attendanceId, share, at, sealed])
}

export async function findSample(sql: Sql, keyring: Keyring, attendanceId: string): Promise<Sample | undefined> {
  const [row] = await sql.query<SampleRow>(`SELECT ${COLUMNS} FROM approval_sample s WHERE s.attendance_id = $1`, [attendanceId])
  return (
    row && {
      attendanceId: row.attendance_id,
      state: row.state,
      drawnAt: row.drawn_at,
      decidedBy: row.decided_by ?? undefined,
      seen: new Sensitive(row.sealed === null ? undefined : seenSchema.parse(JSON.parse(keyring.open(row.sealed, contextOf(attendanceId)).toString('utf8')))),
      heldImages: row.held_images,
      heldEvidence: row.held_evidence,
    }
  )
}

/** A line of the worklist. */
export interface WaitingSample {
  readonly attendanceId: string
  readonly protocol: string
  readonly unitName: string
  readonly drawnAt: Date
}

/** Drawn approvals `s` that the unit $1 has to look at and $2 may, with their case `c` and its unit `u`. */
export const WAITING_SAMPLES = `approval_sample s JOIN attendance c ON c.id = s.attendance_id JOIN helpdesk_unit u ON u.id = c.unit_id
  WHERE s.state = 'waiting' AND s.sealed IS NOT NULL AND (u.id = $1 OR u.parent_id = $1) AND NOT attendance_is_involved(c.id, $2)`

/** What waits in a unit and in the units below it, of cases that this person is a stranger to; the oldest first. */
export async function listWaiting(sql: Sql, { unitId, staff }: { unitId: string; staff: AccountId }): Promise<WaitingSample[]> {
  const rows = await sql.query<{ attendance_id: string; protocol: string; unit_name: string; drawn_at: Date }>(
    `SELECT s.attendance_id, c.protocol, u.name AS unit_name, s.drawn_at FROM ${WAITING_SAMPLES} ORDER BY s.drawn_at, s.attendance_id LIMIT 100`,
    [unitId, staff],
  )
  return rows.map((row) => ({ attendanceId: row.attendance_id, protocol: row.protocol, unitName: row.unit_name, drawnAt: row.drawn_at }))
}

/** Whether a unit's staff may look at another unit's case: it is theirs, or directly below them. */
export async function isOverseen(sql: Sql, { unitId, by }: { unitId: string; by: string }): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM helpdesk_unit WHERE id = $1 AND (id = $2 OR parent_id = $2)', [unitId, by])).length > 0
}

/** Whether somebody is no stranger to a case; the triggers ask the same function. */
export async function isInvolvedIn(sql: Sql, attendanceId: string, staff: AccountId): Promise<boolean> {
  const [row] = await sql.query<{ involved: boolean }>('SELECT attendance_is_involved($1, $2) AS involved', [attendanceId, staff])
  return row?.involved ?? true
}

export interface Judged {
  readonly by: AccountId
  readonly at: Date
  readonly doubt?: Doubt | undefined
  readonly heldImages?: readonly string[]
  readonly heldEvidence?: number
}

/** Writes a verdict down; false when somebody was first. What was compared is forgotten with "it matches". */
export async function judgeSample(tx: Sql, attendanceId: string, { by, at, doubt, heldImages = [], heldEvidence = 0 }: Judged): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE approval_sample SET state = $2, reason = $3, decided_by = $4, decided_at = $5, held_images = $6::uuid[], held_evidence = $7,
       sealed = CASE WHEN $3::text IS NULL THEN NULL ELSE sealed END
     WHERE attendance_id = $1 AND state = 'waiting'`,
    [attendanceId, doubt === undefined ? 'matches' : 'contradicted', doubt ?? null, by, at, [...heldImages], heldEvidence],
  )
  return changed === 1
}

/** Ends a doubt whose review found nothing; false when there was none. */
export async function restoreSample(tx: Sql, attendanceId: string): Promise<boolean> {
  return (await tx.execute(`UPDATE approval_sample SET state = 'restored', sealed = NULL WHERE attendance_id = $1 AND state = 'contradicted'`, [attendanceId])) === 1
}

/** Forgets what was compared, once a doubt is confirmed. */
export async function forgetSeen(tx: Sql, attendanceId: string): Promise<void> {
  await tx.execute('UPDATE approval_sample SET sealed = NULL WHERE attendance_id = $1', [attendanceId])
}

/** The face that the approval stored, whether it still stands or not. */
export async function findStoredFace(sql: Sql, attendanceId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ image_id: string | null }>('SELECT image_id FROM attendance WHERE id = $1', [attendanceId])
  return row?.image_id ?? undefined
}

/** Approvals in a hundred that a unit draws, by the strictest of its layers. */
export async function shareOf(tx: Sql, unitId: string): Promise<number> {
  const [row] = await tx.query<{ share: number }>(
    `SELECT greatest(u.sample_share, (SELECT max(l.sample_share) FROM helpdesk_unit_rule l WHERE l.unit_id = u.id)) AS share FROM helpdesk_unit u WHERE u.id = $1`,
    [unitId],
  )
  return row?.share ?? 100
}

/** What the case captured; images of the store name the item they were made of. */
export async function listItemIds(sql: Sql, attendanceId: string): Promise<string[]> {
  return (await sql.query<{ id: string }>('SELECT id FROM attendance_item WHERE attendance_id = $1 AND removed_at IS NULL', [attendanceId])).map(({ id }) => id)
}

/** Whether the counter ever gave evidence by one of these images. */
export async function hadEvidence(tx: Sql, imageIds: readonly string[]): Promise<boolean> {
  return (await tx.query(`SELECT 1 FROM evidence WHERE method = 'attended' AND image_id = ANY ($1::uuid[]) LIMIT 1`, [[...imageIds]])).length > 0
}
