import { blank, deleteFrom, sweepOf } from '../../platform/retention/sweep.store.ts'

const PERSON_OF_ACCOUNT = '(SELECT a.person_id FROM account a WHERE a.id = t.account_id)'
/** The end of a local day. */
const endOf = (day: string) => `((${day} + 1)::timestamp AT TIME ZONE 'America/Cuiaba')`

export const supportCases = sweepOf({
  from: 'helpdesk_support_case t', since: 't.opened_at', where: 'true', people: [PERSON_OF_ACCOUNT],
  async end(tx, ids) {
    await tx.execute('DELETE FROM helpdesk_support_act WHERE case_id = ANY ($1::uuid[])', [ids])
    await tx.execute('DELETE FROM helpdesk_support_case WHERE id = ANY ($1::uuid[])', [ids])
  },
})

/** Counts that limit nothing any more. */
export const lookCounts = sweepOf({
  from: 'helpdesk_look_count t', key: 't.ctid', since: 't.starts_at', where: 'true',
  end: (tx, rows) => tx.execute('DELETE FROM helpdesk_look_count WHERE ctid = ANY ($1::tid[])', [rows]),
})

export const surveyLinks = sweepOf({ from: 'helpdesk_survey t', since: 't.expires_at', where: 'true', end: deleteFrom('helpdesk_survey') })

export const surveySentences = sweepOf({
  from: 'helpdesk_survey_answer t', since: endOf('t.day'), where: 't.sealed IS NOT NULL', end: blank('helpdesk_survey_answer', ['sealed']),
})

/** Who had booked; the hour and what came of it stay for the figures. */
export const pastAppointments = sweepOf({
  from: 'helpdesk_appointment t', since: 'coalesce(t.ended_at, t.starts_at)', people: [PERSON_OF_ACCOUNT], end: blank('helpdesk_appointment', ['account_id']),
  where: `t.state <> 'booked' AND t.account_id IS NOT NULL`,
})

/** Who attended; number, kind, class and times stay for the figures. */
export const pastTickets = sweepOf({
  from: 'helpdesk_ticket t', since: endOf('t.day'), end: blank('helpdesk_ticket', ['attendant_id']),
  where: `t.state IN ('finished', 'missed', 'left', 'closed') AND t.attendant_id IS NOT NULL`,
})

export const endedKiosks = sweepOf({ from: 'helpdesk_kiosk t', since: 't.ended_at', where: 't.ended_at IS NOT NULL', end: deleteFrom('helpdesk_kiosk') })
