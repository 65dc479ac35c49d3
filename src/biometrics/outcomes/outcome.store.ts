import type { Sql } from '../../platform/db.ts'
import { type AgeBand, ageBandOf, type DeviceClass, type Dimension, type LightBand, parseDeviceClass } from './group.ts'
import { localDay } from '../../platform/clock.ts'
import type { OutcomeResult } from './tally.ts'

/** One kind of outcome: everything that is kept of a check. */
export interface Outcome {
  /** `YYYY-MM-DD` in the state. */
  readonly day: string
  readonly result: OutcomeResult
  /** The reason that was told first; empty for whoever passed. */
  readonly reason: string
  readonly device: DeviceClass
  readonly light: LightBand
  readonly age: AgeBand
  /** Empty unless passed: a refused check has no class. */
  readonly livenessClass: string
  readonly modelSet: string
}

/**
 * Adds to the count of one kind of outcome.
 *
 * The upsert holds its row until the verdict commits; with `shard` drawn by chance two verdicts of one kind hardly ever want the same row.
 */
export async function addOutcome(sql: Sql, outcome: Outcome, shard: number, checks = 1): Promise<void> {
  const { day, result, reason, device, light, age, livenessClass, modelSet } = outcome
  await sql.execute(
    `INSERT INTO face_outcome (day, result, reason, device, light, age, liveness_class, model_set, shard, checks)
     VALUES ($1::date, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (day, result, reason, device, light, age, liveness_class, model_set, shard) DO UPDATE SET checks = face_outcome.checks + excluded.checks`,
    [day, result, reason, device, light, age, livenessClass, modelSet, shard, checks],
  )
}

export interface CountedSubject {
  readonly birthDate: string | undefined
  /** Whether there is a face to compare with: without one a check can only be refused, and says nothing about the engine. */
  readonly hasFace: boolean
}

const HAS_FACE = `EXISTS (SELECT 1 FROM stored_image i WHERE i.person_id = p.id AND i.kind = 'face' AND i.withdrawn_at IS NULL AND i.erased_at IS NULL)`

export async function findSubject(sql: Sql, personId: string): Promise<CountedSubject | undefined> {
  const [row] = await sql.query<{ birth_date: string; has_face: boolean }>(
    `SELECT p.birth_date, ${HAS_FACE} AS has_face FROM person p WHERE p.id = $1`,
    [personId],
  )
  return row && { birthDate: row.birth_date, hasFace: row.has_face }
}

/** Whether a judged check of this subject was refused since then, with no passed one after it. */
export async function wasRefusedSince(sql: Sql, accountId: string, since: Date): Promise<boolean> {
  const [row] = await sql.query<{ state: string }>(
    `SELECT state FROM liveness_session WHERE account_id = $1 AND consumed_at > $2
       AND (state = 'passed' OR (state = 'refused' AND (verdict->>'k')::int > 0)) ORDER BY consumed_at DESC LIMIT 1`,
    [accountId, since],
  )
  return row?.state === 'refused'
}

export interface GivenUp {
  readonly day: string
  readonly device: DeviceClass
  readonly age: AgeBand
  readonly hasFrames: boolean
}

interface GivenUpRow {
  readonly consumed_at: Date
  readonly device: string | null
  readonly frame_count: number
  readonly birth_date: string | null
}

/** Checks that ended without a verdict within (after, until], of people who have a face to compare with. */
export async function findGivenUp(sql: Sql, after: Date, until: Date): Promise<GivenUp[]> {
  const rows = await sql.query<GivenUpRow>(
    `SELECT s.consumed_at, s.plan->'options'->>'device' AS device, s.frame_count, p.birth_date FROM liveness_session s
     LEFT JOIN account a ON a.id = s.account_id JOIN person p ON p.id = coalesce(a.person_id, s.account_id)
     WHERE s.consumed_at > $1 AND s.consumed_at <= $2 AND s.verdict IS NULL
       AND s.state IN ('abandoned', 'expired') AND ${HAS_FACE}`,
    [after, until],
  )
  return rows.map((row) => {
    const day = localDay(row.consumed_at)
    return { day, device: parseDeviceClass(row.device), age: ageBandOf(row.birth_date ?? undefined, day), hasFrames: row.frame_count > 0 }
  })
}

const MARK = 'given-up'

/** Up to when given-up checks are counted; held until the transaction ends, so that two processes count none twice. */
export async function lockMark(tx: Sql, start: Date): Promise<Date> {
  await tx.execute('INSERT INTO face_outcome_mark (mark, counted_until) VALUES ($1, $2) ON CONFLICT DO NOTHING', [MARK, start])
  const [row] = await tx.query<{ counted_until: Date }>('SELECT counted_until FROM face_outcome_mark WHERE mark = $1 FOR UPDATE', [MARK])
  return row?.counted_until ?? start
}

export async function setMark(tx: Sql, until: Date): Promise<void> {
  await tx.execute('UPDATE face_outcome_mark SET counted_until = $2 WHERE mark = $1', [MARK, until])
}

/** Checks of one result, by one way of dividing them. */
export interface Count {
  readonly by: Dimension | 'day' | 'reason'
  readonly name: string
  readonly result: OutcomeResult
  readonly checks: number
}

interface CountRow {
  readonly by: Count['by']
  readonly name: string
  readonly result: OutcomeResult
  readonly checks: number
}

/** Outcomes of the days from `from` to `to`, both counted, divided in every way that is shown and in no two ways at once. */
export async function countOutcomes(sql: Sql, from: string, to: string): Promise<Count[]> {
  return sql.query<CountRow>(
    `SELECT CASE WHEN GROUPING(day) = 0 THEN 'day' WHEN GROUPING(reason) = 0 THEN 'reason' WHEN GROUPING(device) = 0 THEN 'device'
         WHEN GROUPING(light) = 0 THEN 'light' WHEN GROUPING(age) = 0 THEN 'age' WHEN GROUPING(liveness_class) = 0 THEN 'class' ELSE 'model' END AS by,
       coalesce(to_char(day, 'YYYY-MM-DD'), reason, device, light, age, liveness_class, model_set) AS name, result, sum(checks)::int AS checks
     FROM face_outcome WHERE day BETWEEN $1::date AND $2::date
     GROUP BY GROUPING SETS ((result, day), (result, reason), (result, device), (result, light), (result, age), (result, liveness_class), (result, model_set))`,
    [from, to],
  )
}

/** Counts of days before `day` in one row for each kind; nobody adds to them any more. */
export async function foldShards(tx: Sql, day: string): Promise<void> {
  const kinds = 'day, result, reason, device, light, age, liveness_class, model_set'
  await tx.execute(
    `WITH taken AS (DELETE FROM face_outcome WHERE day < $1::date AND shard > 0 RETURNING *)
     INSERT INTO face_outcome (${kinds}, shard, checks) SELECT ${kinds}, 0, sum(checks) FROM taken GROUP BY ${kinds}
     ON CONFLICT (${kinds}, shard) DO UPDATE SET checks = face_outcome.checks + excluded.checks`,
    [day],
  )
}

export async function forgetOutcomes(tx: Sql, before: string, alarmsBefore: Date): Promise<void> {
  await tx.execute('DELETE FROM face_outcome WHERE day < $1::date', [before])
  await tx.execute('DELETE FROM face_outcome_alarm WHERE closed_at < $1', [alarmsBefore])
}
