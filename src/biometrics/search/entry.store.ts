import type { Sql } from '../../platform/db.ts'

export interface NewEntry {
  readonly modelId: string
  readonly personId: string
  readonly imageId: string
  readonly k: number
}

/** Notes a face in the search and returns its number; an entry of the same image and model makes way. */
export async function insertEntry(tx: Sql, { modelId, personId, imageId, k }: NewEntry, now: Date): Promise<number> {
  await tx.execute('DELETE FROM face_search_entry WHERE model_id = $1 AND image_id = $2', [modelId, imageId])
  const [row] = await tx.query<{ id: number }>(
    'INSERT INTO face_search_entry (model_id, person_id, image_id, k, added_at) VALUES ($1, $2, $3, $4, $5) RETURNING id',
    [modelId, personId, imageId, k, now],
  )
  if (!row) throw new Error('no entry was written')
  return row.id
}

/**
 * Entries for the faces that have none yet; what is known is left alone, and what was withdrawn or erased meanwhile stays out.
 *
 * The people are locked first, as by whoever changes their images: an image cannot be withdrawn between the look and the entry.
 */
export async function insertMissing(tx: Sql, entries: readonly NewEntry[], now: Date): Promise<ReadonlyMap<string, number>> {
  await tx.query('SELECT id FROM person WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE', [entries.map((entry) => entry.personId)])
  const rows = await tx.query<{ id: number; image_id: string }>(
    `INSERT INTO face_search_entry (model_id, person_id, image_id, k, added_at)
     SELECT given.model_id, given.person_id, given.image_id, given.k, $5
       FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::int[]) AS given (model_id, person_id, image_id, k)
       JOIN stored_image i ON i.id = given.image_id AND i.person_id = given.person_id AND i.withdrawn_at IS NULL AND i.erased_at IS NULL
     ON CONFLICT (model_id, image_id) DO NOTHING RETURNING id, image_id`,
    [entries.map((entry) => entry.modelId), entries.map((entry) => entry.personId), entries.map((entry) => entry.imageId), entries.map((entry) => entry.k), now],
  )
  return new Map(rows.map((row) => [row.image_id, row.id]))
}

/** Takes an image out of the search, with its vectors. */
export async function deleteImage(tx: Sql, imageId: string): Promise<number> {
  return tx.execute('DELETE FROM face_search_entry WHERE image_id = $1', [imageId])
}

export async function deletePerson(tx: Sql, personId: string): Promise<number> {
  return tx.execute('DELETE FROM face_search_entry WHERE person_id = $1', [personId])
}

export async function deleteModel(tx: Sql, modelId: string): Promise<number> {
  return tx.execute('DELETE FROM face_search_entry WHERE model_id = $1', [modelId])
}

export async function countEntries(sql: Sql, modelId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>('SELECT count(*) AS count FROM face_search_entry WHERE model_id = $1', [modelId])
  return row?.count ?? 0
}

export interface Entry {
  readonly id: number
  readonly personId: string
  readonly imageId: string
  readonly k: number
}

interface EntryRow {
  readonly id: number
  readonly person_id: string
  readonly image_id: string
  readonly k: number
}

const entryOf = (row: EntryRow): Entry => ({ id: row.id, personId: row.person_id, imageId: row.image_id, k: row.k })

/** Faces that were never searched, locked, so that two processes do not take the same. */
export async function lockUnsearched(tx: Sql, modelId: string, limit: number): Promise<Entry[]> {
  const rows = await tx.query<EntryRow>(
    `SELECT id, person_id, image_id, k FROM face_search_entry WHERE model_id = $1 AND searched_at IS NULL
      ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`,
    [modelId, limit],
  )
  return rows.map(entryOf)
}

export async function entriesAfter(tx: Sql, modelId: string, after: number, limit: number): Promise<Entry[]> {
  const rows = await tx.query<EntryRow>(
    'SELECT id, person_id, image_id, k FROM face_search_entry WHERE model_id = $1 AND id > $2 ORDER BY id LIMIT $3', [modelId, after, limit],
  )
  return rows.map(entryOf)
}

export async function markSearched(tx: Sql, ids: readonly number[], at: Date): Promise<void> {
  await tx.execute('UPDATE face_search_entry SET searched_at = $2 WHERE id = ANY($1::bigint[])', [[...ids], at])
}

/** People who have a template of the model, by id. */
export async function selectPeople(sql: Sql, modelId: string, after: string | undefined, limit: number): Promise<string[]> {
  const rows = await sql.query<{ person_id: string }>(
    `SELECT DISTINCT person_id FROM face_template WHERE model_id = $1 AND ($2::uuid IS NULL OR person_id > $2::uuid) ORDER BY person_id LIMIT $3`,
    [modelId, after ?? null, limit],
  )
  return rows.map((row) => row.person_id)
}
