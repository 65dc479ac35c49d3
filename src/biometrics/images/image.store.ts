import type { Sql } from '../../platform/db.ts'
import type { ImageKind, StoredImage, StoredTemplate } from './image.ts'

export interface PersonRow {
  readonly id: string
  readonly data_key: Buffer | null
  /** In whose ledger events stand: the account's, or the person's own until there is one. */
  readonly ledger_id: string
  readonly generation: number | null
  readonly head_tag: Buffer | null
}

const PERSON = `SELECT p.id, p.data_key, coalesce(a.id, p.id) AS ledger_id, h.generation, h.tag AS head_tag
  FROM person p LEFT JOIN account a ON a.person_id = p.id LEFT JOIN image_head h ON h.person_id = p.id WHERE p.id = $1`

const LOCKS = {
  write: 'SELECT id FROM person WHERE id = $1 FOR UPDATE',
  read: 'SELECT id FROM person WHERE id = $1 FOR SHARE',
} as const

/**
 * A person's key and head; the row is locked for a writer, or against writers, until the transaction ends.
 *
 * Locked by a statement of its own: one that waited for a lock still sees the other tables as they were before the wait.
 */
export async function selectPerson(sql: Sql, personId: string, lock?: keyof typeof LOCKS): Promise<PersonRow | undefined> {
  if (lock) await sql.query(LOCKS[lock], [personId])
  const [row] = await sql.query<PersonRow>(PERSON, [personId])
  return row
}

/** Gives a person their data key, or takes it away for good with `undefined`. */
export async function setDataKey(tx: Sql, personId: string, wrapped: Buffer | undefined): Promise<void> {
  await tx.execute('UPDATE person SET data_key = $2 WHERE id = $1', [personId, wrapped ?? null])
}

export async function writeHead(tx: Sql, personId: string, generation: number, tag: Buffer): Promise<void> {
  await tx.execute(
    `INSERT INTO image_head (person_id, generation, tag) VALUES ($1, $2, $3)
     ON CONFLICT (person_id) DO UPDATE SET generation = excluded.generation, tag = excluded.tag`,
    [personId, generation, tag],
  )
}

interface ImageRow {
  id: string
  person_id: string
  kind: ImageKind
  slot: string
  version: number
  source: string
  source_id: string | null
  capture_point: string | null
  operator_id: string | null
  device: string | null
  method: string
  trusted: boolean
  in_person: boolean
  content_type: string
  width: number
  height: number
  captured_at: Date
  created_at: Date
  withdrawn_at: Date | null
  erased_at: Date | null
  erased_reason: string | null
  seal_version: number
  tag: Buffer | null
  sealed_mark: Buffer | null
  original_type: string | null
  original_size: number | null
  original_sha256: Buffer | null
  original_mark: Buffer | null
}

/** Every column but the ciphertexts, of which the first 28 bytes come. */
const IMAGES = `SELECT i.id, i.person_id, i.kind, i.slot, i.version, i.source, i.source_id, i.capture_point, i.operator_id, i.device, i.method,
    i.trusted, i.in_person, i.content_type, i.width, i.height, i.captured_at, i.created_at, i.withdrawn_at, i.erased_at, i.erased_reason,
    i.seal_version, i.tag, substring(i.sealed FROM 1 FOR 28) AS sealed_mark, o.content_type AS original_type, o.size AS original_size,
    o.sha256 AS original_sha256, substring(o.sealed FROM 1 FOR 28) AS original_mark
  FROM stored_image i LEFT JOIN image_original o ON o.image_id = i.id`

function toImage(row: ImageRow): StoredImage {
  const { original_type: type, original_size: size, original_sha256: sha256, original_mark: mark } = row
  return {
    id: row.id, personId: row.person_id, kind: row.kind, slot: row.slot, version: row.version, source: row.source, sourceId: row.source_id,
    capturePoint: row.capture_point, operatorId: row.operator_id, device: row.device, method: row.method, trusted: row.trusted,
    inPerson: row.in_person, contentType: row.content_type, width: row.width, height: row.height, capturedAt: row.captured_at,
    createdAt: row.created_at, withdrawnAt: row.withdrawn_at, erasedAt: row.erased_at, erasedReason: row.erased_reason,
    sealVersion: row.seal_version, tag: row.tag, sealedMark: row.sealed_mark,
    original: type === null || size === null || sha256 === null || mark === null ? null : { contentType: type, size, sha256, sealedMark: mark },
  }
}

/** All images of a person, erased ones too, oldest first. */
export async function selectImages(sql: Sql, personId: string): Promise<StoredImage[]> {
  return (await sql.query<ImageRow>(`${IMAGES} WHERE i.person_id = $1 ORDER BY i.created_at, i.id`, [personId])).map(toImage)
}

interface TemplateRow {
  id: string
  image_id: string
  person_id: string
  model_id: string
  k: number
  sealed: Buffer
  seal_version: number
  created_at: Date
}

