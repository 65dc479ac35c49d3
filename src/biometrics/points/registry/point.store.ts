import { isUniqueViolation, type Sql } from '../../../platform/db.ts'
import { Problem } from '../../../platform/problem.ts'
import { POINT_PROBLEMS } from '../problems.ts'
import type { CapturePoint, PointFacts, PointKey, PointSpell, PointState } from './point.ts'

interface PointRow {
  id: string
  code: string
  unit_code: string
  title: string
  device: string
  maintainer: string
  contract: string
  client_id: string
  vouched: boolean
  key_jwk: PointKey | null
  key_id: string | null
  state: PointState
  created_at: Date
  changed_at: Date
}

const POINTS = `SELECT id, code, unit_code, title, device, maintainer, contract, client_id, vouched, key_jwk, key_id, state, created_at, changed_at
  FROM capture_point`

function toPoint(row: PointRow): CapturePoint {
  return {
    id: row.id, code: row.code, unitCode: row.unit_code, title: row.title, device: row.device, maintainer: row.maintainer, contract: row.contract,
    clientId: row.client_id, vouched: row.vouched, key: row.key_jwk ?? undefined, keyId: row.key_id ?? undefined, state: row.state,
    createdAt: row.created_at, changedAt: row.changed_at,
  }
}

/** @throws {Problem} points/code-taken */
export async function insertPoint(tx: Sql, point: CapturePoint): Promise<void> {
  try {
    await tx.execute(
      `INSERT INTO capture_point (id, code, unit_code, title, device, maintainer, contract, client_id, vouched, state, created_at, changed_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        point.id, point.code, point.unitCode, point.title, point.device, point.maintainer, point.contract, point.clientId, point.vouched,
        point.state, point.createdAt, point.changedAt,
      ],
    )
  } catch (error) {
    if (isUniqueViolation(error)) throw new Problem(POINT_PROBLEMS.codeTaken, { cause: error })
    throw error
  }
}

/** The point of a code; locked for a writer. */
export async function findPointByCode(sql: Sql, code: string, lock = false): Promise<CapturePoint | undefined> {
  const [row] = await sql.query<PointRow>(lock ? `${POINTS} WHERE code = $1 FOR UPDATE` : `${POINTS} WHERE code = $1`, [code])
  return row && toPoint(row)
}

/** The point as it is now; kept from changing its state until the transaction ends. */
export async function holdPoint(tx: Sql, id: string): Promise<CapturePoint | undefined> {
  const [row] = await tx.query<PointRow>(`${POINTS} WHERE id = $1 FOR SHARE`, [id])
  return row && toPoint(row)
}

export async function findPoint(sql: Sql, id: string): Promise<CapturePoint | undefined> {
  const [row] = await sql.query<PointRow>(`${POINTS} WHERE id = $1`, [id])
  return row && toPoint(row)
}

export async function selectPoints(sql: Sql): Promise<CapturePoint[]> {
  return (await sql.query<PointRow>(`${POINTS} ORDER BY code`)).map(toPoint)
}

export async function updatePoint(tx: Sql, id: string, facts: PointFacts, now: Date): Promise<void> {
  await tx.execute(
    `UPDATE capture_point SET unit_code = $2, title = $3, device = $4, maintainer = $5, client_id = $6, vouched = $7, changed_at = $8 WHERE id = $1`,
    [id, facts.unitCode, facts.title, facts.device, facts.maintainer, facts.clientId, facts.vouched, now],
  )
}

export async function updateKey(tx: Sql, id: string, key: PointKey, keyId: string, now: Date): Promise<void> {
  await tx.execute('UPDATE capture_point SET key_jwk = $2::jsonb, key_id = $3, changed_at = $4 WHERE id = $1', [id, JSON.stringify(key), keyId, now])
}

/** Notes a state and gives its number among the point's states. */
export async function enterState(tx: Sql, pointId: string, state: PointState, at: Date): Promise<number> {
  await tx.execute('UPDATE capture_point SET state = $2, changed_at = $3 WHERE id = $1', [pointId, state, at])
  const [row] = await tx.query<{ seq: number }>(
    `INSERT INTO capture_point_state (point_id, seq, state, at)
     SELECT $1, coalesce(max(seq), 0) + 1, $2, $3 FROM capture_point_state WHERE point_id = $1 RETURNING seq`,
    [pointId, state, at],
  )
  if (row === undefined) throw new Error('a state was not noted')
  return row.seq
}

/** Every state of these points, oldest first. */
export async function selectSpells(sql: Sql, pointIds: readonly string[]): Promise<PointSpell[]> {
  const rows = await sql.query<{ point_id: string; state: PointState; at: Date }>(
    'SELECT point_id, state, at FROM capture_point_state WHERE point_id = ANY($1::uuid[]) ORDER BY point_id, seq',
    [[...pointIds]],
  )
  return rows.map(({ point_id: pointId, state, at }) => ({ pointId, state, at }))
}
