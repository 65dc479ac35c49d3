import type { Sql } from '../../../platform/db.ts'
import type { Validation, ValidationOutcome, ValidationState } from './validation.ts'

interface Row {
  id: string
  client_id: string
  subject_id: string
  person_id: string | null
  purpose: string
  legal_basis: string
  flow: 'page' | 'api'
  state: ValidationState
  return_uri: string | null
  return_state: string | null
  outcome: ValidationOutcome | null
  outcome_session: string | null
  created_at: Date
  expires_at: Date
  finished_at: Date | null
}

const COLUMNS = `id, client_id, subject_id, person_id, purpose, legal_basis, flow, state, return_uri, return_state, outcome, outcome_session,
  created_at, expires_at, finished_at`
const OPEN = "state IN ('asked', 'opened')"

function toValidation(row: Row): Validation {
  return {
    id: row.id,
    clientId: row.client_id,
    subjectId: row.subject_id,
    personId: row.person_id ?? undefined,
    purpose: row.purpose,
    legalBasis: row.legal_basis,
    flow: row.flow,
    state: row.state,
    returnUri: row.return_uri ?? undefined,
    returnState: row.return_state ?? undefined,
    outcome: row.outcome ?? undefined,
    outcomeSession: row.outcome_session ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    finishedAt: row.finished_at ?? undefined,
  }
}

export async function insertValidation(tx: Sql, validation: Validation, secretHash: Buffer): Promise<void> {
  await tx.execute(
    `INSERT INTO agency_validation (id, client_id, subject_id, person_id, purpose, legal_basis, flow, state, secret_hash, return_uri, return_state,
       created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      validation.id, validation.clientId, validation.subjectId, validation.personId ?? null, validation.purpose, validation.legalBasis,
      validation.flow, validation.state, secretHash, validation.returnUri ?? null, validation.returnState ?? null, validation.createdAt,
      validation.expiresAt,
    ],
  )
}

export async function findValidation(sql: Sql, id: string): Promise<Validation | undefined> {
  const [row] = await sql.query<Row>(`SELECT ${COLUMNS} FROM agency_validation WHERE id = $1`, [id])
  return row && toValidation(row)
}

/** By the link's or the application's secret. */
export async function findValidationBySecret(sql: Sql, secretHash: Buffer): Promise<Validation | undefined> {
  const [row] = await sql.query<Row>(`SELECT ${COLUMNS} FROM agency_validation WHERE secret_hash = $1`, [secretHash])
  return row && toValidation(row)
}

/** Takes the link: of any number of browsers one gets true. */
export async function openValidation(tx: Sql, secretHash: Buffer, now: Date): Promise<boolean> {
  const opened = await tx.execute(
    `UPDATE agency_validation SET state = 'opened', secret_hash = NULL WHERE secret_hash = $1 AND state = 'asked' AND flow = 'page' AND expires_at > $2`,
    [secretHash, now],
  )
  return opened === 1
}

/** Notes what a check came to; false when this check was noted already or the validation is over. */
export async function noteOutcome(tx: Sql, id: string, session: string, outcome: ValidationOutcome, now: Date): Promise<boolean> {
  const noted = await tx.execute(
    `UPDATE agency_validation SET outcome = $3::jsonb, outcome_session = $2
     WHERE id = $1 AND ${OPEN} AND expires_at > $4 AND outcome_session IS DISTINCT FROM $2`,
    [id, session, JSON.stringify(outcome), now],
  )
  return noted === 1
}

/** Ends a validation, once; an application may still ask for the result of the check that it drove. */
export async function finishValidation(tx: Sql, id: string, from: ValidationState, to: ValidationState, now: Date): Promise<boolean> {
  const finished = await tx.execute(
    `UPDATE agency_validation SET state = $3, finished_at = $4, secret_hash = CASE WHEN flow = 'api' THEN secret_hash END
     WHERE id = $1 AND state = $2 AND finished_at IS NULL`,
    [id, from, to, now],
  )
  return finished === 1
}

/** A new code for the way back; one that was used stays used. */
export async function setCode(sql: Sql, id: string, codeHash: Buffer, expiresAt: Date): Promise<boolean> {
  const set = await sql.execute(
    'UPDATE agency_validation SET code_hash = $2, code_expires_at = $3 WHERE id = $1 AND finished_at IS NOT NULL AND code_used_at IS NULL',
    [id, codeHash, expiresAt],
  )
  return set === 1
}

/** Spends the code: of any number of requests one gets true. */
export async function useCode(sql: Sql, id: string, codeHash: Buffer, now: Date): Promise<boolean> {
  const used = await sql.execute(
    'UPDATE agency_validation SET code_used_at = $3 WHERE id = $1 AND code_hash = $2 AND code_used_at IS NULL AND code_expires_at > $3',
    [id, codeHash, now],
  )
  return used === 1
}

/** Ends what nobody finished; and forgets validations of more than `keepDays`. */
export async function sweepValidations(sql: Sql, now: Date, keepDays: number): Promise<number> {
  const ended = await sql.execute(
    `UPDATE agency_validation SET state = CASE WHEN outcome IS NULL THEN 'expired' ELSE 'refused' END, finished_at = expires_at
     WHERE ${OPEN} AND expires_at < $1`,
    [now],
  )
  await sql.execute('DELETE FROM agency_validation WHERE finished_at < $1', [new Date(now.getTime() - keepDays * 86_400_000)])
  return ended
}
