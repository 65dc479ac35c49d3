/** SQL of the policy that says how long images stay, and of what is past it. */
import type { Sql } from '../../../platform/db.ts'
import type { ImageKind } from '../image.ts'

/** From when a rule counts: stored · withdrawn · the person's last use of their identity · their death, and no use since. The second is for withdrawn images, the others for those that stand. */
export const RETENTION_COUNTS = ['stored', 'withdrawn', 'unused', 'death'] as const
/** What comes of an image whose time is over: it goes, or people look whether it is still needed. */
export const RETENTION_ENDINGS = ['erased', 'reviewed'] as const

export interface RetentionRow {
  readonly kind: ImageKind | '*'
  readonly source: string
  readonly counts: (typeof RETENTION_COUNTS)[number]
  readonly days: number
  readonly ending: (typeof RETENTION_ENDINGS)[number]
  readonly reason: string
  readonly set_by: string
  readonly set_at: Date
}

export function selectRetention(sql: Sql): Promise<RetentionRow[]> {
  return sql.query<RetentionRow>('SELECT kind, source, counts, days, ending, reason, set_by, set_at FROM image_retention ORDER BY kind, source, counts')
}

export async function writeRetention(tx: Sql, row: RetentionRow): Promise<void> {
  await tx.execute(
    `INSERT INTO image_retention (kind, source, counts, days, ending, reason, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (kind, source, counts) DO UPDATE SET days = excluded.days, ending = excluded.ending, reason = excluded.reason,
       set_by = excluded.set_by, set_at = excluded.set_at`,
    [row.kind, row.source, row.counts, row.days, row.ending, row.reason, row.set_by, row.set_at],
  )
}

export async function deleteRetention(tx: Sql, row: Pick<RetentionRow, 'kind' | 'source' | 'counts'>): Promise<number> {
  return tx.execute('DELETE FROM image_retention WHERE kind = $1 AND source = $2 AND counts = $3', [row.kind, row.source, row.counts])
}

/**
 * Images `i` whose time is over at $1 by a rule that ends as $2 says, of people without a hold.
 *
 * Of each count the most specific row is the rule. No use can have been before the image came: only then is the person's ledger asked.
 */
const DUE = `stored_image i JOIN person p ON p.id = i.person_id
  WHERE i.erased_at IS NULL AND NOT person_is_held(i.person_id, $1)
    AND EXISTS (
      SELECT 1 FROM (
        SELECT DISTINCT ON (r.counts) r.counts, r.ending, make_interval(days => r.days) AS term FROM image_retention r
         WHERE r.kind IN (i.kind, '*') AND r.source IN (i.source, '*') AND (r.counts = 'withdrawn') = (i.withdrawn_at IS NOT NULL)
         ORDER BY r.counts, (r.kind <> '*') DESC, (r.source <> '*') DESC) r
       WHERE r.ending = $2 AND coalesce(i.withdrawn_at, i.created_at) + r.term <= $1
         AND CASE r.counts WHEN 'unused' THEN coalesce(person_last_use(i.person_id) + r.term <= $1, true)
           WHEN 'death' THEN p.death_noted_at + r.term <= $1 AND coalesce(person_last_use(i.person_id) + r.term <= $1, true)
           ELSE true END)`

/** Images that the policy takes, by person. */
export function selectDue(sql: Sql, now: Date, after: string | null, limit: number): Promise<{ id: string; person_id: string }[]> {
  return sql.query(`SELECT i.id, i.person_id FROM ${DUE} AND ($3::uuid IS NULL OR i.person_id > $3) ORDER BY i.person_id, i.id LIMIT $4`, [now, 'erased', after, limit])
}

/** People of whom somebody has to look whether images are still needed, with how many; those whose images are the oldest first. */
export function selectToReview(sql: Sql, now: Date, limit: number): Promise<{ personId: string; images: number; oldest: Date }[]> {
  return sql.query(
    `SELECT i.person_id AS "personId", count(*)::int AS images, min(i.created_at) AS oldest FROM ${DUE} GROUP BY i.person_id ORDER BY oldest, i.person_id LIMIT $3`,
    [now, 'reviewed', limit],
  )
}

/** How many people there are to look at. */
export async function countToReview(sql: Sql, now: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>(`SELECT count(DISTINCT i.person_id)::int AS count FROM ${DUE}`, [now, 'reviewed'])
  return row?.count ?? 0
}

/** A person's images that somebody has to look at. */
export async function selectToReviewOf(sql: Sql, now: Date, personId: string): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(`SELECT i.id FROM ${DUE} AND i.person_id = $3`, [now, 'reviewed', personId])
  return rows.map(({ id }) => id)
}
