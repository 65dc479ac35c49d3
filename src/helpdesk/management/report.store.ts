import { CIVIL_ZONE } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { type AttendantTally, QUICK_SECONDS, USUAL_HOURS } from './questions.ts'

/** Which unit, and from when until when; no unit = all of them. */
export interface Scope {
  readonly unitId: string | undefined
  readonly from: Date
  readonly until: Date
}

const ZONE = `'${CIVIL_ZONE}'`
const values = ({ unitId, from, until }: Scope): unknown[] => [unitId ?? null, from, until]
const within = (column: string, unit = 'unit_id') => `${column} >= $2 AND ${column} < $3 AND ($1::uuid IS NULL OR ${unit} = $1)`

export interface DayCount {
  readonly day: string
  readonly count: number
}

/** Attendances by the local day on which they were opened; days without any are left out. */
export async function countAttendancesByDay(sql: Sql, scope: Scope): Promise<DayCount[]> {
  return sql.query<DayCount>(
    `SELECT (opened_at AT TIME ZONE ${ZONE})::date AS day, count(*)::int AS count FROM attendance WHERE ${within('opened_at')} GROUP BY 1 ORDER BY 1`,
    values(scope),
  )
}

export interface NamedCount {
  readonly name: string
  readonly count: number
}

export async function countAttendancesByState(sql: Sql, scope: Scope): Promise<NamedCount[]> {
  return sql.query<NamedCount>(
    `SELECT state AS name, count(*)::int AS count FROM attendance WHERE ${within('opened_at')} GROUP BY 1 ORDER BY 2 DESC, 1`,
    values(scope),
  )
}

/** Why cases were refused. */
export async function countRefusals(sql: Sql, scope: Scope): Promise<NamedCount[]> {
  return sql.query<NamedCount>(
    `SELECT coalesce(decision, 'other') AS name, count(*)::int AS count FROM attendance
     WHERE state = 'refused' AND ${within('decided_at')} GROUP BY 1 ORDER BY 2 DESC, 1`,
    values(scope),
  )
}

export interface DayWait {
  readonly day: string
  readonly called: number
  readonly missed: number
  /** Seconds until the first call, of a booked person from the hour. */
  readonly median: number
  readonly p90: number
}

const WAIT = `extract(epoch FROM greatest(interval '0', t.first_call_at - greatest(t.issued_at, CASE WHEN t.class = 'booked' THEN p.starts_at END)))`

/** Waiting by day, of tickets that were called. */
export async function waitsByDay(sql: Sql, scope: Scope): Promise<DayWait[]> {
  return sql.query<DayWait>(
    `SELECT t.day, count(*)::int AS called, count(*) FILTER (WHERE t.state = 'missed')::int AS missed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY ${WAIT})::float8 AS median, percentile_cont(0.9) WITHIN GROUP (ORDER BY ${WAIT})::float8 AS p90
     FROM helpdesk_ticket t LEFT JOIN helpdesk_appointment p ON p.id = t.appointment_id
     WHERE t.first_call_at IS NOT NULL AND ${within('t.issued_at', 't.unit_id')} GROUP BY t.day ORDER BY t.day`,
    values(scope),
  )
}

/** The waiting of the whole span, by class. */
export async function waitsByClass(sql: Sql, scope: Scope): Promise<{ name: string; called: number; median: number; p90: number }[]> {
  return sql.query<{ name: string; called: number; median: number; p90: number }>(
    `SELECT t.class AS name, count(*)::int AS called,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY ${WAIT})::float8 AS median, percentile_cont(0.9) WITHIN GROUP (ORDER BY ${WAIT})::float8 AS p90
     FROM helpdesk_ticket t LEFT JOIN helpdesk_appointment p ON p.id = t.appointment_id
     WHERE t.first_call_at IS NOT NULL AND ${within('t.issued_at', 't.unit_id')} GROUP BY t.class ORDER BY t.class`,
    values(scope),
  )
}

export interface Approver {
  readonly supervisorId: string
  readonly approved: number
  readonly refused: number
  /** Approvals of theirs that a third person has looked at again, and those of them that did not match. */
  readonly looked: number
  readonly contradicted: number
}

export async function countApprovals(sql: Sql, scope: Scope): Promise<Approver[]> {
  const rows = await sql.query<{ decided_by: string; approved: number; refused: number; looked: number; contradicted: number }>(
    `SELECT a.decided_by, count(*) FILTER (WHERE a.state = 'approved')::int AS approved, count(*) FILTER (WHERE a.state = 'refused')::int AS refused,
       count(s.decided_at)::int AS looked, count(*) FILTER (WHERE s.state = 'contradicted')::int AS contradicted
     FROM attendance a LEFT JOIN approval_sample s ON s.attendance_id = a.id
     WHERE a.decided_by IS NOT NULL AND ${within('a.decided_at', 'a.unit_id')} GROUP BY a.decided_by ORDER BY 2 DESC, 1`,
    values(scope),
  )
  return rows.map(({ decided_by: supervisorId, ...counts }) => ({ supervisorId, ...counts }))
}

