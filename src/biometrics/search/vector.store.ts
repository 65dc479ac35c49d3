import { type Database, type Sql, SqlError } from '../../platform/db.ts'
import type { NearFace } from './candidate.ts'

/** Why the database cannot search vectors. */
export type SearchFault = 'extension-missing' | 'extension-not-allowed' | 'extension-too-old'

/** How one model's vectors lie in the database; the names are made from a checked model id and are safe in SQL. */
export interface VectorTable {
  readonly modelId: string
  readonly dimension: number
  readonly table: string
  /**
   * What the index is over: halves of the size on a server. In WebAssembly, where halves are slow and memory is short, one bit a number,
   * its sign: the angle between two turned unit vectors shows in how many signs differ. The vectors themselves where neither will do.
   */
  readonly index: 'vector' | 'halfvec' | 'signs'
}

/** One set-up at a time on one database; the migration runner's lock, because it changes the schema as well. */
const LOCK = 72_707_369
/** HNSW came with 0.5, half-precision vectors and bits with 0.7. */
const FIRST_HNSW = 5
const FIRST_HALF = 7
const DENIED = '42501'

/**
 * Links of a point and breadth of the search, when building and when asking: chosen by experiments with 100,000 synthetic faces
 * (docs/face-search.md). `nearest`: rows taken from the index to be measured exactly, more than one person's own images and look-alikes
 * together; four times as many where the index knows the signs only.
 */
const GRAPHS = {
  vector: { build: 'm = 16, ef_construction = 64', breadth: 200, nearest: 100, operators: 'vector_l2_ops' },
  halfvec: { build: 'm = 24, ef_construction = 128', breadth: 400, nearest: 100, operators: 'halfvec_l2_ops' },
  signs: { build: 'm = 16, ef_construction = 64', breadth: 400, nearest: 400, operators: 'bit_hamming_ops' },
} as const

interface VersionRow {
  readonly available: string | null
  readonly installed: string | null
}

/** Sees to it that the extension is there; what the index may be over, or what is wrong. */
export async function openExtension(db: Database): Promise<VectorTable['index'] | SearchFault> {
  const read = async () => {
    const [row] = await db.query<VersionRow>(
      `SELECT (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available,
              (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed`,
    )
    return row
  }
  const before = await read()
  if (before?.available == null && before?.installed == null) return 'extension-missing'
  if (before.installed === null && !(await createExtension(db))) return 'extension-not-allowed'
  const [major = 0, minor = 0] = ((before.installed ?? before.available) || '0.0').split('.').map(Number)
  if (major === 0 && minor < FIRST_HNSW) return 'extension-too-old'
  if (major === 0 && minor < FIRST_HALF) return 'vector'
  return db.kind === 'postgres' ? 'halfvec' : 'signs'
}

async function createExtension(db: Database): Promise<boolean> {
  try {
    await db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
      await tx.execute('CREATE EXTENSION IF NOT EXISTS vector')
    })
    return true
  } catch (error) {
    if (error instanceof SqlError && error.code === DENIED) return false
    throw error
  }
}

export function vectorTable(modelId: string, dimension: number, index: VectorTable['index']): VectorTable {
  if (!/^[a-z0-9-]{1,40}$/.test(modelId)) throw new Error('a model is named by lower-case letters, digits and -')
  return { modelId, dimension, index, table: `face_vector_${modelId.replaceAll('-', '_')}` }
}

/** Makes the model's table and index where they are missing, and notes the model. Returns the mark of the rotation that its rows have. */
export async function setUpTable(db: Database, model: VectorTable, mark: string, now: Date): Promise<string> {
  const { table, dimension, modelId } = model
  const [known] = await db.query<{ rotation: string }>(
    'SELECT rotation FROM face_search_model WHERE model_id = $1 AND to_regclass($2) IS NOT NULL', [modelId, table],
  )
  if (known) {
    if (model.index === 'signs') await replaceOtherIndex(db, model)
    return known.rotation
  }
  return db.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await tx.execute(`CREATE TABLE IF NOT EXISTS ${table} (
        entry_id  bigint PRIMARY KEY REFERENCES face_search_entry (id) ON DELETE CASCADE,
        embedding vector(${dimension}) NOT NULL
      );
      COMMENT ON COLUMN ${table}.entry_id IS 'sensitive: no';
      COMMENT ON COLUMN ${table}.embedding IS 'sensitive: yes (a face template, turned by a secret rotation: searchable, so not under the person''s key)';`)
    await createIndex(tx, model)
    const [row] = await tx.query<{ rotation: string }>(
      `INSERT INTO face_search_model (model_id, dimension, vector_table, rotation, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (model_id) DO UPDATE SET vector_table = EXCLUDED.vector_table RETURNING rotation`,
      [modelId, dimension, table, mark, now],
    )
    return row?.rotation ?? mark
  })
}

