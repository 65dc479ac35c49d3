import type { Sql } from '../../platform/db.ts'
import type { AgencyRole, Membership } from './team.ts'

interface StaffRow {
  id: string
  namespace: string
  account_id: string
  role: AgencyRole
  ends_at: Date
}

const SELECT = 'SELECT s.id, s.namespace, s.account_id, s.role, s.ends_at FROM proxy_staff s'
/** Live as assurance's `evidenceState` says. */
export const isPrata = (now: string) => `EXISTS (SELECT 1 FROM evidence e WHERE e.person_id = a.person_id AND e.grants IN ('prata', 'ouro')
  AND (e.withdrawn_at IS NULL OR e.withdrawn_at > ${now}) AND (e.expires_at IS NULL OR e.expires_at > ${now}))`

const toMembership = (row: StaffRow): Membership => ({ id: row.id, namespace: row.namespace, accountId: row.account_id, role: row.role, endsAt: row.ends_at })

/** What an active account may do now; nothing while its level is below prata. */
export async function listLiveOf(sql: Sql, accountId: string, now: Date): Promise<Membership[]> {
  const rows = await sql.query<StaffRow>(
    `${SELECT} JOIN account a ON a.id = s.account_id AND a.status = 'active' WHERE s.account_id = $1 AND s.ended_at IS NULL AND s.ends_at > $2 AND ${isPrata('$2')}
     ORDER BY s.namespace, s.role`,
    [accountId, now],
  )
  return rows.map(toMembership)
}

/** Everybody of a namespace whose place is not over. */
export async function listOfNamespace(sql: Sql, namespace: string, now: Date): Promise<Membership[]> {
  const rows = await sql.query<StaffRow>(`${SELECT} WHERE s.namespace = $1 AND s.ended_at IS NULL AND s.ends_at > $2 ORDER BY s.given_at, s.id`, [namespace, now])
  return rows.map(toMembership)
}

/** Adds a place, or lengthens the one that there is. */
export async function insertMembership(tx: Sql, { id, namespace, accountId, role, endsAt }: Membership, given: { by: string; at: Date }): Promise<void> {
  await tx.execute(
    `INSERT INTO proxy_staff (id, namespace, account_id, role, given_by, given_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (namespace, account_id, role) WHERE ended_at IS NULL DO UPDATE SET ends_at = excluded.ends_at, given_by = excluded.given_by, given_at = excluded.given_at`,
    [id, namespace, accountId, role, given.by, given.at, endsAt],
  )
}

/** Ends a place of a namespace; whose it was, or undefined when it was over. */
export async function endMembership(tx: Sql, namespace: string, id: string, at: Date): Promise<Membership | undefined> {
  const [row] = await tx.query<StaffRow>(
    'UPDATE proxy_staff s SET ended_at = $3 WHERE s.id = $1 AND s.namespace = $2 AND s.ended_at IS NULL RETURNING s.id, s.namespace, s.account_id, s.role, s.ends_at',
    [id, namespace, at],
  )
  return row && toMembership(row)
}
