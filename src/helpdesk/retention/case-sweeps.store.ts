import type { Sql } from '../../platform/db.ts'
import { blank, deleteFrom, sweepOf } from '../../platform/retention/sweep.store.ts'
import { LIVE } from '../attendance/states.store.ts'

const PERSON_OF_CASE = '(SELECT c.person_id FROM attendance c WHERE c.id = t.attendance_id)'
const ENDED_AT = 'coalesce(t.decided_at, t.changed_at)'
/** A suspicion that nobody has decided keeps both sides. */
const SETTLED = `NOT EXISTS (SELECT 1 FROM fraud_review f WHERE f.attendance_id = t.id AND f.state = 'pending')`
const OTHERS_FREE = 'NOT EXISTS (SELECT 1 FROM fraud_review f WHERE f.attendance_id = t.id AND person_is_held(f.other_person_id, $2))'

/** Forgets what was typed and captured; protocol, reason, states, times and whose hands they were stay. */
async function forgetCases(tx: Sql, ids: string[]): Promise<void> {
  await tx.execute('UPDATE attendance_item SET sealed = NULL, facts = NULL WHERE attendance_id = ANY ($1::uuid[])', [ids])
  await tx.execute('UPDATE attendance SET sealed = NULL WHERE id = ANY ($1::uuid[])', [ids])
}

export const approvedCases = sweepOf({
  from: 'attendance t', since: ENDED_AT, people: ['t.person_id'], end: forgetCases,
  where: `t.state = 'approved' AND t.sealed IS NOT NULL AND ${SETTLED}`,
})

export const endedCases = sweepOf({
  from: 'attendance t', since: ENDED_AT, people: ['t.person_id'], end: forgetCases,
  where: `t.state IN ('refused', 'abandoned', 'expired') AND t.decision IS DISTINCT FROM 'fraud' AND t.sealed IS NOT NULL AND ${SETTLED}`,
})

/** Confirmed frauds kept their captures for whoever asks after them. */
export const fraudCases = sweepOf({
  from: 'attendance t', since: ENDED_AT, people: ['t.person_id'], end: forgetCases,
  where: `t.state = 'refused' AND t.decision = 'fraud' AND t.sealed IS NOT NULL AND ${SETTLED} AND ${OTHERS_FREE}`,
})

/** The other side's person and nearness go; that there was a suspicion, and who decided it how, stays. */
export const decidedReviews = sweepOf({
  from: 'fraud_review t', since: 't.decided_at', end: blank('fraud_review', ['other_person_id', 'distance']),
  people: ['t.other_person_id', PERSON_OF_CASE],
  where: `t.state <> 'pending' AND t.other_person_id IS NOT NULL`,
})

export const comparedSamples = sweepOf({
  from: 'approval_sample t', key: 't.attendance_id', since: 't.drawn_at', end: blank('approval_sample', ['sealed'], 'attendance_id'),
  people: [PERSON_OF_CASE],
  where: `t.sealed IS NOT NULL AND NOT EXISTS (SELECT 1 FROM fraud_review f WHERE f.attendance_id = t.attendance_id AND f.state = 'pending')`,
})

export const pairedScreens = sweepOf({
  from: 'attendance_consent t JOIN attendance c ON c.id = t.attendance_id', since: 'greatest(t.pair_until, c.decided_at, c.changed_at)',
  where: `t.pair_until <= $1 AND c.state NOT IN ${LIVE} AND num_nonnulls(t.link_hash, t.code_hash, t.screen_hash) > 0`,
  end: (tx, ids, now) =>
    tx.execute(
      'UPDATE attendance_consent SET link_hash = NULL, code_hash = NULL, screen_hash = NULL, ended_at = coalesce(ended_at, $2) WHERE id = ANY ($1::uuid[])',
      [ids, now],
    ),
})

export const receiptLinks = sweepOf({ from: 'attendance_receipt_mail t', since: 't.sent_at', where: 'true', end: deleteFrom('attendance_receipt_mail') })

export const signedHelps = sweepOf({
  from: 'counter_help t', since: 't.signed_at', end: blank('counter_help', ['text_sealed', 'signature_sealed']),
  people: [PERSON_OF_CASE],
  where: 'num_nonnulls(t.text_sealed, t.signature_sealed) > 0',
})

/** Whatever says that a person is known here for another reason than a case in which nothing was accepted; each column that refers to a person. */
export const KNOWN_BY = [
  'account.person_id', 'stored_image.person_id', 'face_template.person_id', 'evidence.person_id', 'image_head.person_id', 'image_hold.person_id',
  'face_search_entry.person_id', 'face_candidate.left_person_id', 'face_candidate.right_person_id', 'agency_validation.person_id',
  'agency_receipt.person_id', 'fraud_review.other_person_id', 'capture_process.person_id', 'pki_certificate.subject_id',
  'signature_credential.person_id',
] as const
const UNKNOWN = KNOWN_BY.map((place) => {
  const [table, column] = place.split('.')
  return `NOT EXISTS (SELECT 1 FROM ${table} k WHERE k.${column} = t.id)`
}).join(' AND ')

/**
 * People whom only a counter wrote down and of whom nothing was accepted: a CPF that was typed wrong, somebody who went away.
 *
 * Their cases stay as numbers of nobody; only once all of them were forgotten by their own terms, a confirmed fraud's included.
 */
export const peopleOfNoCase = sweepOf({
  from: `person t JOIN (SELECT person_id, max(coalesce(decided_at, changed_at)) AS ended_at
    FROM attendance WHERE sealed IS NULL AND state <> 'approved' AND person_id IS NOT NULL GROUP BY person_id) c ON c.person_id = t.id`,
  since: 'c.ended_at',
  where: `t.death_noted_at IS NULL AND NOT EXISTS (SELECT 1 FROM attendance k WHERE k.person_id = t.id AND (k.sealed IS NOT NULL OR k.state = 'approved'))
    AND ${UNKNOWN}`,
  async end(tx, ids) {
    // Of whoever came back meanwhile the case has something sealed: its table refuses, and the whole batch with it.
    await tx.execute('UPDATE attendance SET person_id = NULL WHERE person_id = ANY ($1::uuid[])', [ids])
    await tx.execute('DELETE FROM person WHERE id = ANY ($1::uuid[])', [ids])
  },
})
