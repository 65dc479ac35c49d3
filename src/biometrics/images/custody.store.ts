/** SQL of what decides how long images stay: holds, retention, erasure. */
import type { Sql } from '../../platform/db.ts'
import { deleteFrom, sweepOf } from '../../platform/retention/sweep.store.ts'
import type { ImageKind } from './image.ts'

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

export interface RetentionRow {
  readonly kind: ImageKind | '*'
  readonly source: string
  readonly counts: 'stored' | 'withdrawn'
  readonly days: number
  readonly reason: string
  readonly set_by: string
  readonly set_at: Date
}

export function selectRetention(sql: Sql): Promise<RetentionRow[]> {
  return sql.query<RetentionRow>('SELECT kind, source, counts, days, reason, set_by, set_at FROM image_retention ORDER BY kind, source, counts')
}

export async function writeRetention(tx: Sql, row: RetentionRow): Promise<void> {
  await tx.execute(
    `INSERT INTO image_retention (kind, source, counts, days, reason, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (kind, source, counts) DO UPDATE SET days = excluded.days, reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at`,
    [row.kind, row.source, row.counts, row.days, row.reason, row.set_by, row.set_at],
  )
}

export async function deleteRetention(tx: Sql, row: Pick<RetentionRow, 'kind' | 'source' | 'counts'>): Promise<number> {
  return tx.execute('DELETE FROM image_retention WHERE kind = $1 AND source = $2 AND counts = $3', [row.kind, row.source, row.counts])
}

/** Images whose time is over by the most specific row of the policy, of people without a hold; by person. */
export function selectDue(sql: Sql, now: Date, after: string | null, limit: number): Promise<{ id: string; person_id: string }[]> {
  return sql.query(
    `SELECT i.id, i.person_id FROM stored_image i
      CROSS JOIN LATERAL (
        SELECT r.days FROM image_retention r
         WHERE r.kind IN (i.kind, '*') AND r.source IN (i.source, '*') AND r.counts = CASE WHEN i.withdrawn_at IS NULL THEN 'stored' ELSE 'withdrawn' END
         ORDER BY (r.kind <> '*') DESC, (r.source <> '*') DESC LIMIT 1) r
      WHERE i.erased_at IS NULL AND ($2::uuid IS NULL OR i.person_id > $2)
        AND coalesce(i.withdrawn_at, i.created_at) + make_interval(days => r.days) <= $1
        AND NOT EXISTS (SELECT 1 FROM image_hold h WHERE h.person_id = i.person_id AND h.released_at IS NULL AND (h.until IS NULL OR h.until > $1))
      ORDER BY i.person_id, i.id LIMIT $3`,
    [now, after, limit],
  )
}

/** Holds that ended, of people who have no other. */
export const endedHolds = sweepOf({
  from: 'image_hold t', since: 'coalesce(t.released_at, t.until)', where: 'coalesce(t.released_at, t.until) IS NOT NULL', people: ['t.person_id'], end: deleteFrom('image_hold'),
})
