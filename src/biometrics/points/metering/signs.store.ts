import type { Sql } from '../../../platform/db.ts'

/** Notes what a point says of itself in these five minutes; once it said that it cannot, they count as cannot. */
export async function noteBeat(sql: Sql, pointId: string, slot: Date, ready: boolean): Promise<void> {
  await sql.execute(
    `INSERT INTO metering_heart_beat AS b (point_id, slot, ready) VALUES ($1, $2, $3)
     ON CONFLICT (point_id, slot) DO UPDATE SET ready = b.ready AND excluded.ready WHERE b.ready <> (b.ready AND excluded.ready)`,
    [pointId, slot, ready],
  )
}

/** One process that can serve is enough: of several that try themselves out, the best counts. */
export async function noteProbe(sql: Sql, slot: Date, works: boolean): Promise<void> {
  await sql.execute(
    'INSERT INTO metering_probe AS p (slot, works) VALUES ($1, $2) ON CONFLICT (slot) DO UPDATE SET works = p.works OR excluded.works',
    [slot, works],
  )
}

export interface Span {
  readonly startsAt: Date
  readonly endsAt: Date
}

/** Slots in which the service worked, in seconds since 1970. */
export async function selectWorking(sql: Sql, { startsAt, endsAt }: Span): Promise<number[]> {
  const rows = await sql.query<{ slot: number }>(
    'SELECT extract(epoch FROM slot)::int AS slot FROM metering_probe WHERE slot >= $1 AND slot < $2 AND works', [startsAt, endsAt],
  )
  return rows.map(({ slot }) => slot)
}

/** Slots in which each point said that it can capture, in seconds since 1970. */
export async function selectReady(sql: Sql, pointIds: readonly string[], { startsAt, endsAt }: Span): Promise<ReadonlyMap<string, readonly number[]>> {
  const rows = await sql.query<{ point_id: string; slots: number[] }>(
    `SELECT point_id, array_agg(extract(epoch FROM slot)::int) AS slots FROM metering_heart_beat
      WHERE point_id = ANY($1::uuid[]) AND slot >= $2 AND slot < $3 AND ready GROUP BY point_id`,
    [[...pointIds], startsAt, endsAt],
  )
  return new Map(rows.map(({ point_id: pointId, slots }) => [pointId, slots]))
}

export async function findLastBeats(sql: Sql): Promise<ReadonlyMap<string, { slot: Date; ready: boolean }>> {
  const rows = await sql.query<{ point_id: string; slot: Date; ready: boolean }>(
    `SELECT p.id AS point_id, b.slot, b.ready FROM capture_point p
      CROSS JOIN LATERAL (SELECT slot, ready FROM metering_heart_beat WHERE point_id = p.id ORDER BY slot DESC LIMIT 1) b`,
  )
  return new Map(rows.map(({ point_id: pointId, slot, ready }) => [pointId, { slot, ready }]))
}
