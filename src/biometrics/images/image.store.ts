import type { Sql } from '../../platform/db.ts'
import type { NewImage } from './image.ts'

interface DataKeyRow {
  data_key: Buffer | null
}

/** The person's wrapped data key, the row locked until the transaction ends; undefined when there is no such person. */
export async function lockDataKey(tx: Sql, personId: string): Promise<{ wrapped: Buffer | undefined } | undefined> {
  const [row] = await tx.query<DataKeyRow>('SELECT data_key FROM person WHERE id = $1 FOR UPDATE', [personId])
  return row && { wrapped: row.data_key ?? undefined }
}

/** Gives a person their data key, or takes it away for good with `undefined`. */
export async function setDataKey(tx: Sql, personId: string, wrapped: Buffer | undefined): Promise<void> {
  await tx.execute('UPDATE person SET data_key = $2 WHERE id = $1', [personId, wrapped ?? null])
}

export async function insertImage(tx: Sql, id: string, image: NewImage, sealed: Buffer, createdAt: Date): Promise<void> {
  const { provenance } = image
  await tx.execute(
    `INSERT INTO stored_image (id, person_id, kind, source, capture_point, operator_id, method, trusted, in_person, content_type, width, height,
                               sealed, captured_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      id, image.personId, image.kind, provenance.source, provenance.capturePoint ?? null, provenance.operatorId ?? null, provenance.method,
      provenance.trusted, provenance.inPerson, image.contentType, image.width, image.height, sealed, provenance.capturedAt, createdAt,
    ],
  )
}

export interface TemplateRow {
  readonly id: string
  readonly imageId: string
  readonly personId: string
  readonly modelId: string
  readonly k: number
  readonly sealed: Buffer
}

export async function insertTemplate(tx: Sql, row: TemplateRow, createdAt: Date): Promise<void> {
  await tx.execute(
    'INSERT INTO face_template (id, image_id, person_id, model_id, k, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [row.id, row.imageId, row.personId, row.modelId, row.k, row.sealed, createdAt],
  )
}

interface ReferenceRow {
  template_id: string
  image_id: string
  model_id: string
  k: number
  sealed: Buffer
  in_person: boolean
  data_key: Buffer | null
}

/** Newest template of a trusted face that stands, of one model; one taken in person comes before one that was not. */
export async function findReferenceRow(sql: Sql, personId: string, modelId: string): Promise<ReferenceRow | undefined> {
  const [row] = await sql.query<ReferenceRow>(
    `SELECT t.id AS template_id, t.image_id, t.model_id, t.k, t.sealed, i.in_person, p.data_key
       FROM face_template t JOIN stored_image i ON i.id = t.image_id JOIN person p ON p.id = t.person_id
      WHERE t.person_id = $1 AND t.model_id = $2 AND i.kind = 'face' AND i.trusted AND i.withdrawn_at IS NULL
      ORDER BY i.in_person DESC, i.captured_at DESC, t.created_at DESC LIMIT 1`,
    [personId, modelId],
  )
  return row
}

interface ImageRow {
  person_id: string
  kind: string
  content_type: string
  sealed: Buffer
  data_key: Buffer | null
}

export async function findImageRow(sql: Sql, imageId: string): Promise<ImageRow | undefined> {
  const [row] = await sql.query<ImageRow>(
    `SELECT i.person_id, i.kind, i.content_type, i.sealed, p.data_key FROM stored_image i JOIN person p ON p.id = i.person_id
      WHERE i.id = $1 AND i.withdrawn_at IS NULL`,
    [imageId],
  )
  return row
}

/** Withdraws the standing faces of one source, e.g. before a newer one of the same source takes their place. */
export async function withdrawFaces(tx: Sql, personId: string, source: string, at: Date): Promise<number> {
  return tx.execute(
    `UPDATE stored_image SET withdrawn_at = $3 WHERE person_id = $1 AND source = $2 AND kind = 'face' AND withdrawn_at IS NULL`,
    [personId, source, at],
  )
}
