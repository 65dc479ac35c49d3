/** SQL of what jobs do with faces later: templates for another model, copies of originals. */
import type { Sql } from '../../platform/db.ts'

const STANDING = `i.kind = 'face' AND i.withdrawn_at IS NULL AND i.erased_at IS NULL AND i.sealed IS NOT NULL`
const LACKS = `NOT EXISTS (SELECT 1 FROM face_template t WHERE t.image_id = i.id AND t.model_id = $1)
  AND NOT EXISTS (SELECT 1 FROM face_template_fault f WHERE f.image_id = i.id AND f.model_id = $1)`

/** Standing faces that this model has not described. */
export async function countLacking(sql: Sql, modelId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(`SELECT count(*)::int AS count FROM stored_image i WHERE ${STANDING} AND ${LACKS}`, [modelId])
  return row?.count ?? 0
}

/** Some of them; trusted ones first, as only they serve as a reference. */
export async function selectLacking(sql: Sql, modelId: string, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT i.id FROM stored_image i WHERE ${STANDING} AND ${LACKS} ORDER BY i.trusted DESC, i.in_person DESC, i.captured_at DESC, i.id LIMIT $2`,
    [modelId, limit],
  )
  return rows.map(({ id }) => id)
}

/** Nobody tries this face with this model again. */
export async function noteTemplateFault(sql: Sql, imageId: string, modelId: string, reason: string, now: Date): Promise<void> {
  await sql.execute(
    'INSERT INTO face_template_fault (image_id, model_id, reason, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (image_id, model_id) DO NOTHING',
    [imageId, modelId, reason, now],
  )
}

/** People who have templates of other models although this one described the same image before that time. */
export async function selectOutdatedPeople(sql: Sql, modelId: string, before: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ person_id: string }>(
    `SELECT DISTINCT o.person_id FROM face_template o JOIN face_template t ON t.image_id = o.image_id
      WHERE o.model_id <> $1 AND t.model_id = $1 AND t.created_at < $2 LIMIT $3`,
    [modelId, before, limit],
  )
  return rows.map(({ person_id: id }) => id)
}

export interface FaceRow {
  readonly id: string
  readonly person_id: string
  readonly trusted: boolean
  readonly in_person: boolean
}

/** Standing faces in the order of their ids. */
export function selectFaces(sql: Sql, after: string | null, limit: number): Promise<FaceRow[]> {
  return sql.query<FaceRow>(
    `SELECT i.id, i.person_id, i.trusted, i.in_person FROM stored_image i WHERE ${STANDING} AND ($1::uuid IS NULL OR i.id > $1) ORDER BY i.id LIMIT $2`,
    [after, limit],
  )
}

/** Originals without a copy that nobody has given up on. */
export async function selectUncopied(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    'SELECT id FROM stored_image WHERE sealed IS NULL AND erased_at IS NULL AND copy_fault IS NULL ORDER BY created_at, id LIMIT $1',
    [limit],
  )
  return rows.map(({ id }) => id)
}

export async function noteCopyFault(sql: Sql, imageId: string, reason: string): Promise<void> {
  await sql.execute('UPDATE stored_image SET copy_fault = $2 WHERE id = $1', [imageId, reason])
}
