import type { Sql } from '../../platform/db.ts'
import type { CandidateReason, CandidateState, FaceCandidate } from './candidate.ts'
import { CANDIDATE_REASONS, CANDIDATE_STATES } from './candidate.ts'

export type NewCandidate = Pick<FaceCandidate, 'id' | 'leftPersonId' | 'rightPersonId' | 'leftImageId' | 'rightImageId' | 'modelId' | 'distance' | 'threshold' | 'origin'>

/** Measured by its own threshold, so that two models can be compared. */
const NEARER = `known.state = 'pending' AND EXCLUDED.distance / EXCLUDED.threshold < known.distance / known.threshold`

/**
 * Notes a pair of people; true when it is new.
 *
 * A pair that waits keeps its nearest faces; one that was judged stays judged and only remembers that it was seen again, or twins would be
 * asked about for ever.
 */
export async function upsertCandidate(tx: Sql, pair: NewCandidate, now: Date): Promise<boolean> {
  const [row] = await tx.query<{ id: string }>(
    `INSERT INTO face_candidate AS known (id, left_person_id, right_person_id, left_image_id, right_image_id, model_id, distance, threshold, origin,
                                          created_at, last_seen_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
     ON CONFLICT (left_person_id, right_person_id) DO UPDATE SET
       last_seen_at = EXCLUDED.last_seen_at,
       left_image_id = CASE WHEN ${NEARER} THEN EXCLUDED.left_image_id ELSE known.left_image_id END,
       right_image_id = CASE WHEN ${NEARER} THEN EXCLUDED.right_image_id ELSE known.right_image_id END,
       model_id = CASE WHEN ${NEARER} THEN EXCLUDED.model_id ELSE known.model_id END,
       threshold = CASE WHEN ${NEARER} THEN EXCLUDED.threshold ELSE known.threshold END,
       distance = CASE WHEN ${NEARER} THEN EXCLUDED.distance ELSE known.distance END
     RETURNING id`,
    [pair.id, pair.leftPersonId, pair.rightPersonId, pair.leftImageId, pair.rightImageId, pair.modelId, pair.distance, pair.threshold, pair.origin, now],
  )
  return row?.id === pair.id
}

interface CandidateRow {
  readonly id: string
  readonly left_person_id: string
  readonly right_person_id: string
  readonly left_image_id: string
  readonly right_image_id: string
  readonly model_id: string
  readonly distance: number
  readonly threshold: number
  readonly origin: string
  readonly state: string
  readonly reason: string | null
  readonly created_at: Date
  readonly decided_at: Date | null
  readonly decided_by: string | null
}

function candidateOf(row: CandidateRow): FaceCandidate {
  return {
    id: row.id,
    leftPersonId: row.left_person_id,
    rightPersonId: row.right_person_id,
    leftImageId: row.left_image_id,
    rightImageId: row.right_image_id,
    modelId: row.model_id,
    distance: row.distance,
    threshold: row.threshold,
    origin: row.origin === 'sweep' ? 'sweep' : 'enrolment',
    state: CANDIDATE_STATES.find((state) => state === row.state) ?? 'pending',
    reason: CANDIDATE_REASONS.find((reason) => reason === row.reason),
    createdAt: row.created_at,
    decidedAt: row.decided_at ?? undefined,
    decidedBy: row.decided_by ?? undefined,
  }
}

const COLUMNS = `id, left_person_id, right_person_id, left_image_id, right_image_id, model_id, distance, threshold, origin, state, reason,
                 created_at, decided_at, decided_by`

/** The nearest pairs first: they are the most urgent. */
export async function selectCandidates(sql: Sql, state: CandidateState, limit: number): Promise<FaceCandidate[]> {
  const rows = await sql.query<CandidateRow>(
    `SELECT ${COLUMNS} FROM face_candidate WHERE state = $1 ORDER BY distance / threshold, id LIMIT $2`, [state, limit],
  )
  return rows.map(candidateOf)
}

export async function selectCandidate(sql: Sql, id: string): Promise<FaceCandidate | undefined> {
  const [row] = await sql.query<CandidateRow>(`SELECT ${COLUMNS} FROM face_candidate WHERE id = $1`, [id])
  return row && candidateOf(row)
}

export interface Judgement {
  readonly state: Exclude<CandidateState, 'pending'>
  readonly reason: CandidateReason
  readonly by: string
}

/** The judged pair; undefined when it does not wait any more, so that of two judges one is told. */
export async function judgePending(tx: Sql, id: string, { state, reason, by }: Judgement, now: Date): Promise<FaceCandidate | undefined> {
  const [row] = await tx.query<CandidateRow>(
    `UPDATE face_candidate SET state = $2, reason = $3, decided_by = $4, decided_at = $5 WHERE id = $1 AND state = 'pending' RETURNING ${COLUMNS}`,
    [id, state, reason, by, now],
  )
  return row && candidateOf(row)
}

/** Pairs of an erased person that were never confirmed; a confirmed one is evidence and holds only ids. */
export async function deleteUnconfirmed(tx: Sql, personId: string): Promise<number> {
  return tx.execute(`DELETE FROM face_candidate WHERE (left_person_id = $1 OR right_person_id = $1) AND state <> 'confirmed'`, [personId])
}

export async function countCandidates(sql: Sql, state: CandidateState): Promise<number> {
  const [row] = await sql.query<{ count: number }>('SELECT count(*) AS count FROM face_candidate WHERE state = $1', [state])
  return row?.count ?? 0
}