/** The embedded database's tables had an index over the vectors first. */
async function replaceOtherIndex(db: Database, model: VectorTable): Promise<void> {
  const [other] = await db.query('SELECT 1 AS found FROM pg_indexes WHERE indexname = $1 AND position($2 IN indexdef) = 0', [
    `${model.table}_near`, GRAPHS[model.index].operators,
  ])
  if (!other) return
  await db.transaction(async (tx) => {
    await dropIndex(tx, model)
    await createIndex(tx, model)
  })
}

/** A vector as the index knows it. */
function indexed({ index, dimension }: VectorTable, vector: string): string {
  if (index === 'halfvec') return `${vector}::halfvec(${dimension})`
  return index === 'signs' ? `binary_quantize(${vector})::bit(${dimension})` : vector
}

/** Builds the index, in memory when it is given some. */
export async function createIndex(tx: Sql, model: VectorTable, memoryMegabytes?: number): Promise<void> {
  const { table, index } = model
  if (memoryMegabytes !== undefined) await tx.execute(`SET LOCAL maintenance_work_mem = '${Math.floor(memoryMegabytes)}MB'`)
  const { operators, build } = GRAPHS[index]
  await tx.execute(`CREATE INDEX IF NOT EXISTS ${table}_near ON ${table} USING hnsw ((${indexed(model, 'embedding')}) ${operators}) WITH (${build})`)
}

/** Without its index a table is searched row by row: slower, and exact. */
export async function dropIndex(tx: Sql, { table }: VectorTable): Promise<void> {
  await tx.execute(`DROP INDEX IF EXISTS ${table}_near`)
}

export async function insertVector(tx: Sql, { table, dimension }: VectorTable, entryId: number, vector: Float32Array): Promise<void> {
  await tx.execute(`INSERT INTO ${table} (entry_id, embedding) VALUES ($1, $2::vector(${dimension}))`, [entryId, textOf(vector)])
}

/** Rows of many at once, for filling a base. */
export async function insertVectors(tx: Sql, { table, dimension }: VectorTable, rows: readonly (readonly [number, Float32Array])[]): Promise<void> {
  await tx.execute(
    `INSERT INTO ${table} (entry_id, embedding) SELECT id, text::vector(${dimension}) FROM unnest($1::bigint[], $2::text[]) AS given (id, text)`,
    [rows.map(([id]) => id), rows.map(([, vector]) => textOf(vector))],
  )
}

export interface NearQuery {
  readonly withinDistance: number
  readonly limit: number
  readonly exceptPersonId?: string | undefined
}

interface NearRow {
  readonly person_id: string
  readonly image_id: string
  readonly k: number
  readonly distance: number
}

/** The nearest faces to a vector, by the index first and then by exact distance. */
export function findNear(tx: Sql, model: VectorTable, vector: Float32Array, query: NearQuery): Promise<NearFace[]> {
  return near(tx, model, { given: `$1::vector(${model.dimension})`, value: textOf(vector) }, query)
}

/** The same for a face that is in the table; its numbers never leave the database. */
export function findNearEntry(tx: Sql, model: VectorTable, entryId: number, query: NearQuery): Promise<NearFace[]> {
  return near(tx, model, { given: `(SELECT embedding FROM ${model.table} WHERE entry_id = $1)`, value: entryId }, query)
}

async function near(tx: Sql, model: VectorTable, probe: { given: string; value: string | number }, query: NearQuery): Promise<NearFace[]> {
  const { breadth, nearest } = GRAPHS[model.index]
  const apart = model.index === 'signs' ? '<~>' : '<->'
  await tx.execute(`SET LOCAL hnsw.ef_search = ${breadth}`)
  const rows = await tx.query<NearRow>(
    `SELECT e.person_id, e.image_id, e.k, measured.distance
       FROM (SELECT entry_id, embedding <-> ${probe.given} AS distance
               FROM (SELECT entry_id, embedding FROM ${model.table}
                      ORDER BY ${indexed(model, 'embedding')} ${apart} ${indexed(model, probe.given)} LIMIT ${nearest}) AS nearest) AS measured
       JOIN face_search_entry e ON e.id = measured.entry_id
      WHERE measured.distance <= $2 AND ($3::uuid IS NULL OR e.person_id <> $3::uuid)
      ORDER BY measured.distance, e.id LIMIT $4`,
    [probe.value, query.withinDistance, query.exceptPersonId ?? null, query.limit],
  )
  return rows.map((row) => ({ personId: row.person_id, imageId: row.image_id, k: row.k, distance: row.distance }))
}

/** pgvector's text form; nine digits keep every bit of a float of this size. */
function textOf(vector: Float32Array): string {
  return `[${Array.from(vector, (value) => value.toPrecision(9)).join(',')}]`
}
