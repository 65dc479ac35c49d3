import { blank, deleteFrom, sweepOf } from '../platform/retention/sweep.store.ts'

const personOf = (party: string) => `(SELECT p.id FROM person p JOIN proxy_party y ON y.document = p.cpf WHERE y.id = ${party})`
/** Of a power: whoever it is over, who gave it and who has it. */
const PARTIES = ['represented_id', 'grantor_id', 'delegate_id']
const peopleOf = (mandate: 't' | 'm') => PARTIES.map((column) => personOf(`${mandate}.${column}`))
/** Of a use: whoever acted, and whoever gave them the power. */
const PEOPLE_OF_USE = ['t.represented_id', 't.actor_id', 'm.grantor_id'].map(personOf)

export const endedRequests = sweepOf({
  from: 'proxy_request t', since: 't.decided_at', where: `t.state <> 'asked' AND t.decided_at IS NOT NULL`, 
  people: ['t.represented_id', 't.delegate_id'].map(personOf), end: deleteFrom('proxy_request'),
})

/** Uses of a power that ended, or of an office that needs none; each stands in its person's ledger by ids. */
export const oldUses = sweepOf({
  from: 'mandate_use t LEFT JOIN mandate m ON m.id = t.mandate_id', since: 'greatest(t.at, m.ended_at)', people: PEOPLE_OF_USE,
  where: 't.at <= $1 AND (t.mandate_id IS NULL OR m.ended_at IS NOT NULL)',
  end: (tx, ids) => tx.execute('DELETE FROM mandate_use WHERE id = ANY ($1::bigint[])', [ids]),
})

export const officialsOfUses = sweepOf({
  from: 'mandate_use t LEFT JOIN mandate m ON m.id = t.mandate_id', since: 't.at', where: 't.official_sealed IS NOT NULL', people: PEOPLE_OF_USE,
  end: (tx, ids) => tx.execute('UPDATE mandate_use SET official_sealed = NULL WHERE id = ANY ($1::bigint[])', [ids]),
})

export const officialsOfSteps = sweepOf({
  from: 'mandate_authority_step t JOIN mandate m ON m.id = t.mandate_id', since: 'm.ended_at', where: 'm.ended_at IS NOT NULL',
  people: peopleOf('m'),
  end: (tx, ids) => tx.execute('DELETE FROM mandate_authority_step WHERE id = ANY ($1::bigint[])', [ids]),
})

export const endedOrigins = sweepOf({
  from: 'mandate t', since: 't.ended_at', where: 't.ended_at IS NOT NULL AND t.origin_sealed IS NOT NULL', people: peopleOf('t'), end: blank('mandate', ['origin_sealed']),
})

export const endedServants = sweepOf({
  from: 'proxy_servant t', since: 'coalesce(t.ended_at, t.ends_at)', where: 'TRUE', people: ['(SELECT a.person_id FROM account a WHERE a.id = t.account_id)'], end: deleteFrom('proxy_servant'),
})