export interface PointQuality {
  /** Code of a capture point; the unit's own desk where it is the counter's camera. */
  readonly point: string
  readonly stored: number
  readonly refused: number
  /** Mean quality of faces from 0 to 100, where the counter measures it. */
  readonly quality: number | null
}

/** What came of captures: of the image service's points of the unit, and of the counter's own cameras (a shot taken again counts as refused). */
export async function qualityByPoint(sql: Sql, scope: Scope): Promise<PointQuality[]> {
  return sql.query<PointQuality>(
    `SELECT c.code AS point, count(*) FILTER (WHERE i.state = 'stored')::int AS stored, count(*) FILTER (WHERE i.state = 'refused')::int AS refused,
       NULL::float8 AS quality
     FROM capture_item i JOIN capture_process p ON p.id = i.process_id JOIN capture_point c ON c.id = p.point_id LEFT JOIN helpdesk_unit u ON u.code = c.unit_code
     WHERE i.state <> 'receiving' AND ${within('p.received_at', 'u.id')} GROUP BY c.code
     UNION ALL
     SELECT u.code, count(*) FILTER (WHERE i.removed_at IS NULL)::int, count(*) FILTER (WHERE i.removed_at IS NOT NULL AND a.state <> 'abandoned')::int,
       avg(i.quality)::float8
     FROM attendance_item i JOIN attendance a ON a.id = i.attendance_id JOIN helpdesk_unit u ON u.id = a.unit_id
     WHERE i.kind = 'face' AND ${within('i.captured_at', 'a.unit_id')} GROUP BY u.code ORDER BY 1`,
    values(scope),
  )
}

interface TallyRow {
  readonly attendant_id: string
  readonly attendances: number
  readonly quick: number
  readonly odd_hours: number
  readonly repeated_people: number
  readonly overridden: number
  readonly decided: number
  readonly refused: number
  readonly looks: number
  readonly idle_looks: number
}

/** Counts of each attendant: cases by who opened them (the first hand), looks at accounts by who looked. */
export async function tallyAttendants(sql: Sql, scope: Scope): Promise<AttendantTally[]> {
  const rows = await sql.query<TallyRow>(
    `WITH cases AS (
       SELECT (SELECT h.account_id FROM attendance_hand h WHERE h.attendance_id = a.id ORDER BY h.at, h.account_id LIMIT 1) AS attendant_id,
         a.person_id, a.state, extract(hour FROM a.opened_at AT TIME ZONE ${ZONE}) AS hour, a.decided_at,
         extract(epoch FROM (SELECT max(i.captured_at) FROM attendance_item i WHERE i.attendance_id = a.id) - a.opened_at) AS seconds,
         EXISTS (SELECT 1 FROM fraud_review f WHERE f.attendance_id = a.id AND f.state = 'dismissed') AS overridden
       FROM attendance a WHERE ${within('a.opened_at', 'a.unit_id')}),
     by_attendant AS (
       SELECT attendant_id, count(*)::int AS attendances, count(*) FILTER (WHERE seconds < $4)::int AS quick,
         count(*) FILTER (WHERE hour < $5 OR hour >= $6)::int AS odd_hours, count(*) FILTER (WHERE overridden)::int AS overridden,
         count(decided_at)::int AS decided, count(*) FILTER (WHERE state = 'refused')::int AS refused
       FROM cases WHERE attendant_id IS NOT NULL GROUP BY attendant_id),
     again AS (
       SELECT attendant_id, count(*)::int AS repeated_people
       FROM (SELECT attendant_id, person_id FROM cases WHERE person_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) >= 3) r GROUP BY attendant_id),
     looked AS (
       SELECT attendant_id, count(*)::int AS looks,
         count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM helpdesk_support_act t WHERE t.case_id = s.id))::int AS idle_looks
       FROM helpdesk_support_case s WHERE ${within('s.opened_at', 's.unit_id')} GROUP BY attendant_id)
     SELECT coalesce(b.attendant_id, l.attendant_id) AS attendant_id, coalesce(attendances, 0) AS attendances, coalesce(quick, 0) AS quick,
       coalesce(odd_hours, 0) AS odd_hours, coalesce(repeated_people, 0) AS repeated_people, coalesce(overridden, 0) AS overridden,
       coalesce(decided, 0) AS decided, coalesce(refused, 0) AS refused, coalesce(looks, 0) AS looks, coalesce(idle_looks, 0) AS idle_looks
     FROM by_attendant b FULL JOIN looked l ON l.attendant_id = b.attendant_id LEFT JOIN again g ON g.attendant_id = b.attendant_id
     ORDER BY 2 DESC, 1`,
    [...values(scope), QUICK_SECONDS, USUAL_HOURS.from, USUAL_HOURS.until],
  )
  return rows.map((row) => ({
    attendantId: row.attendant_id,
    attendances: row.attendances,
    quick: row.quick,
    oddHours: row.odd_hours,
    repeatedPeople: row.repeated_people,
    overridden: row.overridden,
    decided: row.decided,
    refused: row.refused,
    looks: row.looks,
    idleLooks: row.idle_looks,
  }))
}