export async function selectTemplates(sql: Sql, personId: string): Promise<StoredTemplate[]> {
  const rows = await sql.query<TemplateRow>(
    'SELECT id, image_id, person_id, model_id, k, sealed, seal_version, created_at FROM face_template WHERE person_id = $1',
    [personId],
  )
  return rows.map((row) => ({
    id: row.id, imageId: row.image_id, personId: row.person_id, modelId: row.model_id, k: row.k, sealed: row.sealed,
    sealVersion: row.seal_version, createdAt: row.created_at,
  }))
}

/** Whose image it is, whatever its state. */
export async function findOwner(sql: Sql, imageId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ person_id: string }>('SELECT person_id FROM stored_image WHERE id = $1', [imageId])
  return row?.person_id
}

export async function selectSealed(sql: Sql, imageId: string): Promise<Buffer | undefined> {
  const [row] = await sql.query<{ sealed: Buffer | null }>('SELECT sealed FROM stored_image WHERE id = $1', [imageId])
  return row?.sealed ?? undefined
}

export async function selectSealedOriginal(sql: Sql, imageId: string): Promise<Buffer | undefined> {
  const [row] = await sql.query<{ sealed: Buffer }>('SELECT sealed FROM image_original WHERE image_id = $1', [imageId])
  return row?.sealed
}

/** Whether another person has the very same file. */
export async function isAnothers(sql: Sql, personId: string, kind: ImageKind, sha256: Buffer): Promise<boolean> {
  const rows = await sql.query<object>(
    `SELECT 1 FROM image_original o JOIN stored_image i ON i.id = o.image_id
      WHERE o.sha256 = $3 AND i.kind = $2 AND i.person_id <> $1 AND i.withdrawn_at IS NULL AND i.erased_at IS NULL LIMIT 1`,
    [personId, kind, sha256],
  )
  return rows.length > 0
}

export async function insertImage(tx: Sql, image: StoredImage, sealed: Buffer | null): Promise<void> {
  await tx.execute(
    `INSERT INTO stored_image (id, person_id, kind, slot, version, source, source_id, capture_point, operator_id, device, method, trusted,
       in_person, content_type, width, height, captured_at, created_at, seal_version, tag, sealed)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
    [
      image.id, image.personId, image.kind, image.slot, image.version, image.source, image.sourceId, image.capturePoint, image.operatorId,
      image.device, image.method, image.trusted, image.inPerson, image.contentType, image.width, image.height, image.capturedAt,
      image.createdAt, image.sealVersion, image.tag, sealed,
    ],
  )
}

export async function insertOriginal(tx: Sql, image: StoredImage, sealed: Buffer): Promise<void> {
  const { original } = image
  if (original === null) return
  await tx.execute('INSERT INTO image_original (image_id, content_type, size, sha256, sealed) VALUES ($1, $2, $3, $4, $5)', [
    image.id, original.contentType, original.size, original.sha256, sealed,
  ])
}

/** What may change of an image: its state, its copy and with them its tag. A ciphertext that is not given stays. */
export async function updateImage(tx: Sql, image: StoredImage, sealed?: Buffer): Promise<void> {
  await tx.execute(
    `UPDATE stored_image SET content_type = $2, width = $3, height = $4, withdrawn_at = $5, seal_version = $6, tag = $7, sealed = coalesce($8, sealed)
      WHERE id = $1`,
    [image.id, image.contentType, image.width, image.height, image.withdrawnAt, image.sealVersion, image.tag, sealed ?? null],
  )
}

/** Takes the bytes of images away and notes when and why; what else is known of them stays, as the audit record cites it. */
export async function eraseImages(tx: Sql, images: readonly StoredImage[]): Promise<void> {
  const ids = images.map(({ id }) => id)
  for (const { id, tag, erasedAt, erasedReason } of images) {
    await tx.execute('UPDATE stored_image SET sealed = NULL, source_id = NULL, tag = $2, erased_at = $3, erased_reason = $4 WHERE id = $1', [
      id, tag, erasedAt, erasedReason,
    ])
  }
  await tx.execute('DELETE FROM image_original WHERE image_id = ANY($1::uuid[])', [ids])
  await tx.execute('DELETE FROM face_template WHERE image_id = ANY($1::uuid[])', [ids])
  await tx.execute('DELETE FROM face_template_fault WHERE image_id = ANY($1::uuid[])', [ids])
}

export async function insertTemplate(tx: Sql, row: StoredTemplate): Promise<void> {
  await tx.execute(
    'INSERT INTO face_template (id, image_id, person_id, model_id, k, sealed, seal_version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
    [row.id, row.imageId, row.personId, row.modelId, row.k, row.sealed, row.sealVersion, row.createdAt],
  )
}

export async function resealTemplate(tx: Sql, row: StoredTemplate): Promise<void> {
  await tx.execute('UPDATE face_template SET sealed = $2, seal_version = $3 WHERE id = $1', [row.id, row.sealed, row.sealVersion])
}

export async function deleteTemplates(tx: Sql, ids: readonly string[]): Promise<void> {
  await tx.execute('DELETE FROM face_template WHERE id = ANY($1::uuid[])', [[...ids]])
}
