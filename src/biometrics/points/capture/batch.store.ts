import type { Sql } from '../../../platform/db.ts'
import type { ClockMark } from './clock-rule.ts'

export interface CaptureBatch {
  readonly id: string
  readonly pointId: string
  readonly sequence: number
  /** SHA-256 of what was signed. */
  readonly digest: Buffer
  readonly manifest: Buffer
  readonly keyId: string
  readonly clock: ClockMark
  readonly signedAt: Date
  readonly receivedAt: Date
}

/** False when the point has a batch of this number. */
export async function insertBatch(tx: Sql, batch: CaptureBatch): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO capture_batch (id, point_id, sequence, digest, manifest, key_id, clock, signed_at, received_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (point_id, sequence) DO NOTHING`,
    [batch.id, batch.pointId, batch.sequence, batch.digest, batch.manifest, batch.keyId, batch.clock, batch.signedAt, batch.receivedAt],
  )
  return added === 1
}

interface BatchRow {
  id: string
  point_id: string
  sequence: number
  digest: Buffer
  key_id: string
  clock: ClockMark
  signed_at: Date
  received_at: Date
}

export async function findBatch(sql: Sql, pointId: string, sequence: number): Promise<Omit<CaptureBatch, 'manifest'> | undefined> {
  const [row] = await sql.query<BatchRow>(
    'SELECT id, point_id, sequence, digest, key_id, clock, signed_at, received_at FROM capture_batch WHERE point_id = $1 AND sequence = $2',
    [pointId, sequence],
  )
  return row && {
    id: row.id, pointId: row.point_id, sequence: row.sequence, digest: row.digest, keyId: row.key_id, clock: row.clock,
    signedAt: row.signed_at, receivedAt: row.received_at,
  }
}

/** When the batch before this number was signed. */
export async function findSignedBefore(sql: Sql, pointId: string, sequence: number): Promise<Date | undefined> {
  const [row] = await sql.query<{ signed_at: Date }>(
    'SELECT signed_at FROM capture_batch WHERE point_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT 1',
    [pointId, sequence],
  )
  return row?.signed_at
}

const MOST_GAPS = 100

export interface Sequence {
  readonly last: number
  /** Numbers below the last that never came, the first hundred. */
  readonly missing: readonly number[]
}

/** Where the point's numbering stands: ranges between neighbours, so that a forged high number costs nothing. */
export async function findSequence(sql: Sql, pointId: string): Promise<Sequence> {
  const rows = await sql.query<{ before: number; sequence: number }>(
    `SELECT * FROM (SELECT lag(sequence, 1, 0) OVER (ORDER BY sequence) AS before, sequence FROM capture_batch WHERE point_id = $1) s
      WHERE sequence > before + 1 ORDER BY sequence LIMIT ${MOST_GAPS}`,
    [pointId],
  )
  const [top] = await sql.query<{ last: number | null }>('SELECT max(sequence) AS last FROM capture_batch WHERE point_id = $1', [pointId])
  const missing = rows.flatMap(({ before, sequence }) => Array.from({ length: Math.min(MOST_GAPS, sequence - before - 1) }, (_, index) => before + 1 + index))
  return { last: top?.last ?? 0, missing: missing.slice(0, MOST_GAPS) }
}

export async function findSequenceOf(sql: Sql, batchId: string): Promise<number | undefined> {
  const [row] = await sql.query<{ sequence: number }>('SELECT sequence FROM capture_batch WHERE id = $1', [batchId])
  return row?.sequence
}

/** Of every point that sent batches: the last number, and how many below it are missing. */
export async function selectGaps(sql: Sql): Promise<ReadonlyMap<string, { last: number; missing: number }>> {
  const rows = await sql.query<{ point_id: string; last: number; missing: number }>(
    'SELECT point_id, max(sequence) AS last, (max(sequence) - count(*))::int AS missing FROM capture_batch GROUP BY point_id',
  )
  return new Map(rows.map(({ point_id: pointId, last, missing }) => [pointId, { last, missing }]))
}
