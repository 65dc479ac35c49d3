import type { Sql } from '../../platform/db.ts'

/** How far one pass of everybody against everybody is. */
export interface SweepProgress {
  readonly id: string
  readonly modelId: string
  readonly afterEntry: number
  readonly searched: number
  readonly found: number
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
}

interface SweepRow {
  readonly id: string
  readonly model_id: string
  readonly after_entry: number
  readonly searched: number
  readonly found: number
  readonly started_at: Date
  readonly finished_at: Date | null
}

const sweepOf = (row: SweepRow): SweepProgress => ({
  id: row.id,
  modelId: row.model_id,
  afterEntry: row.after_entry,
  searched: row.searched,
  found: row.found,
  startedAt: row.started_at,
  finishedAt: row.finished_at ?? undefined,
})

/** False when one is running already: its end is the new one's purpose. */
export async function insertSweep(tx: Sql, id: string, modelId: string, now: Date): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    'INSERT INTO face_search_sweep (id, model_id, started_at) VALUES ($1, $2, $3) ON CONFLICT (model_id) WHERE finished_at IS NULL DO NOTHING RETURNING id',
    [id, modelId, now],
  )
  return rows.length > 0
}

/** The running sweep, locked; undefined when there is none or another process is at it. */
export async function lockRunningSweep(tx: Sql, modelId: string): Promise<SweepProgress | undefined> {
  const [row] = await tx.query<SweepRow>(
    `SELECT id, model_id, after_entry, searched, found, started_at, finished_at FROM face_search_sweep
      WHERE model_id = $1 AND finished_at IS NULL FOR UPDATE SKIP LOCKED`,
    [modelId],
  )
  return row && sweepOf(row)
}

export async function advanceSweep(tx: Sql, id: string, { afterEntry, searched, found }: Pick<SweepProgress, 'afterEntry' | 'searched' | 'found'>): Promise<void> {
  await tx.execute('UPDATE face_search_sweep SET after_entry = $2, searched = searched + $3, found = found + $4 WHERE id = $1', [id, afterEntry, searched, found])
}

export async function finishSweep(tx: Sql, id: string, now: Date): Promise<void> {
  await tx.execute('UPDATE face_search_sweep SET finished_at = $2 WHERE id = $1', [id, now])
}

export async function newestSweep(sql: Sql, modelId: string): Promise<SweepProgress | undefined> {
  const [row] = await sql.query<SweepRow>(
    `SELECT id, model_id, after_entry, searched, found, started_at, finished_at FROM face_search_sweep
      WHERE model_id = $1 ORDER BY started_at DESC, id LIMIT 1`,
    [modelId],
  )
  return row && sweepOf(row)
}

/** Where the filling of a model's index from the image store is; undefined when it is done. */
export async function readFilling(sql: Sql, modelId: string): Promise<{ after: string | undefined } | undefined> {
  const [row] = await sql.query<{ filled_after: string | null }>(
    'SELECT filled_after FROM face_search_model WHERE model_id = $1 AND filled_at IS NULL', [modelId],
  )
  return row && { after: row.filled_after ?? undefined }
}

export async function setFilling(tx: Sql, modelId: string, { after, filledAt }: { after?: string | undefined; filledAt?: Date | undefined }): Promise<void> {
  await tx.execute('UPDATE face_search_model SET filled_after = $2, filled_at = $3 WHERE model_id = $1', [modelId, after ?? null, filledAt ?? null])
}

/** The model's rows are turned by another rotation from now on. */
export async function setRotation(tx: Sql, modelId: string, mark: string): Promise<void> {
  await tx.execute('UPDATE face_search_model SET rotation = $2 WHERE model_id = $1', [modelId, mark])
}
