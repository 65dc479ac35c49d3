import { randomUUID } from 'node:crypto'
import type { AccountId, PersonId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'

/** `another-person` = near somebody else's face; `not-the-person` = far from the person's own reference; `wrong-person` = a stored image that an approved case found to be another's; `second-look` = an approval that a third person doubted. */
export type ReviewKind = 'another-person' | 'not-the-person' | 'wrong-person' | 'second-look'
export const REVIEW_REASONS = ['same-person', 'impostor', 'twins', 'lookalike', 'bad-image'] as const
export type ReviewReason = (typeof REVIEW_REASONS)[number]
/** These confirm a fraud; the others let the case go on. */
export const CONFIRMING: ReadonlySet<ReviewReason> = new Set(['same-person', 'impostor'])

/** What a reviewer may say of each kind of suspicion. */
export const REASONS_OF_KIND: Readonly<Record<ReviewKind, readonly ReviewReason[]>> = {
  'another-person': REVIEW_REASONS,
  'not-the-person': REVIEW_REASONS,
  'wrong-person': ['impostor', 'bad-image'],
  'second-look': ['impostor', 'lookalike', 'bad-image'],
}

/** A case that the search stopped, with its other side. */
export interface FraudReview {
  readonly id: string
  readonly attendanceId: string
  readonly kind: ReviewKind
  readonly otherPersonId: PersonId
  readonly otherImageId: string
  readonly state: 'pending' | 'confirmed' | 'dismissed'
  readonly createdAt: Date
}

interface ReviewRow {
  readonly id: string
  readonly attendance_id: string
  readonly kind: ReviewKind
  readonly other_person_id: PersonId
  readonly other_image_id: string
  readonly state: FraudReview['state']
  readonly created_at: Date
}

const COLUMNS = 'f.id, f.attendance_id, f.kind, f.other_person_id, f.other_image_id, f.state, f.created_at'

const toReview = (row: ReviewRow): FraudReview => ({
  id: row.id,
  attendanceId: row.attendance_id,
  kind: row.kind,
  otherPersonId: row.other_person_id,
  otherImageId: row.other_image_id,
  state: row.state,
  createdAt: row.created_at,
})

export interface NewReview {
  readonly attendanceId: string
  readonly kind: ReviewKind
  readonly otherPersonId: string
  readonly otherImageId: string
  readonly distance: number
}

export async function insertReview(tx: Sql, review: NewReview, now: Date): Promise<string> {
  const id = randomUUID()
  await tx.execute(
    'INSERT INTO fraud_review (id, attendance_id, kind, other_person_id, other_image_id, distance, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [id, review.attendanceId, review.kind, review.otherPersonId, review.otherImageId, review.distance, now],
  )
  return id
}

/** Reviews `f` that the unit $1 has to decide, with their case `c`. */
export const PENDING_REVIEWS = `fraud_review f JOIN attendance c ON c.id = f.attendance_id JOIN helpdesk_unit u ON u.id = c.unit_id
  WHERE f.state = 'pending' AND (u.id = $1 OR (f.kind = 'second-look' AND u.parent_id = $1))`

/** Pending reviews of cases of a unit, and of doubts about approvals of the units below it; the oldest first. */
export async function listPendingReviews(sql: Sql, unitId: string): Promise<FraudReview[]> {
  const rows = await sql.query<ReviewRow>(`SELECT ${COLUMNS} FROM ${PENDING_REVIEWS} ORDER BY f.created_at`, [unitId])
  return rows.map(toReview)
}

export async function findReview(sql: Sql, id: string): Promise<FraudReview | undefined> {
  const [row] = await sql.query<ReviewRow>(`SELECT ${COLUMNS} FROM fraud_review f WHERE f.id = $1`, [id])
  return row && toReview(row)
}

/** Whether a pair was judged to be two people by a review that was opened after `since`, when the face was taken: it stops the case no more. */
export async function isCleared(sql: Sql, pair: { attendanceId: string; otherPersonId: string; since: Date }): Promise<boolean> {
  const { attendanceId, otherPersonId, since } = pair
  const rows = await sql.query(
    "SELECT 1 FROM fraud_review WHERE attendance_id = $1 AND other_person_id = $2 AND state = 'dismissed' AND created_at >= $3",
    [attendanceId, otherPersonId, since],
  )
  return rows.length > 0
}

/** Decides a pending review; false when somebody was first. */
export async function decideReview(
  tx: Sql,
  id: string,
  decided: { state: 'confirmed' | 'dismissed'; reason: ReviewReason; by: AccountId; at: Date },
): Promise<boolean> {
  const { state, reason, by, at } = decided
  const changed = await tx.execute(
    "UPDATE fraud_review SET state = $2, reason = $3, decided_by = $4, decided_at = $5 WHERE id = $1 AND state = 'pending'",
    [id, state, reason, by, at],
  )
  return changed === 1
}

/** Whether somebody decided a suspicion of the case, or of its person in the year before: who judged them does not approve them. The trigger asks the same. */
export async function hasJudged(sql: Sql, attendanceId: string, accountId: AccountId): Promise<boolean> {
  const [row] = await sql.query<{ judged: boolean }>('SELECT attendance_is_judge($1, $2) AS judged', [attendanceId, accountId])
  return row?.judged ?? true
}

/** How many reviews of a case nobody has decided. */
export async function countPending(sql: Sql, attendanceId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>("SELECT count(*) AS count FROM fraud_review WHERE attendance_id = $1 AND state = 'pending'", [
    attendanceId,
  ])
  return row?.count ?? 0
}
