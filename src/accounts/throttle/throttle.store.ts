import type { Sql } from '../../platform/db.ts'
import type { Limit } from './limits.ts'

/**
 * Milliseconds that a backoff counter demands after its last failure: doubling, capped; and from 100 failures in a row on its whole
 * memory (NIST SP 800-63B 3.2.2), after which it begins anew: never for ever.
 */
const DELAY = 'CASE WHEN t.points >= 100 THEN a.span ELSE least(a.max_delay, a.delay * power(2, least(t.points - a.free, 20))) END'

const ASKED = `SELECT * FROM unnest($1::text[], $2::int[], $3::float8[], $4::float8[], $5::float8[], $6::boolean[])
  AS a(key, free, span, delay, max_delay, sliding)`

/** True for a counter that allows no attempt now; $7 is now. `expire` of a backoff counter is its last failure plus its span. */
const BLOCKED = `t.expire > $7::float8 AND t.points >= a.free
  AND (NOT a.sliding OR a.free = 0 OR t.expire - a.span + ${DELAY} > $7::float8)`

/**
 * Counts one attempt on each counter that allows it and returns their keys; a missing key is a counter that refused.
 *
 * One statement: a row is locked by its own upsert and judged on its newest version, so of parallel attempts no more pass than
 * the limit allows. Keys go in sorted, so that two statements cannot deadlock.
 */
export async function countAttempt(sql: Sql, limits: readonly Limit[], now: Date): Promise<Map<string, number>> {
  const rows = await sql.query<{ key: string; points: number }>(
    `INSERT INTO throttle AS t (key, points, expire)
     SELECT a.key, 1, ($7::float8 + a.span)::bigint FROM (${ASKED} ORDER BY 1) a
     ON CONFLICT (key) DO UPDATE SET
       points = CASE WHEN t.expire > $7::float8 THEN t.points + 1 ELSE 1 END,
       expire = CASE WHEN t.expire > $7::float8 AND NOT (SELECT a.sliding FROM (${ASKED}) a WHERE a.key = t.key)
                     THEN t.expire ELSE excluded.expire END
     WHERE NOT (SELECT ${BLOCKED} FROM (${ASKED}) a WHERE a.key = t.key)
     RETURNING key, points`,
    parameters(limits, now),
  )
  return new Map(rows.map((row) => [row.key, row.points]))
}

const NOTHING_COUNTED = `INSERT INTO throttle AS t (key, points, expire) SELECT k, 0, 0 FROM unnest($1::text[]) k ORDER BY k
  ON CONFLICT (key) DO UPDATE SET`

/** Seconds until every one of these counters would allow an attempt. */
export async function findWaitSeconds(sql: Sql, limits: readonly Limit[], now: Date): Promise<number> {
  const [row] = await sql.query<{ wait: number | null }>(
    `SELECT max(CASE WHEN a.sliding THEN t.expire - a.span + ${DELAY} ELSE t.expire END) - $7::float8 AS wait
     FROM (${ASKED}) a JOIN throttle t ON t.key = a.key WHERE ${BLOCKED}`,
    parameters(limits, now),
  )
  return Math.max(1, Math.ceil((row?.wait ?? 0) / 1000))
}

/** Attempts that count on this counter now. */
export async function countUsed(sql: Sql, key: string, now: Date): Promise<number> {
  const [row] = await sql.query<{ points: number }>('SELECT points FROM throttle WHERE key = $1 AND expire > $2::float8', [key, now.getTime()])
  return row?.points ?? 0
}

/** Whether a counter would refuse an attempt now. */
export async function isBlocked(sql: Sql, limit: Limit, now: Date): Promise<boolean> {
  const rows = await sql.query(`SELECT 1 FROM (${ASKED}) a JOIN throttle t ON t.key = a.key WHERE ${BLOCKED}`, parameters([limit], now))
  return rows.length > 0
}

/**
 * Takes one attempt back from each counter: it was not evaluated, or it was right.
 *
 * An upsert finds each row by its key whatever the planner believes of the table's size, and locks in the order of `countAttempt`. A
 * counter that is gone comes back as one that limits nothing.
 */
export async function returnAttempt(sql: Sql, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  await sql.execute(`${NOTHING_COUNTED} points = greatest(t.points - 1, 0)`, [[...keys]])
}

/** Forgets what counters have counted. */
export async function clearCounters(sql: Sql, keys: readonly string[]): Promise<void> {
  await sql.execute(`${NOTHING_COUNTED} points = 0, expire = 0`, [[...keys]])
}

/** Removes counters that no longer limit anything; a job's work. */
export async function purgeCounters(sql: Sql, now: Date): Promise<number> {
  return sql.execute('DELETE FROM throttle WHERE expire < $1::float8', [now.getTime()])
}

function parameters(limits: readonly Limit[], now: Date): unknown[] {
  const sorted = [...limits].sort((left, right) => (left.key < right.key ? -1 : 1))
  return [
    sorted.map((limit) => limit.key),
    sorted.map((limit) => limit.free),
    sorted.map((limit) => limit.spanMs),
    sorted.map((limit) => limit.delayMs),
    sorted.map((limit) => limit.maxDelayMs),
    sorted.map((limit) => limit.kind === 'backoff'),
    now.getTime(),
  ]
}
