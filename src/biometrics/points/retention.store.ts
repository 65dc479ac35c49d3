import { blank, sweepOf } from '../../platform/retention/sweep.store.ts'

/** A list that names somebody who is under a hold stays whole. */
export const readManifests = sweepOf({
  from: 'capture_batch t', since: 't.received_at', end: blank('capture_batch', ['manifest']),
  where: 't.manifest IS NOT NULL AND NOT EXISTS (SELECT 1 FROM capture_process c WHERE c.batch_id = t.id AND person_is_held(c.person_id, $2))',
})

export const pointOperators = sweepOf({
  from: 'capture_process t', since: 'coalesce(t.finished_at, t.expires_at)', people: ['t.person_id'], where: `t.state <> 'open' AND t.operator <> ''`,
  end: (tx, ids) => tx.execute(`UPDATE capture_process SET operator = '' WHERE id = ANY ($1::uuid[])`, [ids]),
})

/** Signs of life of months whose statement is closed: it says the availability that they came to. */
export const countedBeats = sweepOf({
  from: 'metering_heart_beat t JOIN capture_point p ON p.id = t.point_id', key: 't.ctid', since: 't.slot',
  where: `EXISTS (SELECT 1 FROM metering_statement s WHERE s.contract = p.contract AND s.month = to_char(t.slot AT TIME ZONE 'America/Cuiaba', 'YYYY-MM'))`,
  end: (tx, rows) => tx.execute('DELETE FROM metering_heart_beat WHERE ctid = ANY ($1::tid[])', [rows]),
})
