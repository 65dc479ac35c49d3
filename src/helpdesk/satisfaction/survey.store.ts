import type { PersonId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'

/** What a survey is about: a ticket of the line, or a case of the counter. */
export type SurveySubject = { readonly ticketId: string } | { readonly attendanceId: string }

export interface NewSurvey {
  readonly id: string
  readonly unitId: string
  readonly subject: SurveySubject
  readonly secretHash: Buffer
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** False when the subject has one: each attendance is asked about once. */
export async function insertSurvey(tx: Sql, { id, unitId, subject, secretHash, createdAt, expiresAt }: NewSurvey): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO helpdesk_survey (id, unit_id, ticket_id, attendance_id, secret_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT DO NOTHING`,
    [
      id, unitId, 'ticketId' in subject ? subject.ticketId : null, 'attendanceId' in subject ? subject.attendanceId : null, secretHash, createdAt,
      expiresAt,
    ],
  )
  return added === 1
}

/** The survey that a link opens, while it is not answered. */
export async function findOpenSurvey(sql: Sql, secretHash: Buffer, now: Date): Promise<{ readonly id: string; readonly unitName: string } | undefined> {
  const [row] = await sql.query<{ id: string; unit_name: string }>(
    `SELECT s.id, u.name AS unit_name FROM helpdesk_survey s JOIN helpdesk_unit u ON u.id = s.unit_id
     WHERE s.secret_hash = $1 AND NOT s.used AND s.expires_at > $2`,
    [secretHash, now],
  )
  return row && { id: row.id, unitName: row.unit_name }
}

/** Uses the link up and names its unit; `undefined` when it was used, or came too late. */
export async function useSurvey(tx: Sql, secretHash: Buffer, now: Date): Promise<string | undefined> {
  const [row] = await tx.query<{ unit_id: string }>(
    'UPDATE helpdesk_survey SET used = true WHERE secret_hash = $1 AND NOT used AND expires_at > $2 RETURNING unit_id',
    [secretHash, now],
  )
  return row?.unit_id
}

export interface StoredAnswer {
  readonly id: string
  readonly unitId: string
  readonly day: string
  readonly score: number
  readonly sealed: Buffer | undefined
}

export async function insertAnswer(tx: Sql, { id, unitId, day, score, sealed }: StoredAnswer): Promise<void> {
  await tx.execute('INSERT INTO helpdesk_survey_answer (id, unit_id, day, score, sealed) VALUES ($1, $2, $3, $4, $5)', [id, unitId, day, score, sealed ?? null])
}

/** Cases that were decided in a span and have not been asked about, with their person. */
export async function listUnasked(sql: Sql, since: Date, limit: number): Promise<{ attendanceId: string; unitId: string; personId: PersonId }[]> {
  const rows = await sql.query<{ id: string; unit_id: string; person_id: PersonId }>(
    `SELECT a.id, a.unit_id, a.person_id FROM attendance a
     WHERE a.decided_at > $1 AND NOT EXISTS (SELECT 1 FROM helpdesk_survey s WHERE s.attendance_id = a.id) ORDER BY a.decided_at, a.id LIMIT $2`,
    [since, limit],
  )
  return rows.map((row) => ({ attendanceId: row.id, unitId: row.unit_id, personId: row.person_id }))
}

/** The active account of a person. */
export async function findAccountOf(sql: Sql, personId: PersonId): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>(`SELECT id FROM account WHERE person_id = $1 AND status = 'active'`, [personId])
  return row?.id
}

/** The account whose appointment a ticket came from. */
export async function findAccountOfTicket(sql: Sql, ticketId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ account_id: string }>(
    'SELECT p.account_id FROM helpdesk_ticket t JOIN helpdesk_appointment p ON p.id = t.appointment_id WHERE t.id = $1',
    [ticketId],
  )
  return row?.account_id
}

/** The first and the last of some local days. */
export interface Days {
  readonly from: string
  readonly to: string
}

/** Answers of a unit, or of all: how many of each score. */
export async function countScores(sql: Sql, unitId: string | undefined, { from, to }: Days): Promise<{ score: number; count: number }[]> {
  return sql.query<{ score: number; count: number }>(
    `SELECT score, count(*)::int AS count FROM helpdesk_survey_answer
     WHERE day >= $2 AND day <= $3 AND ($1::uuid IS NULL OR unit_id = $1) GROUP BY score ORDER BY score`,
    [unitId ?? null, from, to],
  )
}

/** Sentences of a unit, by score and then by nothing that tells whose they are. */
export async function listSentences(sql: Sql, unitId: string, { from, to }: Days, limit: number): Promise<{ id: string; score: number; sealed: Buffer }[]> {
  return sql.query<{ id: string; score: number; sealed: Buffer }>(
    `SELECT id, score, sealed FROM helpdesk_survey_answer
     WHERE unit_id = $1 AND day >= $2 AND day <= $3 AND sealed IS NOT NULL ORDER BY score, id LIMIT $4`,
    [unitId, from, to, limit],
  )
}
