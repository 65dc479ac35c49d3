/** SQL of what keeps images from going, and of what takes them: holds and erasure. */
import type { Sql } from '../../../platform/db.ts'
import { deleteFrom, sweepOf } from '../../../platform/retention/sweep.store.ts'

export interface HoldRow {
  readonly id: string
  readonly person_id: string
  readonly reason: string
  readonly placed_by: string
  readonly placed_at: Date
  readonly until: Date | null
}

/** Holds that stand at this moment; one whose time is over holds nothing. */
export function selectHolds(sql: Sql, personId: string | undefined, now: Date): Promise<HoldRow[]> {
  return sql.query<HoldRow>(
    `SELECT id, person_id, reason, placed_by, placed_at, until FROM image_hold
      WHERE ($1::uuid IS NULL OR person_id = $1) AND released_at IS NULL AND (until IS NULL OR until > $2) ORDER BY placed_at`,
    [personId ?? null, now],
  )
}

export async function insertHold(tx: Sql, hold: HoldRow): Promise<void> {
  await tx.execute('INSERT INTO image_hold (id, person_id, reason, placed_by, placed_at, until) VALUES ($1, $2, $3, $4, $5, $6)', [
    hold.id, hold.person_id, hold.reason, hold.placed_by, hold.placed_at, hold.until,
  ])
}

export async function releaseHold(tx: Sql, holdId: string, by: string, at: Date): Promise<void> {
  await tx.execute('UPDATE image_hold SET released_at = $2, released_by = $3 WHERE id = $1 AND released_at IS NULL', [holdId, at, by])
}

/** Takes what can be read, or could lead to a person, out of all their rows; the key goes with it. */
export async function erasePerson(tx: Sql, personId: string, at: Date, reason: string): Promise<number> {
  await tx.execute('DELETE FROM face_template_fault WHERE image_id IN (SELECT id FROM stored_image WHERE person_id = $1)', [personId])
  await tx.execute('DELETE FROM face_template WHERE person_id = $1', [personId])
  await tx.execute('DELETE FROM image_original WHERE image_id IN (SELECT id FROM stored_image WHERE person_id = $1)', [personId])
  await tx.execute('DELETE FROM image_head WHERE person_id = $1', [personId])
  await tx.execute('DELETE FROM liveness_replay WHERE subject_id = $1', [personId])
  await tx.execute('UPDATE person SET data_key = NULL WHERE id = $1', [personId])
  return tx.execute(
    `UPDATE stored_image SET sealed = NULL, tag = NULL, source_id = NULL, device = NULL, capture_point = NULL, operator_id = NULL, erased_at = coalesce(erased_at, $2),
        erased_reason = CASE WHEN erased_at IS NULL THEN $3 ELSE erased_reason END WHERE person_id = $1`,
    [personId, at, reason],
  )
}

/** Whether images of this person were erased because they asked for it. */
export async function wasErased(sql: Sql, personId: string): Promise<boolean> {
  const rows = await sql.query<object>(`SELECT 1 FROM stored_image WHERE person_id = $1 AND erased_reason = 'lgpd' LIMIT 1`, [personId])
  return rows.length > 0
}

/** Holds that ended, of people who have no other. */
export const endedHolds = sweepOf({
  from: 'image_hold t', since: 'coalesce(t.released_at, t.until)', where: 'coalesce(t.released_at, t.until) IS NOT NULL', people: ['t.person_id'], end: deleteFrom('image_hold'),
})
