import type { Database } from '../../src/platform/db.ts'

const ROWS_AT_ONCE = 1000

/** Somebody of a base that is searched, by their template. */
export interface Person {
  readonly id: string
  readonly imageId: string
  readonly face: Float32Array
}

/** Rows of people and images as the search refers to them; their pictures are not needed. */
export async function addPeople(db: Database, people: readonly Person[], modelId: string): Promise<void> {
  const now = new Date()
  const cpfs = people.map((_, index) => `9${String(index).padStart(10, '0')}`)
  for (let at = 0; at < people.length; at += ROWS_AT_ONCE) {
    const part = people.slice(at, at + ROWS_AT_ONCE)
    const ids = part.map(({ id }) => id)
    const images = part.map(({ imageId }) => imageId)
    await db.execute(
      `INSERT INTO person (id, cpf, name, birth_date, created_at) SELECT id, cpf, 'x', '1980-01-01', $3 FROM unnest($1::uuid[], $2::text[]) AS given (id, cpf)`,
      [ids, cpfs.slice(at, at + ROWS_AT_ONCE), now],
    )
    await db.execute(
      `INSERT INTO stored_image (id, person_id, kind, source, method, trusted, in_person, content_type, width, height, sealed, captured_at, created_at)
       SELECT id, person, 'face', 'bench', 'import', true, true, 'image/jpeg', 480, 640, '\\x00', $3, $3 FROM unnest($1::uuid[], $2::uuid[]) AS given (id, person)`,
      [images, ids, now],
    )
    await db.execute(
      `INSERT INTO face_template (id, image_id, person_id, model_id, k, sealed, created_at)
       SELECT id, id, person, $3, 1, '\\x00', $4 FROM unnest($1::uuid[], $2::uuid[]) AS given (id, person)`,
      [images, ids, modelId, now],
    )
  }
}
